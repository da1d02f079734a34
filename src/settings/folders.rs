//! A folder that a file names, and what for.
//!
//! Owns: whose it is and where that stands. Leaves to others: whether two of them are one (`run::folders`).
//! A newcomer gets wrong: the path is as it was written; what links make of it only a machine knows.

use std::path::{Path, PathBuf};

use crate::model::Place;

/// What a folder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FolderUse {
    /// A source's.
    Read,
    /// A target's.
    Written,
}

/// A folder of a source or a target.
#[derive(Clone, Debug)]
pub(crate) struct FolderOf {
    /// What it is for.
    pub used: FolderUse,
    /// The id of the source or target.
    pub id: String,
    /// Where that stands in the file.
    pub place: Place,
    /// The folder.
    pub path: PathBuf,
}

impl FolderOf {
    pub(crate) fn new(used: FolderUse, id: &str, place: &Place, path: &Path) -> Self {
        Self { used, id: id.to_owned(), place: place.clone(), path: path.to_owned() }
    }
}
