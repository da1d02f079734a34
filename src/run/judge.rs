//! Deciding about every account of a target, page by page.
//!
//! Owns: gathering the facts of each account, the selection by `--only`, `--target` and a reviewed plan, the counts that
//! the limits are held against.
//! Leaves to others: every rule (`plan`); doing (`apply`).
//! A newcomer gets wrong: what is not selected is still decided and counted, so that limits and ambiguity stay true
//! (docs/architecture.md, "Selecting and reviewing"); only then it is left out.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use super::desk::{Desk, PAGE};
use super::feed::Feed;
use super::house::House;
use super::selection::Selection;
use super::shared::Shared;
use super::sheet::Sheet;
use crate::error::Trouble;
use crate::load::Changes;
use crate::model::{AccountId, Digest, SourceId};
use crate::pipeline::Transform;
use crate::plan::Rerender;

/// What was decided about one target: counts. The decisions with their tasks wait in the facts (promise P9).
#[derive(Clone, Debug, Default)]
pub struct DeskPlan {
    /// What will be written, for the forecast. Sessions and accounts are not in it.
    pub changes: Changes,
    /// Pictures to look at before a decision is final.
    pub looks: u64,
    /// Pictures that stand there and that the target does not keep once they are replaced or taken away.
    pub not_kept: u64,
    /// What was counted.
    pub counts: DeskCounts,
    /// Sources with a person matched to one of the accounts.
    pub fed_by: BTreeSet<SourceId>,
}

/// What was counted while deciding about one target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeskCounts {
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
pub(super) struct Bench<'a> {
    /// The lock, the facts, the state.
    pub house: &'a House,
    /// All sources, in the file's order.
    pub feeds: &'a [Feed],
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

impl Bench<'_> {
    /// Decides about every account of a target that answered. What was decided about it before is forgotten.
    pub(super) fn judge(&self, desk: &Desk) -> Result<DeskPlan, Trouble> {
        let Some(open) = desk.ready() else { return Ok(DeskPlan::default()) };
        let facts = &self.house.facts;
        facts.forget_decisions(desk.id())?;
        let mut sheet = Sheet::new(self, desk, open)?;
        let mut after: Option<AccountId> = None;
        loop {
            let accounts = facts.accounts(desk.id(), after.as_ref(), PAGE)?;
            let Some(last) = accounts.last() else { return Ok(sheet.plan) };
            after = Some(last.id.clone());
            for account in accounts {
                sheet.judge(account)?;
            }
            sheet.turn()?;
        }
    }
}
