//! What was written to one account, run by run, and what one run wrote to all of them.
//!
//! Owns: reading the journal of both. Leaves to others: writing it (`journal.rs`).
//! A newcomer gets wrong: the journal is not searched in a run; so it has no index for this, and the whole is read.

use rusqlite::{OptionalExtension as _, params};

use super::Store;
use crate::model::{
    AccountId, Event, IntentId, IntentKind, KeysDigest, Left, PersonRef, RunId, Shown, TargetId, Wrote,
};
use crate::state::codec::{EnumWord, Json, TextId, limit};
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
                    run: row.get::<_, TextId<_>>(0)?.0,
                    kind: row.get::<_, EnumWord<_>>(1)?.0,
                    open: row.get(2)?,
                    last: row.get::<_, Json<_>>(3)?.0,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The last run that wrote to an account: neither a probe nor what undid a run.
    pub fn last_run_that_wrote(&self) -> Result<Option<RunId>, StateError> {
        self.read("look for the last run that wrote in the state", |db| {
            let sql = format!(
                "SELECT intent.run FROM intent JOIN run ON run.id = intent.run
                 WHERE run.command LIKE 'run%' AND intent.body ->> '$.kind' <> 'probe'
                   AND (intent.open = 1 OR {EFFECT} IS NOT NULL) ORDER BY intent.id DESC LIMIT 1"
            );
            Ok(db.prepare(&sql)?.query_row([], |row| Ok(row.get::<_, TextId<_>>(0)?.0)).optional()?)
        })
    }

    /// A page of what a run did to accounts, in the order of the journal, probes left out; `after` is the last one of the
    /// page before.
    pub fn wrote(
        &self,
        run: &RunId,
        after: Option<IntentId>,
        at_most: usize,
    ) -> Result<Vec<(IntentId, TargetId, AccountId, Wrote)>, StateError> {
        self.read("read what a run wrote in the state", |db| {
            let mut query = db.prepare_cached(&format!(
                "SELECT id, body ->> '$.target', body ->> '$.account', body -> '$.stood', body ->> '$.old', {EFFECT} effect,
                        body -> '$.named', body -> '$.owner', body -> '$.person', body -> '$.stood_of',
                        body ->> '$.stood_in'
                 FROM intent WHERE run = ? AND id > ? AND body ->> '$.kind' <> 'probe' AND effect IS NOT NULL
                 ORDER BY id LIMIT ?"
            ))?;
            let page = params![run.as_str(), after.map_or(-1, |after| after.0), limit(at_most)];
            let rows = query.query_map(page, |row| {
                let stood = row.get::<_, Json<Shown>>(3)?.0;
                let old: Option<String> = row.get(4)?;
                let ours = matches!(&stood, Shown::Custom(mark) if old.as_deref() == Some(mark.as_str()));
                let left = if row.get_ref(5)?.as_str()? == "reset" { Left::Default } else { Left::Ours };
                let digest = |column| row.get::<_, Option<Json<Option<KeysDigest>>>>(column);
                let (named, owner) = (digest(6)?.and_then(|found| found.0), digest(7)?.and_then(|found| found.0));
                let whose = |column| row.get::<_, Option<Json<Option<PersonRef>>>>(column);
                let (person, stood_of) = (whose(8)?.and_then(|found| found.0), whose(9)?.and_then(|found| found.0));
                let wrote = Wrote { stood, ours, left, named, owner, person, stood_in: row.get(10)?, stood_of };
                Ok((IntentId(row.get(0)?), row.get::<_, TextId<_>>(1)?.0, row.get::<_, TextId<_>>(2)?.0, wrote))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// The last event of an intent that changed what the account shows; NULL: there is none.
const EFFECT: &str = "(SELECT event.body ->> '$.event' FROM event WHERE event.intent = intent.id
    AND event.body ->> '$.event' IN ('shown', 'recognised', 'reset') ORDER BY seq DESC LIMIT 1)";
