//! What each run told of accounts, line by line, so that its report can be made again.
//!
//! Owns: which lines are of which run. Leaves to others: what stands in a line (`run`).
//! A newcomer gets wrong: whoever is left alone is left alone in run after run, so such a line is kept once, from the first run
//! that told it to the last. A quiet run adds nothing (docs/architecture.md, "The state").

use rusqlite::{Connection, params};
use serde_json::Value;

use super::Store;
use crate::model::{AccountId, RunId, TargetId};
use crate::state::codec::{Json, TextId, Whole, limit};
use crate::state::error::{StateError, StateFault};
use crate::state::writer::Ack;

/// A line of a report. Its text holds ids and words, no names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedLine {
    /// Whose account.
    pub account: AccountId,
    /// What the report tells of it.
    pub body: Value,
    /// How long it holds.
    pub holds: Holds,
}

/// How long a line holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// It tells of this run alone: something was done, or only a part was looked at.
    Once,
    /// Until a whole run does not tell it any more.
    On,
}

/// The newest whole run with lines before the one whose `seq` is `?1`.
const BEFORE: &str =
    "(SELECT max(seq) FROM run WHERE seq < ?1 AND command = 'run' AND report ->> '$.lines' IS NOT NULL)";

/// The lines of the run whose `seq` is `?1`. Those that hold on are of whole runs alone, so one with a part has its own only.
const OF_RUN: &str = "since <= ?1 AND (until IS NULL OR until >= ?1)
    AND (since = ?1 OR EXISTS (SELECT 1 FROM run WHERE seq = ?1 AND command = 'run'))";

impl Store {
    /// Writes a page of a run's lines of one target.
    pub fn put_lines(&self, run: &RunId, target: &TargetId, lines: Vec<RecordedLine>) -> Ack<()> {
        let (run, target) = (run.clone(), target.clone());
        self.note("write a report to the state", move |db| {
            let seq = super::runs::seq(db, &run)?;
            told(db)?;
            let mut once = db
                .prepare_cached("INSERT INTO line (target, account, body, since, until) VALUES (?1, ?2, ?3, ?4, ?4)")?;
            let mut on = db.prepare_cached("INSERT INTO temp.told (target, account, body) VALUES (?, ?, ?)")?;
            for RecordedLine { account, body, holds } in &lines {
                match holds {
                    Holds::Once => once.execute(params![target.as_str(), account.as_str(), Json(body), seq])?,
                    Holds::On => on.execute(params![target.as_str(), account.as_str(), Json(body)])?,
                };
            }
            Ok(())
        })
    }

    /// All lines of a whole run are written: those of earlier runs that were not told again end before it.
    pub fn end_lines(&self, run: &RunId) -> Ack<()> {
        let run = run.clone();
        self.note("write a report to the state", move |db| {
            let seq = super::runs::seq(db, &run)?;
            told(db)?;
            // Of a run that was killed before its report, nothing is asked any more.
            db.execute(&format!("DELETE FROM line WHERE until IS NULL AND since > ifnull({BEFORE}, 0)"), [seq])?;
            db.execute(
                &format!(
                    "UPDATE line SET until = {BEFORE} WHERE until IS NULL AND NOT EXISTS (SELECT 1 FROM temp.told
                     WHERE told.target = line.target AND told.account = line.account AND told.body = line.body)"
                ),
                [seq],
            )?;
            db.execute(
                "INSERT INTO line (target, account, body, since) SELECT target, account, body, ?1 FROM temp.told
                 WHERE NOT EXISTS (SELECT 1 FROM line WHERE line.until IS NULL
                   AND line.target = told.target AND line.account = told.account AND line.body = told.body)",
                [seq],
            )?;
            db.execute("DELETE FROM temp.told", [])?;
            Ok(())
        })
    }

    /// A page of a run's lines of one target, by account; `after` is the last one of the page before.
    pub fn lines(
        &self,
        run: &RunId,
        target: &TargetId,
        after: Option<&(AccountId, i64)>,
        at_most: usize,
    ) -> Result<Vec<(i64, AccountId, Value)>, StateError> {
        self.read("read a report in the state", |db| {
            let seq = super::runs::seq(db, run)?;
            let mut query = db.prepare_cached(&format!(
                "SELECT id, account, body FROM line WHERE target = ?2 AND (account, id) > (?3, ?4) AND {OF_RUN}
                 ORDER BY account, id LIMIT ?5"
            ))?;
            let (account, id) = after.map_or(("", -1), |(account, id)| (account.as_str(), *id));
            let page = params![seq, target.as_str(), account, id, limit(at_most)];
            let rows = query.query_map(page, |row| {
                Ok((row.get(0)?, row.get::<_, TextId<AccountId>>(1)?.0, row.get::<_, Json<Value>>(2)?.0))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// What this run tells on, until all of it is known.
fn told(db: &Connection) -> Result<(), StateFault> {
    let table = "CREATE TEMP TABLE IF NOT EXISTS told (
        target TEXT NOT NULL, account TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (target, account, body) ON CONFLICT IGNORE
    ) STRICT, WITHOUT ROWID";
    Ok(db.execute_batch(table)?)
}

/// Takes out the lines that only runs from before this moment have, and says so in those runs.
pub(super) fn purge(db: &Connection, before: u64) -> Result<(), StateFault> {
    let first = "ifnull((SELECT min(seq) FROM run WHERE started >= ?1), (SELECT max(seq) FROM run))";
    db.execute(&format!("DELETE FROM line WHERE until < {first}"), [Whole(before)])?;
    let strip =
        format!("UPDATE run SET report = json_remove(report, '$.lines') WHERE seq < {first} AND report IS NOT NULL");
    db.execute(&strip, [Whole(before)])?;
    Ok(())
}
