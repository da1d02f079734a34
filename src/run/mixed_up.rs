//! Photos that are another person's by our record: a provider that mixed people up (pipelines/README.md, "Limits, report, state").
//!
//! Owns: how many of a target's changes would show one. Leaves to others: how many may (`limits`).
//! A newcomer gets wrong: what is compared with is what stands on accounts, not what was last learnt of photos: that is written
//! down by a plan, too, and would make the same mix-up the known state by the next run.

use std::collections::BTreeMap;

use super::context::RunContext;
use super::pages::{PAGE, each_page};
use super::target_plan::{PlanCount, TargetPlan};
use crate::error::Trouble;
use crate::model::{Change, Digest, Step, TargetId};
use crate::state::DecisionCursor;

/// How many people get, in place of a photo of their own, one that stands on another account; and how many get another photo
/// at all. `None`: nobody does.
pub(super) fn mixed_up(
    context: &RunContext,
    target: &TargetId,
    plan: &TargetPlan,
) -> Result<Option<(u64, u64)>, Trouble> {
    if plan.count(PlanCount::Replacements) == 0 {
        return Ok(None);
    }
    let mut wanted: BTreeMap<Digest, u64> = BTreeMap::new();
    let replaced = |after: Option<&DecisionCursor>| context.facts.planned(target, &[Change::Replace], after, PAGE);
    for page in each_page(replaced, |last| DecisionCursor::of(&last.decision)) {
        for planned in page? {
            let (Step::Show(shown) | Step::Look(shown), Some(stands)) = (&planned.task.step, &planned.task.placement)
            else {
                continue;
            };
            // An account of another person than last time has a limit of its own.
            if shown.person.is_some() && shown.person == stands.person && shown.photo != stands.photo {
                *wanted.entry(shown.photo).or_default() += 1;
            }
        }
    }
    let all: u64 = wanted.values().sum();
    if all == 0 {
        return Ok(None);
    }
    let mut of_others = 0;
    let placements = |after: Option<&_>| context.store.placements(target, after, PAGE);
    for page in each_page(placements, |last| last.account.clone()) {
        let standing = page?.into_iter().filter(|stands| stands.person.is_some());
        of_others += standing.filter_map(|stands| wanted.remove(&stands.photo)).sum::<u64>();
    }
    Ok(Some((of_others, all)))
}
