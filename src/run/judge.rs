//! Deciding about every account of a target, page by page.
//!
//! Owns: gathering the facts of each account, the selection by `--only`, `--target` and a reviewed plan, the counts that
//! the limits are held against.
//! Leaves to others: every rule (`plan`); doing (`apply`).
//! A newcomer gets wrong: what is not selected is still decided and counted, so that limits and ambiguity stay true
//! (design §4); only then it is left out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use super::desk::{Desk, PAGE};
use super::feed::Feed;
use super::house::House;
use super::selection::Selection;
use super::sheet::Sheet;
use crate::error::Trouble;
use crate::model::{
    Account, AccountId, ChangeKind, Decision, Digest, Mark, OpenIntent, PersonId, Placement, Seen, SourceId,
};
use crate::pipeline::Transform;
use crate::plan::{Looked, Rerender, Settled, Wanted};

/// A change and what it takes to make it.
#[derive(Clone, Debug)]
pub struct Planned {
    /// For plan and report.
    pub decision: Decision,
    /// What the account looked like in the survey.
    pub account: Account,
    /// What the state says stands there.
    pub placement: Option<Placement>,
    /// What is done.
    pub act: Act,
}

/// What is done about an account.
#[derive(Clone, Debug)]
pub enum Act {
    /// A picture is shown.
    Show(Wanted),
    /// The default is shown.
    Reset,
    /// A made picture is shown.
    Finish(OpenIntent, Mark),
    /// A leftover goes.
    Tidy(OpenIntent, Mark),
}

/// Everything decided about one target.
#[derive(Clone, Debug, Default)]
pub struct DeskPlan {
    /// What will be written, mending first, in a stable order.
    pub changes: Vec<Planned>,
    /// Placements to record without a write.
    pub adopt: Vec<Placement>,
    /// Intents of which only the journal has to learn something.
    pub close: Vec<(OpenIntent, Settled)>,
    /// Pictures to look at before a decision is final.
    pub look: Vec<(Account, Wanted)>,
    /// Unchanged photos whose rendition is needed and not in the spool.
    pub missing: BTreeMap<SourceId, BTreeSet<PersonId>>,
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
    /// Placements not shown any more.
    pub drifted: u64,
}

/// Open intents by account, each with what looking at the server said.
pub type Opened = BTreeMap<AccountId, Vec<(OpenIntent, Seen)>>;

/// What the judge needs besides the facts.
pub struct Bench<'a> {
    /// The lock, the facts, the state.
    pub house: &'a House,
    /// All sources, in the file's order.
    pub feeds: &'a [Feed],
    /// The file's transform element.
    pub transform: &'a Transform,
    /// Fallback images that can be used, by path.
    pub images: &'a HashMap<PathBuf, Digest>,
    /// `--only`, `--target`, `--plan`.
    pub selection: &'a Selection,
    /// `--rerender`.
    pub rerender: Rerender,
}

impl Bench<'_> {
    /// Decides about every account of a target that answered.
    pub fn judge(&self, desk: &Desk, looked: &HashMap<AccountId, Looked>) -> Result<DeskPlan, Trouble> {
        let Some(open) = desk.ready() else { return Ok(DeskPlan::default()) };
        let mut sheet = Sheet::new(self, desk, open, looked)?;
        let mut after: Option<AccountId> = None;
        loop {
            let accounts = self.house.facts.accounts(desk.id(), after.as_ref(), PAGE)?;
            let Some(last) = accounts.last() else { break };
            after = Some(last.id.clone());
            for account in accounts {
                sheet.judge(account)?;
            }
            self.house.facts.put_decisions(&sheet.turn())?;
        }
        let mut plan = sheet.plan;
        plan.changes.sort_by(|a, b| order(a).cmp(&order(b)));
        Ok(plan)
    }
}

fn order(planned: &Planned) -> (ChangeKind, &AccountId) {
    let kind = planned.decision.verdict.change().unwrap_or(ChangeKind::Replace);
    (kind, &planned.account.id)
}
