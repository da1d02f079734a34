//! `index.json`: which picture stands for whom.
//!
//! Owns: its format, reading it once, writing it last.
//! Leaves to others: what really stands in the folder (`files.rs`): the index is for readers of the copy, and names the
//! accounts that the folder has.
//! A newcomer gets wrong: a run that was killed leaves pictures that the index does not name yet. Nothing may depend on
//! it being complete.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::http::{Failure, FailureKind};
use crate::model::Digest;

use super::files::{Files, Standing};

const FILE: &str = "index.json";
/// Fields are added, never renamed.
const FORMAT: u32 = 1;

/// What stands there, by name; read at the first use.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: Mutex<Option<BTreeMap<String, Standing>>>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    format: u32,
    pictures: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    file: String,
    digest: Digest,
}

impl Index {
    /// Reads it, unless that was done before.
    pub async fn load(&self, files: &Files) -> Result<(), Failure> {
        if self.lock().is_some() {
            return Ok(());
        }
        let entries = match files.read(FILE).await? {
            Some(bytes) => parse(files, &bytes)?,
            None => BTreeMap::new(),
        };
        self.lock().get_or_insert(entries);
        Ok(())
    }

    /// Everybody in it, in order.
    pub async fn names(&self, files: &Files) -> Result<Vec<String>, Failure> {
        self.load(files).await?;
        Ok(self.lock().iter().flat_map(BTreeMap::keys).cloned().collect())
    }

    /// Notes what stands under a name, or that nothing does. After [`Index::load`] only.
    pub fn note(&self, name: &str, standing: Option<Standing>) {
        let mut entries = self.lock();
        let entries = entries.get_or_insert_default();
        match standing {
            Some(standing) => entries.insert(name.to_owned(), standing),
            None => entries.remove(name),
        };
    }

    /// Writes it, if it says something new.
    pub async fn write(&self, files: &Files) -> Result<(), Failure> {
        self.load(files).await?;
        let pictures: Vec<Entry> = self
            .lock()
            .iter()
            .flatten()
            .map(|(name, s)| Entry { name: name.clone(), file: s.file.clone(), digest: s.digest })
            .collect();
        let before = files.read(FILE).await?;
        if pictures.is_empty() && before.is_none() {
            return Ok(());
        }
        let mut bytes = serde_json::to_vec_pretty(&Written { format: FORMAT, pictures })
            .map_err(|error| Failure::new(FailureKind::Odd, format!("writing {FILE}"), error.to_string()))?;
        bytes.push(b'\n');
        if before.as_deref() == Some(bytes.as_slice()) { Ok(()) } else { files.place(FILE, &bytes).await }
    }

    fn lock(&self) -> MutexGuard<'_, Option<BTreeMap<String, Standing>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse(files: &Files, bytes: &[u8]) -> Result<BTreeMap<String, Standing>, Failure> {
    let tried = || format!("reading {}", files.path(FILE).display());
    let written: Written = serde_json::from_slice(bytes).map_err(|error| {
        Failure::new(FailureKind::Odd, tried(), error.to_string())
            .hint("it is not an index that avatarpipe wrote: move it away, or name another folder")
    })?;
    if written.format != FORMAT {
        let found = format!("format {}, where {FORMAT} is known", written.format);
        return Err(Failure::new(FailureKind::Misconfigured, tried(), found).hint("use a newer avatarpipe"));
    }
    let standing = |entry: Entry| (entry.name, Standing { file: entry.file, digest: entry.digest });
    Ok(written.pictures.into_iter().map(standing).collect())
}
