//! Tables that are filled in the order of arrival and sorted once, at the first read.
//!
//! Owns: when the index over ids is made, and that the last row of an id wins.
//! Leaves to others: the rows.
//! A newcomer gets wrong: providers list in an order of their own, and putting each row into its place in a sorted table
//! costs four times the CPU of sorting all ids at the end (measured with 100,000 to 400,000 people).

use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::{Connection, ErrorCode};

use crate::state::error::{StateError, StateFault};
use crate::state::file::SCRATCH_CACHE_KIB;

/// One such table.
#[derive(Debug)]
pub(super) struct LazyIndex {
    index: String,
    /// What takes out all rows of an id but the last, where an id may come twice.
    thin_out: Option<String>,
    /// Spares a look into the schema; another process may have sorted the table too, which does no harm.
    sorted: AtomicBool,
}

impl LazyIndex {
    /// A table with the columns `seq`, the owner's and `id`. Before it is sorted a row is only appended; from then on
    /// `INSERT OR REPLACE` keeps ids unique.
    pub(super) fn unique(table: &'static str, owner: &'static str) -> Self {
        let index = format!("CREATE UNIQUE INDEX IF NOT EXISTS {table}_id ON {table} (id, {owner})");
        let last = format!("SELECT max(seq) FROM {table} GROUP BY {owner}, id");
        let thin_out = format!("DELETE FROM {table} WHERE seq NOT IN ({last})");
        Self { index, thin_out: Some(thin_out), sorted: AtomicBool::new(false) }
    }

    /// A table that is found by these columns, besides.
    pub(super) fn also(name: &'static str, of: &'static str) -> Self {
        let index = format!("CREATE INDEX IF NOT EXISTS {name} ON {of}");
        Self { index, thin_out: None, sorted: AtomicBool::new(false) }
    }

    /// Sorts the table, unless that is done.
    pub(super) fn once(&self, sort: impl FnOnce() -> Result<(), StateError>) -> Result<(), StateError> {
        if !self.sorted.load(Ordering::Acquire) {
            sort()?;
            self.sorted.store(true, Ordering::Release);
        }
        Ok(())
    }

    pub(super) fn make(&self, db: &Connection) -> Result<(), StateFault> {
        sorting(db, |db| self.make_index(db))
    }

    fn make_index(&self, db: &Connection) -> Result<(), StateFault> {
        match (db.execute_batch(&self.index), &self.thin_out) {
            // Somebody was listed twice, which is rare.
            (Err(error), Some(thin_out)) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                db.execute_batch(thin_out)?;
                Ok(db.execute_batch(&self.index)?)
            }
            (done, _) => Ok(done?),
        }
    }
}

/// Does something that sorts a whole table. SQLite sorts in as much memory again as its cache may take; a quarter is
/// enough to merge from (promise P9).
pub(super) fn sorting<T>(
    db: &Connection,
    act: impl FnOnce(&Connection) -> Result<T, StateFault>,
) -> Result<T, StateFault> {
    db.execute_batch("PRAGMA cache_size = -2048")?;
    let sorted = act(db);
    db.execute_batch(&format!("PRAGMA cache_size = -{SCRATCH_CACHE_KIB}"))?;
    sorted
}
