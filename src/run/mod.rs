//! The life of a run: lock, settle, survey, collect, fetch, render, decide, guard, apply, confirm, report
//! (docs/architecture.md, "The life of a run").
//!
//! Owns: the order of the phases and everything that happens at the same time; no other room knows concurrency.
//! Leaves to others: every rule (`plan`), every wire (`extract`, `load`), durability (`state`), words (`report`).
//! A newcomer gets wrong: `plan` and `run` are one function up to the guard, so a plan cannot promise what a run would
//! not do.

mod apply;
mod auth;
mod clients;
mod confirm;
mod context;
mod fetch;
mod finished_target;
mod folders;
mod follow_people;
mod images;
mod journal;
mod limits;
mod listing;
mod look;
mod match_all;
mod misplaced;
mod named;
mod naming;
mod only;
mod pages;
mod people;
mod planner;
mod private;
mod recall;
mod refused;
mod renderer;
mod reviewed;
mod run_report;
mod saved;
mod scheduler;
mod selection;
mod settle;
mod shared;
mod source_run;
mod spool;
mod stop;
mod survey;
mod take_back;
mod target_plan;
mod target_planner;
mod target_run;
mod threads;
mod twins;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use futures::future::try_join_all;

use crate::error::Trouble;
use crate::exit::Exit;
use crate::model::{Digest, SourceId};
use crate::plan::{Allowance, Rerender, SourceState};
use crate::report::{Event, Listener, RunReport};
use crate::settings::Pipeline;
use crate::state::{Again, Counted, RunEnd, RunRow};
use crate::transform::Settings;

use clients::Clients;
use context::RunContext;
use finished_target::{FinishedTarget, Writes};
use limits::Guarded;
use planner::Planner;
use renderer::Renderer;
use scheduler::{Patience, Scheduler};
use shared::Shared;
use source_run::SourceRun;
use target_plan::TargetPlan;
use target_run::TargetRun;
use twins::Servers;

pub(crate) use auth::{Asked, Everybody, Uploads, auth};
pub use context::Mode;
pub(crate) use people::People;
pub(crate) use private::{try_private, write_private};
pub(crate) use saved::{read_plan, write_plan};
pub(crate) use selection::SavedPlan;
pub use selection::Selection;
pub use stop::Stop;
pub(crate) use threads::runtime;

/// What a run is asked for besides the pipeline.
pub struct Options {
    /// Plan or run.
    pub mode: Mode,
    /// `--only`, `--target`, `--plan`.
    pub selection: Selection,
    /// `--allow`.
    pub allow: Vec<Allowance>,
    /// `--rerender`.
    pub rerender: Rerender,
}

/// How a run ended.
pub struct Outcome {
    /// Everything there is to tell, but for the people.
    pub report: RunReport,
    /// Everybody but the unchanged.
    pub people: People,
    /// The exit code.
    pub exit: Exit,
    /// Changes that were decided.
    pub changes: u64,
}

/// Plans, and runs what was planned.
pub async fn execute(
    pipeline: &Pipeline,
    options: &Options,
    listener: Arc<dyn Listener>,
    stop: Stop,
) -> Result<Outcome, Trouble> {
    folders::apart(pipeline)?;
    let context = RunContext::open(pipeline, options.mode, listener, stop)?;
    begin(&context, pipeline, &options.selection).await?;
    let job = Job { context: &context, pipeline, options, clients: Clients::new(pipeline, &context.stop)? };
    let ended = job.go().await;
    match ended {
        Ok(Ended { report, exit, finished }) => {
            let changes = finished.iter().map(|target_run| target_run.plan.changes.count()).sum();
            let people = People::of(context, &finished);
            Ok(Outcome { report, people, exit, changes })
        }
        Err(trouble) => {
            if options.mode == Mode::Run {
                // The row must not look like a run that was killed.
                context.store.finish_run(&context.run, in_trouble(&trouble)).await?;
            }
            Err(trouble)
        }
    }
}

/// A run that came to its end, whatever it was.
struct Ended {
    report: RunReport,
    exit: Exit,
    finished: Vec<FinishedTarget>,
}

fn in_trouble(trouble: &Trouble) -> RunEnd {
    RunEnd {
        outcome: trouble.exit().outcome().to_owned(),
        exit_code: trouble.exit().code(),
        finished: context::unix_now(),
        plan_digest: None,
        report: serde_json::Value::Null,
    }
}

