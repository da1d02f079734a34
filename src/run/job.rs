//! One plan or run from its beginning to its end: lock, settle, survey, collect, fetch, render, decide, guard, apply,
//! confirm, report (docs/architecture.md, "The life of a run").
//!
//! Owns: the order of the phases. Leaves to others: each phase, which has a file of its own.
//! A newcomer gets wrong: targets are not planned one by one but in passes; there is one pass unless a target keeps the
//! others waiting (`scheduler`).

use std::sync::Arc;

use futures::future::try_join_all;
use tracing::Instrument as _;

use super::asked::{self, Asked};
use super::audit::AuditTrail;
use super::clients::Clients;
use super::close::{self, EndedRun};
use super::context::{Mode, RunContext};
use super::decide::Decide;
use super::fetch;
use super::finished_target::Writes;
use super::limits::Guarded;
use super::people::RunPeople;
use super::renderer::Renderer;
use super::scheduler::{Patience, Scheduler};
use super::selection::Selection;
use super::source_run::SourceRun;
use super::stop::Stop;
use super::target_plan::TargetPlan;
use super::target_run::TargetRun;
use super::twins::{self, Servers};
use super::{
    decided, fetch_stood, folders, follow_people, images, match_all, named, only, run_row, saved, spans, survey, write,
};
use crate::error::Trouble;
use crate::exit::Exit;
use crate::model::SourceId;
use crate::plan::{Allowance, Rerender, SourceState};
use crate::report::{Listener, RunReport};
use crate::secret::outlet;
use crate::settings::{self, Pipeline, Transform};

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
    /// Whether a report is asked for, which may show pictures.
    pub report: bool,
    /// What is only put on record.
    pub asked: Asked,
}

/// How a run ended.
pub struct Outcome {
    /// Everything there is to tell, but for the people.
    pub report: RunReport,
    /// Everybody but the unchanged; to be ended once all is told.
    pub people: RunPeople,
    /// The exit code.
    pub exit: Exit,
}

/// Plans, and runs what was planned.
pub async fn execute(
    pipeline: &Pipeline,
    options: &Options,
    listener: Arc<dyn Listener>,
    stop: Stop,
) -> Result<Outcome, Trouble> {
    folders::apart(pipeline)?;
    let mut context =
        RunContext::open(pipeline, options.mode, listener, stop, options.asked.started_by.clone()).await?;
    if options.report {
        context.pictures = pipeline.report.pictures;
    }
    context.reviewed.clone_from(&options.selection.reviewed);
    let mut also = Vec::new();
    // Not by an undoing, which needs them, nor by a look at a part.
    if context.mode == Mode::Run && pipeline.keep_replaced.is_none() && options.selection.is_whole() {
        let (kept, _) = super::kept::count(&pipeline.state);
        let purged = super::kept::purge(&pipeline.state);
        let purged = purged.map_err(Trouble::file("take away what was kept of replaced pictures"));
        context.or_give_back(purged).await?;
        also.extend((kept > 0).then(|| {
            format!("replaced pictures that earlier runs kept were taken away, since the file keeps none (`keep_replaced`): {kept}, which `undo` cannot give back")
        }));
    }
    let mut row = None;
    if context.mode == Mode::Run {
        // What only a part was asked of is no whole success (`status`).
        let command = if options.selection.is_whole() { context.mode.word() } else { "run (a part)" };
        let Options { asked, selection, allow, rerender, .. } = options;
        let words = asked::words(asked, selection, allow, *rerender);
        let begun = run_row::begin(&context, pipeline, command, words, asked.started_by.clone()).await;
        row = Some(context.or_give_back(begun).await?);
    }
    let clients = Clients::new(pipeline, &context.stop).permitted(context.permit());
    let job = Job { context: &context, pipeline, options, clients, also };
    let span = spans::run(&context.run);
    let ended = async {
        let trail = row.map(|row| AuditTrail::begin(&pipeline.state, &row)).transpose()?;
        job.go(trail).await
    };
    let ended = ended.instrument(span).await;
    outcome(context, ended).await
}

