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
use crate::model::{Change, Digest, PersonRef, Step, TargetId};
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
    let mut wanted: BTreeMap<Digest, Vec<u64>> = BTreeMap::new();
    let replaced = |after: Option<&DecisionCursor>| context.facts.planned(target, &[Change::Replace], after, PAGE);
    for page in each_page(replaced, |last| DecisionCursor::of(&last.decision)) {
        for planned in page? {
            let (Step::Show(shown) | Step::Look(shown), Some(stands)) = (&planned.task.step, &planned.task.placement)
            else {
                continue;
            };
            // An account of another person than last time has a limit of its own.
            let Some(person) = shown.person.as_ref().filter(|_| shown.person == stands.person) else { continue };
            if shown.photo != stands.photo {
                wanted.entry(shown.photo).or_default().push(short(person));
            }
        }
    }
    let all: u64 = wanted.values().map(|people| people.len() as u64).sum();
    if all == 0 {
        return Ok(None);
    }
    let mut of_others = 0;
    let placements = |after: Option<&_>| context.store.placements(target, after, PAGE);
    for page in each_page(placements, |last| last.account.clone()) {
        for stands in page? {
            let (Some(person), Some(people)) = (&stands.person, wanted.get_mut(&stands.photo)) else { continue };
            // What a killed run had begun may stand by now, and the record still names the person's own photo of before.
            let (before, own) = (people.len(), short(person));
            people.retain(|who| *who == own);
            of_others += (before - people.len()) as u64;
        }
    }
    Ok(Some((of_others, all)))
}

/// A person in little room: of two that were the same by chance one would not be counted.
fn short(person: &PersonRef) -> u64 {
    let mut head = [0; 8];
    head.copy_from_slice(&Digest::of(person.to_string().as_bytes()).as_bytes()[..8]);
    u64::from_le_bytes(head)
}
