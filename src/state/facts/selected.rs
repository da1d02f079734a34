//! What a run is narrowed to: accounts that are selected, changes that were reviewed.
//!
//! Owns: the rows of both. Leaves to others: what selects (`run`).
//! A newcomer gets wrong: without `--only` and `--target` nothing stands here, and everybody is selected.

use rusqlite::params;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Facts;
use crate::model::{AccountId, PersonId, SourceId, TargetId};
use crate::state::codec::{Json, TextId, Whole, limit};
use crate::state::error::StateError;

/// Where a reviewed change stands: its key, and the change as it was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewed<T> {
    /// The target.
    pub target: TargetId,
    /// The account.
    pub account: AccountId,
    /// The kind of change.
    pub change: String,
    /// The mark of a leftover; empty for every other change.
    pub picture: String,
    /// The change as it was saved.
    pub saved: T,
}

impl Facts {
    /// Selects these accounts of a target.
    pub fn select(&self, target: &TargetId, accounts: &[AccountId]) -> Result<(), StateError> {
        self.write("select accounts in the facts", |db| {
            let mut put = db.prepare_cached("INSERT OR IGNORE INTO selected (target, account) VALUES (?, ?)")?;
            for account in accounts {
                put.execute([target.as_str(), account.as_str()])?;
            }
            Ok(())
        })
    }

    /// Selects every account of a target.
    pub fn select_all(&self, target: &TargetId) -> Result<(), StateError> {
        self.ensure_index(&self.accounts)?;
        self.write("select accounts in the facts", |db| {
            let all =
                "INSERT OR IGNORE INTO selected (target, account) SELECT target, id FROM account WHERE target = ?";
            db.execute(all, [target.as_str()])?;
            Ok(())
        })
    }

    /// Selected accounts of a target that stay as they are: the first few by name, and how many there are.
    pub fn selected_unchanged(&self, target: &TargetId, at_most: usize) -> Result<(Vec<String>, u64), StateError> {
        const OF: &str =
            "FROM decision JOIN selected USING (target, account) WHERE target = ? AND change = 'unchanged'";
        self.read("look for selected accounts that stay as they are in the facts", |db| {
            let count =
                db.query_row(&format!("SELECT count(*) {OF}"), [target.as_str()], |row| row.get::<_, Whole>(0))?.0;
            let mut query = db.prepare(&format!("SELECT account_name {OF} ORDER BY account_name LIMIT ?"))?;
            let names = query.query_map(params![target.as_str(), limit(at_most)], |row| row.get(0))?;
            Ok((names.collect::<Result<_, _>>()?, count))
        })
    }

    /// Whether an account is selected.
    pub fn is_selected(&self, target: &TargetId, account: &AccountId) -> Result<bool, StateError> {
        self.read("look a selection up in the facts", |db| {
            let mut query = db.prepare_cached("SELECT 1 FROM selected WHERE target = ? AND account = ?")?;
            Ok(query.exists([target.as_str(), account.as_str()])?)
        })
    }

    /// Whether a person is matched to a selected account of any target.
    pub fn is_person_selected(&self, source: &SourceId, person: &PersonId) -> Result<bool, StateError> {
        self.read("look a selection up in the facts", |db| {
            let mut query = db.prepare_cached(
                "SELECT 1 FROM matched JOIN selected USING (target, account) WHERE source = ? AND person = ?",
            )?;
            Ok(query.exists([source.as_str(), person.as_str()])?)
        })
    }

    /// The accounts of a target that a person is matched to.
    pub fn accounts_of(
        &self,
        target: &TargetId,
        source: &SourceId,
        person: &PersonId,
    ) -> Result<Vec<AccountId>, StateError> {
        self.read("read matches in the facts", |db| {
            let mut query =
                db.prepare_cached("SELECT account FROM matched WHERE source = ? AND person = ? AND target = ?")?;
            let key = [source.as_str(), person.as_str(), target.as_str()];
            Ok(query.query_map(key, |row| Ok(row.get::<_, TextId<_>>(0)?.0))?.collect::<Result<_, _>>()?)
        })
    }

    /// Puts a page of reviewed changes.
    pub fn put_reviewed<T: Serialize>(&self, page: &[Reviewed<T>]) -> Result<(), StateError> {
        self.write("put a reviewed plan into the facts", |db| {
            let mut put = db.prepare_cached(
                "INSERT OR REPLACE INTO reviewed (target, account, change, picture, body) VALUES (?, ?, ?, ?, ?)",
            )?;
            for Reviewed { target, account, change, picture, saved } in page {
                put.execute(params![target.as_str(), account.as_str(), change, picture, Json(saved)])?;
            }
            Ok(())
        })
    }

    /// The reviewed changes of an account.
    pub fn reviewed<T: DeserializeOwned>(&self, target: &TargetId, account: &AccountId) -> Result<Vec<T>, StateError> {
        self.read("read a reviewed plan in the facts", |db| {
            let mut query = db.prepare_cached(
                "SELECT body FROM reviewed WHERE target = ? AND account = ? ORDER BY change, picture",
            )?;
            let rows = query.query_map([target.as_str(), account.as_str()], |row| Ok(row.get::<_, Json<T>>(0)?.0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// A page of the reviewed changes of a target whose account was not decided about at all; in the order of accounts.
    pub fn reviewed_of_nobody(
        &self,
        target: &TargetId,
        after: Option<&AccountId>,
        at_most: usize,
    ) -> Result<Vec<(AccountId, String)>, StateError> {
        self.read("read a reviewed plan in the facts", |db| {
            let mut query = db.prepare_cached(
                "SELECT account, min(change) FROM reviewed WHERE target = ?1 AND account > ?2
                   AND NOT EXISTS (SELECT 1 FROM decision
                                   WHERE decision.target = ?1 AND decision.account = reviewed.account)
                 GROUP BY account ORDER BY account LIMIT ?3",
            )?;
            let page = params![target.as_str(), after.map_or("", AccountId::as_str), limit(at_most)];
            let rows = query.query_map(page, |row| Ok((row.get::<_, TextId<AccountId>>(0)?.0, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The targets that a reviewed plan names, each with its changes counted.
    pub fn reviewed_targets(&self) -> Result<Vec<(TargetId, u64)>, StateError> {
        self.read("read a reviewed plan in the facts", |db| {
            let mut query =
                db.prepare_cached("SELECT target, count(*) FROM reviewed GROUP BY target ORDER BY target")?;
            let rows =
                query.query_map([], |row| Ok((row.get::<_, TextId<TargetId>>(0)?.0, row.get::<_, Whole>(1)?.0)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// How many reviewed changes of a target turned out to be none any more, and were not made before.
    pub fn count_missed(&self, target: &TargetId) -> Result<u64, StateError> {
        self.read("count results in the facts", |db| {
            let mut query = db.prepare_cached(
                "SELECT count(*) FROM decision WHERE target = ? AND is_change = 0 AND result IS NOT NULL",
            )?;
            Ok(query.query_row([target.as_str()], |row| Ok(row.get::<_, Whole>(0)?.0))?)
        })
    }
}
