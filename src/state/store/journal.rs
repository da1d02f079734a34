//! The journal: intents and what became known about each (docs/write-protocols.md).
//!
//! Owns: refusing every step that `model::Status` does not allow, and writing an event together with its effects.
//! Leaves to others: which step is due (`load`), judging open intents (`run`, `plan`).
//! A newcomer gets wrong: an intent's status stands in no column; it is folded from its events each time, so it cannot
//! disagree with them. The event that closes it takes all of it out of the journal ([`past`]).

use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::words::Words;
use super::{Store, past, placements};
use crate::model::{
    AccountId, Event, Intent, IntentId, IntentKind, Luma, OpenIntent, PictureRef, Placement, Provenance, Status,
    TargetId, without_addresses, without_name,
};
use crate::state::codec::{Grey, Json, Whole, limit};
use crate::state::error::{StateError, StateFault};
use crate::state::writer::Ack;

const COLUMNS: &str = "SELECT id, name, luma, body FROM intent";

impl Store {
    /// Writes down an intent with its first event, before anything is sent.
    pub fn begin_intent(&self, intent: &Intent, first: &Event) -> Ack<IntentId> {
        let (intent, first) = (intent.clone(), first.clone());
        self.write("write down in the state what is about to be written", move |db| {
            let id = insert(db, &intent)?;
            step(db, id, &intent, Status::Begun, 1, &first)?;
            Ok(id)
        })
    }

    /// Adds an event with its effects, in one transaction: `Shown` and its like write the placement, `Reset` and `Disowned` delete it, whatever
    /// closes the intent leaves a short row of it. An illegal event writes nothing.
    pub fn record(&self, id: IntentId, event: &Event) -> Ack<()> {
        self.record_all(id, vec![event.clone()])
    }

    /// Adds an event as [`Self::record`] does, and closes the intent with it, in one transaction.
    pub fn end(&self, id: IntentId, event: &Event) -> Ack<()> {
        self.record_all(id, vec![event.clone(), Event::Closed])
    }

    fn record_all(&self, id: IntentId, events: Vec<Event>) -> Ack<()> {
        self.write("write an event to the state", move |db| {
            let (_, intent) = db
                .prepare_cached(&format!("{COLUMNS} WHERE id = ?"))?
                .query_row([id.0], intent)
                .optional()?
                .ok_or(StateFault::NoIntent(id))?;
            let (mut status, mut seq) = status(db, id)?;
            for event in &events {
                seq += 1;
                status = step(db, id, &intent, status, seq, event)?;
            }
            Ok(())
        })
    }

    /// One intent, if it is not closed.
    pub fn open_intent(&self, id: IntentId) -> Result<Option<OpenIntent>, StateError> {
        self.read("read an open write in the state", |db| {
            let mut query = db.prepare_cached(&format!("{COLUMNS} WHERE id = ? AND open = 1"))?;
            let found = query.query_row([id.0], intent).optional()?;
            found.map(|(id, intent)| Ok(open(id, intent, status(db, id).map_err(damaged)?.0))).transpose()
        })
    }

    /// A page of the intents that are not closed, in the order of their beginning; `after` is the last one of the page
    /// before.
    pub fn open_intents(&self, after: Option<IntentId>, at_most: usize) -> Result<Vec<OpenIntent>, StateError> {
        self.read("read open writes in the state", |db| {
            let page = params![after.map_or(-1, |after| after.0), limit(at_most)];
            let found = open_where(db, "id > ? ORDER BY id LIMIT ?", page)?;
            found.into_iter().map(|(id, intent)| Ok(open(id, intent, status(db, id).map_err(damaged)?.0))).collect()
        })
    }

    /// How many intents are not closed.
    pub fn count_open(&self) -> Result<u64, StateError> {
        self.read("count open writes in the state", |db| {
            let mut query = db.prepare_cached("SELECT count(*) FROM intent WHERE open = 1")?;
            Ok(query.query_row([], |row| Ok(row.get::<_, Whole>(0)?.0))?)
        })
    }

    /// Records a picture that is seen on an account without a write of ours to it: it looks like ours, or this run made it
    /// for another account. `draft` is of that account; the picture of ours that is not shown any more is left over.
    pub fn adopt_instead(&self, placement: Placement, draft: &Intent) -> Ack<()> {
        let draft = draft.clone();
        self.write("record a placement in the state", move |db| {
            leave_over(db, &draft, Some(&placement.mark))?;
            placements::put(db, &placement)
        })
    }
}

fn insert(db: &Connection, intent: &Intent) -> Result<IntentId, StateFault> {
    // A column of its own for what has to go in the end.
    let mut body = intent.clone();
    let name = std::mem::take(&mut body.account_name);
    let luma = body.luma.take();
    db.prepare_cached("INSERT INTO intent (run, name, luma, body) VALUES (?, ?, ?, ?)")?.execute(params![
        intent.run.as_str(),
        name,
        luma.as_ref().map(Luma::values),
        Json(&body)
    ])?;
    Ok(IntentId(db.last_insert_rowid()))
}

