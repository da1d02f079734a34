//! What was decided about one target, counted.
//!
//! Owns: the counts that limits, forecast and report are made of. Leaves to others: counting (`target_planner`), what they
//! mean (`limits`, `run_report`).
//! A newcomer gets wrong: the decisions themselves are not here, but in the facts (promise P9); and so is what each
//! account added, so that one account can be decided about again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::load::Changes;
use crate::model::SourceId;

/// What an account adds one to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanCount {
    /// Accounts listed.
    Accounts,
    /// Belonging to one person of a source.
    Matched,
    /// As they should be.
    Unchanged,
    /// Recognised by their looks.
    Adopted,
    /// Ours and as they should be, but recorded for somebody else, or without the keys that matched.
    Recorded,
    /// Left alone by a rule.
    Kept,
    /// Of these, faces that have to be taken off by hand.
    StillShown,
    /// Of these, uploads of people who opted out that are not on record as ours, and that no earlier run told of.
    Spared,
    /// Keys that do not name one person.
    Conflicts,
    /// Not looked at.
    Skipped,
    /// Replacements wanted, those not selected included.
    Replacements,
    /// Reverts and removals wanted, those not selected included.
    Reverts,
    /// Pictures of others that would be overwritten.
    Foreign,
    /// Accounts of another person than last time.
    Reassigned,
    /// Pictures of ours that nobody matches any more though their person is listed.
    Unmatched,
    /// Accounts of people that show a picture of their own.
    Pictured,
    /// Placements not shown any more.
    Drifted,
    /// Pictures to look at before a decision is final.
    Looks,
    /// Pictures that stand there and that the target does not keep once they are replaced or taken away.
    NotKept,
    /// Kept pictures that do not open.
    Locked,
    /// [`Changes::replace_over_ours`].
    ReplaceOverOurs,
    /// [`Changes::replace`].
    Replace,
    /// [`Changes::revert_made`].
    RevertMade,
    /// [`Changes::revert_adopted`].
    RevertAdopted,
    /// [`Changes::given_back`].
    GivenBack,
    /// [`Changes::kept`].
    ToKeep,
    /// [`Changes::finish_over_ours`].
    FinishOverOurs,
    /// [`Changes::finish`].
    Finish,
    /// [`Changes::tidy`].
    Tidy,
}

/// What was decided about one target: counts. The decisions with their tasks wait in the facts (promise P9).
#[derive(Clone, Debug, Default)]
pub struct TargetPlan {
    counts: BTreeMap<PlanCount, u64>,
    /// Sources with a person matched to one of the accounts.
    pub fed_by: BTreeSet<SourceId>,
}

impl TargetPlan {
    /// How many there are.
    pub fn count(&self, of: PlanCount) -> u64 {
        self.counts.get(&of).copied().unwrap_or_default()
    }

    /// Adds what an account adds.
    pub(super) fn add(&mut self, counts: &[PlanCount]) {
        for count in counts {
            *self.counts.entry(*count).or_default() += 1;
        }
    }

    /// Takes off again what an account added.
    pub(super) fn take_off(&mut self, counts: &[PlanCount]) {
        for count in counts {
            let of = self.counts.entry(*count).or_default();
            *of = of.saturating_sub(1);
        }
    }

    /// What will be written, for the forecast. Sessions and accounts are not in it.
    pub fn changes(&self) -> Changes {
        Changes {
            replace_over_ours: self.count(PlanCount::ReplaceOverOurs),
            replace: self.count(PlanCount::Replace),
            revert_made: self.count(PlanCount::RevertMade),
            revert_adopted: self.count(PlanCount::RevertAdopted),
            given_back: self.count(PlanCount::GivenBack),
            kept: self.count(PlanCount::ToKeep),
            finish_over_ours: self.count(PlanCount::FinishOverOurs),
            finish: self.count(PlanCount::Finish),
            tidy: self.count(PlanCount::Tidy),
            ..Changes::default()
        }
    }
}
