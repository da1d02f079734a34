//! What the facts say of one account.
//!
//! Owns: every decision about it, each with how it went. Leaves to others: what follows from it (`explain`).

use super::Facts;
use super::row::{COLUMNS, RESULT, read, went};
use crate::model::{AccountId, Decision, TargetId, TaskResult};
use crate::state::error::StateError;

impl Facts {
    /// Every decision about an account, in the order of the plan.
    pub fn decisions_about(
        &self,
        target: &TargetId,
        account: &AccountId,
    ) -> Result<Vec<(Decision, Option<TaskResult>)>, StateError> {
        self.read("read what was decided about an account in the facts", |db| {
            let mut query = db.prepare_cached(&format!(
                "SELECT {COLUMNS}, {RESULT} FROM decision WHERE target = ? AND account = ? ORDER BY slot, which"
            ))?;
            let rows = query.query_map([target.as_str(), account.as_str()], |row| Ok((read(row)?, went(row, 12)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
