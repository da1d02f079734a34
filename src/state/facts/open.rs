//! The file of the facts: begun anew by each plan and run, opened by who tells of the last one.
//!
//! Owns: its schema, and the two ways in. Leaves to others: the rows.
//! A newcomer gets wrong: an older shape is not stepped up; it is only scratch.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, Transaction};

use super::lazy_index::LazyIndex;
use crate::state::error::{StateError, StateFault};
use crate::state::file::{self, Durability, Shape};
use crate::state::writer;

/// `AVPf`, and the one shape that this program reads. Since the first one what stands in a column is another form, and no table
/// is: a step of nothing, so that older facts are told as such, and not as damaged.
const SHAPE: Shape = Shape { application_id: 0x4156_5066, steps: &[include_str!("1.sql"), ""], schema: None };

/// With what SQLite keeps beside a file.
const SUFFIXES: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// The scratch facts. Shared by reference between threads; every method takes `&self` and holds one page at most.
#[derive(Debug)]
pub struct Facts {
    pub(super) connection: Mutex<Connection>,
    file: Arc<Path>,
    pub(super) people: LazyIndex,
    pub(super) accounts: LazyIndex,
    pub(super) matched_person: LazyIndex,
}

impl Facts {
    /// Begins anew: the facts of the last run are put aside, until [`Self::drop_last`] or [`Self::take_last_back`]. A file that
    /// is not ours is left as it is.
    pub fn create(path: &Path) -> Result<Self, StateError> {
        let fail = |fault| StateError::new("make the facts", path, fault);
        // Whatever became of our own file, it is only scratch; another's is not.
        if let Err(fault @ (StateFault::NotOurs | StateFault::Unusable(_))) = file::version_of(path, &SHAPE) {
            return Err(fail(fault));
        }
        file::make_folder(path)?;
        if path.exists() {
            moved(path, &last(path)).map_err(|e| fail(e.into()))?;
        }
        removed(path).map_err(|e| fail(e.into()))?;
        file::create(path, &SHAPE)?;
        Self::connect(path).map_err(fail)
    }

    /// Opens the facts of the last plan or run, for `explain` and `report`.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let fail = |fault| StateError::new("open the facts", path, fault);
        match file::version_of(path, &SHAPE).map_err(fail)? {
            found if found < SHAPE.version() => Err(fail(StateFault::Older { found, known: SHAPE.version() })),
            _ => Self::connect(path).map_err(|fault| fail(fault.of_ours())),
        }
    }

    fn connect(path: &Path) -> Result<Self, StateFault> {
        let connection = file::connect(path, Durability::Scratch)?;
        Ok(Self {
            connection: Mutex::new(connection),
            file: path.into(),
            people: LazyIndex::unique("person", "source"),
            accounts: LazyIndex::unique("account", "target"),
            matched_person: LazyIndex::also("matched_person", "matched (person, source) WHERE person IS NOT NULL"),
        })
    }

    /// This run goes on: what the last one learnt is of no use any more.
    pub fn drop_last(&self) -> Result<(), StateError> {
        let tried = "drop the facts of the last run";
        removed(&last(&self.file)).map_err(|error| StateError::new(tried, &self.file, StateFault::from(error)))
    }

    /// This run was refused before it had learnt anything: what the last one learnt is known again.
    pub fn take_last_back(&self) -> Result<(), StateError> {
        let last = last(&self.file);
        let back = if last.exists() { moved(&last, &self.file) } else { Ok(()) };
        back.map_err(|error| {
            StateError::new("take back the facts of the last run", &self.file, StateFault::from(error))
        })
    }

    /// Where the facts of the last run wait, if this program can read them.
    pub(super) fn last_of_this_shape(&self) -> Option<PathBuf> {
        let last = last(&self.file);
        matches!(file::version_of(&last, &SHAPE), Ok(found) if found == SHAPE.version()).then_some(last)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.file
    }

    pub(super) fn read<T>(
        &self,
        tried: &'static str,
        query: impl FnOnce(&Connection) -> Result<T, StateFault>,
    ) -> Result<T, StateError> {
        let read = writer::lock_to_read(&self.connection).and_then(|connection| query(&connection));
        read.map_err(|fault| StateError::new(tried, &self.file, fault))
    }

    /// One page in one transaction.
    pub(super) fn write<T>(
        &self,
        tried: &'static str,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, StateFault>,
    ) -> Result<T, StateError> {
        let page = || -> Result<T, StateFault> {
            let mut connection = writer::lock(&self.connection)?;
            let transaction = connection.transaction()?;
            let value = act(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        page().map_err(|fault| StateError::new(tried, &self.file, fault))
    }

    /// Writes what the log holds into the file; the log begins at its beginning again.
    pub(super) fn empty_log(&self, tried: &'static str) -> Result<(), StateError> {
        let empty = || Ok(writer::lock(&self.connection)?.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()))?);
        empty().map_err(|fault: StateFault| StateError::new(tried, &self.file, fault))
    }

    /// To be called before a table is read.
    pub(super) fn ensure_index(&self, index: &LazyIndex) -> Result<(), StateError> {
        index.once(|| self.write("sort the facts", |db| index.make(db)))
    }
}

/// Where the facts of the last run wait.
fn last(path: &Path) -> PathBuf {
    file::beside(path, ".last")
}

fn removed(path: &Path) -> io::Result<()> {
    SUFFIXES.iter().try_for_each(|suffix| file::remove(&file::beside(path, suffix)))
}

/// In place of whatever stands there. What SQLite kept beside the file goes first: a log must not come to another file's pages.
fn moved(from: &Path, to: &Path) -> io::Result<()> {
    removed(to)?;
    for suffix in SUFFIXES.iter().rev() {
        match std::fs::rename(file::beside(from, suffix), file::beside(to, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
