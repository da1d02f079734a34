//! Texts that stand in many rows, as numbers: ids of sources and targets, recipes, and the model's own words.
//!
//! Owns: the table of them. Leaves to others: which columns hold a number (`4.sql`).
//! A newcomer gets wrong: a text stays, also when no row names it any more; there are a few dozen, however many people.

use std::collections::HashMap;

use rusqlite::types::FromSqlError;
use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::state::error::StateFault;

/// All of them, for who reads a page of rows: to look each up in the table costs as much as the rows do.
pub(super) struct Words(HashMap<i64, String>);

impl Words {
    pub(super) fn all(db: &Connection) -> Result<Self, StateFault> {
        let mut query = db.prepare_cached("SELECT id, text FROM word")?;
        let all = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Self(all.collect::<Result<_, _>>()?))
    }

    /// The text whose number stands in this column; `None`: no number does.
    pub(super) fn of(&self, row: &Row<'_>, column: usize) -> rusqlite::Result<Option<&str>> {
        let Some(number) = row.get::<_, Option<i64>>(column)? else { return Ok(None) };
        // The table's references leave no number without a text.
        self.0.get(&number).map(|text| Some(text.as_str())).ok_or_else(|| FromSqlError::OutOfRange(number).into())
    }

    /// The same of a column that must have one.
    pub(super) fn must(&self, row: &Row<'_>, column: usize) -> rusqlite::Result<&str> {
        self.of(row, column)?.ok_or_else(|| FromSqlError::InvalidType.into())
    }
}

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
