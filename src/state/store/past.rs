//! What remains of a write that is closed: enough to undo its run and to tell what became of it.
//!
//! Owns: the short row, in the placement that the write left or in a table of its own. Leaves to others: writes that are
//! open (`journal`), reading the rows (`history`).
//! A newcomer gets wrong: the intent and its events go in the transaction that closes it, and what they said of the account
//! stays. A placement that goes or is replaced leaves the row of its write behind.

use rusqlite::{Connection, Params, params};

use super::{identity, words};
use crate::model::{
    AccountId, Before, Event, Intent, IntentId, IntentKind, KeysDigest, Left, PictureRef, Placement, Shown, TargetId,
};
use crate::state::codec::{EnumWord, Json, Packed, Short};
use crate::state::error::StateFault;

/// The last of these events that changed what the account shows.
pub(super) fn effect<'a>(events: impl DoubleEndedIterator<Item = &'a Event>) -> Option<Left> {
    events.rev().find_map(|event| match event {
        Event::Shown { .. } | Event::Recognised { .. } => Some(Left::Ours),
        Event::Reset => Some(Left::Default),
        _ => None,
    })
}

/// The last of these events; what closes an intent says nothing of how it ended.
pub(super) fn last(events: &[Event]) -> Option<&Event> {
    events.iter().rfind(|event| **event != Event::Closed)
}

/// Whether that was a picture of ours, which was to go.
pub(super) fn ours(intent: &Intent) -> bool {
    matches!(&intent.stood, Shown::Custom(mark) if intent.old.as_ref() == Some(mark))
}

/// Puts what remains of an intent in the place of it and of its events. `stands` is what stands on its account by now.
pub(super) fn close(
    db: &Connection,
    id: IntentId,
    intent: &Intent,
    events: &[Event],
    stands: Option<&Placement>,
) -> Result<(), StateFault> {
    let named = KeysDigest::of_name(&identity::key(db)?, &intent.account_name);
    if !fold(db, id, intent, (last(events), stands), named)? {
        put(db, id, intent, events, named)?;
    }
    db.prepare_cached("UPDATE intent SET open = 0, name = '', luma = NULL WHERE id = ?")?.execute([id.0])?;
    db.prepare_cached("DELETE FROM event WHERE intent = ?")?.execute([id.0])?;
    db.prepare_cached("DELETE FROM intent WHERE id = ?")?.execute([id.0])?;
    Ok(())
}

/// Into the placement, where the write left one: that says the rest.
fn fold(
    db: &Connection,
    id: IntentId,
    intent: &Intent,
    (last, stands): (Option<&Event>, Option<&Placement>),
    named: KeysDigest,
) -> Result<bool, StateFault> {
    let (word, mark) = match last {
        Some(Event::Shown { mark }) => ("shown", mark),
        Some(Event::Confirmed { mark }) => ("confirmed", mark),
        Some(Event::Recognised { mark }) => ("recognised", mark),
        _ => return Ok(false),
    };
    let is_its = stands.is_some_and(|stands| stands.mark == *mark && stands.person == intent.person);
    if intent.kind != IntentKind::Replace || !is_its {
        return Ok(false);
    }
    let (stood, stood_mark) = shown(&intent.stood);
    let is_before = intent.before == Before::from(&intent.stood);
    let folded = db
        .prepare_cached(
            "UPDATE placement SET write = ?, run = (SELECT seq FROM run WHERE id = ?), stood = ?, stood_mark = ?, ours = ?,
               named = ?, owner = ?, stood_in = ?, stood_of = ?, last = ?, before = iif(?, NULL, before),
               before_mark = iif(?, NULL, before_mark)
             WHERE target = ? AND account = ? AND write IS NULL",
        )?
        .execute(params![
            id.0,
            intent.run.as_str(),
            words::number(db, stood)?,
            stood_mark,
            ours(intent),
            Short(named),
            intent.owner.map(Short),
            intent.stood_in,
            intent.stood_of.as_ref().map(Json),
            words::number(db, word)?,
            is_before,
            is_before,
            words::number(db, intent.target.as_str())?,
            Packed(intent.account.as_str()),
        ])?;
    Ok(folded == 1)
}

