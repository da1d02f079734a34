//! Accounts that are nobody's by now, and show, by the state, the picture of somebody who is matched to another account.
//!
//! Owns: the rows of both. Leaves to others: what stands where (`store`), what follows for that somebody (`run`).
//! A newcomer gets wrong: there are hardly ever any. To ask the state where a person's picture stands reads all of a target,
//! and each quiet run would do it for everybody who has no photo; so what stands is gone through once.

use rusqlite::params;

use super::Facts;
use crate::model::{AccountId, PersonRef, TargetId};
use crate::state::codec::TextId;
use crate::state::error::StateError;

impl Facts {
    /// To be called before what stands on a target is put again.
    pub fn forget_left_behind(&self, target: &TargetId) -> Result<(), StateError> {
        self.write("forget what stands on accounts in the facts", |db| {
            db.execute("DELETE FROM left_behind WHERE target = ?", [target.as_str()])?;
            Ok(())
        })
    }

    /// Puts a page of whose pictures stand on which accounts of a target; kept are those that are left behind. Says how many.
    pub fn put_left_behind(&self, target: &TargetId, standing: &[(AccountId, PersonRef)]) -> Result<usize, StateError> {
        self.ensure_index(&self.accounts)?;
        self.ensure_index(&self.matched_person)?;
        self.write("put what stands on accounts into the facts", |db| {
            // Nearly every account is somebody's, which is asked first: in the order of accounts.
            let mut put = db.prepare_cached(
                "INSERT OR IGNORE INTO left_behind (target, account, source, person)
                 SELECT ?1, ?2, ?3, ?4
                 WHERE NOT EXISTS (SELECT 1 FROM matched WHERE target = ?1 AND account = ?2 AND verdict = 'matched')
                   AND EXISTS (SELECT 1 FROM matched INDEXED BY matched_person
                               WHERE source = ?3 AND person = ?4 AND target = ?1)
                   AND EXISTS (SELECT 1 FROM account WHERE target = ?1 AND id = ?2)",
            )?;
            let mut kept = 0;
            for (account, person) in standing {
                let row = [target.as_str(), account.as_str(), person.source.as_str(), person.id.as_str()];
                kept += put.execute(row)?;
            }
            Ok(kept)
        })
    }

    /// The accounts of a target that a person left behind, in the order of ids.
    pub fn left_behind(&self, target: &TargetId, person: &PersonRef) -> Result<Vec<AccountId>, StateError> {
        self.read("read what stands on accounts in the facts", |db| {
            let mut query = db.prepare_cached(
                "SELECT account FROM left_behind WHERE target = ? AND source = ? AND person = ? ORDER BY account",
            )?;
            let of = params![target.as_str(), person.source.as_str(), person.id.as_str()];
            Ok(query.query_map(of, |row| Ok(row.get::<_, TextId<_>>(0)?.0))?.collect::<Result<_, _>>()?)
        })
    }
}