/// What is told of a run, whose row is closed whichever way it ended.
pub(super) async fn outcome(context: RunContext, ended: Result<EndedRun, Trouble>) -> Result<Outcome, Trouble> {
    match ended {
        Ok(EndedRun { mut report, mut exit, finished }) => {
            context.facts.drop_last()?;
            // All was done and is on record by then: the answer is told as it is.
            if let Err(trouble) = context.give_back().await {
                report.failures.push(trouble.to_string());
                exit = exit.and(trouble.exit());
                (report.exit_code, report.outcome) = (exit.code(), exit.outcome().to_owned());
            }
            report.store = context.store_line();
            let people = RunPeople::of(context, &finished);
            Ok(Outcome { report, people, exit })
        }
        Err(trouble) => {
            context.facts.take_last_back()?;
            if context.mode == Mode::Run {
                let is_whole =
                    context.store.run(&context.run)?.is_some_and(|run| run.row.command == context.mode.word());
                let why = is_whole.then(|| outlet::line(&trouble.to_string()));
                // The row must not look like a run that was killed.
                let closed = context.store.finish_run(&context.run, run_row::end(trouble.exit(), why)).await;
                context.give_back().await?;
                closed?;
            }
            Err(trouble)
        }
    }
}

/// What every phase works with.
struct Job<'a> {
    context: &'a RunContext,
    pipeline: &'a Pipeline,
    options: &'a Options,
    clients: Clients,
    /// What is told of it before it began.
    also: Vec<String>,
}

pub(super) fn target_runs(clients: &Clients, pipeline: &Pipeline) -> Result<Vec<TargetRun>, Trouble> {
    pipeline.targets.iter().map(|entry| Ok(TargetRun::new(entry.clone(), clients.target(entry)?))).collect()
}

pub(super) fn source_runs(clients: &Clients, pipeline: &Pipeline) -> Result<Vec<SourceRun>, Trouble> {
    let source = |entry: &settings::Source| {
        let source = entry.provider.as_ref().map(|provider| clients.source(entry, provider)).transpose()?;
        Ok(SourceRun::new(entry.clone(), source))
    };
    pipeline.sources.iter().map(source).collect()
}

