//! `plan FILE` and `run FILE`: one function up to the guard (docs/architecture.md, "The life of a run"). And `undo FILE`,
//! which takes a run back.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::output::{OutputFormat, answer_page, answered, screen, tell, time};
use super::pipeline_file::PipelineFile;
use super::program;
use super::report_files::{self, Files};
use super::{ci, job_page, log, noted, only_file};
use crate::error::Trouble;
use crate::exit::Exit;
use crate::model::{PersonResult, Reason, RunId, TargetId, counted};
use crate::plan::{Allowance, Rerender};
use crate::report::{self, People as _, PersonLine, Progress, RunReport, Severity, Uncut};
use crate::run::{self, Asked, Mode, Only, Options, Outcome, SavedPlan, Selection, Stop, UndoOptions};
use crate::settings::{CountedOf, Names, Pipeline};

/// The file, and whom of it.
#[derive(Debug, Args)]
struct Which {
    #[command(flatten)]
    pipeline: PipelineFile,
    /// Changes only this person's accounts: name, e-mail or id of the person or account, or TARGET/ACCOUNT (repeatable)
    #[arg(long, value_name = "PERSON")]
    only: Vec<String>,
    /// As --only, of everybody whom this list names: one on each line, `#` before a comment; `-` reads standard input (repeatable)
    #[arg(long, value_name = "LIST")]
    only_file: Vec<PathBuf>,
    /// Changes only this target (repeatable)
    #[arg(long, value_name = "ID")]
    target: Vec<String>,
    /// Lets exactly N pass a limit, such as `reverts=412`, or `jira.reverts=412` for one target (repeatable)
    #[arg(long, value_name = "LIMIT=N")]
    allow: Vec<Allowance>,
}

/// How long, and how it is told.
#[derive(Debug, Args)]
struct How {
    /// Stops in good order after this time, such as `50m`; run again to go on
    #[arg(long, value_name = "TIME", value_parser = time)]
    max_duration: Option<std::time::Duration>,
    /// How the answer on standard output is written
    #[arg(long, value_enum, default_value_t = OutputFormat::Human)]
    format: OutputFormat,
    #[arg(long, value_name = "DIR", help = report_files::report_help())]
    report: Option<PathBuf>,
}

/// Flags that `plan` and `run` share.
#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    which: Which,
    /// Makes and uploads every picture of ours again
    #[arg(long)]
    rerender: bool,
    #[command(flatten)]
    how: How,
}

/// `plan`.
#[derive(Debug, Args)]
pub(super) struct PlanFlags {
    #[command(flatten)]
    common: Common,
    /// Saves the plan, for `run --plan`
    #[arg(long, value_name = "PLAN")]
    out: Option<PathBuf>,
    /// Exits with 10 when changes are pending
    #[arg(long)]
    detailed_exitcode: bool,
}

/// `run`.
#[derive(Debug, Args)]
pub(super) struct RunFlags {
    #[command(flatten)]
    common: Common,
    /// Applies at most what this saved plan says; each change is decided again
    #[arg(long, value_name = "PLAN")]
    plan: Option<PathBuf>,
}

/// `undo`.
#[derive(Debug, Args)]
pub(super) struct UndoFlags {
    #[command(flatten)]
    which: Which,
    /// The run's id, as `status` lists it; without it the last run that wrote
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Does it; without this it is only shown
    #[arg(long)]
    apply: bool,
    #[command(flatten)]
    how: How,
}

/// `plan FILE`.
pub(super) fn plan(flags: &PlanFlags) -> Result<Exit, Trouble> {
    program::within(flags.common.how.max_duration);
    let (pipeline, _stand_ins) = flags.common.which.pipeline.resolved()?;
    let (files, outcome, progress) = execute(&flags.common, &pipeline, Mode::Plan, None, flags.out.as_deref())?;
    let pending = flags.detailed_exitcode && outcome.people.changes() > 0;
    let exit = if pending { outcome.exit.and(Exit::Pending) } else { outcome.exit };
    Ok(told(tell_all(&pipeline, &flags.common.how, &files, outcome, &progress), exit))
}

/// `run FILE`.
pub(super) fn run(flags: &RunFlags) -> Result<Exit, Trouble> {
    let reviewed = flags.plan.as_deref().map(load).transpose()?;
    let which = &flags.common.which;
    program::within(flags.common.how.max_duration);
    let (pipeline, _stand_ins) = which.pipeline.resolved()?;
    let whole = which.only.is_empty() && which.only_file.is_empty() && which.target.is_empty();
    let tell = |exit, report: Option<&RunReport>| notified(&pipeline, exit, report, whole);
    match execute(&flags.common, &pipeline, Mode::Run, reviewed, None) {
        Ok((files, outcome, progress)) => {
            let (exit, report) = (outcome.exit, outcome.report.clone());
            let exit = told(tell_all(&pipeline, &flags.common.how, &files, outcome, &progress), exit);
            tell(exit, Some(&report));
            Ok(exit)
        }
        Err(trouble) => {
            tell(trouble.exit(), None);
            Err(trouble)
        }
    }
}

