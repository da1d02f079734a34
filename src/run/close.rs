//! The end of a run: its report, and what the state keeps of it.
//!
//! Owns: which counts the next run's limits compare with. Leaves to others: the report (`run_report`), taking its names out
//! (`record`).
//! A newcomer gets wrong: the state keeps a report and none of its names.

use std::time::SystemTime;

use super::audit::AuditTrail;
use super::context::{self, Mode, RunContext};
use super::finished_target::FinishedTarget;
use super::limits::Guarded;
use super::source_run::{SourceRun, group_digest};
use super::target_plan::PlanCount;
use super::{credentials, record, run_report};
use crate::error::Trouble;
use crate::exit::Exit;
use crate::model::rfc3339;
use crate::report::{CredentialLine, RunReport, limit_sentence};
use crate::settings::Pipeline;
use crate::state::{Counted, RunEnd};

/// A run that came to its end, whatever it was.
pub(super) struct EndedRun {
    /// Everything there is to tell, but for the people.
    pub report: RunReport,
    /// What it adds up to.
    pub exit: Exit,
    /// Every target, in the file's order.
    pub finished: Vec<FinishedTarget>,
}

/// Makes the report, and records how the run ended.
pub(super) async fn close(
    context: &RunContext,
    pipeline: &Pipeline,
    source_runs: &[SourceRun],
    finished: Vec<FinishedTarget>,
    guarded: &Guarded,
    also: Vec<String>,
    trail: Option<AuditTrail>,
) -> Result<EndedRun, Trouble> {
    let now = SystemTime::now();
    let (mut report, mut exit) = run_report::report(context, pipeline, source_runs, &finished, guarded, now)?;
    report.credentials = credentials::lines(pipeline, context::unix(now));
    report.notes.extend(report.credentials.iter().filter_map(CredentialLine::warning));
    report.notes.extend(also);
    // All was done by then: the answer is told as it is.
    if let Some(Err(trouble)) = trail.map(|trail| trail.end(context, &finished, &report.outcome, report.exit_code)) {
        report.failures.push(trouble.to_string());
        exit = exit.and(trouble.exit());
        (report.exit_code, report.outcome) = (exit.code(), exit.outcome().to_owned());
    }
    for done in &finished {
        context.facts.put_stopped(done.target_run.id(), &limits_of(guarded, done))?;
    }
    if context.mode == Mode::Run {
        // An undoing asks nobody for a photo: what it counts of a source is nothing to compare with.
        let counted = if context.is_undo() { &[] } else { source_runs };
        record_counts(context, counted, &finished, guarded).await?;
        let lines = record::lines(context, &finished).await?;
        let end = RunEnd {
            outcome: report.outcome.clone(),
            exit_code: report.exit_code,
            finished: context::unix(now),
            plan_digest: report.plan_digest.as_ref().and_then(|digest| digest.parse().ok()),
            report: record::report(context, &report, lines)?,
        };
        context.store.finish_run(&context.run, end).await?;
        if let Some(keep) = pipeline.keep_runs {
            context.store.purge_runs(context::unix(now).saturating_sub(keep.as_secs())).await?;
        }
        context.store.give_back_room()?;
    }
    // This run may be it.
    report.last_success = context.store.last_success()?.map(|last| rfc3339(last.row.started));
    Ok(EndedRun { report, exit, finished })
}

/// The limits that stopped a target: its own, and those of the sources that feed it.
fn limits_of(guarded: &Guarded, done: &FinishedTarget) -> Vec<String> {
    let scopes = |scope: &str| match guarded.stopped.contains(done.target_run.id()) {
        true => {
            done.target_run.id().as_str() == scope || done.plan.fed_by.iter().any(|source| source.as_str() == scope)
        }
        false => false,
    };
    let broken = guarded.checked.iter().filter(|check| check.broken && scopes(&check.scope));
    broken.map(|check| limit_sentence(&run_report::limit_line(check))).collect()
}

/// What the next run's limits compare with: only what passed them. `--allow` settles a number for the runs after it.
async fn record_counts(
    context: &RunContext,
    source_runs: &[SourceRun],
    finished: &[FinishedTarget],
    guarded: &Guarded,
) -> Result<(), Trouble> {
    let key = context.store.key()?;
    let broken = |scope: &str| guarded.checked.iter().any(|check| check.broken && check.scope == scope);
    let sources = source_runs
        .iter()
        .filter(|source_run| {
            source_run.source.is_some() && source_run.failure.is_none() && !broken(source_run.id().as_str())
        })
        .flat_map(|source_run| {
            let id = source_run.id();
            let lost = (Counted::Lost(id.clone()), source_run.counts.photos.lost);
            let groups = source_run.groups.iter();
            let groups =
                groups.map(|(group, members)| (Counted::Group(id.clone(), group_digest(&key, group)), *members));
            [(Counted::Source(id.clone()), source_run.counts.people), lost]
                .into_iter()
                .chain(groups)
                .collect::<Vec<_>>()
        });
    let targets = finished
        .iter()
        .filter(|done| done.target_run.ready().is_some() && !broken(done.target_run.id().as_str()))
        .flat_map(|done| {
            let (id, count) = (done.target_run.id(), |of| done.plan.count(of));
            [
                (Counted::Target(id.clone()), count(PlanCount::Accounts)),
                (Counted::Unmatched(id.clone()), count(PlanCount::Unmatched)),
            ]
        });
    Ok(context.store.put_run_counts(&context.run, sources.chain(targets).collect()).await?)
}
