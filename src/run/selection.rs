//! What `--only`, `--target` and `--plan` leave out of a decided plan.
//!
//! Owns: the saved form of a plan and the comparison with it. Leaves to others: files and flags (`cli`).
//! A newcomer gets wrong: a reviewed plan adds nothing and repeats nothing; a change is made only if it is decided again
//! in this run, exactly as it was reviewed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{Account, Decision, Reason, TargetId, normalise_key};
use crate::plan::plan_digest;

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
            Some(plan) if !plan.changes.contains(&SavedChange::of(decision)) => Some(Reason::NotReviewed),
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

/// A plan as `plan --out` saves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    /// 1.
    pub format: u32,
    /// The pipeline's name.
    pub pipeline: String,
    /// Digest of the pipeline file's text.
    pub pipeline_digest: String,
    /// Digest of the changes.
    pub plan_digest: String,
    /// Every change, in order.
    pub changes: BTreeSet<SavedChange>,
}

/// A change as it was reviewed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedChange {
    /// The target's id.
    pub target: String,
    /// The account's id.
    pub account: String,
    /// The kind of change.
    pub change: String,
    /// What the account showed.
    pub from: String,
    /// What it is to show.
    pub to: String,
}

impl SavedChange {
    fn of(decision: &Decision) -> Self {
        Self {
            target: decision.target.to_string(),
            account: decision.account.to_string(),
            change: decision.verdict.word().to_owned(),
            from: decision.from.label(),
            to: decision.to.clone(),
        }
    }
}

impl SavedPlan {
    /// The plan of these changes.
    pub fn of(pipeline: &crate::pipeline::Pipeline, changes: &[Decision]) -> Self {
        Self {
            format: 1,
            pipeline: pipeline.name.clone(),
            pipeline_digest: pipeline.digest.to_string(),
            plan_digest: plan_digest(changes).to_string(),
            changes: changes.iter().map(SavedChange::of).collect(),
        }
    }
}
