//! What stands on accounts by our records.
//!
//! Owns: the placement rows. Leaves to others: making one for a picture that we uploaded, which only the journal does
//! (`journal.rs`), so that no placement can be without its proof.
//! A newcomer gets wrong: forgetting a placement takes no picture away; it makes the picture foreign.

use std::collections::HashMap;

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row, Statement, params};

use super::words::Words;
use super::{Store, past, photos, words};
use crate::model::{
    Account, AccountId, Before, PersonId, PersonRef, PictureRef, Placement, Provenance, Recipe, SourceId, TargetId,
};
use crate::state::codec::{Bytes, EnumWord, Packed, Short, TextId, Whole, limit};
use crate::state::error::{StateError, StateFault};
use crate::state::writer::Ack;

const COLUMNS: &str =
    "SELECT target, account, source, person, ifnull(photo, (SELECT ifnull(former, digest) FROM photo_mark AS mark
      WHERE mark.source = placement.source AND mark.person = placement.person)), recipe, rendition, mark, provenance,
    before, before_mark, looks, keys, stood, stood_mark FROM placement";

/// The target that a row is of.
const OF_TARGET: &str = "target = (SELECT id FROM word WHERE text = ?)";

impl Store {
    /// What stands on an account.
    pub fn placement(&self, target: &TargetId, account: &AccountId) -> Result<Option<Placement>, StateError> {
        self.read("read a placement in the state", |db| get(db, &Words::all(db)?, target, account))
    }

    /// What stands on each of these.
    pub fn placements_on(&self, target: &TargetId, accounts: &[Account]) -> Result<Vec<Option<Placement>>, StateError> {
        self.read("read placements in the state", |db| {
            let (words, mut query) = (Words::all(db)?, of_account(db)?);
            accounts.iter().map(|account| found(&mut query, &words, target, &account.id)).collect()
        })
    }

    /// For which account we made each of these pictures; those that we did not make are left out. Reads all of a target once.
    pub fn made_for(
        &self,
        target: &TargetId,
        marks: &[PictureRef],
    ) -> Result<HashMap<PictureRef, AccountId>, StateError> {
        self.read("read placements in the state", |db| {
            let asked = vec!["?"; marks.len()].join(", ");
            let sql = format!(
                "SELECT mark, account FROM placement WHERE {OF_TARGET}
                   AND provenance = (SELECT id FROM word WHERE text = 'made') AND mark IN ({asked})"
            );
            let mut query = db.prepare(&sql)?;
            query.raw_bind_parameter(1, target.as_str())?;
            for (at, mark) in marks.iter().enumerate() {
                query.raw_bind_parameter(at + 2, mark.as_str())?;
            }
            let mut rows = query.raw_query();
            let mut found = HashMap::new();
            while let Some(row) = rows.next()? {
                found.insert(row.get::<_, TextId<PictureRef>>(0)?.0, row.get::<_, TextId<AccountId>>(1)?.0);
            }
            Ok(found)
        })
    }

    /// A page of a target's placements, always in the same order.
    pub fn placements(
        &self,
        target: &TargetId,
        after: Option<&AccountId>,
        at_most: usize,
    ) -> Result<Vec<Placement>, StateError> {
        self.read("read placements in the state", |db| {
            let sql = format!("{COLUMNS} WHERE {OF_TARGET} AND account > ? ORDER BY account LIMIT ?");
            let mut query = db.prepare_cached(&sql)?;
            let page = params![target.as_str(), Packed(after.map_or("", AccountId::as_str)), limit(at_most)];
            let words = Words::all(db)?;
            Ok(query.query_map(page, |row| placement(row, &words))?.collect::<Result<_, _>>()?)
        })
    }

    /// A page of the accounts of a target on which somebody's picture stands, and whose; always in the same order.
    pub fn standing(
        &self,
        target: &TargetId,
        after: Option<&AccountId>,
        at_most: usize,
    ) -> Result<Vec<(AccountId, PersonRef)>, StateError> {
        self.read("read placements in the state", |db| {
            let mut query = db.prepare_cached(&format!(
                "SELECT account, source, person FROM placement
                 WHERE {OF_TARGET} AND account > ? AND person IS NOT NULL ORDER BY account LIMIT ?"
            ))?;
            let page = params![target.as_str(), Packed(after.map_or("", AccountId::as_str)), limit(at_most)];
            let words = Words::all(db)?;
            let read = |row: &Row<'_>| {
                let person =
                    PersonRef { source: SourceId::from(words.must(row, 1)?), id: row.get::<_, TextId<_>>(2)?.0 };
                Ok((row.get::<_, TextId<_>>(0)?.0, person))
            };
            Ok(query.query_map(page, read)?.collect::<Result<_, _>>()?)
        })
    }

    /// The accounts on which a person's picture stands. Reads all of a target.
    pub fn accounts_of(&self, target: &TargetId, person: &PersonRef) -> Result<Vec<AccountId>, StateError> {
        self.read("read placements in the state", |db| {
            let sql = format!("SELECT account FROM placement WHERE target = (SELECT id FROM word WHERE text = ?3) AND {} ORDER BY account", past::OF_PERSON);
            let mut query = db.prepare_cached(&sql)?;
            let of = params![person.source.as_str(), Packed(person.id.as_str()), target.as_str()];
            Ok(query.query_map(of, |row| Ok(row.get::<_, TextId<AccountId>>(0)?.0))?.collect::<Result<_, _>>()?)
        })
    }

    /// How many placements a target has.
    pub fn count_placements(&self, target: &TargetId) -> Result<u64, StateError> {
        self.read("count placements in the state", |db| {
            let mut query = db.prepare_cached(&format!("SELECT count(*) FROM placement WHERE {OF_TARGET}"))?;
            Ok(query.query_row([target.as_str()], |row| Ok(row.get::<_, Whole>(0)?.0))?)
        })
    }

    /// Records a picture that was there and looks like ours, where nothing of ours is recorded.
    pub fn adopt(&self, placement: Placement) -> Ack<()> {
        self.note("record a placement in the state", move |db| put(db, &placement))
    }
}

