//! What stands on accounts by our records.
//!
//! Owns: the placement rows. Leaves to others: making one for a picture that we uploaded, which only the journal does
//! (`journal.rs`), so that no placement can be without its proof.
//! A newcomer gets wrong: forgetting a placement takes no picture away; it makes the picture foreign.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Store;
use crate::model::{
    AccountId, Before, PersonId, PersonRef, PictureRef, Placement, Provenance, Recipe, SourceId, TargetId,
};
use crate::state::codec::{Bytes, EnumWord, Short, TextId, Whole, limit};
use crate::state::error::{StateError, StateFault};
use crate::state::writer::Ack;

const COLUMNS: &str = "SELECT target, account, source, person, photo, recipe, rendition, mark, provenance, before,
    before_mark, looks, keys FROM placement";

impl Store {
    /// What stands on an account.
    pub fn placement(&self, target: &TargetId, account: &AccountId) -> Result<Option<Placement>, StateError> {
        self.read("read a placement in the state", |db| get(db, target, account))
    }

    /// A page of a target's placements, in the order of account ids.
    pub fn placements(
        &self,
        target: &TargetId,
        after: Option<&AccountId>,
        at_most: usize,
    ) -> Result<Vec<Placement>, StateError> {
        self.read("read placements in the state", |db| {
            let sql = format!("{COLUMNS} WHERE target = ? AND account > ? ORDER BY account LIMIT ?");
            let mut query = db.prepare_cached(&sql)?;
            let after = after.map_or("", AccountId::as_str);
            Ok(query
                .query_map(params![target.as_str(), after, limit(at_most)], placement)?
                .collect::<Result<_, _>>()?)
        })
    }

    /// The accounts on which a person's picture stands. Reads all of a target: asked for whoever is new to an account.
    pub fn accounts_of(&self, target: &TargetId, person: &PersonRef) -> Result<Vec<AccountId>, StateError> {
        self.read("read placements in the state", |db| {
            let sql = "SELECT account FROM placement WHERE target = ? AND source = ? AND person = ? ORDER BY account";
            let mut query = db.prepare_cached(sql)?;
            let of = [target.as_str(), person.source.as_str(), person.id.as_str()];
            Ok(query.query_map(of, |row| Ok(row.get::<_, TextId<AccountId>>(0)?.0))?.collect::<Result<_, _>>()?)
        })
    }

    /// How many placements a target has.
    pub fn count_placements(&self, target: &TargetId) -> Result<u64, StateError> {
        self.read("count placements in the state", |db| {
            let mut query = db.prepare_cached("SELECT count(*) FROM placement WHERE target = ?")?;
            Ok(query.query_row([target.as_str()], |row| Ok(row.get::<_, Whole>(0)?.0))?)
        })
    }

    /// Records a picture that was there and looks like ours, where nothing of ours is recorded.
    pub fn adopt(&self, placement: Placement) -> Ack<()> {
        self.write("record a placement in the state", move |db| put(db, &placement))
    }
}

pub(super) fn get(db: &Connection, target: &TargetId, account: &AccountId) -> Result<Option<Placement>, StateFault> {
    let mut query = db.prepare_cached(&format!("{COLUMNS} WHERE target = ? AND account = ?"))?;
    Ok(query.query_row([target.as_str(), account.as_str()], placement).optional()?)
}

pub(super) fn put(db: &Connection, placement: &Placement) -> Result<(), StateFault> {
    let (before, before_mark) = match &placement.before {
        Before::Default => ("default", None),
        Before::Picture(mark) => ("picture", Some(mark.as_str())),
        Before::Unknown => ("unknown", None),
    };
    db.prepare_cached(
        "INSERT OR REPLACE INTO placement (target, account, source, person, photo, recipe, rendition, mark, provenance,
         before, before_mark, looks, keys) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        placement.target.as_str(),
        placement.account.as_str(),
        placement.person.as_ref().map(|p| p.source.as_str()),
        placement.person.as_ref().map(|p| p.id.as_str()),
        Bytes(placement.photo),
        placement.recipe.as_str(),
        Bytes(placement.rendition),
        placement.mark.as_str(),
        EnumWord(placement.provenance),
        before,
        before_mark,
        placement.looks.map(Short),
        placement.keys.map(Short),
    ])?;
    Ok(())
}

pub(super) fn forget(db: &Connection, target: &TargetId, account: &AccountId) -> Result<(), StateFault> {
    db.prepare_cached("DELETE FROM placement WHERE target = ? AND account = ?")?
        .execute([target.as_str(), account.as_str()])?;
    Ok(())
}

/// Of a row of version 1, or one that somebody emptied, it is not known what the picture looks like: a server that gave its
/// number to somebody else's cannot be found out, so it is never deleted (promise P1).
fn deletable(recorded: Provenance, looks: ValueRef<'_>) -> Provenance {
    if looks == ValueRef::Null { Provenance::Adopted } else { recorded }
}

fn placement(row: &Row<'_>) -> rusqlite::Result<Placement> {
    let source: Option<TextId<SourceId>> = row.get(2)?;
    let person: Option<TextId<PersonId>> = row.get(3)?;
    let before_mark: Option<TextId<PictureRef>> = row.get(10)?;
    // The table's checks leave no other pairs.
    let before = match (row.get_ref(9)?.as_str()?, before_mark) {
        (_, Some(mark)) => Before::Picture(mark.0),
        ("default", None) => Before::Default,
        (_, None) => Before::Unknown,
    };
    Ok(Placement {
        target: row.get::<_, TextId<TargetId>>(0)?.0,
        account: row.get::<_, TextId<AccountId>>(1)?.0,
        person: source.zip(person).map(|(source, id)| PersonRef { source: source.0, id: id.0 }),
        photo: row.get::<_, Bytes>(4)?.0,
        recipe: row.get::<_, TextId<Recipe>>(5)?.0,
        rendition: row.get::<_, Bytes>(6)?.0,
        mark: row.get::<_, TextId<PictureRef>>(7)?.0,
        provenance: deletable(row.get::<_, EnumWord<_>>(8)?.0, row.get_ref(11)?),
        before,
        looks: row.get::<_, Option<Short<_>>>(11)?.map(|looks| looks.0),
        keys: row.get::<_, Option<Short<_>>>(12)?.map(|keys| keys.0),
    })
}
