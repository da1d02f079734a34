//! What the run that is undone did to accounts.
//!
//! Owns: the rows. Leaves to others: the journal that they are read from (`store`), what follows (`plan`).
//! A newcomer gets wrong: of several writes to one account the first says what stood there, the last what it left.

use rusqlite::{OptionalExtension as _, params};

use super::Facts;
use crate::model::{AccountId, PictureRef, TargetId, Wrote};
use crate::state::codec::{EnumWord, Json, Short, limit};
use crate::state::error::StateError;

impl Facts {
    /// Puts a page of writes, in the order of the journal.
    pub fn put_wrote(&self, writes: &[(TargetId, AccountId, Wrote)]) -> Result<(), StateError> {
        self.write("put what a run wrote into the facts", |db| {
            let mut put = db.prepare_cached(
                "INSERT INTO wrote (target, account, stood, ours, left, named, owner, person, stood_in, stood_of)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
                   left = excluded.left, named = excluded.named, owner = excluded.owner, person = excluded.person",
            )?;
            for (target, account, wrote) in writes {
                let Wrote { stood, ours, left, named, owner, person, stood_in, stood_of } = wrote;
                let row = params![
                    target.as_str(),
                    account.as_str(),
                    Json(stood),
                    ours,
                    EnumWord(*left),
                    named.map(Short),
                    owner.map(Short),
                    Json(person),
                    stood_in,
                    Json(stood_of)
                ];
                put.execute(row)?;
            }
            Ok(())
        })
    }

    /// A page of a target's accounts on which it wrote over an upload, and the upload.
    pub fn wrote_over(
        &self,
        target: &TargetId,
        after: Option<&AccountId>,
        at_most: usize,
    ) -> Result<Vec<(AccountId, PictureRef)>, StateError> {
        self.read("look for what a run wrote over in the facts", |db| {
            let mut query = db.prepare_cached(
                "SELECT account, stood ->> '$.custom' FROM wrote
                 WHERE target = ? AND account > ? AND stood ->> '$.custom' IS NOT NULL ORDER BY account LIMIT ?",
            )?;
            let after = after.map_or("", AccountId::as_str);
            let read = |row: &rusqlite::Row<'_>| {
                Ok((AccountId::new(row.get::<_, String>(0)?), PictureRef::new(row.get::<_, String>(1)?)))
            };
            Ok(query.query_map(params![target.as_str(), after, limit(at_most)], read)?.collect::<Result<_, _>>()?)
        })
    }

    /// Whether it wrote to an account of this id, whatever the case, in any target.
    pub fn wrote_to(&self, account: &str) -> Result<bool, StateError> {
        self.read("look for what a run wrote in the facts", |db| {
            Ok(db.prepare_cached("SELECT 1 FROM wrote WHERE account = ? COLLATE NOCASE")?.exists([account])?)
        })
    }

    /// What it did to one account; `None`: it wrote nothing there.
    pub fn wrote(&self, target: &TargetId, account: &AccountId) -> Result<Option<Wrote>, StateError> {
        self.read("read what a run wrote in the facts", |db| {
            let mut query = db.prepare_cached(
                "SELECT stood, ours, left, named, owner, person, stood_in, stood_of FROM wrote WHERE target = ? AND account = ?",
            )?;
            let read = |row: &rusqlite::Row<'_>| {
                Ok(Wrote {
                    stood: row.get::<_, Json<_>>(0)?.0,
                    ours: row.get(1)?,
                    left: row.get::<_, EnumWord<_>>(2)?.0,
                    named: row.get::<_, Option<Short<_>>>(3)?.map(|named| named.0),
                    owner: row.get::<_, Option<Short<_>>>(4)?.map(|owner| owner.0),
                    person: row.get::<_, Json<_>>(5)?.0,
                    stood_in: row.get(6)?,
                    stood_of: row.get::<_, Json<_>>(7)?.0,
                })
            };
            Ok(query.query_row([target.as_str(), account.as_str()], read).optional()?)
        })
    }
}
