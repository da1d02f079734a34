//! Accounts as the survey saw them, and as the confirming one did.
//!
//! Owns: the rows of accounts and the two views of what they show.
//! Leaves to others: whose they are (`matches.rs`), what they ought to show (`plan`).
//! A newcomer gets wrong: an account that the survey lists twice counts once; the last one wins.

use rusqlite::{OptionalExtension, Row, params};

use super::Facts;
use crate::model::{Account, AccountId, Shown, TargetId};
use crate::state::codec::{EnumWord, Json, TextId, limit};
use crate::state::error::StateError;

pub(super) const COLUMNS: &str = "account.id, account.name, account.handle, account.email, account.display_name, \
    account.standing, account.shown";

impl Facts {
    /// Puts a page of accounts.
    pub fn put_accounts(&self, target: &TargetId, accounts: &[Account]) -> Result<(), StateError> {
        self.write("put accounts into the facts", |db| {
            let mut put = db.prepare_cached(
                "INSERT OR REPLACE INTO account (target, id, name, handle, email, display_name, standing, shown)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )?;
            for account in accounts {
                put.execute(params![
                    target.as_str(),
                    account.id.as_str(),
                    account.name,
                    account.handle,
                    account.email,
                    account.display_name,
                    EnumWord(account.standing),
                    Json(&account.shown),
                ])?;
            }
            Ok(())
        })
    }

    /// Takes the handle from every account that does not have it alone, and says of each that nobody can tell what it
    /// shows: a call by that handle would go to one of them. Says how many there are.
    pub fn part_shared_handles(&self, target: &TargetId, why: &str) -> Result<u64, StateError> {
        self.ensure_index(&self.accounts)?;
        self.write("look for shared handles in the facts", |db| {
            let mut part = db.prepare_cached(
                "UPDATE account SET handle = NULL, shown = ?2 WHERE target = ?1 AND handle COLLATE NOCASE IN (
                   SELECT handle COLLATE NOCASE FROM account WHERE target = ?1 AND handle IS NOT NULL
                   GROUP BY handle COLLATE NOCASE HAVING count(*) > 1)",
            )?;
            Ok(part.execute(params![target.as_str(), Json(&Shown::Unknown(why.to_owned()))])? as u64)
        })
    }

    /// A page of a target's accounts, in the order of their ids.
    pub fn accounts(
        &self,
        target: &TargetId,
        after: Option<&AccountId>,
        at_most: usize,
    ) -> Result<Vec<Account>, StateError> {
        self.ensure_index(&self.accounts)?;
        self.read("read accounts in the facts", |db| {
            let mut query = db.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM account WHERE target = ? AND id > ? ORDER BY id LIMIT ?"
            ))?;
            let after = after.map_or("", AccountId::as_str);
            Ok(query
                .query_map(params![target.as_str(), after, limit(at_most)], |row| read(row, 0))?
                .collect::<Result<_, _>>()?)
        })
    }

    /// One account; `None` if the target did not list it.
    pub fn account(&self, target: &TargetId, id: &AccountId) -> Result<Option<Account>, StateError> {
        self.ensure_index(&self.accounts)?;
        self.read("read an account in the facts", |db| {
            let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM account WHERE target = ? AND id = ?"))?;
            Ok(query.query_row([target.as_str(), id.as_str()], |row| read(row, 0)).optional()?)
        })
    }

    /// Puts a page of the confirming survey.
    pub fn put_shown_after(&self, target: &TargetId, accounts: &[Account]) -> Result<(), StateError> {
        self.write("put a confirming survey into the facts", |db| {
            let mut put = db.prepare_cached(
                "INSERT OR REPLACE INTO shown_after (target, account, name, handle, shown) VALUES (?, ?, ?, ?, ?)",
            )?;
            for account in accounts {
                let Account { id, name, handle, shown, .. } = account;
                put.execute(params![target.as_str(), id.as_str(), name, handle, Json(shown)])?;
            }
            Ok(())
        })
    }

    /// What an account shows in the confirming survey; `None` if that did not list it.
    pub fn shown_after(&self, target: &TargetId, account: &AccountId) -> Result<Option<Shown>, StateError> {
        self.read("read a confirming survey in the facts", |db| {
            let mut query = db.prepare_cached("SELECT shown FROM shown_after WHERE target = ? AND account = ?")?;
            let key = [target.as_str(), account.as_str()];
            Ok(query.query_row(key, |row| Ok(row.get::<_, Json<Shown>>(0)?.0)).optional()?)
        })
    }
}

/// An account whose columns begin at `from`.
pub(super) fn read(row: &Row<'_>, from: usize) -> rusqlite::Result<Account> {
    Ok(Account {
        id: row.get::<_, TextId<AccountId>>(from)?.0,
        name: row.get(from + 1)?,
        handle: row.get(from + 2)?,
        email: row.get(from + 3)?,
        display_name: row.get(from + 4)?,
        standing: row.get::<_, EnumWord<_>>(from + 5)?.0,
        shown: row.get::<_, Json<_>>(from + 6)?.0,
    })
}
