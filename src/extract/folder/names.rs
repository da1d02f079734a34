//! Names of files that look the same to whoever typed them: in another case, in another Unicode form.
//!
//! Owns: finding them. Leaves to others: what follows (`source.rs`).
//! A newcomer gets wrong: which of two such files a name leads to differs from one file system to the next, and nobody can
//! see it. So neither is guessed (promise P1).

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::model::normalise_key;

use super::people::key_of;

/// How often a run looks for what a missing file may be called in truth. A table with more of them has one cause.
const LOOKS: u32 = 20;

/// What is known of the names in each folder.
#[derive(Debug, Default)]
pub(super) struct PictureNames {
    /// Names that more than one file of a folder has, in their compared form; read at the first use.
    twins: Mutex<HashMap<PathBuf, HashSet<[u8; 16]>>>,
    looks: AtomicU32,
}

impl PictureNames {
    /// Forgets everything: the folder is listed anew.
    pub(super) fn clear(&self) {
        self.lock().clear();
        self.looks.store(0, Ordering::Relaxed);
    }

    /// The part of a path inside of `root` that another file is called, too, but for case or Unicode form.
    pub(super) fn twin<'p>(&self, root: &Path, path: &'p Path) -> Option<&'p OsStr> {
        let mut folder = root.to_owned();
        let mut twins = self.lock();
        for part in path.components().map(|part| part.as_os_str()) {
            let known = twins.entry(folder.clone()).or_insert_with(|| twins_in(&folder));
            if !known.is_empty() && known.contains(&compared(part)) {
                return Some(part);
            }
            folder.push(part);
        }
        None
    }

    /// What stands there in place of a missing file, and differs from its name in case or Unicode form alone.
    pub(super) fn nearly(&self, root: &Path, path: &Path) -> Option<String> {
        if self.looks.fetch_add(1, Ordering::Relaxed) >= LOOKS {
            return None;
        }
        let mut folder = root.to_owned();
        for part in path.components().map(|part| part.as_os_str()) {
            if folder.join(part).symlink_metadata().is_ok() {
                folder.push(part);
                continue;
            }
            let wanted = compared(part);
            let mut there = fs::read_dir(&folder).ok()?.flatten().map(|entry| entry.file_name());
            return there.find(|name| compared(name) == wanted).map(|name| name.to_string_lossy().into_owned());
        }
        None
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, HashSet<[u8; 16]>>> {
        self.twins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A folder that cannot be listed says nothing; opening the file in it says why.
fn twins_in(folder: &Path) -> HashSet<[u8; 16]> {
    let there = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut all: Vec<_> = there.map(|entry| compared(&entry.file_name())).collect();
    all.sort_unstable();
    all.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect()
}

fn compared(name: &OsStr) -> [u8; 16] {
    key_of(&normalise_key(&name.to_string_lossy()))
}
