//! Deciding about every account of a target, page by page.
//!
//! Owns: gathering the facts of each account, the selection by `--only`, `--target` and a reviewed plan, the counts that
//! the limits are held against.
//! Leaves to others: every rule (`plan`); doing (`apply`).
//! A newcomer gets wrong: what is not selected is still decided and counted, so that limits and ambiguity stay true
//! (docs/architecture.md, "Selecting and reviewing"); only then it is left out.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use super::context::RunContext;
use super::selection::Selection;
use super::shared::Shared;
use super::source_run::SourceRun;
use super::target_planner::TargetPlanner;
use super::target_run::{PAGE, TargetRun};
use crate::error::Trouble;
use crate::load::Changes;
use crate::model::{AccountId, Digest, SourceId};
use crate::plan::Rerender;
use crate::settings::Transform;

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

/// What the judge needs besides the facts.
pub(super) struct Planner<'a> {
    /// The lock, the facts, the state.
    pub context: &'a RunContext,
    /// All sources, in the file's order.
    pub source_runs: &'a [SourceRun],
    /// The file's transform element.
    pub transform: &'a Transform,
    /// Fallback images that can be used, by path.
    pub images: &'a HashMap<PathBuf, Digest>,
    /// Photos that too many people share.
    pub shared: &'a Shared,
    /// `--only`, `--target`, `--plan`.
    pub selection: &'a Selection,
    /// `--rerender`.
    pub rerender: Rerender,
}

impl Planner<'_> {
    /// Decides about every account of a target that answered. What was decided about it before is forgotten.
    pub(super) fn judge(&self, target_run: &TargetRun) -> Result<TargetPlan, Trouble> {
        let Some(open) = target_run.ready() else { return Ok(TargetPlan::default()) };
        let facts = &self.context.facts;
        facts.forget_decisions(target_run.id())?;
        let mut target_planner = TargetPlanner::new(self, target_run, open)?;
        let mut after: Option<AccountId> = None;
        loop {
            let accounts = facts.accounts(target_run.id(), after.as_ref(), PAGE)?;
            let Some(last) = accounts.last() else { return Ok(target_planner.plan) };
            after = Some(last.id.clone());
            for account in accounts {
                target_planner.judge(account)?;
            }
            target_planner.flush()?;
        }
    }
}
