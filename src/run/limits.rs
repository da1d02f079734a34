//! Counting what the limits are held against, and stopping what a broken one stops (docs/architecture.md, "Guard").
//!
//! Owns: which counts belong to which limit, and that a target's limit stops that target, a source's what it feeds.
//! Leaves to others: the comparison (`plan::guard`).
//! A newcomer gets wrong: the counts include what `--only` left out, so a broken limit cannot be dodged by selecting.

use std::collections::BTreeSet;

use super::context::RunContext;
use super::shared::SharedPhotos;
use super::source_run::SourceRun;
use super::target_plan::{PlanCount, TargetPlan};
use super::target_run::TargetRun;
use crate::error::Trouble;
use crate::model::{SourceId, TargetId};
use crate::plan::{Allowance, Checked, LimitCount, LimitName, SourceState, guard};
use crate::settings::Pipeline;
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
        let targets = self.checked.split_off(self.sources);
        let before = std::mem::take(&mut self.checked);
        for source_run in source_runs {
            if source_run.state != SourceState::Listed {
                let earlier = before.iter().filter(|check| check.scope == source_run.id().as_str());
                self.checked.extend(earlier.cloned());
                continue;
            }
            let shared =
                SharedPhotos::of(context, std::slice::from_ref(source_run), pipeline.transform.same_picture.value)?;
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
        Ok(())
    }
}

fn fed_by<'a>(target_runs: &'a [(TargetRun, TargetPlan)], source: &'a SourceId) -> impl Iterator<Item = TargetId> + 'a {
    target_runs.iter().filter(|(_, plan)| plan.fed_by.contains(source)).map(|(target_run, _)| target_run.id().clone())
}

fn of_source(context: &RunContext, source_run: &SourceRun, shared: &SharedPhotos) -> Result<Vec<LimitCount>, Trouble> {
    let scope = source_run.id().to_string();
    let counts = &source_run.counts;
    // Known last time is what the last run knew that was let pass; whoever was lost by then is no new loss.
    let settled = context.store.last_good(&Counted::Lost(source_run.id().clone()))?.unwrap_or_default();
    let mut found = vec![LimitCount {
        limit: LimitName::Unknown,
        scope: scope.clone(),
        value: counts.photos.lost.saturating_sub(settled),
        of: counts.photos.known_before.saturating_sub(settled),
    }];
    found.push(LimitCount {
        limit: LimitName::SamePicture,
        scope: scope.clone(),
        value: shared.people(source_run.id()),
        of: counts.photos.present,
    });
    if let Some(last) = context.store.last_good(&Counted::Source(source_run.id().clone()))? {
        let value = last.saturating_sub(counts.people);
        found.push(LimitCount { limit: LimitName::SourceShrink, scope, value, of: last });
    }
    Ok(found)
}

fn of_target(context: &RunContext, target_run: &TargetRun, plan: &TargetPlan) -> Result<Vec<LimitCount>, Trouble> {
    let count = |of| plan.count(of);
    let placements = context.store.count_placements(target_run.id())?;
    let found = |limit, value, of| LimitCount { limit, scope: target_run.id().to_string(), value, of };
    let mut all = vec![
        found(LimitName::Reverts, count(PlanCount::Reverts), count(PlanCount::Pictured)),
        found(LimitName::Replacements, count(PlanCount::Replacements), count(PlanCount::Matched)),
        found(LimitName::Foreign, count(PlanCount::Foreign), count(PlanCount::Matched)),
        found(LimitName::Reassigned, count(PlanCount::Reassigned), placements),
        found(LimitName::TargetDrift, count(PlanCount::Drifted), placements),
    ];
    if let Some(last) = context.store.last_good(&Counted::Target(target_run.id().clone()))? {
        all.push(found(LimitName::TargetShrink, last.saturating_sub(count(PlanCount::Accounts)), last));
    }
    Ok(all)
}
