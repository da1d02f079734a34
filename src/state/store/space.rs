//! The room that the file takes, given back once it is worth it.
//!
//! Owns: when that is. Leaves to others: what is kept (`past`, `forgetting`).
//! A newcomer gets wrong: pages are half empty after rows came in no order, so a file without one free page can be half as
//! large again as what it holds.

use rusqlite::Connection;

use super::Store;
use crate::state::error::{StateError, StateFault};
use crate::state::{file, writer};

/// What lies idle is given back where it is more than one part in so many.
const WORTH: i64 = 10;

impl Store {
    /// Writes the file anew without what lies idle in it, where that is much. A kill undoes it as it does any transaction.
    pub fn give_back_room(&self) -> Result<(), StateError> {
        let give_back = || {
            let connection = writer::lock(&self.connection)?;
            if is_worth_it(&connection)? {
                file::rewrite(&connection);
            }
            Ok(())
        };
        give_back().map_err(|fault: StateFault| StateError::new("look at the room in the state", self.path(), fault))
    }
}

fn is_worth_it(db: &Connection) -> Result<bool, StateFault> {
    // Where a copy is kept elsewhere, page by page, what is written anew would be sent whole.
    let mode: String = db.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    // Every table and index has a page, however little is in it.
    let sql = "SELECT ifnull(sum(unused), 0) - count(DISTINCT name) * max(pgsize)
           + (SELECT freelist_count FROM pragma_freelist_count) * max(pgsize), sum(pgsize) FROM dbstat";
    let (idle, all): (i64, i64) = db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(mode != "wal" && idle * WORTH > all)
}