/// What every phase works with.
struct Job<'a> {
    context: &'a RunContext,
    pipeline: &'a Pipeline,
    options: &'a Options,
    clients: Clients,
}

async fn begin(context: &RunContext, pipeline: &Pipeline, selection: &Selection) -> Result<(), Trouble> {
    if context.mode == Mode::Run {
        let row = RunRow {
            id: context.run.clone(),
            pipeline: pipeline.name.clone(),
            pipeline_digest: pipeline.digest,
            // What only a part was asked of is no whole success (`status`).
            command: if selection.is_whole() { context.mode.word() } else { "run (a part)" }.to_owned(),
            started: context::unix(context.started),
        };
        context.store.claim(&pipeline.name).await?;
        context.store.begin_run(row).await?;
    }
    Ok(())
}

fn target_runs(clients: &Clients, pipeline: &Pipeline) -> Result<Vec<TargetRun>, Trouble> {
    pipeline.targets.iter().map(|entry| Ok(TargetRun::new(entry.clone(), clients.target(entry)?))).collect()
}

fn source_runs(clients: &Clients, pipeline: &Pipeline) -> Result<Vec<SourceRun>, Trouble> {
    let source = |entry: &crate::settings::Source| {
        let source = entry.provider.as_ref().map(|provider| clients.source(entry, provider)).transpose()?;
        Ok(SourceRun::new(entry.clone(), source))
    };
    pipeline.sources.iter().map(source).collect()
}