/// Tells whoever wants to know of runs; what cannot be sent is a warning.
fn notified(pipeline: &Pipeline, exit: Exit, report: Option<&RunReport>, whole: bool) {
    if pipeline.notify.heartbeat.is_none() && pipeline.notify.webhook.is_none() {
        return;
    }
    let job = ci::job_page();
    let end = run::Ending { exit, report, whole, job: job.as_deref() };
    let warnings = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(async {
            let stop = Stop::new();
            // Where signals cannot be heard, it is waited for all the same.
            _ = stop.listen(None, |_| ());
            tokio::select! {
                warnings = run::notify(pipeline, end) => warnings,
                () = stop.wait() => {
                    vec!["asked to stop: whoever `notify` names was perhaps not told; the run itself is not affected".to_owned()]
                }
            }
        }),
        Err(error) => vec![format!("nobody could be told of this run: {error}")],
    };
    warnings.iter().for_each(|warning| tell(Severity::Warning, warning));
}

/// `undo FILE [RUN]`.
pub(super) fn undo(flags: &UndoFlags) -> Result<Exit, Trouble> {
    let UndoFlags { which, run, apply, how } = flags;
    let mode = if *apply { Mode::Run } else { Mode::Plan };
    program::within(how.max_duration);
    let (pipeline, _stand_ins) = which.pipeline.resolved()?;
    let files = Files::of(how.report.as_deref(), &pipeline, mode, None);
    files.try_out(how.report.is_some())?;
    let options = UndoOptions {
        mode,
        run: run.as_deref().map(RunId::new),
        selection: Selection { only: only(which)?, targets: targets(which, &pipeline)?, reviewed: None },
        allow: allowances(which, &pipeline)?,
        report: files.pictures().is_some(),
        asked: Asked { started_by: Some(ci::started_by()), max_duration: how.max_duration },
        written: written(which, &pipeline),
    };
    let (outcome, progress) = heard(how, |listener, stop| run::undo(&pipeline, &options, listener, stop))?;
    let exit = outcome.exit;
    Ok(told(tell_all(&pipeline, how, &files, outcome, &progress), exit))
}

