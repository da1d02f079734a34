//! What was written to one account, run by run.
//!
//! Owns: reading the journal of an account. Leaves to others: writing it (`journal.rs`).
//! A newcomer gets wrong: the journal is not searched in a run; so it has no index for this, and the whole is read.

use rusqlite::params;

use super::Store;
use crate::model::{AccountId, Event, IntentKind, RunId, TargetId};
use crate::state::codec::{Id, Json, Word, limit};
use crate::state::error::StateError;

/// A write of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteRecord {
    /// The run.
    pub run: RunId,
    /// What it was for.
    pub kind: IntentKind,
    /// The last that became known of it.
    pub last: Event,
    /// Whether it is still open.
    pub open: bool,
}

impl Store {
    /// The last writes to an account, the newest first.
    pub fn writes_to(
        &self,
        target: &TargetId,
        account: &AccountId,
        at_most: usize,
    ) -> Result<Vec<WriteRecord>, StateError> {
        self.read("read the writes to an account in the state", |db| {
            // What closes an intent says nothing of how it ended.
            let mut query = db.prepare_cached(
                "SELECT run, body ->> '$.kind', open,
                   (SELECT event.body FROM event WHERE event.intent = intent.id
                      AND event.body ->> '$.event' <> 'closed' ORDER BY seq DESC LIMIT 1)
                 FROM intent WHERE body ->> '$.target' = ? AND body ->> '$.account' = ? ORDER BY id DESC LIMIT ?",
            )?;
            let rows = query.query_map(params![target.as_str(), account.as_str(), limit(at_most)], |row| {
                Ok(WriteRecord {
                    run: row.get::<_, Id<_>>(0)?.0,
                    kind: row.get::<_, Word<_>>(1)?.0,
                    open: row.get(2)?,
                    last: row.get::<_, Json<_>>(3)?.0,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
