//! Where renditions wait between rendering and uploading: files, not memory (docs/architecture.md, "Render").
//!
//! Owns: the folder in the cache beside the state, mode 0700, one file a rendition, named by what it was made of and with.
//! Leaves to others: making renditions (`transform`), fetching again after a miss (`fetch`).
//! A newcomer gets wrong: the spool is a cache, and it is input. A file that is missing, cut off, or not sealed for its
//! name under the state's key is a miss, never an error: whoever swaps two files swaps no faces (promise P1).

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use super::private::private_folder;
use crate::model::{Digest, Luma, MediaType, Recipe, Rendition, StateKey};

/// A folder of renditions.
#[derive(Clone)]
pub struct Spool {
    folder: PathBuf,
    /// Of the state: what another state, or nobody, has sealed is not ours.
    key: StateKey,
    /// Nothing waits here, as on every run that finds nothing new: nobody has to look for each photo.
    is_empty: Arc<AtomicBool>,
}

/// Bytes before the picture: 32 of seal, 32 of digest, 1 of media type, 4 of side, 256 of luma.
const SEAL: usize = 32;
const DIGEST: usize = SEAL + 32;
const MEDIA_TYPE: usize = DIGEST + 1;
const SIDE: usize = MEDIA_TYPE + 4;
const HEAD: usize = SIDE + Luma::SIDE * Luma::SIDE;

impl Spool {
    /// The spool in a cache folder.
    pub fn within(cache: &Path, key: StateKey) -> io::Result<Self> {
        let folder = cache.join("pictures");
        private_folder(&folder)?;
        let is_empty = fs::read_dir(&folder)?.next().is_none();
        Ok(Self { folder, key, is_empty: Arc::new(is_empty.into()) })
    }

    /// Keeps a rendition of `photo`.
    pub fn put(&self, photo: &Digest, recipe: &Recipe, rendition: &Rendition) -> io::Result<()> {
        let path = self.path(photo, recipe);
        let luma =
            rendition.luma.as_ref().ok_or_else(|| io::Error::other("nobody says what the rendition looks like"))?;
        let mut sealed = Vec::with_capacity(HEAD - SEAL);
        sealed.extend_from_slice(rendition.digest.as_bytes());
        sealed.push(rendition.media_type.kept());
        sealed.extend_from_slice(&rendition.side.to_le_bytes());
        sealed.extend_from_slice(luma.values());
        self.is_empty.store(false, Ordering::Release);
        let mut file =
            tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o600)).tempfile_in(&self.folder)?;
        file.write_all(self.seal(photo, recipe, &sealed).as_bytes())?;
        file.write_all(&sealed)?;
        file.write_all(&rendition.bytes)?;
        file.persist(path).map(drop).map_err(|error| error.error)
    }

    /// A rendition of `photo`, if it is here, whole, and the one that was put here.
    pub fn get(&self, photo: &Digest, recipe: &Recipe) -> Option<Rendition> {
        if self.is_empty.load(Ordering::Acquire) {
            return None;
        }
        let bytes = Bytes::from(fs::read(self.path(photo, recipe)).ok()?);
        let seal: [u8; 32] = bytes.get(..SEAL)?.try_into().ok()?;
        if self.seal(photo, recipe, bytes.get(SEAL..HEAD)?) != Digest::from_bytes(seal) {
            return None;
        }
        let digest = Digest::from_bytes(bytes.get(SEAL..DIGEST)?.try_into().ok()?);
        let kept = *bytes.get(DIGEST)?;
        let media_type = MediaType::ALL.into_iter().find(|media_type| media_type.kept() == kept)?;
        let side = u32::from_le_bytes(bytes.get(MEDIA_TYPE..SIDE)?.try_into().ok()?);
        let luma = Luma::from_values(bytes.get(SIDE..HEAD)?.to_vec())?;
        let rendition = Rendition::new(bytes.slice(HEAD..), media_type, side, Some(luma));
        (rendition.digest == digest).then_some(rendition)
    }

    /// How many renditions wait.
    pub fn count(&self) -> usize {
        fs::read_dir(&self.folder).map_or(0, Iterator::count)
    }

    /// Empties the spool: no later run waits for it.
    pub fn clear(&self) -> io::Result<()> {
        fs::read_dir(&self.folder)?.try_for_each(|file| fs::remove_file(file?.path()))
    }

    fn seal(&self, photo: &Digest, recipe: &Recipe, sealed: &[u8]) -> Digest {
        let (photo, sealed) = (photo.to_string(), Digest::of(sealed).to_string());
        self.key.digest("rendition", &[&photo, recipe.as_str(), &sealed])
    }

    fn path(&self, photo: &Digest, recipe: &Recipe) -> PathBuf {
        let key = Digest::of(format!("{photo}\n{recipe}").as_bytes());
        self.folder.join(key.hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_a_miss() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::within(folder.path(), StateKey::new([7; 32])).unwrap();
        let (photo, recipe) = (Digest::of(b"photo"), Recipe::new("r@48"));
        let luma = Luma::from_values(vec![7; 256]).unwrap();
        let rendition = Rendition::new(Bytes::from_static(b"picture"), MediaType::Jpeg, 48, Some(luma));
        assert!(spool.get(&photo, &recipe).is_none());
        spool.put(&photo, &recipe, &rendition).unwrap();
        let found = spool.get(&photo, &recipe).unwrap();
        assert_eq!(found, rendition);
        assert!(spool.get(&photo, &Recipe::new("r@256")).is_none());

        let path = spool.path(&photo, &recipe);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let whole = fs::read(&path).unwrap();
        for cut in [0, 31, HEAD - 1, whole.len() - 1] {
            fs::write(&path, &whole[..cut]).unwrap();
            assert!(spool.get(&photo, &recipe).is_none(), "{cut}");
        }
    }

    /// Promise P1: a file is only what it was put here as.
    #[test]
    fn a_file_under_another_name_or_of_another_state_is_a_miss() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::within(folder.path(), StateKey::new([7; 32])).unwrap();
        let recipe = Recipe::new("r@48");
        let luma = Luma::from_values(vec![7; 256]).unwrap();
        let [ada, grace] = [&b"ada"[..], b"grace"].map(|photo| {
            let rendition = Rendition::new(Bytes::from_static(photo), MediaType::Png, 48, Some(luma.clone()));
            spool.put(&Digest::of(photo), &recipe, &rendition).unwrap();
            Digest::of(photo)
        });
        let [at_ada, at_grace] = [ada, grace].map(|photo| spool.path(&photo, &recipe));
        let of_ada = fs::read(&at_ada).unwrap();
        fs::copy(&at_grace, &at_ada).unwrap();
        assert!(spool.get(&ada, &recipe).is_none(), "the face of another photo");
        // Looks are compared before anything is written, so they are sealed, too.
        let mut other_looks = of_ada.clone();
        other_looks[SIDE] ^= 1;
        fs::write(&at_ada, other_looks).unwrap();
        assert!(spool.get(&ada, &recipe).is_none(), "other looks");
        fs::write(&at_ada, of_ada).unwrap();
        assert!(spool.get(&ada, &recipe).is_some());
        assert!(
            Spool::within(folder.path(), StateKey::new([8; 32])).unwrap().get(&ada, &recipe).is_none(),
            "another state's"
        );
        assert_eq!(spool.count(), 2);
        spool.clear().unwrap();
        assert_eq!(spool.count(), 0);
    }
}
