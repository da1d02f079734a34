//! The scratch facts, `state/NAME.cache/facts.db`: people, accounts, matches, photos and decisions of one plan or run.
//!
//! Owns: keeping what would otherwise grow with the number of people out of memory (promise P9), page by page.
//! Leaves to others: what the facts mean (`plan`), what must outlive the run (`store`).
//! A newcomer gets wrong: this file holds names and mail addresses and the durable one does not; losing it costs nothing.

mod accounts;
mod decisions;
mod lazy_index;
mod looks;
mod matches;
mod people;
mod photos;
mod results;
mod selected;

use std::path::Path;
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, Transaction};

pub(crate) use decisions::{DecisionCursor, DecisionFilter, Selection};
pub(crate) use looks::Again;
pub(crate) use matches::{MatchRow, MatchVerdict};
pub(crate) use results::{ResultCount, Shifted, ToConfirm, Written};
pub(crate) use selected::Reviewed;

use super::error::{StateError, StateFault};
use super::file::{self, Durability, Shape};
use super::writer;
use lazy_index::LazyIndex;

/// `AVPf`, and the one shape that this program reads.
const SHAPE: Shape = Shape { application_id: 0x4156_5066, steps: &[include_str!("1.sql")] };

/// The scratch facts. Shared by reference between threads; every method takes `&self` and holds one page at most.
#[derive(Debug)]
pub struct Facts {
    connection: Mutex<Connection>,
    file: Arc<Path>,
    people: LazyIndex,
    accounts: LazyIndex,
}

impl Facts {
    /// Begins anew: the facts of the last run are dropped. A file that is not ours is left as it is.
    pub fn create(path: &Path) -> Result<Self, StateError> {
        let fail = |fault| StateError::new("make the facts", path, fault);
        // Whatever became of our own file, it is only scratch; another's is not.
        if let Err(fault @ (StateFault::NotOurs | StateFault::Unusable(_))) = file::version_of(path, &SHAPE) {
            return Err(fail(fault));
        }
        file::make_folder(path)?;
        for suffix in ["", "-wal", "-shm", "-journal"] {
            file::remove(&file::beside(path, suffix)).map_err(|e| fail(e.into()))?;
        }
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
            people: LazyIndex::new("person", "source"),
            accounts: LazyIndex::new("account", "target"),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.file
    }

    fn read<T>(
        &self,
        tried: &'static str,
        query: impl FnOnce(&Connection) -> Result<T, StateFault>,
    ) -> Result<T, StateError> {
        query(&writer::lock(&self.connection)).map_err(|fault| StateError::new(tried, &self.file, fault))
    }

    /// One page in one transaction.
    fn write<T>(
        &self,
        tried: &'static str,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, StateFault>,
    ) -> Result<T, StateError> {
        let mut connection = writer::lock(&self.connection);
        let page = || -> Result<T, StateFault> {
            let transaction = connection.transaction()?;
            let value = act(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        page().map_err(|fault| StateError::new(tried, &self.file, fault))
    }
}

#[cfg(test)]
mod tests;