fn put(db: &Connection, id: IntentId, intent: &Intent, events: &[Event], named: KeysDigest) -> Result<(), StateFault> {
    let (stood, stood_mark) = shown(&intent.stood);
    let effect = effect(events.iter()).map(EnumWord::text).transpose()?;
    db.prepare_cached(
        "INSERT INTO past (id, run, target, account, source, person, kind, stood, stood_mark, ours, named, owner, stood_in, stood_of, effect, last)
         VALUES (?, (SELECT seq FROM run WHERE id = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        id.0,
        intent.run.as_str(),
        words::number(db, intent.target.as_str())?,
        Packed(intent.account.as_str()),
        words::maybe_number(db, intent.person.as_ref().map(|person| person.source.as_str()))?,
        intent.person.as_ref().map(|person| Packed(person.id.as_str())),
        words::number(db, &EnumWord::text(intent.kind)?)?,
        words::number(db, stood)?,
        stood_mark,
        ours(intent),
        Short(named),
        intent.owner.map(Short),
        intent.stood_in,
        intent.stood_of.as_ref().map(Json),
        words::maybe_number(db, effect.as_deref())?,
        last(events).map(Json),
    ])?;
    Ok(())
}

/// Takes the rows of writes out of placements that are about to go.
pub(super) fn keep(db: &Connection, placements: &str, of: impl Params) -> Result<(), StateFault> {
    db.prepare_cached(&format!(
        "INSERT INTO past (id, run, target, account, source, person, kind, stood, stood_mark, ours, named, owner, stood_in, stood_of, effect, last)
         SELECT write, run, target, account, source, person, (SELECT id FROM word WHERE text = 'replace'), stood, stood_mark,
           ours, named, owner, stood_in, stood_of, (SELECT id FROM word WHERE text = 'ours'), {LAST}
         FROM placement WHERE write IS NOT NULL AND {placements}"
    ))?
    .execute(of)?;
    Ok(())
}

/// The last event of the write in a placement.
pub(super) const LAST: &str = "json_object('event', (SELECT text FROM word WHERE id = last),
    'mark', ifnull(mark, 'b3:' || lower(hex(rendition))))";

/// The account that a row is of (1, 2).
pub(super) const OF_ACCOUNT: &str = "target = (SELECT id FROM word WHERE text = ?1) AND account = ?2";

/// The person that a row is of (1, 2).
pub(super) const OF_PERSON: &str = "source = (SELECT id FROM word WHERE text = ?1) AND person = ?2";

/// One account as [`OF_ACCOUNT`] takes it.
pub(super) fn account<'a>(target: &'a TargetId, account: &'a AccountId) -> (&'a str, Packed<'a>) {
    (target.as_str(), Packed(account.as_str()))
}

/// What an account showed: the word, and the mark or the reason.
pub(super) fn shown(shown: &Shown) -> (&'static str, Option<&str>) {
    match shown {
        Shown::Default => ("default", None),
        Shown::System(mark) => ("system", Some(mark.as_str())),
        Shown::Custom(mark) => ("custom", Some(mark.as_str())),
        Shown::Unknown(why) => ("unknown", Some(why)),
    }
}

/// The same, read back.
pub(super) fn was_shown(word: &str, mark: Option<String>) -> Option<Shown> {
    Some(match (word, mark) {
        ("default", _) => Shown::Default,
        ("system", Some(mark)) => Shown::System(PictureRef::new(mark)),
        ("custom", Some(mark)) => Shown::Custom(PictureRef::new(mark)),
        ("unknown", Some(why)) => Shown::Unknown(why),
        _ => return None,
    })
}
