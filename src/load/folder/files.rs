//! Files that are there whole or not at all.
//!
//! Owns: safe names, temporary file, fsync, rename, fsync of the folder.
//! Leaves to others: what is written when (`session.rs`).
//! A newcomer gets wrong: after a rename the *folder* must reach the disk too, or a power cut brings the old file back.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::PathBuf;

use bytes::Bytes;
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt as _;

use crate::http::{Failure, FailureKind};
use crate::model::{Digest, Mark};

/// The extensions that a picture may have.
const EXTENSIONS: [&str; 2] = ["png", "jpg"];
/// The ending of a file that is being written. It is ours alone, so the next write may take it over.
const UNFINISHED: &str = ".avatarpipe-part";
/// Most file systems take 255 bytes; this leaves room for endings.
const LONGEST: usize = 180;

/// One folder.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
}

/// A picture that stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub file: String,
    pub digest: Digest,
}

impl Standing {
    pub fn mark(&self) -> Mark {
        Mark::new(self.digest.to_string())
    }
}

impl Files {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// The bytes of a file; `None` if it is not there.
    pub async fn read(&self, file: &str) -> Result<Option<Bytes>, Failure> {
        match fs::read(self.path(file)).await {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed("reading", file, &error)),
        }
    }

    /// The picture under a name.
    pub async fn standing(&self, name: &str) -> Result<Option<Standing>, Failure> {
        Ok(self.all_standing(name).await?.into_iter().next())
    }

    /// The pictures under a name, one for each extension.
    pub async fn all_standing(&self, name: &str) -> Result<Vec<Standing>, Failure> {
        let mut found = Vec::new();
        for extension in EXTENSIONS {
            let file = format!("{name}.{extension}");
            if let Some(bytes) = self.read(&file).await? {
                found.push(Standing { file, digest: Digest::of(&bytes) });
            }
        }
        Ok(found)
    }

    /// Puts a file there, over one of the same name.
    pub async fn place(&self, file: &str, bytes: &[u8]) -> Result<(), Failure> {
        let part = self.path(&format!(".{file}{UNFINISHED}"));
        let written = async {
            fs::create_dir_all(&self.folder).await?;
            let mut open = File::create(&part).await?;
            open.write_all(bytes).await?;
            open.sync_all().await?;
            drop(open);
            fs::rename(&part, self.path(file)).await?;
            self.settle().await
        };
        written.await.map_err(|error| self.failed("writing", file, &error))
    }

    /// Takes a file away; one that is gone already is as good.
    pub async fn remove(&self, file: &str) -> Result<(), Failure> {
        match fs::remove_file(self.path(file)).await {
            Ok(()) => self.settle().await.map_err(|error| self.failed("removing", file, &error)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(self.failed("removing", file, &error)),
        }
    }

    /// Brings the folder itself to the disk.
    async fn settle(&self) -> std::io::Result<()> {
        // Windows opens no folder as a file; there a rename is durable by itself.
        if cfg!(windows) { Ok(()) } else { File::open(&self.folder).await?.sync_all().await }
    }

    pub fn failed(&self, what: &str, file: &str, error: &std::io::Error) -> Failure {
        let tried = format!("{what} {}", self.path(file).display());
        let kind =
            if error.kind() == ErrorKind::PermissionDenied { FailureKind::Refused } else { FailureKind::Unreachable };
        Failure::new(kind, tried, error.to_string()).hint("check that the folder is writable and has room")
    }
}

/// A file name for a person's name. Two different names never get the same one: whatever is not plainly safe is written
/// as `%` and hex digits.
pub(super) fn safe_name(name: &str) -> String {
    let mut safe = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'+' => safe.push(char::from(byte)),
            b'.' if at > 0 => safe.push('.'),
            // Writing to a string cannot fail.
            _ => drop(write!(safe, "%{byte:02x}")),
        }
    }
    if safe.len() > LONGEST || is_reserved(&safe) {
        let digest = Digest::of(name.as_bytes()).hex();
        let head: String = safe.chars().take(LONGEST / 2).collect();
        // `~` is in no other name.
        return format!("{head}~{}", digest.split_at(16).0);
    }
    safe
}

/// Names that Windows gives to devices, with any ending, and our own index.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    let numbered =
        |device: &str| stem.strip_prefix(device).is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()));
    matches!(stem, "" | "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn plain_names_stay_readable() {
        let table = [
            ("ada", "ada"),
            ("ada.lovelace+x", "ada.lovelace+x"),
            (".hidden", "%2ehidden"),
            ("a/b\\c", "a%2fb%5cc"),
            ("zoë", "zo%c3%ab"),
            ("100%25", "100%2525"),
            ("A", "%41"),
        ];
        for (name, expected) in table {
            assert_eq!(safe_name(name), expected, "{name}");
        }
    }

    #[test]
    fn names_are_safe_and_never_the_same() {
        let long = ["x".repeat(400), "x".repeat(401)];
        let odd = ["../../etc/passwd", "con", "com1.x", "nul", "", "a.", "a\0b", "~", &long[0], &long[1]];
        let safe: HashSet<String> = odd.iter().map(|name| safe_name(name)).collect();
        assert_eq!(safe.len(), odd.len());
        for name in &safe {
            assert!(!name.contains(['/', '\\', '\0']) && !name.starts_with('.') && name.len() < 200, "{name}");
            assert!(!matches!(name.as_str(), "con" | "nul" | "" | "com1.x"), "{name}");
        }
    }

    #[tokio::test]
    async fn a_file_is_placed_whole_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path().join("out"));
        assert_eq!(files.standing("ada").await, Ok(None));
        files.place("ada.png", b"one").await.unwrap();
        files.place("ada.png", b"two").await.unwrap();
        let standing = files.standing("ada").await.unwrap().unwrap();
        assert_eq!(standing, Standing { file: "ada.png".into(), digest: Digest::of(b"two") });
        assert_eq!(std::fs::read_dir(folder.path().join("out")).unwrap().count(), 1);
        files.remove("ada.png").await.unwrap();
        files.remove("ada.png").await.unwrap();
        assert_eq!(files.standing("ada").await, Ok(None));
    }
}
