//! What each account adds to the counts of a plan, and which accounts are decided about once more.
//!
//! Owns: the rows of both. Leaves to others: counting (`run`), which facts a decision depends on (`run`).
//! A newcomer gets wrong: a decision that is taken back takes its counts with it, so they stand beside it and not in
//! memory (promise P9).

use rusqlite::{OptionalExtension as _, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Facts, accounts};
use crate::model::{Account, AccountId, Digest, SourceId, TargetId};
use crate::state::codec::{Bytes, Json, limit};
use crate::state::error::StateError;

impl Facts {
    /// Puts what accounts of a target add, each decided about once more than before.
    pub fn put_counted<T: Serialize>(&self, target: &TargetId, counted: &[(AccountId, T)]) -> Result<(), StateError> {
        self.write("put counts into the facts", |db| {
            let mut put = db.prepare_cached(
                "INSERT INTO counted (target, account, counts, decided) VALUES (?, ?, ?, 1)
                 ON CONFLICT DO UPDATE SET counts = excluded.counts, decided = decided + 1",
            )?;
            for (account, counts) in counted {
                put.execute(params![target.as_str(), account.as_str(), Json(counts)])?;
            }
            Ok(())
        })
    }

    /// Takes back what was decided about these accounts, and says what each added that was counted.
    pub fn take_decisions_back<T: DeserializeOwned>(
        &self,
        target: &TargetId,
        accounts: &[Account],
    ) -> Result<Vec<T>, StateError> {
        self.write("take decisions back in the facts", |db| {
            let mut counted = db.prepare_cached("SELECT counts FROM counted WHERE target = ? AND account = ?")?;
            let mut decided = db.prepare_cached("DELETE FROM decision WHERE target = ? AND account = ?")?;
            let mut closing = db.prepare_cached("UPDATE seen SET events = NULL WHERE target = ? AND account = ?")?;
            let mut counts = Vec::with_capacity(accounts.len());
            for account in accounts {
                let key = [target.as_str(), account.id.as_str()];
                counts.extend(counted.query_row(key, |row| Ok(row.get::<_, Json<T>>(0)?.0)).optional()?);
                decided.execute(key)?;
                closing.execute(key)?;
            }
            Ok(counts)
        })
    }

    /// The accounts of a target are decided about again that belong to somebody whose photo is asked for once more,
    /// because its rendition is missing.
    pub fn outdate_missing(&self, target: &TargetId) -> Result<(), StateError> {
        self.write("outdate decisions in the facts", |db| {
            db.execute(
                "INSERT OR IGNORE INTO outdated (target, account)
                 SELECT target, account FROM matched JOIN again USING (source, person)
                 WHERE target = ? AND why = 'missing'",
                [target.as_str()],
            )?;
            Ok(())
        })
    }

    /// The accounts of a target are decided about again that belong to somebody with this photo.
    pub fn outdate_photo(&self, target: &TargetId, source: &SourceId, photo: &Digest) -> Result<(), StateError> {
        self.write("outdate decisions in the facts", |db| {
            db.execute(
                "INSERT OR IGNORE INTO outdated (target, account)
                 SELECT target, account FROM photo JOIN matched USING (source, person)
                 WHERE target = ? AND source = ? AND digest = ?",
                params![target.as_str(), source.as_str(), Bytes(*photo)],
            )?;
            Ok(())
        })
    }

    /// The accounts of a target are decided about again whose picture was looked at.
    pub fn outdate_looked(&self, target: &TargetId) -> Result<(), StateError> {
        self.write("outdate decisions in the facts", |db| {
            db.execute(
                "INSERT OR IGNORE INTO outdated (target, account) SELECT target, account FROM looked WHERE target = ?",
                [target.as_str()],
            )?;
            Ok(())
        })
    }

    /// The next accounts of a target that are decided about again, in the order of ids. They are taken off the list.
    pub fn take_outdated(&self, target: &TargetId, at_most: usize) -> Result<Vec<Account>, StateError> {
        self.ensure_index(&self.accounts)?;
        let sql = format!(
            "SELECT {} FROM outdated JOIN account ON account.target = outdated.target AND account.id = outdated.account
             WHERE outdated.target = ? ORDER BY outdated.account LIMIT ?",
            accounts::COLUMNS
        );
        self.write("take outdated decisions from the facts", |db| {
            let mut query = db.prepare_cached(&sql)?;
            let page = query.query_map(params![target.as_str(), limit(at_most)], |row| accounts::read(row, 0))?;
            let page = page.collect::<Result<Vec<_>, _>>()?;
            let mut take = db.prepare_cached("DELETE FROM outdated WHERE target = ? AND account = ?")?;
            for account in &page {
                take.execute([target.as_str(), account.id.as_str()])?;
            }
            Ok(page)
        })
    }
}
