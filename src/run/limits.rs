//! Counting what the limits are held against, and stopping what a broken one stops (docs/architecture.md, "Guard").
//!
//! Owns: which counts belong to which limit, and that a target's limit stops that target, a source's what it feeds.
//! Leaves to others: the comparison (`plan::guard`).
//! A newcomer gets wrong: the counts include what `--only` left out, so a broken limit cannot be dodged by selecting.

use std::collections::BTreeSet;

use super::context::RunContext;
use super::mixed_up::mixed_up;
use super::shared::SharedPhotos;
use super::source_run::{PhotoCounts, SourceRun};
use super::target_plan::{PlanCount, TargetPlan};
use super::target_run::TargetRun;
use crate::error::Trouble;
use crate::model::{SourceId, TargetId, counted};
use crate::plan::{Allowance, Checked, LimitCount, SourceState, guard};
use crate::settings::{LimitName, Pipeline};
use crate::state::Counted;

/// Every limit of the file, and what it stops.
#[derive(Clone, Debug, Default)]
pub(super) struct Guarded {
    /// Sources, then targets.
    pub checked: Vec<Checked>,
    /// Targets that may not be written to.
    pub stopped: BTreeSet<TargetId>,
    /// How many of `checked` are of sources.
    sources: usize,
    /// What `--allow` names.
    allow: Vec<Allowance>,
}

impl Guarded {
    /// Holds the plan of a pass against the limits. What is counted of a source grows from pass to pass; a limit that
    /// it broke once stays broken.
    pub(super) fn hold(
        &mut self,
        context: &RunContext,
        pipeline: &Pipeline,
        source_runs: &[SourceRun],
        target_runs: &[(TargetRun, TargetPlan)],
        allow: &[Allowance],
    ) -> Result<(), Trouble> {
        self.allow = allow.to_vec();
        let targets = self.checked.split_off(self.sources);
        let before = std::mem::take(&mut self.checked);
        for source_run in source_runs {
            if source_run.state != SourceState::Listed {
                let earlier = before.iter().filter(|check| check.scope == source_run.id().as_str());
                self.checked.extend(earlier.cloned());
                continue;
            }
            let shared = SharedPhotos::of(
                context,
                std::slice::from_ref(source_run),
                pipeline.transform.hash.same_picture.value,
            )?;
            let mut checked = guard(&of_source(context, source_run, &shared)?, &pipeline.limits, allow);
            for check in &mut checked {
                let was = |was: &&Checked| was.broken && was.limit == check.limit && was.scope == check.scope;
                if let Some(broken) = before.iter().find(was) {
                    *check = broken.clone();
                }
            }
            if checked.iter().any(|check| check.broken) {
                self.stopped.extend(fed_by(target_runs, source_run.id()));
            }
            self.checked.extend(checked);
        }
        self.sources = self.checked.len();
        self.checked.extend(targets);
        for (target_run, plan) in target_runs.iter().filter(|(target_run, _)| target_run.ready().is_some()) {
            let checked = guard(&of_target(context, target_run, plan)?, &pipeline.limits, allow);
            if checked.iter().any(|check| check.broken) {
                self.stopped.insert(target_run.id().clone());
            }
            self.checked.extend(checked);
        }
        // A pass has whichever targets were listed by then; the report has them as the file has.
        let place = |check: &Checked| pipeline.targets.iter().position(|target| target.id.as_str() == check.scope);
        self.checked[self.sources..].sort_by_key(place);
        Ok(())
    }
}

impl Guarded {
    /// What `--allow` named and was not needed: whoever wrote it counts on something that is not so.
    pub(super) fn unneeded(&self) -> Vec<String> {
        let told = |allowance: &Allowance| {
            let mut of_it = self.checked.iter().filter(|check| allowance.names(check.limit, &check.scope)).peekable();
            let first = *of_it.peek()?;
            let allowed = first.allowed.map_or_else(|| "no limit".to_owned(), |most| format!("allowed {most}"));
            let Checked { scope, value, of, limit, .. } = first;
            let (one, many) = limit.of_what();
            let of = counted(*of, one, many);
            of_it
                .all(|check| !check.broken && !check.overridden)
                .then(|| format!("--allow {allowance} was not needed: found {value} of {of} at {scope}, {allowed}"))
        };
        self.allow.iter().filter_map(told).collect()
    }
}

fn fed_by<'a>(target_runs: &'a [(TargetRun, TargetPlan)], source: &'a SourceId) -> impl Iterator<Item = TargetId> + 'a {
    target_runs.iter().filter(|(_, plan)| plan.fed_by.contains(source)).map(|(target_run, _)| target_run.id().clone())
}

/// How many, and of how many; `None`: nothing is there to compare with.
type HowMany = Option<(u64, u64)>;
type CountSource = fn(&OfSource<'_>) -> HowMany;
type CountTarget = fn(&OfTarget<'_>) -> HowMany;

/// What a source's limits are counted from.
struct OfSource<'a> {
    photos: &'a PhotoCounts,
    people: u64,
    /// People who share a photo with too many others.
    shared: u64,
    /// Photos that were lost by the last run that was let pass: no new loss.
    settled: u64,
    /// People in the last good run.
    last: Option<u64>,
    /// Members that are gone of the groups of wishes, of those in the last good run.
    members_gone: HowMany,
}

/// What a target's limits are counted from.
struct OfTarget<'a> {
    plan: &'a TargetPlan,
    placements: u64,
    mixed_up: HowMany,
    /// Pictures that nobody matched in the last run that was let pass: no new loss.
    settled: u64,
    /// Accounts in the last good run.
    last: Option<u64>,
}

