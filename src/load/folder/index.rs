//! `index.json`: which picture stands for whom.
//!
//! Owns: its format, and writing it last.
//! Leaves to others: what it says, which comes from the state and from what was seen in the folder (`shared.rs`).
//! A newcomer gets wrong: it is for readers of the copy and never read back, so that nothing in it can point anywhere.

use serde::Serialize;

use crate::http::{Failure, FailureKind};
use crate::model::Digest;

use super::files::{PictureFiles, StandingPicture};

const FILE: &str = "index.json";
/// Fields are added, never renamed.
const FORMAT: u64 = 1;

#[derive(Serialize)]
struct IndexFile<'a> {
    format: u64,
    pictures: Vec<IndexEntry<'a>>,
}

#[derive(Serialize)]
struct IndexEntry<'a> {
    name: &'a str,
    file: &'a str,
    digest: Digest,
}

/// Refuses a folder whose `index.json` is of somebody else, or of a newer version. A broken one is made again.
pub(super) fn check(files: &PictureFiles) -> Result<(), Failure> {
    let tried = || format!("reading {}", files.path(FILE).display());
    if files.path(FILE).symlink_metadata().is_ok_and(|found| found.is_dir()) {
        return Err(Failure::new(FailureKind::Odd, tried(), "it is a folder").hint("name another folder under `path`"));
    }
    // A link or the like is not read; a rename takes its place and leads nowhere.
    let Ok(Some(bytes)) = files.read(FILE) else { return Ok(()) };
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(&bytes) else { return Ok(()) };
    match value["format"].as_u64() {
        Some(FORMAT) => Ok(()),
        Some(format) => {
            let found = format!("format {format}, where {FORMAT} is known");
            Err(Failure::new(FailureKind::Misconfigured, tried(), found).hint("use a newer avatarpipe"))
        }
        None => Err(Failure::new(FailureKind::Odd, tried(), "it is not an index that avatarpipe wrote")
            .hint("move it away, or name another folder")),
    }
}

/// Whether there is one, readable or not.
pub(super) fn is_there(files: &PictureFiles) -> bool {
    files.path(FILE).symlink_metadata().is_ok()
}

/// Writes it, if it says something new.
pub(super) async fn write<'a>(
    files: &PictureFiles,
    pictures: impl Iterator<Item = (&'a str, &'a StandingPicture)>,
) -> Result<(), Failure> {
    let entry = |(name, standing): (&'a str, &'a StandingPicture)| IndexEntry {
        name,
        file: &standing.file,
        digest: standing.digest,
    };
    let pictures: Vec<_> = pictures.map(entry).collect();
    // What is no file is written over, if it can be.
    let before = files.read(FILE).unwrap_or_default();
    if pictures.is_empty() && before.is_none() {
        return Ok(());
    }
    let mut bytes = serde_json::to_vec_pretty(&IndexFile { format: FORMAT, pictures })
        .map_err(|error| Failure::new(FailureKind::Odd, format!("writing {FILE}"), error.to_string()))?;
    bytes.push(b'\n');
    if before.as_deref() == Some(bytes.as_slice()) { Ok(()) } else { files.place(FILE, bytes.into()).await }
}
