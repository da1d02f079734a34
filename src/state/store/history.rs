//! What was written to one account, run by run, and what one run wrote to all of them.
//!
//! Owns: reading the writes of both. Leaves to others: writing them down (`journal`, `past`).
//! A newcomer gets wrong: a run does not search for them; so they have no index for this, and the whole is read.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Store, identity, journal, past};
use crate::model::{
    AccountId, Event, Intent, IntentId, IntentKind, KeysDigest, Left, PersonId, PersonRef, PictureRef, RunId, Shown,
    SourceId, TargetId, Wrote,
};
use crate::state::codec::{EnumWord, Json, Short, TextId, limit};
use crate::state::error::{StateError, StateFault};

/// A write on record.
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

/// Where a page of writes ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WroteUpTo {
    /// At a write that no placement has the row of.
    Write(IntentId),
    /// At a placement.
    Placement(TargetId, AccountId),
}

/// What a page of writes says of each.
pub(crate) type WroteTo = (WroteUpTo, TargetId, AccountId, Wrote);

/// Runs, no undoings, and the last write of each.
const RUNS_THAT_WROTE: &str = "SELECT run.id, wrote.id FROM (
       SELECT max(write) AS id, run FROM placement WHERE write IS NOT NULL GROUP BY run
       UNION ALL
       SELECT max(id), run FROM past WHERE effect IS NOT NULL
         AND kind <> (SELECT id FROM word WHERE text = 'probe') GROUP BY run
       UNION ALL
       SELECT max(intent.id), run.seq FROM intent JOIN run ON run.id = intent.run
         WHERE intent.body ->> '$.kind' <> 'probe' GROUP BY run.seq
     ) AS wrote JOIN run ON run.seq = wrote.run
     WHERE run.command LIKE 'run%'";

impl Store {
    /// The last writes to an account, the newest first.
    pub fn writes_to(
        &self,
        target: &TargetId,
        account: &AccountId,
        at_most: usize,
    ) -> Result<Vec<WriteRecord>, StateError> {
        self.read("read the writes to an account in the state", |db| {
            let mut writes = open_writes_to(db, target, account)?;
            let mut query = db.prepare_cached(&format!(
                "SELECT id, (SELECT id FROM run WHERE seq = run), (SELECT text FROM word WHERE id = kind), last
                   FROM past WHERE {of}
                 UNION ALL
                 SELECT write, (SELECT id FROM run WHERE seq = run), 'replace', {last}
                   FROM placement WHERE write IS NOT NULL AND {of}",
                of = past::OF_ACCOUNT,
                last = past::LAST,
            ))?;
            let rows = query.query_map(past::account(target, account), |row| {
                let (run, kind) = (row.get::<_, TextId<_>>(1)?.0, row.get::<_, EnumWord<_>>(2)?.0);
                let record = WriteRecord { run, kind, last: row.get::<_, Json<_>>(3)?.0, open: false };
                Ok((IntentId(row.get(0)?), record))
            })?;
            writes.extend(rows.collect::<Result<Vec<_>, _>>()?);
            writes.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
            Ok(writes.into_iter().take(at_most).map(|(_, write)| write).collect())
        })
    }

    /// What a write on record found under this mark on an account: a stock picture or an upload. `None`: no such write is.
    pub fn stood_as(
        &self,
        target: &TargetId,
        account: &AccountId,
        mark: &PictureRef,
    ) -> Result<Option<Shown>, StateError> {
        self.read("read what stood on an account in the state", |db| {
            let found = "SELECT (SELECT text FROM word WHERE id = stood), stood_mark FROM";
            let of = format!("WHERE {} AND stood_mark = ?3", past::OF_ACCOUNT);
            let mut query = db.prepare_cached(&format!(
                "SELECT * FROM ({found} past {of} UNION ALL {found} placement {of}) LIMIT 1"
            ))?;
            let (target, account) = past::account(target, account);
            let read =
                |row: &Row<'_>| Ok((row.get::<_, Option<String>>(0)?, row.get::<_, Option<TextId<PictureRef>>>(1)?));
            let row = query.query_row(params![target, account, mark.as_str()], read).optional()?;
            Ok(row.and_then(|(word, mark)| past::was_shown(&word?, mark.map(|mark| mark.0.as_str().to_owned()))))
        })
    }

    /// The last run that wrote to an account: neither a probe nor what undid a run.
    pub fn last_run_that_wrote(&self) -> Result<Option<RunId>, StateError> {
        self.read("look for the last run that wrote in the state", |db| {
            let sql = format!("{RUNS_THAT_WROTE} ORDER BY wrote.id DESC LIMIT 1");
            Ok(db.prepare(&sql)?.query_row([], |row| Ok(row.get::<_, TextId<_>>(0)?.0)).optional()?)
        })
    }

    /// The last run that wrote before this one did.
    pub fn run_that_wrote_before(&self, run: &RunId) -> Result<Option<RunId>, StateError> {
        self.read("look for an earlier run that wrote in the state", |db| {
            let sql = format!(
                "WITH runs (run, id) AS ({RUNS_THAT_WROTE})
                 SELECT run FROM runs WHERE run <> ?1 AND id < (SELECT max(id) FROM runs WHERE run = ?1) ORDER BY id DESC LIMIT 1"
            );
            Ok(db.prepare(&sql)?.query_row([run.as_str()], |row| Ok(row.get::<_, TextId<_>>(0)?.0)).optional()?)
        })
    }