/// The limits of a source, in the order of the report.
const OF_SOURCE: [(LimitName, CountSource); 4] = [
    // Known last time is what the last run knew that was let pass.
    (LimitName::Unknown, |of| {
        Some((of.photos.lost.saturating_sub(of.settled), of.photos.known_before.saturating_sub(of.settled)))
    }),
    (LimitName::SamePicture, |of| Some((of.shared, of.photos.present))),
    (LimitName::SourceShrink, |of| of.last.map(|last| (last.saturating_sub(of.people), last))),
    (LimitName::GroupShrink, |of| of.members_gone),
];

/// The limits of a target, in the order of the report.
const OF_TARGET: [(LimitName, CountTarget); 8] = [
    (LimitName::Reverts, |of| Some((of.plan.count(PlanCount::Reverts), of.plan.count(PlanCount::Pictured)))),
    (LimitName::Replacements, |of| Some((of.plan.count(PlanCount::Replacements), of.plan.count(PlanCount::Matched)))),
    (LimitName::Foreign, |of| Some((of.plan.count(PlanCount::Foreign), of.plan.count(PlanCount::Matched)))),
    (LimitName::Reassigned, |of| Some((of.plan.count(PlanCount::Reassigned), of.placements))),
    (LimitName::MixedUp, |of| of.mixed_up),
    (LimitName::Unmatched, |of| {
        let unmatched = of.plan.count(PlanCount::Unmatched);
        Some((unmatched.saturating_sub(of.settled), of.placements.saturating_sub(of.settled)))
    }),
    (LimitName::TargetDrift, |of| Some((of.plan.count(PlanCount::Drifted), of.placements))),
    (LimitName::TargetShrink, |of| of.last.map(|last| (last.saturating_sub(of.plan.count(PlanCount::Accounts)), last))),
];

fn found(scope: &str, counted: impl IntoIterator<Item = (LimitName, HowMany)>) -> Vec<LimitCount> {
    let found = |(limit, many): (LimitName, HowMany)| {
        many.map(|(value, of)| LimitCount { limit, scope: scope.to_owned(), value, of })
    };
    counted.into_iter().filter_map(found).collect()
}

fn of_source(context: &RunContext, source_run: &SourceRun, shared: &SharedPhotos) -> Result<Vec<LimitCount>, Trouble> {
    let (id, counts) = (source_run.id(), &source_run.counts);
    let of = OfSource {
        photos: &counts.photos,
        people: counts.people,
        shared: shared.people(id),
        settled: context.store.last_good(&Counted::Lost(id.clone()))?.unwrap_or_default(),
        last: context.store.last_good(&Counted::Source(id.clone()))?,
        members_gone: source_run.members_gone(context)?,
    };
    Ok(found(id.as_str(), OF_SOURCE.map(|(limit, count)| (limit, count(&of)))))
}

fn of_target(context: &RunContext, target_run: &TargetRun, plan: &TargetPlan) -> Result<Vec<LimitCount>, Trouble> {
    let id = target_run.id();
    let placements = context.store.count_placements(id)?;
    let last = context.store.last_good(&Counted::Target(id.clone()))?;
    let mixed_up = mixed_up(context, id, plan)?;
    let settled = context.store.last_good(&Counted::Unmatched(id.clone()))?.unwrap_or_default();
    let of = OfTarget { plan, placements, mixed_up, settled, last };
    Ok(found(id.as_str(), OF_TARGET.map(|(limit, count)| (limit, count(&of)))))
}

/// What the limits of a source are held against in a test of a file: no run came before it.
pub(super) fn of_rehearsed_source(id: &SourceId, photos: &PhotoCounts, shared: u64) -> Vec<LimitCount> {
    let of = OfSource { photos, people: 0, shared, settled: 0, last: None, members_gone: None };
    found(id.as_str(), OF_SOURCE.map(|(limit, count)| (limit, count(&of))))
}

/// The same of a target.
pub(super) fn of_rehearsed_target(id: &TargetId, plan: &TargetPlan, placements: u64) -> Vec<LimitCount> {
    let of = OfTarget { plan, placements, mixed_up: None, settled: 0, last: None };
    found(id.as_str(), OF_TARGET.map(|(limit, count)| (limit, count(&of))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::CountedOf;

    #[test]
    fn every_limit_is_counted_once() {
        let sources = OF_SOURCE.iter().map(|(limit, _)| *limit);
        let mut counted: Vec<_> = sources.chain(OF_TARGET.iter().map(|(limit, _)| *limit)).collect();
        counted.sort_unstable();
        assert_eq!(counted, LimitName::ALL);
        assert!(OF_SOURCE.iter().all(|(limit, _)| limit.counted_of() == CountedOf::Source));
        assert!(OF_TARGET.iter().all(|(limit, _)| limit.counted_of() == CountedOf::Target));
    }
}
