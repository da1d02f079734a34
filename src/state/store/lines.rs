//! What each run told of accounts, line by line, so that its report can be made again.
//!
//! Owns: which lines are of which run, and what of a line stands once for many. Leaves to others: what stands in a line (`run`).
//! A newcomer gets wrong: whoever is left alone is left alone in run after run, so such a line is kept once, from the first run
//! that told it to the last. A quiet run adds nothing (docs/architecture.md, "The state").

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;

use super::{Store, words};
use crate::model::{AccountId, PersonId, PersonRef, Reason, RunId, TargetId};
use crate::state::codec::{Json, Label, Packed, TextId, Whole, limit};
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

/// What of a line is its account's alone, and stands beside what it has in common with many: by object and member.
const OWN: [(&str, &str); 4] = [("person", "id"), ("change", "from"), ("change", "to"), ("error", "message")];

/// The newest whole run with lines before the one whose `seq` is `?1`.
const BEFORE: &str =
    "(SELECT max(seq) FROM run WHERE seq < ?1 AND command = 'run' AND report ->> '$.lines' IS NOT NULL)";

/// The lines of the run whose `seq` is `?1`. Those that hold on are of whole runs alone, so one with a part has its own only.
const OF_RUN: &str = "since <= ?1 AND (until IS NULL OR until >= ?1)
    AND (since = ?1 OR EXISTS (SELECT 1 FROM run WHERE seq = ?1 AND command = 'run'))";

/// The columns of two lines that say the same.
const ALIKE: &str = "told.target = line.target AND told.account = line.account AND told.person IS line.person
    AND told.stood IS line.stood AND told.wanted IS line.wanted AND told.message IS line.message AND told.said = line.said";

impl Store {
    /// Writes a page of a run's lines of one target.
    pub fn put_lines(&self, run: &RunId, target: &TargetId, lines: Vec<RecordedLine>) -> Ack<()> {
        let (run, target) = (run.clone(), target.clone());
        self.note("write a report to the state", move |db| {
            let seq = super::runs::seq(db, &run)?;
            told(db)?;
            let target = words::number(db, target.as_str())?;
            let mut once = db.prepare_cached(&format!("{PUT} VALUES (?1, ?2, {NEXT}, ?3, ?4, ?5, ?6, ?7, ?8, ?8)"))?;
            let mut on = db.prepare_cached(
                "INSERT INTO temp.told (target, account, person, stood, wanted, message, said) VALUES (?, ?, ?, ?, ?, ?, ?)",
            )?;
            for RecordedLine { account, body, holds } in &lines {
                let (body, [person, stood, wanted, message]) = taken_apart(body.clone());
                let said = said(db, &body)?;
                let account = account.as_str();
                let (person, stood, wanted) = (person.as_deref().map(Packed), stood.map(Label), wanted.map(Label));
                match holds {
                    Holds::Once => once.execute(params![target, account, person, stood, wanted, message, said, seq])?,
                    Holds::On => on.execute(params![target, account, person, stood, wanted, message, said])?,
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
                    "UPDATE line SET until = {BEFORE} WHERE until IS NULL
                     AND NOT EXISTS (SELECT 1 FROM temp.told WHERE {ALIKE})"
                ),
                [seq],
            )?;
            let new = format!(
                "SELECT DISTINCT target, account, person, stood, wanted, message, said FROM temp.told
                 WHERE NOT EXISTS (SELECT 1 FROM line WHERE line.until IS NULL AND {ALIKE})"
            );
            // One by one: each has the number after the last one of its account.
            let mut put = db.prepare(&format!("{PUT} VALUES (?1, ?2, {NEXT}, ?3, ?4, ?5, ?6, ?7, ?8, NULL)"))?;
            let mut new = db.prepare(&new)?;
            let mut rows = new.query([])?;
            while let Some(row) = rows.next()? {
                let column = |nth| row.get_ref(nth).map(ToSqlOutput::Borrowed);
                put.execute(params![
                    column(0)?,
                    column(1)?,
                    column(2)?,
                    column(3)?,
                    column(4)?,
                    column(5)?,
                    column(6)?,
                    seq
                ])?;
            }
            drop(rows);
            db.execute("DELETE FROM temp.told", [])?;
            Ok(())
        })
    }

