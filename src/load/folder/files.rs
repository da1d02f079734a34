//! Files that are there whole or not at all.
//!
//! Owns: temporary file, fsync, rename, fsync of the folder.
//! Leaves to others: names (`names.rs`), what is written when (`session.rs`).
//! A newcomer gets wrong: a write that fails on a full disk may be told by the sync alone. And after a rename the *folder* must
//! reach the disk too, or a power cut brings the old file back.

use std::io::{Error, ErrorKind, Result, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tokio::fs::{self, File};
use tokio::task::spawn_blocking;

use crate::http::{Failure, FailureKind};
use crate::input;
use crate::model::{Digest, MediaType, PictureRef};

/// The ending of a file that is being written; before it a dot and random digits.
const UNFINISHED: &str = ".avatarpipe-part";
/// Random digits in the name of a file that is being written.
const RANDOM: usize = 32;
/// What is larger was not written here.
const LARGEST: u64 = 256 << 20;

/// One folder.
#[derive(Debug)]
pub(super) struct PictureFiles {
    folder: PathBuf,
    /// A name has changed since the folder was brought to the disk.
    unsettled: AtomicBool,
}

/// A picture that stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StandingPicture {
    pub file: String,
    pub digest: Digest,
}

impl StandingPicture {
    pub(super) fn mark(&self) -> PictureRef {
        PictureRef::new(self.digest.to_string())
    }
}

impl PictureFiles {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, unsettled: AtomicBool::new(false) }
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// The bytes of a file that stands there itself; `None` if there is none. A link, a pipe or a folder is an error.
    pub(super) fn read(&self, file: &str) -> Result<Option<Bytes>> {
        match input::open_itself(&self.path(file)).and_then(|open| input::up_to(open, LARGEST)) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::new(error.kind(), format!("`{file}`: {error}"))),
        }
    }

    /// The pictures under a name, one for each extension.
    pub(super) fn standing(&self, name: &str) -> Result<Vec<StandingPicture>> {
        let mut found = Vec::new();
        for media_type in MediaType::ALL {
            let file = format!("{name}.{}", media_type.ending());
            if let Some(bytes) = self.read(&file)? {
                found.push(StandingPicture { file, digest: Digest::of(&bytes) });
            }
        }
        Ok(found)
    }

    /// Puts a file there, over one of the same name. Its name is on the disk after [`PictureFiles::settle`].
    pub(super) async fn place(&self, file: &str, bytes: Bytes) -> std::result::Result<(), Failure> {
        let part = self.path(&format!(".{}{UNFINISHED}", uuid::Uuid::new_v4().simple()));
        let (folder, to) = (self.folder.clone(), self.path(file));
        // One step for another thread: each costs more than it does.
        let written = spawn_blocking(move || {
            let written = write_whole(&folder, &part, &bytes).and_then(|()| std::fs::rename(&part, to));
            if written.is_err() {
                // Half a file helps nobody, and on a full disk its room does.
                _ = std::fs::remove_file(&part);
            }
            written
        });
        let written = written.await.map_err(Error::other).flatten();
        self.unsettled.store(true, Ordering::Relaxed);
        written.map_err(|error| self.failed("writing", file, &error))
    }

    /// Takes a file away, for good when this returns; one that is gone already is as good.
    pub(super) async fn remove(&self, file: &str) -> std::result::Result<(), Failure> {
        match fs::remove_file(self.path(file)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.failed("removing", file, &error)),
            _ => {
                // What comes back after a power cut would be nobody's.
                self.unsettled.store(true, Ordering::Relaxed);
                self.settle().await
            }
        }
    }

    /// Brings all names to the disk at once.
    pub(super) async fn settle(&self) -> std::result::Result<(), Failure> {
        if !self.unsettled.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let settled = async { File::open(&self.folder).await?.sync_all().await };
        settled.await.map_err(|error| self.failed("writing", "", &error))
    }

    /// Takes away what a run that was killed left half written: plain files of exactly our form of name.
    pub(super) async fn sweep(&self) {
        let Ok(mut there) = fs::read_dir(&self.folder).await else { return };
        while let Ok(Some(entry)) = there.next_entry().await {
            let ours = entry.file_name().to_str().is_some_and(is_unfinished);
            // Of the entry itself: a link is none.
            if ours && entry.file_type().await.is_ok_and(|kind| kind.is_file()) {
                _ = fs::remove_file(entry.path()).await;
            }
        }
    }

    pub(super) fn failed(&self, what: &str, file: &str, error: &Error) -> Failure {
        let tried = format!("{what} {}", self.path(file).display());
        match input::of_this_machine(error) {
            Some(remedy) => Failure::new(FailureKind::Local, tried, error.to_string()).hint(remedy),
            None => Failure::new(FailureKind::Unreachable, tried, error.to_string())
                .hint("see that `path` is a folder or can be made one, and the share is mounted"),
        }
    }
}

/// A new file that is on the disk when this returns.
fn write_whole(folder: &Path, part: &Path, bytes: &[u8]) -> Result<()> {
    // `create_new` follows no link, and takes nothing over.
    let open = || std::fs::OpenOptions::new().write(true).create_new(true).open(part);
    let mut file = match open() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            std::fs::create_dir_all(folder)?;
            open()?
        }
        opened => opened?,
    };
    file.write_all(bytes)?;
    file.sync_all()
}

fn is_unfinished(name: &str) -> bool {
    let random = name.strip_prefix('.').and_then(|name| name.strip_suffix(UNFINISHED));
    random.is_some_and(|random| random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[tokio::test]
    async fn a_file_is_placed_whole_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let files = PictureFiles::new(folder.path().join("out"));
        assert_eq!(files.standing("ada").unwrap(), []);
        files.place("ada.png", Bytes::from_static(b"one")).await.unwrap();
        files.place("ada.png", Bytes::from_static(b"two")).await.unwrap();
        files.settle().await.unwrap();
        let standing = files.standing("ada").unwrap();
        assert_eq!(standing, [StandingPicture { file: "ada.png".into(), digest: Digest::of(b"two") }]);
        assert_eq!(std::fs::read_dir(folder.path().join("out")).unwrap().count(), 1);
        files.remove("ada.png").await.unwrap();
        files.remove("ada.png").await.unwrap();
        assert_eq!(files.standing("ada").unwrap(), []);
    }

    #[tokio::test]
    async fn a_write_that_fails_leaves_the_old_file_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let files = PictureFiles::new(folder.path().to_owned());
        std::fs::create_dir(folder.path().join("ada.png")).unwrap();
        assert!(files.place("ada.png", Bytes::from_static(b"one")).await.is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn links_lead_nowhere() {
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let secret = outside.path().join("secret");
        std::fs::write(&secret, "secret").unwrap();
        let part = format!(".{}{UNFINISHED}", "0".repeat(RANDOM));
        for name in ["ada.png", "index.json", &part] {
            symlink(&secret, folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join(format!(".{}{UNFINISHED}", "1".repeat(RANDOM))), "half").unwrap();
        std::fs::write(folder.path().join(".mine.avatarpipe-part"), "mine").unwrap();
        let files = PictureFiles::new(folder.path().to_owned());
        assert!(files.standing("ada").unwrap_err().to_string().contains("a link"));
        files.place("index.json", Bytes::from_static(b"new")).await.unwrap();
        files.sweep().await;
        assert_eq!(std::fs::read(&secret).unwrap(), b"secret");
        assert_eq!(std::fs::read(folder.path().join("index.json")).unwrap(), b"new");
        let mut left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [part.as_str(), ".mine.avatarpipe-part", "ada.png", "index.json"]);
    }
}
