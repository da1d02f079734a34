//! Runs: begun in their first second, finished with their summary, and what they counted.
//!
//! Owns: the rows that `status` and `report` read, and the base of the shrink limits.
//! Leaves to others: what an outcome or a summary is (`run`, `report`).
//! A newcomer gets wrong: counts are put only once the guard has passed them. Put earlier, a listing that shrank would be
//! the base of the next run, and running twice would get past the limit.

use std::borrow::Cow;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Store;
use crate::model::{Digest, KeysDigest, RunId, SourceId, TargetId};
use crate::state::codec::{Bytes, Json, TextId, Whole, limit};
use crate::state::error::{StateError, StateFault};
use crate::state::writer::Ack;

/// A run as it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Its id.
    pub id: RunId,
    /// The pipeline's name.
    pub pipeline: String,
    /// Digest of the pipeline file.
    pub pipeline_digest: Digest,
    /// `run`, for all that was to be done; another word for a part of it.
    pub command: String,
    /// Unix seconds.
    pub started: u64,
    /// What it was asked for, in words; of a run of an older version nothing is known.
    pub options: Vec<String>,
    /// Who began it, if that is known.
    pub started_by: Option<String>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEnd {
    /// The word in `run.json`.
    pub outcome: String,
    /// What the process ended with.
    pub exit_code: u8,
    /// Unix seconds.
    pub finished: u64,
    /// Digest of the plan, if it came to one.
    pub plan_digest: Option<Digest>,
    /// The report but for its lines, as JSON; no names in it.
    pub report: serde_json::Value,
}

/// A run in the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// How it began.
    pub row: RunRow,
    /// How it ended; `None`: it is under way, or was killed.
    pub end: Option<RunEnd>,
}

/// Whose number a count is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    /// People of a source.
    Source(SourceId),
    /// Accounts of a target.
    Target(TargetId),
    /// People of a source whose photo was known once and was not in that run.
    Lost(SourceId),
    /// Pictures of ours at a target that nobody matched in that run though their person was listed.
    Unmatched(TargetId),
    /// Members of a group that `users` of a source names. Its name may be an e-mail address, so the state keeps a digest.
    Group(SourceId, KeysDigest),
}

impl Counted {
    fn columns(&self) -> (&'static str, Cow<'_, str>) {
        match self {
            Self::Source(id) => ("source", id.as_str().into()),
            Self::Target(id) => ("target", id.as_str().into()),
            Self::Lost(id) => ("lost", id.as_str().into()),
            // No id of a source or target has a slash.
            Self::Unmatched(id) => ("target", format!("{id}/unmatched").into()),
            Self::Group(id, group) => ("source", format!("{id}/{:016x}", u64::from_be_bytes(group.to_bytes())).into()),
        }
    }
}

const COLUMNS: &str =
    "SELECT id, pipeline, pipeline_digest, command, started, finished, outcome, exit_code, plan_digest, report,
    options, started_by FROM run";

/// A whole run that ended in 0 and could serve somebody; of a run of an older version that is taken for granted.
pub(super) const SUCCESS: &str = "command = 'run' AND exit_code = 0 AND ifnull(report ->> '$.served', 1)";

/// A whole run that came to a report.
const REPORTED: &str = "run.command = 'run' AND json_type(run.report) = 'object'";

/// A list of a report whose elements have a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateList {
    /// Of sources.
    Sources,
    /// Of targets.
    Targets,
}

