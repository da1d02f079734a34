//! What accounts showed before a change, in small copies for the contact sheet.
//!
//! Owns: the folder in the cache beside the state, mode 0700, one file an account, sealed for it and for this run.
//! Leaves to others: getting the pictures (`look`, `fetch_stood`), the page (`report`).
//! A newcomer gets wrong: nothing is written to a target from here, and no later run reads it: it goes when a run ends,
//! however it ends, and what a kill left goes when the next one begins.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::private::private_folder;
use super::small_copy::{LARGE, small};
use crate::model::{AccountId, Digest, RunId, StateKey, TargetId};

/// Which picture of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// What it shows before the change.
    Before,
    /// What an undoing gives back.
    Back,
}

impl Which {
    fn word(self) -> &'static str {
        match self {
            Self::Before => "stood",
            Self::Back => "comes back",
        }
    }
}

/// A folder of small copies.
pub struct Stood {
    folder: PathBuf,
    key: StateKey,
    run: RunId,
}

const SEAL: usize = 32;

impl Stood {
    /// In a cache folder, and empty.
    pub fn within(cache: &Path, key: StateKey, run: RunId) -> io::Result<Self> {
        let folder = cache.join("stood");
        private_folder(&folder)?;
        let stood = Self { folder, key, run };
        stood.clear()?;
        Ok(stood)
    }

    /// Keeps a small copy of a picture of an account. What is no picture, or finds no room, is not on the page, and fails
    /// nothing.
    pub(super) fn put(&self, which: Which, target: &TargetId, account: &AccountId, picture: &[u8]) {
        let Some(copy) = small(picture, LARGE) else { return };
        if let Err(error) = self.keep(which, target, account, &copy) {
            tracing::warn!(%error, "an earlier picture is not kept for the contact sheet");
        }
    }

    fn keep(&self, which: Which, target: &TargetId, account: &AccountId, copy: &[u8]) -> io::Result<()> {
        let mut file =
            tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o600)).tempfile_in(&self.folder)?;
        file.write_all(self.seal(which, target, account, copy).as_bytes())?;
        file.write_all(copy)?;
        file.persist(self.path(which, target, account)).map(drop).map_err(|error| error.error)
    }

    /// The copy, if one is here.
    pub(super) fn get(&self, which: Which, target: &TargetId, account: &AccountId) -> Option<Bytes> {
        let bytes = Bytes::from(fs::read(self.path(which, target, account)).ok()?);
        let seal: [u8; SEAL] = bytes.get(..SEAL)?.try_into().ok()?;
        let copy = bytes.slice(SEAL..);
        (self.seal(which, target, account, &copy) == Digest::from_bytes(seal)).then_some(copy)
    }

    /// Whether a copy is here.
    pub(super) fn has(&self, which: Which, target: &TargetId, account: &AccountId) -> bool {
        self.path(which, target, account).exists()
    }

    /// Empties the folder.
    pub fn clear(&self) -> io::Result<()> {
        fs::read_dir(&self.folder)?.try_for_each(|file| fs::remove_file(file?.path()))
    }

    fn seal(&self, which: Which, target: &TargetId, account: &AccountId, copy: &[u8]) -> Digest {
        let (run, copy) = (self.run.to_string(), Digest::of(copy).to_string());
        self.key.digest("stood", &[which.word(), &run, target.as_str(), account.as_str(), &copy])
    }

    fn path(&self, which: Which, target: &TargetId, account: &AccountId) -> PathBuf {
        self.folder.join(self.key.digest("stood at", &[which.word(), target.as_str(), account.as_str()]).hex())
    }
}

impl Drop for Stood {
    fn drop(&mut self) {
        // Whoever ends well has emptied it, and told what kept it from that.
        _ = self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_of_this_account_and_this_run() {
        let folder = tempfile::tempdir().unwrap();
        let within = |run: &str| Stood::within(folder.path(), StateKey::new([7; 32]), RunId::new(run)).unwrap();
        let (jira, [ada, grace]) = (TargetId::new("jira"), ["ada", "grace"].map(AccountId::new));
        let mut picture = io::Cursor::new(Vec::new());
        image::RgbImage::from_pixel(300, 300, image::Rgb([9, 90, 200]))
            .write_to(&mut picture, image::ImageFormat::Png)
            .unwrap();
        let stood = within("a");
        stood.put(Which::Before, &jira, &ada, picture.get_ref());
        stood.put(Which::Before, &jira, &grace, b"a page of words");
        let copy = image::load_from_memory(&stood.get(Which::Before, &jira, &ada).unwrap()).unwrap();
        assert_eq!((copy.width(), copy.height()), (LARGE, LARGE));
        assert!(!stood.has(Which::Before, &jira, &grace));
        assert!(stood.get(Which::Back, &jira, &ada).is_none());
        fs::copy(stood.path(Which::Before, &jira, &ada), stood.path(Which::Before, &jira, &grace)).unwrap();
        assert!(stood.get(Which::Before, &jira, &grace).is_none(), "the face of another account");
        let kept = stood.path(Which::Before, &jira, &ada);
        let bytes = fs::read(&kept).unwrap();
        drop(stood);
        assert!(!kept.exists(), "it goes with the run");
        fs::write(&kept, &bytes).unwrap();
        let later = within("b");
        assert!(!later.has(Which::Before, &jira, &ada), "what a kill left goes, too");
        fs::write(&kept, &bytes).unwrap();
        assert!(later.get(Which::Before, &jira, &ada).is_none(), "of another run");
    }
}
