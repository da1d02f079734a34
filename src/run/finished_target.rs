//! A target at the end of a run: what was decided, and whether it was to be written to.
//!
//! Owns: the reasons for not writing. Leaves to others: writing (`apply`), telling it (`run_report`, `people`).
//! A newcomer gets wrong: how each change went is not here, but in the facts (promise P9).

use super::target_plan::TargetPlan;
use super::target_run::TargetRun;
use crate::model::PersonResult;

/// One target with everything that was decided and done; each decision with how it went is in the facts.
pub struct FinishedTarget {
    /// The target.
    pub target_run: TargetRun,
    /// What was decided.
    pub plan: TargetPlan,
    /// Whether it was to be written to at all.
    pub writes: Writes,
}

/// Whether a target was to be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// Yes.
    Applied,
    /// This is a plan, or the target is on dry run.
    Planned,
    /// A limit stopped it.
    Limit,
    /// The run was asked to stop before it came to writing.
    NotBegun,
}

impl Writes {
    /// How a change went that has no result of its own.
    pub fn otherwise(self) -> PersonResult {
        match self {
            Self::Planned => PersonResult::Planned,
            Self::Applied | Self::Limit | Self::NotBegun => PersonResult::NotDone,
        }
    }
}
