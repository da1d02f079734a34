//! Undoing a run: lock, settle, survey, decide, guard, apply, confirm, report (docs/write-protocols.md, "Undoing a run").
//!
//! Owns: which run is undone, the order of the phases, and when the sources are asked.
//! Leaves to others: each phase, which is that of a run; what is done about an account (`undo_planner`).
//! A newcomer gets wrong: what stood before a run is known to the journal and the servers alone. The sources are listed, and
//! asked for no photo, to know whose the accounts are now.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures::future::try_join_all;
use tracing::Instrument as _;

use super::asked::{self, Asked};
use super::audit::AuditTrail;
use super::clients::Clients;
use super::close::{self, EndedRun};
use super::context::{Mode, RunContext};
use super::finished_target::FinishedTarget;
use super::job::{Outcome, outcome, source_runs, target_runs};
use super::limits::Guarded;
use super::pages::{PAGE, each_page};
use super::planner::Planner;
use super::selection::Selection;
use super::shared::SharedPhotos;
use super::source_run::SourceRun;
use super::target_plan::TargetPlan;
use super::target_run::TargetRun;
use super::twins::{self, Servers};
use super::undo_planner::{self, ComesBack, Outlook};
use super::{decided, fetch_stood, folders, follow_people, match_all, only, run_row, spans, survey, write};
use crate::error::Trouble;
use crate::model::{Digest, Reason, RunId};
use crate::plan::{Allowance, Rerender, SourceState};
use crate::report::Listener;
use crate::settings::{self, Pipeline};

/// What is asked for besides the pipeline.
pub(crate) struct UndoOptions {
    /// Whether it is only shown, or done.
    pub mode: Mode,
    /// The run that is undone; `None`: the last that wrote.
    pub run: Option<RunId>,
    /// `--only`, `--target`.
    pub selection: Selection,
    /// `--allow`.
    pub allow: Vec<Allowance>,
    /// Whether a report is asked for, which may show pictures.
    pub report: bool,
    /// What is only put on record.
    pub asked: Asked,
    /// What there is to write after `avatarpipe undo`, but for the run and `--apply`: the file, and what else was asked for.
    pub written: CommandWords,
}

/// The words of the command line.
pub(crate) struct CommandWords {
    /// The file.
    pub file: String,
    /// The flags.
    pub flags: Vec<String>,
}

/// Plans what gives back what stood before a run, and does it if that is asked for.
pub(crate) async fn undo(
    pipeline: &Pipeline,
    options: &UndoOptions,
    listener: Arc<dyn Listener>,
    stop: super::Stop,
) -> Result<Outcome, Trouble> {
    folders::apart(pipeline)?;
    let mut context =
        RunContext::open(pipeline, options.mode, listener, stop, options.asked.started_by.clone()).await?;
    context.command = if options.mode == Mode::Plan { "undo" } else { "undo --apply" };
    if options.report {
        context.pictures = pipeline.report.pictures;
    }
    let found = which(&context, options.run.as_ref());
    if found.is_err() {
        context.facts.take_last_back()?;
    }
    let run = context.or_give_back(found).await?;
    let mut row = None;
    if options.mode == Mode::Run {
        let UndoOptions { asked, selection, allow, .. } = options;
        let words = asked::words(asked, selection, allow, Rerender::Changed);
        let words = std::iter::once(run.to_string()).chain(words).collect();
        let begun = run_row::begin(&context, pipeline, "undo", words, asked.started_by.clone()).await;
        row = Some(context.or_give_back(begun).await?);
    }
    let clients = Clients::new(pipeline, &context.stop).permitted(context.permit());
    let span = spans::run(&context.run);
    let ended = async {
        let trail = row.map(|row| AuditTrail::begin(&pipeline.state, &row)).transpose()?;
        Undoing { context: &context, pipeline, options, clients: &clients, run: &run }.go(trail).await
    };
    let ended = ended.instrument(span).await;
    outcome(context, ended).await
}

/// The run that is meant.
fn which(context: &RunContext, asked: Option<&RunId>) -> Result<RunId, Trouble> {
    let Some(run) = asked else {
        let none = || Trouble::Usage("no run that wrote is recorded yet: there is nothing to undo".to_owned());
        return context.store.last_run_that_wrote()?.ok_or_else(none);
    };
    match context.store.run(run)? {
        Some(found) if found.row.command.starts_with("run") => Ok(found.row.id),
        Some(found) => {
            Err(Trouble::Usage(format!("{run} was no run, but `{}`; `status` lists them", found.row.command)))
        }
        None => {
            let run = run.as_str().escape_debug();
            Err(Trouble::Usage(format!("no run `{run}` is recorded; `status` lists them")))
        }
    }
}

