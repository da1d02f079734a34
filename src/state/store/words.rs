//! Texts that stand in many rows, as numbers: ids of sources and targets, recipes, and the model's own words.
//!
//! Owns: the table of them. Leaves to others: which columns hold a number (`4.sql`).
//! A newcomer gets wrong: a text stays, also when no row names it any more; there are a few dozen, however many people.

use rusqlite::{Connection, OptionalExtension as _};

use crate::state::error::StateFault;

/// The number of a text, which may be new.
pub(super) fn number(db: &Connection, text: &str) -> Result<i64, StateFault> {
    let known =
        db.prepare_cached("SELECT id FROM word WHERE text = ?")?.query_row([text], |row| row.get(0)).optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    db.prepare_cached("INSERT INTO word (text) VALUES (?)")?.execute([text])?;
    Ok(db.last_insert_rowid())
}

/// The number of a text that may be missing.
pub(super) fn maybe_number(db: &Connection, text: Option<&str>) -> Result<Option<i64>, StateFault> {
    text.map(|text| number(db, text)).transpose()
}