impl Job<'_> {
    /// Every target and every source at the same time: none waits for another but for its part of the plan.
    async fn go(&self) -> Result<Ended, Trouble> {
        let Self { context, pipeline, clients, .. } = self;
        twins::refuse_known(context, pipeline)?;
        if let Some(plan) = &self.options.selection.reviewed {
            saved::take_in(context, plan)?;
        }
        let settings = renderer::settings(&pipeline.transform);
        let mut source_runs = source_runs(clients, pipeline)?;
        let mut guarded = Guarded::default();
        // Whom a name means is known once everybody is listed.
        let patience = match (context.mode, self.options.selection.only.is_empty()) {
            (Mode::Run, true) => Patience::Some,
            _ => Patience::Endless,
        };
        let mut scheduler = Scheduler::new(patience);
        for target_run in target_runs(clients, pipeline)? {
            scheduler.survey(survey::survey(context, &settings, target_run));
        }
        let planned = self.take(&settings, &mut scheduler, &mut source_runs, &mut guarded).await;
        // Writes under way are never left, whatever became of planning the others.
        let mut finished = scheduler.finish().await?;
        planned?;
        // Of a run in trouble they wait: it did not come to its end.
        let waiting = context.leave_pictures()?;
        finished.sort_by_key(|done| pipeline.targets.iter().position(|target| target.id == *done.target_run.id()));
        close(context, pipeline, &source_runs, finished, &guarded, waiting).await
    }

    /// Plans pass after pass, and begins to write each.
    async fn take<'a>(
        &'a self,
        settings: &'a Settings,
        scheduler: &mut Scheduler<'a>,
        source_runs: &mut [SourceRun],
        guarded: &mut Guarded,
    ) -> Result<(), Trouble> {
        let Self { context, pipeline, options, clients } = self;
        scheduler.meanwhile(try_join_all(source_runs.iter_mut().map(|source_run| source_run.collect(context)))).await?;
        let mut servers = Servers::default();
        let mut target_runs = scheduler.next().await?;
        for failure in source_runs.iter().filter_map(|source_run| source_run.failure.as_ref()) {
            context.say(Event::Failure(failure.to_string()));
        }
        while !target_runs.is_empty() {
            servers.refuse_twins(&mut target_runs);
            let renderer = self.renderer(settings, &target_runs, scheduler.somebody_is_late());
            let mut decided = scheduler.meanwhile(self.plan(&renderer, target_runs, source_runs)).await?;
            guarded.hold(context, pipeline, source_runs, &decided, &options.allow)?;
            for (target_run, plan) in &mut decided {
                target_run.failure = target_run.failure.take().or_else(|| named::unserved(target_run, plan));
            }
            forecast(clients, &mut decided);
            for (target_run, plan) in decided {
                let writes = self.writes(guarded, &target_run);
                scheduler.write(write(context, clients, writes, target_run, plan));
            }
            target_runs = scheduler.next().await?;
        }
        Ok(())
    }

    /// Makes the sizes that these targets take; and what most targets take, if somebody is late: each photo is
    /// downloaded once.
    fn renderer(&self, settings: &Settings, target_runs: &[TargetRun], somebody_is_late: bool) -> Arc<Renderer> {
        let here = target_runs.iter().filter_map(|target_run| Some(target_run.ready()?.size.clone()));
        let later = somebody_is_late.then(|| Renderer::size(settings, None));
        let placeholders = self.pipeline.transform.placeholders.clone();
        Renderer::new(settings.clone(), here.chain(later).collect(), placeholders, self.context.spool.clone())
    }

    /// Match, fetch, render, decide: the whole plan of these targets.
    async fn plan(
        &self,
        renderer: &Arc<Renderer>,
        mut target_runs: Vec<TargetRun>,
        source_runs: &mut [SourceRun],
    ) -> Result<Vec<(TargetRun, TargetPlan)>, Trouble> {
        let Self { context, pipeline, clients, .. } = self;
        let listed: Vec<SourceId> = source_runs
            .iter()
            .filter(|source_run| source_run.failure.is_none())
            .map(|source_run| source_run.id().clone())
            .collect();
        for target_run in &mut target_runs {
            follow_people::follow_people(context, target_run, &listed).await?;
        }
        match_all::match_all(context, &target_runs, source_runs)?;
        let selection = &self.options.selection;
        let selected = if selection.narrows() {
            only::select(context, &target_runs, source_runs, selection)?;
            fetch::Selected::Some
        } else {
            fetch::Selected::Everybody
        };
        let images = images::prepare(&pipeline.transform.fallback, renderer).await?;
        for source_run in source_runs.iter_mut() {
            let concurrency = clients.concurrency(&source_run.entry.rate);
            fetch::fetch_all(context, source_run, renderer, concurrency, selected).await?;
            if source_run.state != SourceState::Listed {
                // The search of everybody who got this far ends here (docs/architecture.md, "Precedence").
                break;
            }
            context.facts.end_searches_after(source_run.id())?;
        }
        self.decide(renderer, &images, target_runs, source_runs).await
    }

    /// Decides; fetches what turned out to be needed after all; looks at pictures that are not recorded; decides again.
    async fn decide(
        &self,
        renderer: &Arc<Renderer>,
        images: &HashMap<PathBuf, Digest>,
        mut target_runs: Vec<TargetRun>,
        source_runs: &mut [SourceRun],
    ) -> Result<Vec<(TargetRun, TargetPlan)>, Trouble> {
        let mut plans = self.judge(images, &target_runs, source_runs)?;
        if fetch_missing(self.context, &self.clients, renderer, source_runs).await? {
            plans = self.judge(images, &target_runs, source_runs)?;
        }
        let to_look = target_runs.iter_mut().zip(&plans).filter(|(_, plan)| plan.looks > 0);
        let looks = to_look.map(|(target_run, _)| {
            let concurrency = self.clients.concurrency(&target_run.entry.rate);
            look::look(self.context, target_run, concurrency)
        });
        let looked: u64 = try_join_all(looks).await?.into_iter().sum();
        if looked > 0 {
            plans = self.judge(images, &target_runs, source_runs)?;
        }
        Ok(target_runs.into_iter().zip(plans).collect())
    }

    fn judge(
        &self,
        images: &HashMap<PathBuf, Digest>,
        target_runs: &[TargetRun],
        source_runs: &[SourceRun],
    ) -> Result<Vec<TargetPlan>, Trouble> {
        let shared = Shared::of(self.context, source_runs, self.pipeline.transform.same_picture.value)?;
        let planner = Planner {
            context: self.context,
            source_runs,
            transform: &self.pipeline.transform,
            images,
            shared: &shared,
            selection: &self.options.selection,
            rerender: self.options.rerender,
        };
        self.context.facts.forget_again(Again::Missing)?;
        target_runs.iter().map(|target_run| target_planner::judge_all(&planner, target_run)).collect()
    }

    /// Whether a target may be written to.
    fn writes(&self, guarded: &Guarded, target_run: &TargetRun) -> Writes {
        if guarded.stopped.contains(target_run.id()) {
            Writes::Limit
        } else if self.context.mode == Mode::Plan || target_run.entry.dry_run.value {
            Writes::Planned
        } else if self.context.stop.requested() || target_run.failure.is_some() {
            Writes::NotBegun
        } else {
            Writes::Applied
        }
    }
}