    /// A page of what a run did to accounts, probes left out; `after` is where the page before ended. The writes to one
    /// account come in the order in which they were begun.
    pub fn wrote(&self, run: &RunId, after: Option<&WroteUpTo>, at_most: usize) -> Result<Vec<WroteTo>, StateError> {
        self.read("read what a run wrote in the state", |db| {
            let placement = match after {
                Some(WroteUpTo::Placement(target, account)) => Some((target, account)),
                None | Some(WroteUpTo::Write(_)) => {
                    let after = if let Some(WroteUpTo::Write(id)) = after { id.0 } else { -1 };
                    let page = rows(db, run, after, at_most)?;
                    if !page.is_empty() {
                        return Ok(page);
                    }
                    None
                }
            };
            // What an account shows now was written last.
            placements(db, run, placement, at_most)
        })
    }
}

fn open_writes_to(
    db: &Connection,
    target: &TargetId,
    account: &AccountId,
) -> Result<Vec<(IntentId, WriteRecord)>, StateFault> {
    let of = "body ->> '$.target' = ? AND body ->> '$.account' = ?";
    let mut found = Vec::new();
    for (id, intent) in journal::open_where(db, of, params![target.as_str(), account.as_str()])? {
        let events = journal::events(db, id)?;
        if let Some(last) = past::last(&events).cloned() {
            found.push((id, WriteRecord { run: intent.run, kind: intent.kind, last, open: true }));
        }
    }
    Ok(found)
}

/// Writes that are open, and closed ones whose picture another took the place of.
fn rows(db: &Connection, run: &RunId, after: i64, at_most: usize) -> Result<Vec<WroteTo>, StateFault> {
    let mut page = Vec::new();
    let key = identity::key(db)?;
    let of = "run = ? AND id > ? AND body ->> '$.kind' <> 'probe' ORDER BY id";
    for (id, intent) in journal::open_where(db, of, params![run.as_str(), after])? {
        let Some(left) = past::effect(journal::events(db, id)?.iter()) else { continue };
        let named = Some(KeysDigest::of_name(&key, &intent.account_name));
        let ours = past::ours(&intent);
        let Intent { stood, owner, person, stood_in, stood_of, .. } = intent;
        let wrote = Wrote { stood, ours, left, named, owner, person, stood_in, stood_of };
        page.push((WroteUpTo::Write(id), intent.target, intent.account, wrote));
    }
    let mut query = db.prepare_cached(
        "SELECT (SELECT text FROM word WHERE id = target), account, (SELECT text FROM word WHERE id = source), person,
           (SELECT text FROM word WHERE id = stood), stood_mark, ours, named, (SELECT text FROM word WHERE id = effect),
           owner, stood_in, stood_of, past.id
         FROM past WHERE run = (SELECT seq FROM run WHERE id = ?) AND id > ? AND effect IS NOT NULL
           AND kind <> (SELECT id FROM word WHERE text = 'probe')
         ORDER BY past.id LIMIT ?",
    )?;
    let closed = query.query_map(params![run.as_str(), after, limit(at_most)], |row| {
        let (target, account, wrote) = wrote(row)?;
        Ok((WroteUpTo::Write(IntentId(row.get(12)?)), target, account, wrote))
    })?;
    page.extend(closed.collect::<Result<Vec<_>, _>>()?);
    page.sort_by_key(|(at, ..)| match at {
        WroteUpTo::Write(id) => *id,
        WroteUpTo::Placement(..) => IntentId(i64::MAX),
    });
    page.truncate(at_most);
    Ok(page)
}

fn placements(
    db: &Connection,
    run: &RunId,
    after: Option<(&TargetId, &AccountId)>,
    at_most: usize,
) -> Result<Vec<WroteTo>, StateFault> {
    let after = after.map(|(target, account)| past::account(target, account));
    let beyond = if after.is_some() {
        "(target, account) > ((SELECT id FROM word WHERE text = ?3), ?4)"
    } else {
        "?3 IS NULL AND ?4 IS NULL"
    };
    let mut query = db.prepare_cached(&format!(
        "SELECT (SELECT text FROM word WHERE id = target), account, (SELECT text FROM word WHERE id = source), person,
           (SELECT text FROM word WHERE id = stood), stood_mark, ours, named, 'ours', owner, stood_in, stood_of
         FROM placement WHERE run = (SELECT seq FROM run WHERE id = ?1) AND {beyond} ORDER BY target, account LIMIT ?2"
    ))?;
    let (target, account) = after.unzip();
    let found = query.query_map(params![run.as_str(), limit(at_most), target, account], |row| {
        let (target, account, wrote) = wrote(row)?;
        Ok((WroteUpTo::Placement(target.clone(), account.clone()), target, account, wrote))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn wrote(row: &Row<'_>) -> rusqlite::Result<(TargetId, AccountId, Wrote)> {
    let source: Option<TextId<SourceId>> = row.get(2)?;
    let person: Option<TextId<PersonId>> = row.get(3)?;
    let Some(stood) = past::was_shown(row.get_ref(4)?.as_str()?, row.get(5)?) else {
        let why = "what an account showed is no word of ours";
        return Err(rusqlite::Error::FromSqlConversionFailure(4, Type::Text, why.into()));
    };
    let wrote = Wrote {
        stood,
        ours: row.get(6)?,
        left: row.get::<_, EnumWord<Left>>(8)?.0,
        named: row.get::<_, Option<Short<_>>>(7)?.map(|named| named.0),
        owner: row.get::<_, Option<Short<_>>>(9)?.map(|owner| owner.0),
        stood_in: row.get(10)?,
        stood_of: row.get::<_, Option<Json<_>>>(11)?.map(|person| person.0),
        person: source.zip(person).map(|(source, id)| PersonRef { source: source.0, id: id.0 }),
    };
    Ok((row.get::<_, TextId<_>>(0)?.0, row.get::<_, TextId<_>>(1)?.0, wrote))
}
