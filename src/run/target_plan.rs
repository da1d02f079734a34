//! What was decided about one target, counted.
//!
//! Owns: the counts that limits, forecast and report are made of. Leaves to others: counting (`target_planner`), what they
//! mean (`limits`, `run_report`).
//! A newcomer gets wrong: the decisions themselves are not here, but in the facts (promise P9).

use std::collections::BTreeSet;

use crate::load::Changes;
use crate::model::SourceId;

/// What was decided about one target: counts. The decisions with their tasks wait in the facts (promise P9).
#[derive(Clone, Debug, Default)]
pub struct TargetPlan {
    /// What will be written, for the forecast. Sessions and accounts are not in it.
    pub changes: Changes,
    /// Pictures to look at before a decision is final.
    pub looks: u64,
    /// Pictures that stand there and that the target does not keep once they are replaced or taken away.
    pub not_kept: u64,
    /// What was counted.
    pub counts: TargetCounts,
    /// Sources with a person matched to one of the accounts.
    pub fed_by: BTreeSet<SourceId>,
}

/// What was counted while deciding about one target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TargetCounts {
    /// Accounts listed.
    pub accounts: u64,
    /// Belonging to one person of a source.
    pub matched: u64,
    /// As they should be.
    pub unchanged: u64,
    /// Recognised by their looks.
    pub adopted: u64,
    /// Left alone by a rule.
    pub kept: u64,
    /// Keys that do not name one person.
    pub conflicts: u64,
    /// Not looked at.
    pub skipped: u64,
    /// Replacements wanted, those not selected included.
    pub replacements: u64,
    /// Reverts and removals wanted, those not selected included.
    pub reverts: u64,
    /// Pictures of others that would be overwritten.
    pub foreign: u64,
    /// Accounts of another person than last time.
    pub reassigned: u64,
    /// Accounts of people that show a picture of their own.
    pub pictured: u64,
    /// Placements not shown any more.
    pub drifted: u64,
}
