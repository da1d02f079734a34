//! Whose state this is, and the key of its digests.
//!
//! Owns: the pipeline's name and 32 random bytes, and refusing another pipeline. Leaves to others: when to ask (`run`).
//! A newcomer gets wrong: the key is no secret to whoever holds the state; it keeps reports from being tried against lists
//! of names.

use rusqlite::{Connection, OptionalExtension};

use super::Store;
use crate::model::StateKey;
use crate::state::error::{StateError, StateFault};
use crate::state::writer::Ack;

impl Store {
    /// The name of the pipeline whose state this is; of a file of version 1, the one of its last run. `None`: it is new.
    pub fn pipeline(&self) -> Result<Option<String>, StateError> {
        self.read("read whose state this is", pipeline)
    }

    /// Refuses another pipeline: the people whom the one does not list, the other would take for gone.
    pub fn expect_pipeline(&self, found: &str) -> Result<(), StateError> {
        self.read("open the state", |db| match pipeline(db)? {
            Some(bound) if bound != found => {
                Err(StateFault::OtherPipeline(format!("the pipeline `{bound}`, and this is `{found}`")))
            }
            _ => Ok(()),
        })
    }

    /// Makes it the state of this pipeline, if it is nobody's.
    pub fn claim(&self, pipeline_name: &str) -> Ack<()> {
        let name = pipeline_name.to_owned();
        self.note("record whose state this is", move |db| {
            db.prepare_cached("INSERT OR IGNORE INTO identity (word, value) VALUES ('pipeline', ?)")?
                .execute([name.as_bytes()])?;
            Ok(())
        })
    }

    /// What digests in this state and in its reports are keyed with.
    pub fn key(&self) -> Result<StateKey, StateError> {
        self.read("read the key of the state", key)
    }
}

pub(super) fn key(db: &Connection) -> Result<StateKey, StateFault> {
    let mut query = db.prepare_cached("SELECT value FROM identity WHERE word = 'key'")?;
    let key = query.query_row([], |row| row.get::<_, [u8; 32]>(0)).optional()?;
    key.map(StateKey::new).ok_or_else(|| StateFault::Damaged("its key is missing".to_owned()))
}

fn pipeline(db: &Connection) -> Result<Option<String>, StateFault> {
    let recorded = db
        .prepare_cached("SELECT CAST(value AS TEXT) FROM identity WHERE word = 'pipeline'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    if recorded.is_some() {
        return Ok(recorded);
    }
    let of_its_last_run = db
        .prepare_cached("SELECT pipeline FROM run ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(of_its_last_run)
}