fn step(
    db: &Connection,
    id: IntentId,
    intent: &Intent,
    status: Status,
    seq: u32,
    event: &Event,
) -> Result<Status, StateFault> {
    let next = status.after(event)?;
    db.prepare_cached("INSERT INTO event (intent, seq, body) VALUES (?, ?, ?)")?.execute(params![
        id.0,
        seq,
        Json(impersonal(event, &intent.account_name))
    ])?;
    match event {
        Event::Shown { mark } | Event::Confirmed { mark } | Event::Recognised { mark } => {
            let provenance = match event {
                Event::Recognised { .. } => Provenance::Adopted,
                _ => Provenance::Made,
            };
            if let Some(placement) = intent.placement(mark, provenance) {
                // A better name for the same picture leaves nothing behind.
                if !matches!(event, Event::Confirmed { .. }) {
                    leave_over(db, intent, Some(mark))?;
                }
                placements::put(db, &placement)?;
            } else if intent.gives_back_a_kept_one() {
                leave_over(db, intent, Some(mark))?;
                placements::forget(db, &intent.target, &intent.account)?;
            }
        }
        // A probe is on the service account, whose own placement is none of its business.
        Event::Reset | Event::Disowned { .. } if intent.kind != IntentKind::Probe => {
            if matches!(event, Event::Reset) {
                leave_over(db, intent, None)?;
            }
            let (target, account): (&TargetId, &AccountId) = (&intent.target, &intent.account);
            placements::forget(db, target, account)?;
        }
        Event::Foreign => placements::forget(db, &intent.target, &intent.account)?,
        _ => {}
    }
    if next == Status::Closed {
        let stands = placements::get(db, &Words::all(db)?, &intent.target, &intent.account)?;
        past::close(db, id, intent, &events(db, id)?, stands.as_ref())?;
    }
    Ok(next)
}

/// What we made stays on record until it is seen gone (docs/architecture.md, "The state"): where a placement is about
/// to go whose picture nobody takes away, that picture is written down as left over, for the next run to look for.
/// `draft` is of the account as it is now, `shown` what stands there instead.
fn leave_over(db: &Connection, draft: &Intent, shown: Option<&PictureRef>) -> Result<(), StateFault> {
    let Some(former) = placements::get(db, &Words::all(db)?, &draft.target, &draft.account)? else { return Ok(()) };
    let taken_care_of = draft.old.as_ref() == Some(&former.mark) || shown == Some(&former.mark);
    if taken_care_of || former.provenance != Provenance::Made {
        return Ok(());
    }
    let intent = Intent {
        kind: IntentKind::Replace,
        person: former.person.clone(),
        photo: Some(former.photo),
        recipe: Some(former.recipe.clone()),
        rendition: Some(former.rendition),
        luma: None,
        base: Vec::new(),
        making: Some(former.mark.clone()),
        old: Some(former.mark.clone()),
        old_looks: former.looks,
        keys: None,
        owner: None,
        stood_in: None,
        stood_of: None,
        before: former.before.clone(),
        back: None,
        ..draft.clone()
    };
    let id = insert(db, &intent)?;
    let sent = Event::Sent { attempt: 1, route: "superseded".to_owned(), at: draft.begun_at };
    step(db, id, &intent, Status::Begun, 1, &sent)?;
    let (status, events) = status(db, id)?;
    step(db, id, &intent, status, events + 1, &Event::Abandoned { mark: former.mark }).map(drop)
}

fn status(db: &Connection, id: IntentId) -> Result<(Status, u32), StateFault> {
    let events = events(db, id)?;
    // Far below: each event was one request of a run, and no run sends so many for one account.
    let count = u32::try_from(events.len()).unwrap_or(u32::MAX);
    Ok((Status::of(&events)?, count))
}

/// What became known of an intent that is open.
pub(super) fn events(db: &Connection, id: IntentId) -> Result<Vec<Event>, StateFault> {
    let mut query = db.prepare_cached("SELECT body FROM event WHERE intent = ? ORDER BY seq")?;
    Ok(query.query_map([id.0], |row| Ok(row.get::<_, Json<Event>>(0)?.0))?.collect::<Result<_, _>>()?)
}

/// The open intents of which this holds.
pub(super) fn open_where(
    db: &Connection,
    condition: &str,
    of: impl Params,
) -> Result<Vec<(IntentId, Intent)>, StateFault> {
    let mut query = db.prepare_cached(&format!("{COLUMNS} WHERE open = 1 AND {condition}"))?;
    Ok(query.query_map(of, intent)?.collect::<Result<_, _>>()?)
}

fn open(id: IntentId, intent: Intent, status: Status) -> OpenIntent {
    OpenIntent { id, intent, status, sent_as: None }
}

/// What was written once was legal then.
fn damaged(fault: StateFault) -> StateFault {
    match fault {
        StateFault::Illegal(error) => StateFault::Damaged(error.to_string()),
        other => other,
    }
}

fn intent(row: &Row<'_>) -> rusqlite::Result<(IntentId, Intent)> {
    let mut intent = row.get::<_, Json<Intent>>(3)?.0;
    intent.account_name = row.get(1)?;
    intent.server = intent.server.without_path();
    intent.luma = row.get::<_, Option<Grey>>(2)?.map(|grey| grey.0);
    Ok((IntentId(row.get(0)?), intent))
}

/// Events stay for good, so a server's words lose the account's name and whatever looks like a mail address.
fn impersonal(event: &Event, name: &str) -> Event {
    let clean = |why: &String| without_addresses(&without_name(why, name, "…"));
    match event {
        Event::Refused { why } => Event::Refused { why: clean(why) },
        Event::Void { why } => Event::Void { why: clean(why) },
        Event::Unsure { why } => Event::Unsure { why: clean(why) },
        other => other.clone(),
    }
}