pub(super) fn get(
    db: &Connection,
    words: &Words,
    target: &TargetId,
    account: &AccountId,
) -> Result<Option<Placement>, StateFault> {
    found(&mut *of_account(db)?, words, target, account)
}

fn of_account(db: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    db.prepare_cached(&format!("{COLUMNS} WHERE {}", past::OF_ACCOUNT))
}

fn found(
    query: &mut Statement<'_>,
    words: &Words,
    target: &TargetId,
    account: &AccountId,
) -> Result<Option<Placement>, StateFault> {
    Ok(query.query_row(past::account(target, account), |row| placement(row, words)).optional()?)
}

pub(super) fn put(db: &Connection, placement: &Placement) -> Result<(), StateFault> {
    let (before, before_mark) = match &placement.before {
        Before::Default => ("default", None),
        Before::Picture(mark) => ("picture", Some(mark.as_str())),
        Before::Unknown => ("unknown", None),
    };
    past::keep(db, past::OF_ACCOUNT, past::account(&placement.target, &placement.account))?;
    // A file is called what its bytes are.
    let mark = (placement.mark.as_str() != placement.rendition.to_string()).then_some(placement.mark.as_str());
    db.prepare_cached(
        "INSERT OR REPLACE INTO placement (target, account, source, person, photo, recipe, rendition, mark, provenance,
         before, before_mark, looks, keys) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        words::number(db, placement.target.as_str())?,
        Packed(placement.account.as_str()),
        words::maybe_number(db, placement.person.as_ref().map(|p| p.source.as_str()))?,
        placement.person.as_ref().map(|p| Packed(p.id.as_str())),
        (!photos::is_of_mark(db, placement)?).then_some(Bytes(placement.photo)),
        words::number(db, placement.recipe.as_str())?,
        Bytes(placement.rendition),
        mark,
        words::number(db, &EnumWord::text(placement.provenance)?)?,
        words::number(db, before)?,
        before_mark,
        placement.looks.map(Short),
        placement.keys.map(Short),
    ])?;
    Ok(())
}

pub(super) fn forget(db: &Connection, target: &TargetId, account: &AccountId) -> Result<(), StateFault> {
    forget_where(db, past::OF_ACCOUNT, past::account(target, account)).map(drop)
}

/// How many went.
pub(super) fn forget_where(db: &Connection, condition: &str, of: impl Params + Copy) -> Result<usize, StateFault> {
    past::keep(db, condition, of)?;
    Ok(db.prepare_cached(&format!("DELETE FROM placement WHERE {condition}"))?.execute(of)?)
}

/// Of a row of version 1, or one that somebody emptied, it is not known what the picture looks like: a server that gave its
/// number to somebody else's cannot be found out, so it is never deleted (promise P1).
fn deletable(recorded: Provenance, looks: ValueRef<'_>) -> Provenance {
    if looks == ValueRef::Null { Provenance::Adopted } else { recorded }
}

fn placement(row: &Row<'_>, words: &Words) -> rusqlite::Result<Placement> {
    let source = words.of(row, 2)?.map(SourceId::from);
    let person: Option<TextId<PersonId>> = row.get(3)?;
    let before_mark: Option<TextId<PictureRef>> = row.get(10)?;
    let before = match (words.of(row, 9)?, before_mark) {
        (Some(_), Some(mark)) => Before::Picture(mark.0),
        (Some("default"), None) => Before::Default,
        (Some(_), None) => Before::Unknown,
        // The table's checks leave no row without both.
        (None, _) => {
            past::was_shown(words.must(row, 13)?, row.get(14)?).map_or(Before::Unknown, |stood| Before::from(&stood))
        }
    };
    let rendition = row.get::<_, Bytes>(6)?.0;
    let mark: Option<TextId<PictureRef>> = row.get(7)?;
    Ok(Placement {
        target: TargetId::from(words.must(row, 0)?),
        account: row.get::<_, TextId<AccountId>>(1)?.0,
        person: source.zip(person).map(|(source, id)| PersonRef { source, id: id.0 }),
        photo: row.get::<_, Bytes>(4)?.0,
        recipe: Recipe::from(words.must(row, 5)?),
        rendition,
        mark: mark.map_or_else(|| PictureRef::new(rendition.to_string()), |mark| mark.0),
        provenance: deletable(EnumWord::of(words.must(row, 8)?)?.0, row.get_ref(11)?),
        before,
        looks: row.get::<_, Option<Short<_>>>(11)?.map(|looks| looks.0),
        keys: row.get::<_, Option<Short<_>>>(12)?.map(|keys| keys.0),
    })
}