/// What there is to write for the same once more. Where reports name nobody, this names nobody either.
fn written(which: &Which, pipeline: &Pipeline) -> run::CommandWords {
    let only = which.only.iter().map(|name| match pipeline.report.names {
        Names::Full => format!("--only {}", quoted(name)),
        Names::Pseudonym => "--only …".to_owned(),
    });
    let lists = which.only_file.iter().map(|list| format!("--only-file {}", quoted(&list.display().to_string())));
    let targets = which.target.iter().map(|id| format!("--target {}", quoted(id)));
    let allow = which.allow.iter().map(|one| format!("--allow {one}"));
    let flags = only.chain(lists).chain(targets).chain(allow).chain(which.pipeline.sandbox_flag()).collect();
    run::CommandWords { file: quoted(&which.pipeline.file.display().to_string()), flags }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./@:+=,%".contains(&byte);
    match !word.is_empty() && word.bytes().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// Files, answer and failures; then the pictures that the report was made of go.
fn tell_all(
    pipeline: &Pipeline,
    how: &How,
    files: &Files,
    outcome: Outcome,
    progress: &Progress,
) -> Result<(), Trouble> {
    let written = files.write(&outcome);
    let printed = print(how, files, &outcome, written.is_ok());
    // What was not written anew is the report of the run before.
    let put = if written.is_ok() { put(pipeline, files, &outcome.report) } else { Ok(()) };
    tell_failures(&outcome, progress);
    let ended = outcome.people.end();
    written.and(printed).and(put).and(ended)
}

/// Puts the report where the file asks for it besides.
#[cfg(feature = "bucket")]
fn put(pipeline: &Pipeline, files: &Files, report: &RunReport) -> Result<(), Trouble> {
    // A plan, and an undoing that is only shown, did nothing.
    let did = matches!(report.command.as_str(), "run" | "undo --apply");
    let bucket = pipeline.report.bucket.as_ref().filter(|_| did);
    let (Some(bucket), files) = (bucket, files.to_put()) else { return Ok(()) };
    if files.is_empty() {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let page = runtime.map_err(Trouble::file("start the runtime"))?.block_on(async {
        let stop = Stop::new();
        // Where signals cannot be heard, it is waited for all the same.
        _ = stop.listen(None, |_| ());
        tokio::select! {
            page = run::put_report(pipeline, bucket, report, &files) => page,
            () = stop.wait() => Err(run::report_not_put(bucket)),
        }
    })?;
    tell(Severity::Progress, &format!("report put: {page}"));
    Ok(())
}

/// A file that asks for it was refused.
#[cfg(not(feature = "bucket"))]
fn put(_: &Pipeline, _: &Files, _: &RunReport) -> Result<(), Trouble> {
    Ok(())
}

/// The failures of the answer, for whoever reads standard error alone: `-q`, and JSON lines. No end but a good one is
/// without a word.
fn tell_failures(outcome: &Outcome, progress: &Progress) {
    let (stream, report) = (log::standard_error(), &outcome.report);
    if report.exit_code == 0 || !stream.is_read_alone() {
        return;
    }
    let changes = |count: u64| if count == 1 { "change" } else { "changes" };
    let failed = report.targets.iter().filter(|target| target.failed > 0);
    let mut words: Vec<String> = report.misplaced.iter().map(report::MisplacedLine::sentence).collect();
    words.extend(report.failures.iter().cloned());
    words.extend(failed.map(|target| format!("{}: {} {} failed", target.id, target.failed, changes(target.failed))));
    let not_shown = report.targets.iter().filter(|target| target.not_shown > 0);
    words.extend(not_shown.map(|target| {
        let pictures = counted(target.not_shown, "picture was written and is", "pictures were written and are");
        format!("{}: {pictures} not shown", target.id)
    }));
    words.extend(report.limits.iter().filter(|limit| limit.broken).map(report::limit_sentence));
    if outcome.exit == Exit::Stopped {
        words.extend(not_begun(outcome).into_iter().map(|(id, NotBegun { count, rerender })| {
            let with = if rerender { " with --rerender" } else { "" };
            format!("{id}: {count} {} not begun; run again{with} to go on", changes(count))
        }));
    }
    if words.is_empty() {
        words.push(format!("{}: not all that was asked for was done; the report says what", report.outcome));
    }
    words.iter().filter(|words| !progress.has_said(words)).for_each(|words| stream.tell(Severity::Failure, words));
}

/// Changes that a stop kept from being begun.
#[derive(Default)]
struct NotBegun {
    count: u64,
    /// Some of them no later run makes unless it is told.
    rerender: bool,
}

/// By target. Without the facts nobody knows of any.
fn not_begun(outcome: &Outcome) -> BTreeMap<String, NotBegun> {
    let mut left: BTreeMap<String, NotBegun> = BTreeMap::new();
    let mut count = |line: PersonLine| {
        if line.is_change() && line.result == PersonResult::NotDone {
            let left = left.entry(line.target).or_default();
            left.count += 1;
            left.rerender |= line.reason == Reason::Rerender.word();
        }
        Ok(())
    };
    _ = outcome.people.each_line(&mut count);
    left
}

/// A file that could not be written after all changes neither the answer nor the record of what was done.
fn told(written: Result<(), Trouble>, exit: Exit) -> Exit {
    match written {
        Ok(()) => exit,
        Err(trouble) => {
            tell(Severity::Failure, &trouble.to_string());
            exit.and(trouble.exit())
        }
    }
}

fn execute(
    common: &Common,
    pipeline: &Pipeline,
    mode: Mode,
    reviewed: Option<SavedPlan>,
    out: Option<&Path>,
) -> Result<(Files, Outcome, Arc<Progress>), Trouble> {
    let Common { which, rerender, how } = common;
    check_reviewed(pipeline, reviewed.as_ref())?;
    let files = Files::of(how.report.as_deref(), pipeline, mode, out);
    // Before anything is asked: whoever runs this must not lose the answer of a night to a folder.
    files.try_out(how.report.is_some())?;
    let options = Options {
        mode,
        selection: Selection { only: only(which)?, targets: targets(which, pipeline)?, reviewed },
        allow: allowances(which, pipeline)?,
        rerender: if *rerender { Rerender::All } else { Rerender::Changed },
        report: files.pictures().is_some(),
        asked: Asked { started_by: Some(ci::started_by()), max_duration: how.max_duration },
    };
    tell_of_a_new_state(which, pipeline, mode);
    let (outcome, progress) = heard(how, |listener, stop| run::execute(pipeline, &options, listener, stop))?;
    Ok((files, outcome, progress))
}

/// Whoever has run this before looks for the state somewhere else than here.
fn tell_of_a_new_state(which: &Which, pipeline: &Pipeline, mode: Mode) {
    if pipeline.bucket.is_some() || which.pipeline.sandbox_flag().is_some() || pipeline.state.exists() {
        return;
    }
    let begins = match mode {
        Mode::Plan => "this is planned as a first run",
        Mode::Run => "a new one is begun",
    };
    let path = pipeline.state.display();
    let seen_from = if pipeline.state.is_relative() { ", seen from the folder that this was started in" } else { "" };
    tell(Severity::Note, &format!("no state at {path}{seen_from}: {begins}"));
}

/// Does the work, with its progress on standard error, until it ends or is asked to stop.
fn heard<W: Future<Output = Result<Outcome, Trouble>>>(
    how: &How,
    work: impl FnOnce(Arc<Progress>, Stop) -> W,
) -> Result<(Outcome, Arc<Progress>), Trouble> {
    let progress = Arc::new(Progress::new(log::standard_error(), std::io::stderr().is_terminal()));
    let listener = Arc::clone(&progress);
    let outcome = run::runtime()?.block_on(async {
        let stop = Stop::new();
        stop.listen(how.max_duration, say).map_err(Trouble::file("listen for signals"))?;
        work(listener, stop).await
    })?;
    Ok((outcome, progress))
}

/// A word about stopping, beside the progress.
pub(super) fn say(text: &str) {
    tell(Severity::Progress, text);
}

fn only(which: &Which) -> Result<Vec<Only>, Trouble> {
    if which.only.iter().any(|name| name.trim().is_empty()) {
        let help = "write a name, e-mail address or id, or leave `--only` out for everybody";
        return Err(Trouble::Usage(format!("--only names nobody: {help}; nothing was done")));
    }
    let given = which.only.iter().map(|name| Only { name: name.clone(), place: None });
    Ok(given.chain(only_file::read(&which.only_file)?).collect())
}

fn targets(which: &Which, pipeline: &Pipeline) -> Result<Vec<TargetId>, Trouble> {
    let known: Vec<_> = pipeline.targets.iter().map(|target| target.id.clone()).collect();
    which
        .target
        .iter()
        .map(|name| {
            known.iter().find(|id| id.as_str() == name).cloned().ok_or_else(|| {
                let known: Vec<_> = known.iter().map(TargetId::as_str).collect();
                Trouble::Usage(format!(
                    "--target {name}: {} has no such target; it has {}",
                    pipeline.file,
                    known.join(", ")
                ))
            })
        })
        .collect()
}

fn allowances(which: &Which, pipeline: &Pipeline) -> Result<Vec<Allowance>, Trouble> {
    let sources: Vec<_> = pipeline.sources.iter().map(|source| source.id.as_str()).collect();
    let targets: Vec<_> = pipeline.targets.iter().map(|target| target.id.as_str()).collect();
    for Allowance { scope, limit, .. } in &which.allow {
        let Some(scope) = scope.as_deref() else { continue };
        let (whose, of) = match limit.counted_of() {
            CountedOf::Source => ("source", &sources),
            CountedOf::Target => ("target", &targets),
        };
        let known = sources.contains(&scope) || targets.contains(&scope);
        if !of.contains(&scope) {
            let found = match known {
                true => format!("`{limit}` is counted of each {whose}, and {scope} is none; write one of"),
                false => format!("{} has no such {whose}; it has", pipeline.file),
            };
            return Err(Trouble::Usage(format!("--allow {scope}.{limit}=…: {found} {}", of.join(", "))));
        }
    }
    Ok(which.allow.clone())
}

fn check_reviewed(pipeline: &Pipeline, reviewed: Option<&SavedPlan>) -> Result<(), Trouble> {
    match reviewed {
        Some(plan) if plan.pipeline != pipeline.name => Err(Trouble::Usage(format!(
            "the plan is of the pipeline `{}`, and {} is `{}`",
            plan.pipeline, pipeline.file, pipeline.name
        ))),
        _ => Ok(()),
    }
}

fn load(path: &Path) -> Result<SavedPlan, Trouble> {
    let wrong = |found: String| Trouble::Usage(format!("the plan {}: {found}", path.display()));
    run::read_plan(path).map_err(|fault| wrong(fault.to_string()))
}

/// Prints the answer.
/// Files that could not be written are named nowhere: what stands there may be of the run before.
fn print(how: &How, files: &Files, outcome: &Outcome, written: bool) -> Result<(), Trouble> {
    let Outcome { report, people, .. } = outcome;
    let uncut = if written { files.uncut() } else { Uncut::default() };
    let answered = match how.format {
        OutputFormat::Json => answered(report::write_json(report, people, std::io::stdout().lock())),
        OutputFormat::Human => {
            let mut page = report::human(report, people, uncut, screen()).map_err(Trouble::file("read the facts"))?;
            if written {
                page.files(&files.told());
            }
            answer_page(&page)
        }
    };
    let answered = answered.and(noted::show(&report.notes, how.format));
    answered.and(job_page::show(files.input(outcome), files.summary().filter(|_| written).as_deref(), how.format))
}