/// Fetches the photos whose renditions the plan misses. Says whether there were any.
async fn fetch_missing(
    context: &RunContext,
    clients: &Clients,
    renderer: &Arc<Renderer>,
    source_runs: &mut [SourceRun],
) -> Result<bool, Trouble> {
    let mut any = false;
    for source_run in source_runs {
        if context.facts.count_again(Again::Missing, source_run.id())? > 0 {
            any = true;
            let concurrency = clients.concurrency(&source_run.entry.rate);
            fetch::fetch_again(context, source_run, renderer, concurrency).await?;
        }
    }
    Ok(any)
}

fn forecast(clients: &Clients, decided: &mut [(TargetRun, TargetPlan)]) {
    for (target_run, plan) in decided {
        let counts = target_run.target.counts();
        target_run.sent_for_plan = counts.sent.saturating_sub(counts.retried);
        let Some(open) = target_run.open.as_ref() else { continue };
        if plan.changes.count() > 0 {
            let workers = workers(clients, target_run, plan);
            target_run.forecast = target_run.target.forecast(&apply::shape(
                plan,
                target_run.entry.ownership.value,
                workers,
                open.surveyed.accounts,
            ));
        }
    }
}

fn workers(clients: &Clients, target_run: &TargetRun, plan: &TargetPlan) -> usize {
    clients
        .concurrency(&target_run.entry.rate)
        .clamp(1, usize::try_from(plan.changes.count()).unwrap_or(usize::MAX).max(1))
}

/// Applies and confirms one target's plan, unless something forbids it.
async fn write(
    context: &RunContext,
    clients: &Clients,
    writes: Writes,
    mut target_run: TargetRun,
    plan: TargetPlan,
) -> Result<FinishedTarget, Trouble> {
    if writes == Writes::Applied {
        let workers = workers(clients, &target_run, &plan);
        apply::apply(context, &mut target_run, &plan, workers).await?;
        confirm::confirm(context, &mut target_run).await?;
    } else if context.mode == Mode::Run || writes == Writes::Limit {
        // Nothing was written: the forecast is of what this run costs.
        target_run.forecast = 0;
    }
    Ok(FinishedTarget { target_run, plan, writes })
}

/// Makes the report, and records how the run ended.
async fn close(
    context: &RunContext,
    pipeline: &Pipeline,
    source_runs: &[SourceRun],
    finished: Vec<FinishedTarget>,
    guarded: &Guarded,
    waiting: Option<String>,
) -> Result<Ended, Trouble> {
    let now = SystemTime::now();
    let (mut report, exit) = run_report::report(context, pipeline, source_runs, &finished, guarded, now)?;
    report.notes.extend(waiting);
    if context.mode == Mode::Run {
        record_counts(context, source_runs, &finished, guarded).await?;
        let end = RunEnd {
            outcome: report.outcome.clone(),
            exit_code: report.exit_code,
            finished: context::unix(now),
            plan_digest: report.plan_digest.as_ref().and_then(|digest| digest.parse().ok()),
            report: impersonal(&report)?,
        };
        context.store.finish_run(&context.run, end).await?;
        if exit == Exit::Done {
            context.spool.clear().map_err(Trouble::file("empty the spool beside the state"))?;
        }
    }
    Ok(Ended { report, exit, finished })
}

/// What the next run's limits compare with: only what passed them. `--allow` settles a number for the runs after it.
async fn record_counts(
    context: &RunContext,
    source_runs: &[SourceRun],
    finished: &[FinishedTarget],
    guarded: &Guarded,
) -> Result<(), Trouble> {
    let broken = |scope: &str| guarded.checked.iter().any(|check| check.broken && check.scope == scope);
    let sources = source_runs
        .iter()
        .filter(|source_run| {
            source_run.source.is_some() && source_run.failure.is_none() && !broken(source_run.id().as_str())
        })
        .flat_map(|source_run| {
            let lost = (Counted::Lost(source_run.id().clone()), source_run.counts.photos.lost);
            [(Counted::Source(source_run.id().clone()), source_run.counts.people), lost]
        });
    let targets = finished
        .iter()
        .filter(|done| done.target_run.ready().is_some() && !broken(done.target_run.id().as_str()))
        .map(|done| (Counted::Target(done.target_run.id().clone()), done.plan.counts.accounts));
    Ok(context.store.put_run_counts(&context.run, sources.chain(targets).collect()).await?)
}

/// The durable state holds no names (docs/architecture.md, "The state").
fn impersonal(report: &RunReport) -> Result<serde_json::Value, Trouble> {
    serde_json::to_value(report.counts())
        .map_err(|error| Trouble::Own(format!("the report cannot be written down: {error}")))
}
