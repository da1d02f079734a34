//! Whether everybody was refused in the same words.
//!
//! Owns: telling a person's refusal from ours. Leaves to others: the refusals (`apply`).
//! A newcomer gets wrong: one person who may not be written to is that person's matter; all of them are our permission.

use crate::http::{Failure, FailureKind};
use crate::model::{Fault, PersonResult, TargetId, TaskResult};

/// The codes of faults that say: you may not.
const REFUSALS: [&str; 4] = ["unauthorized", "forbidden", "not_permitted", "avatars_refused"];

/// How the changes of one target went so far.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    ended: u64,
    done: u64,
    /// Refused in the words of `first`'s code.
    refused: u64,
    /// Of those with the first code that was met, the first message in order, so that workers may end in any order.
    first: Option<Fault>,
}

impl Refusals {
    /// Counts how one change went.
    pub(super) fn count(&mut self, went: &TaskResult) {
        self.ended += 1;
        self.done += u64::from(went.result == PersonResult::Done);
        let Some(fault) = went.error.as_ref().filter(|fault| REFUSALS.contains(&fault.code.as_str())) else { return };
        let first = self.first.get_or_insert_with(|| fault.clone());
        if first.code == fault.code {
            self.refused += 1;
            if fault.message < first.message {
                first.message.clone_from(&fault.message);
            }
        }
    }

    /// Changes that were done.
    pub(super) fn done(&self) -> u64 {
        self.done
    }

    /// The failure of the target, if more than one was to be changed and each was refused.
    pub(super) fn of_everybody(&self, target: &TargetId) -> Option<Failure> {
        let first = self.first.as_ref().filter(|_| self.refused > 1 && self.refused == self.ended)?;
        let tried = format!("write to {} accounts of {target}", self.refused);
        let found = format!("each was refused, one of them: {}", first.message);
        Some(
            Failure::new(FailureKind::Refused, tried, found)
                .hint("give the account of `credential` the permission to administer users; `auth` tells what it may"),
        )
    }
}
