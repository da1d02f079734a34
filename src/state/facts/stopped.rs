//! Which limits stopped a target, in words.
//!
//! Owns: those rows. Leaves to others: the limits and their words (`run`), telling them (`explain`).

use rusqlite::params;

use super::Facts;
use crate::model::TargetId;
use crate::state::error::StateError;

impl Facts {
    /// Limits that stopped a target, each as a sentence.
    pub fn put_stopped(&self, target: &TargetId, limits: &[String]) -> Result<(), StateError> {
        if limits.is_empty() {
            return Ok(());
        }
        self.write("put a limit into the facts", |db| {
            for words in limits {
                db.execute("INSERT INTO stopped (target, words) VALUES (?, ?)", params![target.as_str(), words])?;
            }
            Ok(())
        })
    }

    /// The same again.
    pub fn stopped(&self, target: &TargetId) -> Result<Vec<String>, StateError> {
        self.read("read the limits in the facts", |db| {
            // The last plan or run may have been of a version that had no such table.
            let has = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'stopped')";
            if !db.query_row(has, [], |row| row.get::<_, bool>(0))? {
                return Ok(Vec::new());
            }
            let mut query = db.prepare_cached("SELECT words FROM stopped WHERE target = ? ORDER BY seq")?;
            let rows = query.query_map([target.as_str()], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