impl Job<'_> {
    /// Every target and every source at the same time: none waits for another but for its part of the plan.
    async fn go(&self, trail: Option<AuditTrail>) -> Result<EndedRun, Trouble> {
        let Self { context, pipeline, clients, .. } = self;
        twins::refuse_known(context, pipeline)?;
        if let Some(plan) = &self.options.selection.reviewed {
            saved::take_in(context, plan)?;
        }
        let mut source_runs = source_runs(clients, pipeline)?;
        let mut guarded = Guarded::default();
        // Whom a name means is known once everybody is listed.
        let patience = match (context.mode, self.options.selection.only.is_empty()) {
            (Mode::Run, true) => Patience::Some,
            _ => Patience::Endless,
        };
        let mut scheduler = Scheduler::new(patience);
        for target_run in target_runs(clients, pipeline)? {
            scheduler.survey(survey::survey(context, &pipeline.transform.resize, target_run));
        }
        let planned = self.plan_and_write(&mut scheduler, &mut source_runs, &mut guarded).await;
        // Writes under way are never left, whatever became of planning the others.
        let mut finished = scheduler.finish().await?;
        planned?;
        let limited = finished.iter().any(|done| done.writes == Writes::Limit);
        let also = self.also.iter().cloned().chain(context.waiting_pictures(limited));
        let also = also.chain(only::lost_alone(&self.options.selection, &finished)).collect();
        finished.sort_by_key(|done| pipeline.targets.iter().position(|target| target.id == *done.target_run.id()));
        fetch_stood::fetch_stood(context, clients, &mut finished).await?;
        let close = close::close(context, pipeline, &source_runs, finished, &guarded, also, trail);
        close.instrument(spans::step("report")).await
    }

    /// Plans pass after pass, and begins to write each.
    async fn plan_and_write<'a>(
        &'a self,
        scheduler: &mut Scheduler<'a>,
        source_runs: &mut [SourceRun],
        guarded: &mut Guarded,
    ) -> Result<(), Trouble> {
        let Self { context, pipeline, options, clients, .. } = self;
        scheduler.meanwhile(try_join_all(source_runs.iter_mut().map(|source_run| source_run.collect(context)))).await?;
        let mut servers = Servers::default();
        let mut target_runs = scheduler.next().await?;
        for failure in source_runs.iter().filter_map(|source_run| source_run.failure.as_ref()) {
            context.failed(failure);
        }
        while !target_runs.is_empty() {
            servers.refuse_twins(&mut target_runs);
            let renderer = self.renderer(&target_runs, scheduler.somebody_is_late());
            let mut decided = scheduler.meanwhile(self.plan(&renderer, target_runs, source_runs)).await?;
            let hold = || guarded.hold(context, pipeline, source_runs, &decided, &options.allow);
            spans::step("guard").in_scope(hold)?;
            for (target_run, plan) in &mut decided {
                target_run.failure = target_run.failure.take().or_else(|| named::unserved(target_run, plan));
                decided::tell(context, target_run)?;
            }
            write::forecast(clients, &mut decided);
            for (target_run, plan) in decided {
                let writes = write::may_begin(context, guarded, &target_run);
                scheduler.write(write::write(context, clients, writes, target_run, plan));
            }
            target_runs = scheduler.next().await?;
        }
        Ok(())
    }

    /// Makes the sizes that these targets take; and what most targets take, if somebody is late: each photo is
    /// downloaded once.
    fn renderer(&self, target_runs: &[TargetRun], somebody_is_late: bool) -> Arc<Renderer> {
        let here = target_runs.iter().filter_map(|target_run| Some(target_run.ready()?.size.clone()));
        let Transform { resize, hash, .. } = &self.pipeline.transform;
        let later = somebody_is_late.then(|| Renderer::size(resize, None));
        Renderer::new(
            resize.clone(),
            here.chain(later).collect(),
            hash.placeholders.clone(),
            self.context.spool.clone(),
        )
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
        spans::step("match").in_scope(|| match_all::match_all(context, &target_runs, source_runs))?;
        let selection = &self.options.selection;
        let selected = if selection.narrows() {
            only::select(context, &mut target_runs, source_runs, selection)?;
            fetch::PhotosOf::Selected
        } else {
            fetch::PhotosOf::Everybody
        };
        context.facts.drop_last()?;
        let images = images::prepare(&pipeline.transform.fallback, renderer).await?;
        let last = source_runs.len().saturating_sub(1);
        for (nth, source_run) in source_runs.iter_mut().enumerate() {
            let concurrency = clients.concurrency(&source_run.entry.rate);
            let span = spans::source(source_run.id(), "fetch");
            fetch::fetch_all(context, source_run, renderer, concurrency, selected).instrument(span).await?;
            if source_run.state != SourceState::Listed {
                // The search of everybody who got this far ends here (docs/architecture.md, "Precedence").
                break;
            }
            // After the last one nobody is asked any more.
            if nth < last {
                context.facts.end_searches_after(source_run.id())?;
            }
        }
        let decide = Decide {
            context,
            clients,
            transform: &pipeline.transform,
            selection,
            rerender: self.options.rerender,
            allow: &self.options.allow,
            images: &images,
            renderer,
        };
        let mut decided = decide.decide(target_runs, source_runs).instrument(spans::step("decide")).await?;
        only::tell_unchanged(context, &mut decided, selection)?;
        Ok(decided)
    }
}
