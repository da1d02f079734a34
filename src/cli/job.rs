//! `plan FILE` and `run FILE`: one function up to the guard (design §4).

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::{Common, Format, answer, answered, complain, environment, log};
use crate::error::Trouble;
use crate::exit::Exit;
use crate::model::TargetId;
use crate::pipeline::{Document, Overrides, Pipeline};
use crate::plan::Rerender;
use crate::report::{self, Progress, Wording};
use crate::run::{self, Mode, Options, Outcome, SavedPlan, Selection, Stop};

/// `plan`.
#[derive(Debug, Args)]
pub struct PlanFlags {
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
pub struct RunFlags {
    #[command(flatten)]
    common: Common,
    /// Applies at most what this saved plan says; each change is decided again
    #[arg(long, value_name = "PLAN")]
    plan: Option<PathBuf>,
}

/// `plan FILE`.
pub fn plan(flags: &PlanFlags, log: &log::Flags) -> Result<Exit, Trouble> {
    let (pipeline, outcome) = execute(&flags.common, log, Mode::Plan, None)?;
    if let Some(path) = &flags.out {
        create(path, |file| run::write_plan(&outcome.report, &outcome.people, file))?;
        complain(&format!("plan saved to {}", path.display()));
    }
    print(&flags.common, &pipeline, &outcome, Wording::Plan)?;
    let pending = flags.detailed_exitcode && outcome.changes > 0;
    Ok(if pending { outcome.exit.and(Exit::Pending) } else { outcome.exit })
}

/// `run FILE`.
pub fn run(flags: &RunFlags, log: &log::Flags) -> Result<Exit, Trouble> {
    let reviewed = flags.plan.as_deref().map(load).transpose()?;
    let (pipeline, outcome) = execute(&flags.common, log, Mode::Run, reviewed)?;
    print(&flags.common, &pipeline, &outcome, Wording::Run)?;
    Ok(outcome.exit)
}

fn execute(
    common: &Common,
    log: &log::Flags,
    mode: Mode,
    reviewed: Option<SavedPlan>,
) -> Result<(Pipeline, Outcome), Trouble> {
    let document = environment::document(&common.file)?;
    #[cfg(feature = "sandbox")]
    let sandbox = common.sandbox.start(&document)?;
    #[cfg(feature = "sandbox")]
    let overrides = sandbox.as_ref().map(|sandbox| sandbox.overrides(&document)).transpose()?.unwrap_or_default();
    #[cfg(not(feature = "sandbox"))]
    let overrides = Overrides::default();
    let pipeline = resolve(&document, &overrides)?;
    check_reviewed(&pipeline, reviewed.as_ref())?;
    let options = Options {
        mode,
        selection: Selection { only: common.only.clone(), targets: targets(common, &pipeline)?, reviewed },
        allow: common.allow.clone(),
        rerender: if common.rerender { Rerender::All } else { Rerender::Changed },
    };
    let listener = Arc::new(Progress::new(log.verbosity(), std::io::stderr().is_terminal()));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Trouble::file("start the runtime"))?;
    let outcome = runtime.block_on(async {
        let stop = Stop::new();
        stop.listen(common.max_duration, say).map_err(Trouble::file("listen for signals"))?;
        run::execute(&pipeline, &options, listener, stop).await
    })?;
    Ok((pipeline, outcome))
}

/// A word about stopping, beside the progress.
pub(super) fn say(text: &str) {
    // Whoever stopped the program may have closed its streams, too.
    _ = writeln!(std::io::stderr(), "{text}");
}

pub(super) fn resolve(document: &Document, overrides: &Overrides) -> Result<Pipeline, Trouble> {
    document.resolve(&environment::Process, overrides).map_err(|faults| environment::rendered(&faults))
}

fn targets(common: &Common, pipeline: &Pipeline) -> Result<Vec<TargetId>, Trouble> {
    let known: Vec<_> = pipeline.targets.iter().map(|target| target.id.clone()).collect();
    common
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
    let file = std::fs::File::open(path).map_err(|error| wrong(error.to_string()))?;
    run::read_plan(file).map_err(|fault| wrong(fault.to_string()))
}

/// Writes a file that only its owner may read.
fn create(path: &Path, write: impl FnOnce(std::fs::File) -> std::io::Result<()>) -> Result<(), Trouble> {
    run::create_private(path).and_then(write).map_err(Trouble::file(format!("write {}", path.display())))
}

/// Writes the report's files and prints the answer.
fn print(common: &Common, pipeline: &Pipeline, outcome: &Outcome, wording: Wording) -> Result<(), Trouble> {
    let Outcome { report, people, .. } = outcome;
    let folder = match (&common.report, wording) {
        (Some(folder), _) => Some(folder.clone()),
        (None, Wording::Run) => Some(pipeline.state.with_extension("report")),
        (None, Wording::Plan) => None,
    };
    if let Some(folder) = &folder {
        std::fs::create_dir_all(folder).map_err(Trouble::file(format!("make the folder {}", folder.display())))?;
        create(&folder.join("run.json"), |file| report::write_json(report, people, file))?;
        create(&folder.join("summary.md"), |mut file| file.write_all(report::summary(report, people)?.as_bytes()))?;
    }
    match common.format {
        Format::Json => answered(report::write_json(report, people, std::io::stdout().lock())),
        Format::Human => {
            let mut text = report::human(report, people, wording).map_err(Trouble::file("read the facts"))?;
            if let Some(folder) = &folder {
                text += &format!("\nreport: {}\n", folder.join("summary.md").display());
            }
            answer(&text)
        }
    }
}
