//! What `--only`, `--target` and `--plan` leave out of a decided plan.
//!
//! Owns: the comparison with a reviewed plan. Leaves to others: its file (`saved`), flags (`cli`).
//! A newcomer gets wrong: a reviewed plan adds nothing and repeats nothing; a change is made only if it is decided again
//! in this run, exactly as it was reviewed.

use std::collections::BTreeSet;

use super::saved::SavedChange;
use crate::model::{Account, Decision, Digest, Reason, TargetId, normalise_key};

/// Which of the decided changes are made.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Names, e-mails or ids of people or accounts; empty: everybody.
    pub only: Vec<String>,
    /// Targets; empty: all.
    pub targets: Vec<TargetId>,
    /// The plan that was reviewed.
    pub reviewed: Option<SavedPlan>,
}

impl Selection {
    /// Why a change is left out, if it is.
    pub fn leaves_out(&self, decision: &Decision, account: &Account) -> Option<Reason> {
        let target = self.targets.is_empty() || self.targets.contains(&decision.target);
        if !target || !(self.only.is_empty() || self.names(decision, account)) {
            return Some(Reason::NotSelected);
        }
        match &self.reviewed {
            Some(plan) if !plan.changes.contains(&SavedChange::of(decision).digest()) => Some(Reason::NotReviewed),
            _ => None,
        }
    }

    fn names(&self, decision: &Decision, account: &Account) -> bool {
        let known = [
            account.name.as_str(),
            account.id.as_str(),
            account.email.as_deref().unwrap_or_default(),
            decision.person.as_ref().map_or("", |person| person.id.as_str()),
        ];
        let known: Vec<_> = known.into_iter().map(normalise_key).filter(|key| !key.is_empty()).collect();
        self.only.iter().any(|wanted| known.contains(&normalise_key(wanted)))
    }
}

/// A plan that `plan --out` saved ([`super::saved`]), as it is held against the one of this run: a digest for each change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedPlan {
    /// The pipeline's name.
    pub pipeline: String,
    /// Every change.
    pub changes: BTreeSet<Digest>,
}