impl Store {
    /// Writes down that a run has begun.
    pub fn begin_run(&self, row: RunRow) -> Ack<()> {
        self.note("begin a run in the state", move |db| {
            db.prepare_cached(
                "INSERT INTO run (id, pipeline, pipeline_digest, command, started, options, started_by)
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                row.id.as_str(),
                row.pipeline,
                Bytes(row.pipeline_digest),
                row.command,
                Whole(row.started),
                Json(&row.options),
                row.started_by
            ])?;
            Ok(())
        })
    }

    /// Writes down how a run ended.
    pub fn finish_run(&self, id: &RunId, end: RunEnd) -> Ack<()> {
        let id = id.clone();
        self.note("finish a run in the state", move |db| {
            let changed = db
                .prepare_cached(
                    "UPDATE run SET finished = ?, outcome = ?, exit_code = ?, plan_digest = ?, report = ? WHERE id = ?",
                )?
                .execute(params![
                    Whole(end.finished),
                    end.outcome,
                    end.exit_code,
                    end.plan_digest.map(Bytes),
                    end.report.to_string(),
                    id.as_str()
                ])?;
            if changed == 0 { Err(StateFault::NoRun(id)) } else { Ok(()) }
        })
    }

    /// The last runs, the newest first.
    pub fn runs(&self, at_most: usize) -> Result<Vec<RunRecord>, StateError> {
        self.read("read the runs in the state", |db| {
            let mut query = db.prepare_cached(&format!("{COLUMNS} ORDER BY seq DESC LIMIT ?"))?;
            Ok(query.query_map([limit(at_most)], record)?.collect::<Result<_, _>>()?)
        })
    }

    /// One run.
    pub fn run(&self, id: &RunId) -> Result<Option<RunRecord>, StateError> {
        self.read("read a run in the state", |db| {
            Ok(db.prepare_cached(&format!("{COLUMNS} WHERE id = ?"))?.query_row([id.as_str()], record).optional()?)
        })
    }

    /// The newest whole run that ended with exit code 0 and could serve somebody.
    pub fn last_success(&self) -> Result<Option<RunRecord>, StateError> {
        self.read("read the runs in the state", |db| {
            let mut query = db.prepare_cached(&format!("{COLUMNS} WHERE {SUCCESS} ORDER BY seq DESC LIMIT 1"))?;
            Ok(query.query_row([], record).optional()?)
        })
    }

    /// The newest of them that began by this moment, in Unix seconds.
    pub fn last_success_begun_by(&self, moment: u64) -> Result<Option<RunRecord>, StateError> {
        self.read("read the runs in the state", |db| {
            let mut query =
                db.prepare_cached(&format!("{COLUMNS} WHERE {SUCCESS} AND started <= ? ORDER BY seq DESC LIMIT 1"))?;
            Ok(query.query_row([Whole(moment)], record).optional()?)
        })
    }

    /// Since when, in Unix seconds, a source or target has been in the state in which the last report has it, run after run.
    pub fn in_state_since(&self, list: StateList, id: &str, state: &str) -> Result<Option<u64>, StateError> {
        let list = match list {
            StateList::Sources => "$.sources",
            StateList::Targets => "$.targets",
        };
        self.read("read the runs in the state", |db| {
            let mut query = db.prepare_cached(&format!(
                "SELECT min(started) FROM run WHERE {REPORTED} AND seq > ifnull((
                   SELECT max(run.seq) FROM run, json_each(run.report, '{list}') AS one WHERE {REPORTED}
                     AND one.value ->> '$.id' = ?1 AND one.value ->> '$.state' <> ?2), 0)"
            ))?;
            Ok(query.query_row([id, state], |row| Ok(row.get::<_, Option<Whole>>(0)?.map(|began| began.0)))?)
        })
    }

    /// The newest whole run up to this one that ended with exit code 0 and could serve somebody.
    pub fn success_by(&self, run: &RunId) -> Result<Option<RunRecord>, StateError> {
        self.read("read the runs in the state", |db| {
            let mut query =
                db.prepare_cached(&format!("{COLUMNS} WHERE {SUCCESS} AND seq <= ? ORDER BY seq DESC LIMIT 1"))?;
            Ok(query.query_row([seq(db, run)?], record).optional()?)
        })
    }

    /// The newest whole run that came to a report.
    pub fn last_report(&self) -> Result<Option<RunRecord>, StateError> {
        self.read("read the runs in the state", |db| {
            let mut query = db.prepare_cached(&format!("{COLUMNS} WHERE {REPORTED} ORDER BY seq DESC LIMIT 1"))?;
            Ok(query.query_row([], record).optional()?)
        })
    }

    /// Records what a run counted, for whoever passed its limits.
    pub fn put_run_counts(&self, run: &RunId, counts: Vec<(Counted, u64)>) -> Ack<()> {
        let run = run.clone();
        self.note("record counts in the state", move |db| {
            let seq = seq(db, &run)?;
            let mut put = db.prepare_cached(
                "INSERT INTO run_count (scope, id, run, count) VALUES (?, ?, ?, ?)
                 ON CONFLICT DO UPDATE SET count = excluded.count",
            )?;
            for (counted, count) in &counts {
                let (scope, id) = counted.columns();
                put.execute(params![scope, id, seq, Whole(*count)])?;
            }
            Ok(())
        })
    }

    /// What the last run whose limits it passed counted; `None` before the first.
    pub fn last_good(&self, counted: &Counted) -> Result<Option<u64>, StateError> {
        self.read("read counts in the state", |db| {
            let mut query =
                db.prepare_cached("SELECT count FROM run_count WHERE scope = ? AND id = ? ORDER BY run DESC LIMIT 1")?;
            let (scope, id) = counted.columns();
            Ok(query.query_row([scope, &id], |row| Ok(row.get::<_, Whole>(0)?.0)).optional()?)
        })
    }

    /// Members of a group in the last good run of its source, if that run counted it.
    pub fn last_members(&self, source: &SourceId, group: KeysDigest) -> Result<Option<u64>, StateError> {
        self.read("read counts in the state", |db| {
            let mut query = db.prepare_cached(
                "SELECT count FROM run_count WHERE scope = 'source' AND id = ?2
                 AND run = (SELECT max(run) FROM run_count WHERE scope = 'source' AND id = ?1)",
            )?;
            let counted = Counted::Group(source.clone(), group);
            let (_, id) = counted.columns();
            Ok(query.query_row([source.as_str(), &id], |row| Ok(row.get::<_, Whole>(0)?.0)).optional()?)
        })
    }
}

pub(super) fn seq(db: &Connection, run: &RunId) -> Result<i64, StateFault> {
    db.prepare_cached("SELECT seq FROM run WHERE id = ?")?
        .query_row([run.as_str()], |row| row.get(0))
        .optional()?
        .ok_or_else(|| StateFault::NoRun(run.clone()))
}

fn record(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    let begun = RunRow {
        id: row.get::<_, TextId<RunId>>(0)?.0,
        pipeline: row.get(1)?,
        pipeline_digest: row.get::<_, Bytes>(2)?.0,
        command: row.get(3)?,
        started: row.get::<_, Whole>(4)?.0,
        options: row.get::<_, Option<Json<_>>>(10)?.map(|options| options.0).unwrap_or_default(),
        started_by: row.get(11)?,
    };
    let end = match row.get::<_, Option<Whole>>(5)? {
        None => None,
        Some(Whole(finished)) => Some(RunEnd {
            outcome: row.get(6)?,
            exit_code: row.get(7)?,
            finished,
            plan_digest: row.get::<_, Option<Bytes>>(8)?.map(|b| b.0),
            report: row.get::<_, Json<serde_json::Value>>(9)?.0,
        }),
    };
    Ok(RunRecord { row: begun, end })
}