    /// Whether some run told this of an account, with this picture on it.
    pub fn has_told(
        &self,
        target: &TargetId,
        account: &AccountId,
        stood: &str,
        reason: Reason,
    ) -> Result<bool, StateError> {
        self.read("read the reports in the state", |db| {
            let mut query = db.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM line JOIN said ON said.id = line.said
                 WHERE target = (SELECT id FROM word WHERE text = ?) AND account = ? AND stood IS ?
                 AND body ->> '$.reason' = ?)",
            )?;
            let told = params![target.as_str(), account.as_str(), Label(stood.to_owned()), reason.word()];
            Ok(query.query_row(told, |row| row.get(0))?)
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
                "SELECT line.id, account, person, stood, wanted, message, body FROM line JOIN said ON said.id = line.said
                 WHERE target = (SELECT id FROM word WHERE text = ?2) AND (account, line.id) > (?3, ?4) AND {OF_RUN}
                 ORDER BY account, line.id LIMIT ?5"
            ))?;
            let (account, id) = after.map_or(("", -1), |(account, id)| (account.as_str(), *id));
            let page = params![seq, target.as_str(), account, id, limit(at_most)];
            let rows = query.query_map(page, |row| {
                let person: Option<TextId<PersonId>> = row.get(2)?;
                let label = |nth| Ok::<_, rusqlite::Error>(row.get::<_, Option<Label>>(nth)?.map(|label| label.0));
                let own = [person.map(|person| person.0.to_string()), label(3)?, label(4)?, row.get(5)?];
                let body = put_together(row.get::<_, Json<Value>>(6)?.0, own);
                Ok((row.get(0)?, row.get::<_, TextId<AccountId>>(1)?.0, body))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

const PUT: &str = "INSERT INTO line (target, account, id, person, stood, wanted, message, said, since, until)";

/// The number after the last line of the account `?2` of the target `?1`.
const NEXT: &str = "(SELECT ifnull(max(id), -1) + 1 FROM line WHERE target = ?1 AND account = ?2)";

/// What this run tells on, until all of it is known.
fn told(db: &Connection) -> Result<(), StateFault> {
    let table = "CREATE TEMP TABLE IF NOT EXISTS told (
        target INTEGER NOT NULL, account TEXT NOT NULL, person ANY, stood ANY, wanted ANY, message TEXT, said INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS temp.told_account ON told (target, account)";
    Ok(db.execute_batch(table)?)
}

/// A line without what is its account's alone, and that.
fn taken_apart(mut body: Value) -> (Value, [Option<String>; 4]) {
    let own = OWN.map(|(object, member)| {
        let members = body.get_mut(object)?.as_object_mut()?;
        match members.get(member)? {
            Value::String(text) => {
                let text = text.clone();
                members.remove(member);
                Some(text)
            }
            _ => None,
        }
    });
    (body, own)
}

fn put_together(mut body: Value, own: [Option<String>; 4]) -> Value {
    for ((object, member), text) in OWN.into_iter().zip(own) {
        if let (Some(Value::Object(members)), Some(text)) = (body.get_mut(object), text) {
            members.insert(member.to_owned(), text.into());
        }
    }
    body
}

/// The number of what many lines say.
fn said(db: &Connection, body: &Value) -> Result<i64, StateFault> {
    let body = body.to_string();
    let known =
        db.prepare_cached("SELECT id FROM said WHERE body = ?")?.query_row([&body], |row| row.get(0)).optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    db.prepare_cached("INSERT INTO said (body) VALUES (?)")?.execute([&body])?;
    Ok(db.last_insert_rowid())
}

/// Takes out the lines of a person.
pub(super) fn forget_person(db: &Connection, person: &PersonRef) -> Result<usize, StateFault> {
    let sql =
        "DELETE FROM line WHERE person = ?2 AND said IN (SELECT id FROM said WHERE body ->> '$.person.source' = ?1)";
    Ok(db.execute(sql, params![person.source.as_str(), Packed(person.id.as_str())])?)
}

/// Takes out the lines of an account.
pub(super) fn forget_account(db: &Connection, target: &TargetId, account: &AccountId) -> Result<usize, StateFault> {
    let sql = "DELETE FROM line WHERE target = (SELECT id FROM word WHERE text = ?) AND account = ?";
    Ok(db.execute(sql, [target.as_str(), account.as_str()])?)
}

/// Takes out what no line says any more.
pub(super) fn purge_said(db: &Connection) -> Result<(), StateFault> {
    db.execute("DELETE FROM said WHERE id NOT IN (SELECT said FROM line)", [])?;
    Ok(())
}

/// Takes out the lines that only runs from before this moment have, and says so in those runs.
pub(super) fn purge(db: &Connection, before: u64) -> Result<(), StateFault> {
    let first = "ifnull((SELECT min(seq) FROM run WHERE started >= ?1), (SELECT max(seq) FROM run))";
    db.execute(&format!("DELETE FROM line WHERE until < {first}"), [Whole(before)])?;
    purge_said(db)?;
    let strip =
        format!("UPDATE run SET report = json_remove(report, '$.lines') WHERE seq < {first} AND report IS NOT NULL");
    db.execute(&strip, [Whole(before)])?;
    Ok(())
}
