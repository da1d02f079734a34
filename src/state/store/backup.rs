//! A copy of the durable store while a run may be writing to it.
//!
//! Owns: copying whole transactions, and the place of the copy. Leaves to others: when (`cli`).
//! A newcomer gets wrong: a plain copy of the file during a commit is half of it, without the journal that undoes it.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::Store;
use super::open::{SHAPE, connect};
use crate::state::error::{StateError, StateFault};
use crate::state::file::{self, Durability};

/// All pages in one step: a step that another's commit comes between begins anew.
const WHOLE: i32 = i32::MAX;

/// Until a writer is asked again whether it is done.
const PAUSE: Duration = Duration::from_millis(50);

/// Copies the state to a file of its owner's alone (mode 0600), whole or not at all. What stands there must be an earlier
/// copy of the same pipeline's state.
///
/// # Errors
///
/// The state is missing or damaged, or something else stands in the copy's place.
pub(crate) fn back_up(state: &Path, to: &Path) -> Result<(), StateError> {
    let version = file::version_of(state, &SHAPE).map_err(|fault| StateError::new("copy the state", state, fault))?;
    expect_former(state, to)?;
    let new = file::beside(to, ".new");
    copy(state, version, &new)
        .and_then(|()| Ok(std::fs::rename(&new, to)?))
        .and_then(|()| Ok(file::sync_folder(to)?))
        .map_err(|fault| StateError::new("copy the state to", to, fault))
}

fn expect_former(state: &Path, to: &Path) -> Result<(), StateError> {
    let refuse = |fault| Err(StateError::new("copy the state to", to, fault));
    match file::version_of(to, &SHAPE) {
        Err(StateFault::Missing) => {
            let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
            return match folder.filter(|folder| !folder.is_dir()) {
                Some(folder) => refuse(StateFault::Unusable(format!("there is no folder {}", folder.display()))),
                None => Ok(()),
            };
        }
        Err(StateFault::NotOurs) => return refuse(StateFault::InTheWay),
        Err(fault) => return refuse(fault),
        Ok(_) => {}
    }
    let same = |one: &Path| std::fs::canonicalize(one).ok();
    if same(state) == same(to) {
        return refuse(StateFault::Unusable("it is the state itself".to_owned()));
    }
    let whose = Store::view(state)?.pipeline()?;
    whose.map_or(Ok(()), |name| Store::view(to)?.expect_pipeline(&name))
}

fn copy(state: &Path, version: u32, new: &Path) -> Result<(), StateFault> {
    copy_pages(&connect(state, &SHAPE, version)?, new)
}

impl Store {
    /// Copies the whole file as it stands, for its owner alone.
    #[cfg(feature = "bucket")]
    pub(crate) fn copy_to(&self, to: &Path) -> Result<(), StateError> {
        self.read("copy the state", |db| copy_pages(db, to))
    }
}

/// Copies what is committed, by a connection that has it open.
fn copy_pages(from: &Connection, new: &Path) -> Result<(), StateFault> {
    for leftover in [new, &file::beside(new, "-journal")] {
        file::remove(leftover)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    file::private(&mut options).open(new)?;
    let mut to = file::connect(new, Durability::Full)?;
    Backup::new(from, &mut to)?.run_to_completion(WHOLE, PAUSE, None)?;
    file::check(&to)?;
    drop(to);
    std::fs::File::open(new)?.sync_all()?;
    Ok(())
}
