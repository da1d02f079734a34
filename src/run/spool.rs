//! Where renditions wait between rendering and uploading: files, not memory (design §4, render).
//!
//! Owns: the folder beside the state, mode 0600, one file a rendition, named by what it was made of and with.
//! Leaves to others: making renditions (`transform`), fetching again after a miss (`fetch`).
//! A newcomer gets wrong: the spool is a cache. A file that is missing, cut off or damaged is a miss, never an error.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::model::{Digest, Luma, Recipe};
use crate::transform::Rendered;

/// A folder of renditions.
#[derive(Clone, Debug)]
pub struct Spool {
    folder: PathBuf,
}

/// A rendition from the spool.
#[derive(Clone, Debug)]
pub struct Spooled {
    /// Encoded.
    pub bytes: Bytes,
    /// Of the bytes.
    pub digest: Digest,
    /// Side of the square, in pixels.
    pub side: u32,
    /// What it looks like.
    pub luma: Luma,
}

/// Bytes before the picture: 32 of digest, 4 of side, 256 of luma.
const HEAD: usize = 32 + 4 + Luma::SIDE * Luma::SIDE;

impl Spool {
    /// The spool beside a state file: `state/corporate.db` → `state/corporate.spool`.
    pub fn beside(state: &Path) -> io::Result<Self> {
        let folder = state.with_extension("spool");
        fs::create_dir_all(&folder)?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        Ok(Self { folder })
    }

    /// Keeps a rendition of `photo`.
    pub fn put(&self, photo: &Digest, recipe: &Recipe, rendered: &Rendered) -> io::Result<()> {
        let path = self.path(photo, recipe);
        let mut file =
            tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o600)).tempfile_in(&self.folder)?;
        file.write_all(Digest::of(&rendered.bytes).as_bytes())?;
        file.write_all(&rendered.side.to_le_bytes())?;
        file.write_all(rendered.luma.values())?;
        file.write_all(&rendered.bytes)?;
        file.persist(path).map(drop).map_err(|error| error.error)
    }

    /// A rendition of `photo`, if it is here and whole.
    pub fn get(&self, photo: &Digest, recipe: &Recipe) -> Option<Spooled> {
        let bytes = Bytes::from(fs::read(self.path(photo, recipe)).ok()?);
        let digest = Digest::from_bytes(bytes.get(..32)?.try_into().ok()?);
        let side = u32::from_le_bytes(bytes.get(32..36)?.try_into().ok()?);
        let luma = Luma::from_values(bytes.get(36..HEAD)?.to_vec())?;
        let picture = bytes.slice(HEAD..);
        (Digest::of(&picture) == digest).then_some(Spooled { bytes: picture, digest, side, luma })
    }

    /// The digest of a rendition, if it is here and whole.
    pub fn digest(&self, photo: &Digest, recipe: &Recipe) -> Option<Digest> {
        self.get(photo, recipe).map(|spooled| spooled.digest)
    }

    /// Empties the spool: everything was uploaded, or nothing is to do.
    pub fn clear(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.folder)
    }

    fn path(&self, photo: &Digest, recipe: &Recipe) -> PathBuf {
        let key = Digest::of(format!("{photo}\n{recipe}").as_bytes());
        self.folder.join(key.hex())
    }
}

/// Opens a file that only its owner may read.
pub fn create_private(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_a_miss() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::beside(&folder.path().join("x.db")).unwrap();
        let (photo, recipe) = (Digest::of(b"photo"), Recipe::new("r@48"));
        let luma = Luma::from_values(vec![7; 256]).unwrap();
        let rendered = Rendered { bytes: b"picture".to_vec(), mime: "image/png", side: 48, luma: luma.clone() };
        assert!(spool.get(&photo, &recipe).is_none());
        spool.put(&photo, &recipe, &rendered).unwrap();
        let found = spool.get(&photo, &recipe).unwrap();
        assert_eq!((found.bytes.as_ref(), found.side, found.luma), (&b"picture"[..], 48, luma));
        assert!(spool.get(&photo, &Recipe::new("r@256")).is_none());

        let path = spool.path(&photo, &recipe);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let whole = fs::read(&path).unwrap();
        for cut in [0, 31, HEAD - 1, whole.len() - 1] {
            fs::write(&path, &whole[..cut]).unwrap();
            assert!(spool.get(&photo, &recipe).is_none(), "{cut}");
        }
    }
}
