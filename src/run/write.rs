//! Writing a target's plan, if it may be written.
//!
//! Owns: whether it may, what it will cost, and that whatever is applied is confirmed.
//! Leaves to others: applying (`apply`), confirming (`confirm`).
//! A newcomer gets wrong: a limit of a source stops the targets that it feeds, and no other.

use tracing::Instrument as _;

use super::clients::Clients;
use super::context::{Mode, RunContext};
use super::finished_target::{FinishedTarget, Writes};
use super::limits::Guarded;
use super::target_plan::TargetPlan;
use super::target_run::TargetRun;
use super::{apply, confirm, spans};
use crate::error::Trouble;
use crate::load::Changes;
use crate::settings::Ownership;

/// Whether a target may be written to.
pub(super) fn may_begin(context: &RunContext, guarded: &Guarded, target_run: &TargetRun) -> Writes {
    if guarded.stopped.contains(target_run.id()) {
        Writes::Limit
    } else if context.mode == Mode::Plan || target_run.entry.is_read_only() {
        Writes::Planned
    } else if context.stop.requested() || target_run.failure.is_some() {
        Writes::NotBegun
    } else {
        Writes::Applied
    }
}

/// Says what is to be sent from now on.
pub(super) fn forecast(clients: &Clients, decided: &mut [(TargetRun, TargetPlan)]) {
    for (target_run, plan) in decided {
        let counts = target_run.target.counts();
        target_run.sent_for_plan = counts.sent.saturating_sub(counts.retried);
        let Some(open) = target_run.open.as_ref() else { continue };
        if plan.changes().count() > 0 {
            let workers = workers(clients, target_run, plan);
            target_run.forecast = target_run.target.forecast(&shape(
                plan,
                target_run.entry.ownership.value,
                workers,
                open.surveyed.accounts,
            ));
        }
    }
}

/// The plan's shape for the forecast: its changes, and how many replacements each worker's session makes.
fn shape(plan: &TargetPlan, ownership: Ownership, concurrency: usize, accounts: u64) -> Changes {
    let changes = plan.changes();
    let (all, workers) = (changes.replace + changes.replace_over_ours, concurrency.max(1) as u64);
    // They are dealt one by one, so the first ones get one more.
    let share = |worker| all / workers + u64::from(worker < all % workers);
    let sessions = (0..workers).map(share).filter(|writes| *writes > 0).collect();
    let looked_after = if ownership == Ownership::Ours { all } else { 0 };
    Changes { accounts, sessions, looked_after, ..changes }
}

fn workers(clients: &Clients, target_run: &TargetRun, plan: &TargetPlan) -> usize {
    let by_rate = || clients.concurrency(&target_run.entry.rate);
    let workers = target_run.target.side_by_side().unwrap_or_else(by_rate);
    workers.clamp(1, usize::try_from(plan.changes().count()).unwrap_or(usize::MAX).max(1))
}

/// Applies and confirms one target's plan, unless something forbids it.
pub(super) async fn write(
    context: &RunContext,
    clients: &Clients,
    writes: Writes,
    mut target_run: TargetRun,
    plan: TargetPlan,
) -> Result<FinishedTarget, Trouble> {
    if writes == Writes::Applied {
        let workers = workers(clients, &target_run, &plan);
        let (apply, confirm) = (spans::target(target_run.id(), "apply"), spans::target(target_run.id(), "confirm"));
        apply::apply(context, &mut target_run, &plan, workers).instrument(apply).await?;
        confirm::confirm(context, &mut target_run).instrument(confirm).await?;
    } else if context.mode == Mode::Run || writes == Writes::Limit {
        // Nothing was written: the forecast is of what this run costs.
        target_run.forecast = 0;
    }
    Ok(FinishedTarget { target_run, plan, writes })
}
