//! What became of asking each source and target for everybody there.
//!
//! Owns: those rows. Leaves to others: asking (`run`), what may be said of somebody who was not seen (`explain`).
//! A newcomer gets wrong: who is missing in the facts is missing at the source or target only where that was listed whole.

use rusqlite::{OptionalExtension as _, params};

use super::Facts;
use crate::model::{SourceId, TargetId};
use crate::state::error::StateError;

/// How far a source or target was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Everybody there is in the facts.
    Whole,
    /// Not everybody, or not all of them; why.
    Failed(String),
    /// It was not asked, or not to the end.
    NotAsked,
}

impl Facts {
    /// A source was asked.
    pub fn put_source_asked(&self, source: &SourceId, failure: Option<&str>) -> Result<(), StateError> {
        self.put_asked("source", source.as_str(), failure)
    }

    /// A target was asked.
    pub fn put_target_asked(&self, target: &TargetId, failure: Option<&str>) -> Result<(), StateError> {
        self.put_asked("target", target.as_str(), failure)
    }

    /// How far a source was read.
    pub fn source_reading(&self, source: &SourceId) -> Result<Reading, StateError> {
        self.reading("source", source.as_str())
    }

    /// How far a target was read.
    pub fn target_reading(&self, target: &TargetId) -> Result<Reading, StateError> {
        self.reading("target", target.as_str())
    }

    /// Whether only a part of the accounts was selected.
    pub fn is_of_a_part(&self) -> Result<bool, StateError> {
        self.read("look for a selection in the facts", |db| {
            Ok(db.query_row("SELECT EXISTS (SELECT 1 FROM selected)", [], |row| row.get(0))?)
        })
    }

    fn put_asked(&self, kind: &str, id: &str, failure: Option<&str>) -> Result<(), StateError> {
        self.write("put what a source or target said into the facts", |db| {
            db.execute(
                "INSERT OR REPLACE INTO asked (kind, id, failure) VALUES (?, ?, ?)",
                params![kind, id, failure],
            )?;
            Ok(())
        })
    }

    fn reading(&self, kind: &str, id: &str) -> Result<Reading, StateError> {
        self.read("read what a source or target said in the facts", |db| {
            let mut query = db.prepare_cached("SELECT failure FROM asked WHERE kind = ? AND id = ?")?;
            let found = query.query_row([kind, id], |row| row.get::<_, Option<String>>(0)).optional()?;
            Ok(match found {
                Some(None) => Reading::Whole,
                Some(Some(why)) => Reading::Failed(why),
                None => Reading::NotAsked,
            })
        })
    }
}
