//! The picture files of a world.
//!
//! Owns: finding a file by its name, making it where a world only says how, and where a world names it.
//! Leaves to others: reading them (`world`), what they show (each simulator).
//! A newcomer gets wrong: keys and certificates of a world are files like any other.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;

/// The picture files of a world, by their path below its folder.
#[derive(Clone, Debug, Default)]
pub struct Pictures {
    files: Arc<BTreeMap<String, Bytes>>,
    maker: Option<Maker>,
}

/// Makes a picture of its name whenever somebody wants to see it, the same each time: nobody could store those of a million.
#[derive(Clone)]
pub(crate) struct Maker(pub Arc<Make>);

type Make = dyn Fn(&str) -> Option<Bytes> + Send + Sync;

impl std::fmt::Debug for Maker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Maker")
    }
}

impl Pictures {
    pub(crate) fn new(files: BTreeMap<String, Bytes>, maker: Option<Maker>) -> Self {
        Self { files: Arc::new(files), maker }
    }

    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Bytes)> {
        self.files.iter()
    }

    pub fn get(&self, name: &str) -> Option<Bytes> {
        self.files.get(name).cloned().or_else(|| self.maker.as_ref()?.0(name))
    }

    /// Whether it is made anew each time.
    pub(crate) fn is_made(&self, name: &str) -> bool {
        !self.files.contains_key(name)
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