struct Undoing<'a> {
    context: &'a RunContext,
    pipeline: &'a Pipeline,
    options: &'a UndoOptions,
    clients: &'a Clients,
    run: &'a RunId,
}

impl Undoing<'_> {
    async fn go(&self, trail: Option<AuditTrail>) -> Result<EndedRun, Trouble> {
        let Self { context, pipeline, clients, .. } = self;
        twins::refuse_known(context, pipeline)?;
        self.recall()?;
        let surveys = target_runs(clients, pipeline)?
            .into_iter()
            .map(|target_run| survey::survey(context, &pipeline.transform.resize, target_run));
        let mut target_runs = try_join_all(surveys).await?;
        Servers::default().refuse_twins(&mut target_runs);
        let source_runs = self.list_people(&target_runs).await?;
        let mut guarded = Guarded::default();
        let mut planned = self.plan(target_runs, &source_runs).await?;
        guarded.hold(context, pipeline, &[], &planned, &self.options.allow)?;
        for (target_run, _) in &planned {
            decided::tell(context, target_run)?;
        }
        write::forecast(clients, &mut planned);
        let changes = planned.iter().map(|(_, plan)| plan.changes().count()).sum();
        let all_dry =
            planned.iter().all(|(target_run, plan)| target_run.entry.dry_run.value || plan.changes().count() == 0);
        let writes = planned.into_iter().map(|(target_run, plan)| {
            let writes = write::may_begin(context, &guarded, &target_run);
            write::write(context, clients, writes, target_run, plan)
        });
        let mut finished: Vec<FinishedTarget> = try_join_all(writes).await?;
        fetch_stood::fetch_stood(context, clients, &mut finished).await?;
        let also = self.told(changes, all_dry)?;
        close::close(context, pipeline, &source_runs, finished, &guarded, also, trail).await
    }

    /// Puts what the run wrote into the facts.
    fn recall(&self) -> Result<(), Trouble> {
        let Self { context, run, .. } = self;
        for page in each_page(|after| context.store.wrote(run, after, PAGE), |(last, ..)| last.clone()) {
            let page = page?.into_iter().map(|(_, target, account, wrote)| (target, account, wrote));
            context.facts.put_wrote(&page.collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// Lists the people of all sources, if it counts whose an account is now, and matches them. Empty: nobody was asked.
    async fn list_people(&self, target_runs: &[TargetRun]) -> Result<Vec<SourceRun>, Trouble> {
        let Self { context, pipeline, clients, .. } = self;
        let leaves_some_alone = pipeline.sources.iter().any(settings::Source::leaves_some_alone);
        let least = if leaves_some_alone { ComesBack::NobodysFace } else { ComesBack::Uploads };
        let outlook = self.look_ahead(target_runs)?;
        self.expect_key(&outlook)?;
        let known = only::are_known(context, target_runs, &self.options.selection)?;
        if outlook.most < least && known {
            return Ok(Vec::new());
        }
        let mut source_runs = source_runs(clients, pipeline)?;
        try_join_all(source_runs.iter_mut().map(|source_run| source_run.collect(context))).await?;
        for failure in source_runs.iter().filter_map(|source_run| source_run.failure.as_ref()) {
            context.failed(failure);
        }
        let listed = source_runs.iter().filter(|source_run| source_run.failure.is_none());
        let listed: Vec<_> = listed.map(|source_run| source_run.id().clone()).collect();
        for target_run in target_runs {
            follow_people::name_all_on_record(context, target_run, &listed).await?;
        }
        match_all::match_all(context, target_runs, &source_runs)?;
        Ok(source_runs)
    }

    /// What would be done if every account were still that of the same person.
    fn look_ahead(&self, target_runs: &[TargetRun]) -> Result<Outlook, Trouble> {
        let (images, shared) = (HashMap::new(), SharedPhotos::default());
        let planner = self.planner(&[], &images, &shared);
        let mut selected = target_runs.iter().filter(|target_run| self.options.selection.has_target(target_run.id()));
        let nothing = Outlook { most: ComesBack::Nothing, opened: 0, locked: 0 };
        selected
            .try_fold(nothing, |so_far, target_run| undo_planner::look_ahead(&planner, self.run, target_run, so_far))
    }

    /// Where nothing at all opens it is the key, and no picture.
    fn expect_key(&self, outlook: &Outlook) -> Result<(), Trouble> {
        let Some(kept) = self.context.kept.as_ref().filter(|_| outlook.locked > 0 && outlook.opened == 0) else {
            return Ok(());
        };
        let (folder, file, Outlook { locked, .. }) = (kept.folder().display(), &self.pipeline.file, outlook);
        Err(Trouble::Usage(format!(
            "{folder}: none of the pictures that the run {} kept there opens ({locked} tried): `state.keep_replaced.key` of {file} is another \
             key than then, or the files were changed or cannot be read; nothing was done. Give it the key of then, or undo with `keep_replaced` left out, \
             which gives back none of them",
            self.run
        )))
    }

    /// What an undoing decides by. No photo is shown, so what goes with photos is empty.
    fn planner<'b>(
        &'b self,
        source_runs: &'b [SourceRun],
        images: &'b HashMap<PathBuf, Digest>,
        shared: &'b SharedPhotos,
    ) -> Planner<'b> {
        let (transform, selection) = (&self.pipeline.transform, &self.options.selection);
        Planner {
            context: self.context,
            source_runs,
            transform,
            images,
            shared,
            selection,
            rerender: Rerender::Changed,
            allow: &[],
        }
    }

    async fn plan(
        &self,
        mut target_runs: Vec<TargetRun>,
        source_runs: &[SourceRun],
    ) -> Result<Vec<(TargetRun, TargetPlan)>, Trouble> {
        let Self { context, options, run, clients, .. } = self;
        if options.selection.narrows() {
            only::select(context, &mut target_runs, source_runs, &options.selection)?;
        }
        let (images, shared) = (HashMap::new(), SharedPhotos::default());
        let planner = &self.planner(source_runs, &images, &shared);
        let planned = target_runs.into_iter().map(|mut target_run| async move {
            let concurrency = clients.concurrency(&target_run.entry.rate);
            let plan = undo_planner::judge_all(planner, run, &mut target_run, concurrency).await?;
            Ok::<_, Trouble>((target_run, plan))
        });
        let planned = try_join_all(planned).await?;
        let listed = source_runs.iter().filter(|source_run| source_run.state == SourceState::Listed);
        context.facts.carry_people(&listed.map(|source_run| source_run.id().clone()).collect::<Vec<_>>())?;
        context.facts.drop_last()?;
        Ok(planned)
    }

    /// What an administrator must know besides.
    fn told(&self, changes: u64, all_dry: bool) -> Result<Vec<String>, Trouble> {
        let run = self.run;
        let frozen = self.frozen()?;
        if changes == 0 {
            let only = &self.options.selection.only;
            let nothing = match self.context.naming.pseudonyms() {
                _ if only.is_empty() => format!("of the run {run} nothing is given back"),
                Some(_) => format!("of the run {run} nothing is left to give back to whom you named"),
                None => {
                    let named = only.iter().map(|only| only.name.as_str()).collect::<Vec<_>>().join(", ");
                    format!("of the run {run} nothing is left to give back to {named}")
                }
            };
            let earlier = self.context.store.run_that_wrote_before(run)?;
            let earlier = earlier.map(|earlier| {
                let words = self.written(&earlier, None);
                format!("further back: `{words}` shows what would give back what stood before the run {earlier}")
            });
            return Ok(std::iter::once(nothing).chain(earlier.filter(|_| frozen.is_empty())).chain(frozen).collect());
        }
        let begun = match self.context.mode {
            Mode::Plan => {
                let words = self.written(run, Some("--apply"));
                format!("this is a plan: `{words}` gives back what stood before the run {run}")
            }
            Mode::Run if all_dry => {
                format!(
                    "`dry_run`: nothing was given back of what stood before the run {run}; what would be is told above"
                )
            }
            Mode::Run => {
                format!("what was given back of what stood before the run {run}, and what was not, is told above")
            }
        };
        let next =
            "the next `run` puts the photos there again: set `dry_run: true` at the target, or leave accounts out, \
                    before it"
                .to_owned();
        Ok([begun, next].into_iter().chain(frozen).collect())
    }

    /// What there is to write.
    fn written(&self, run: &RunId, apply: Option<&str>) -> String {
        let CommandWords { file, flags } = &self.options.written;
        let words = ["avatarpipe", "undo", file.as_str(), run.as_str()].into_iter().chain(apply);
        words.chain(flags.iter().map(String::as_str)).collect::<Vec<_>>().join(" ")
    }

    /// Targets at which something would come back, if they were not frozen.
    fn frozen(&self) -> Result<Vec<String>, Trouble> {
        let mut told = Vec::new();
        for target in self.pipeline.targets.iter().filter(|target| target.freeze.value) {
            let (id, place) = (&target.id, &target.freeze.place);
            let left = self.context.facts.count_for(id, Reason::TargetFrozen)?;
            told.extend((left > 0).then(|| {
                format!(
                    "{id}: `freeze` ({place}) keeps {left} from being given back: take it out of the file, undo, and put it back"
                )
            }));
        }
        Ok(told)
    }
}
