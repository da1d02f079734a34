//! The picture files of a world.
//!
//! Owns: finding a file by its name, and where a world names it.
//! Leaves to others: reading them (`world`), what they show (each simulator).
//! A newcomer gets wrong: keys and certificates of a world are files like any other.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;

/// The picture files of a world, by their path below its folder.
#[derive(Clone, Debug, Default)]
pub struct Pictures(Arc<BTreeMap<String, Bytes>>);

impl Pictures {
    pub(crate) fn new(files: BTreeMap<String, Bytes>) -> Self {
        Self(Arc::new(files))
    }

    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Bytes)> {
        self.0.iter()
    }

    pub fn get(&self, name: &str) -> Option<Bytes> {
        self.0.get(name).cloned()
    }
}

/// The name of a picture file, and the line that names it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "serde_yaml::Spanned<String>")]
pub struct FileRef {
    /// The path below the world's folder.
    pub name: String,
    /// The line in `world.yaml`; none in a world made in code.
    pub line: Option<u64>,
}

impl From<serde_yaml::Spanned<String>> for FileRef {
    fn from(written: serde_yaml::Spanned<String>) -> Self {
        let line = written.referenced.line();
        Self { name: written.value, line: (line > 0).then_some(line) }
    }
}

impl From<&str> for FileRef {
    fn from(name: &str) -> Self {
        Self { name: name.to_owned(), line: None }
    }
}
