//! The files that `plan` and `run` are asked for: the folder of the report, and the plan with what lies beside it.
//!
//! Owns: where they lie, and trying them before anything is asked. Leaves to others: what stands in them (`report`, `run`).
//! A newcomer gets wrong: a file that could not be written after all changes neither the answer nor what was done.

use std::io;
use std::path::{Path, PathBuf};

use super::output::tell;
use crate::error::Trouble;
use crate::model::counted;
use crate::report::{self, FILES, ReportFile, ReportInput, Severity, Uncut};
use crate::run::{self, Mode, Outcome};
use crate::settings::Pipeline;

/// What the help says of `--report`.
pub(super) fn report_help() -> String {
    let names = FILES.map(|file| file.name);
    let [names @ .., last] = &names;
    let names = names.join(", ");
    format!("The folder for {names} and {last} [default: of a run beside the state, NAME.report; of a plan none]")
}

/// What the help of `report` says of it.
pub(super) fn report_again_help() -> String {
    let names = FILES.map(|file| file.name).join(", ");
    format!("Also writes all files of the report into a folder: {names}")
}

/// The folder of a report.
#[derive(Clone, Copy)]
pub(super) struct ReportFolder<'a>(pub &'a Path);

impl ReportFolder<'_> {
    /// Where a file of the report lies.
    pub(super) fn path(self, file: &ReportFile) -> PathBuf {
        self.0.join(file.name)
    }

    /// Whether they can be written, as far as that can be known before.
    pub(super) fn try_out(self) -> Result<(), Trouble> {
        run::make_folder(self.0)
            .and_then(|()| FILES.iter().try_for_each(|file| run::try_private(&self.path(file))))
            .map_err(|error| unwritable("the report", self.0, error))
    }

    /// Writes all of them, as far as that works.
    pub(super) fn write(self, input: ReportInput<'_>) -> Result<(), Trouble> {
        let write = |file: &&ReportFile| run::write_private(&self.path(file), |out| (file.write)(input, out));
        let written = FILES.iter().map(write).fold(run::make_folder(self.0), io::Result::and);
        written.map_err(|error| unwritable("the report", self.0, error))
    }
}

/// The files that a command is asked for.
pub(super) struct Files {
    report: Option<PathBuf>,
    plan: Option<PathBuf>,
    /// Those of a report that lie beside the plan, where there is no folder for them.
    beside: Vec<(&'static ReportFile, PathBuf)>,
    run_json: Option<PathBuf>,
    sheet: Option<PathBuf>,
}

/// What whoever reviews a plan reads.
const BESIDE_A_PLAN: [&ReportFile; 2] = [&report::SUMMARY, &report::PICTURES];

/// `plan.summary.md` of `plan.json`; other names stay whole in theirs, so that two plans have two pages.
fn beside(plan: &Path, file: &ReportFile) -> PathBuf {
    match plan.extension() {
        Some(extension) if extension == "json" => plan.with_extension(file.name),
        Some(_) => {
            let whole = plan.file_name().unwrap_or_default().to_string_lossy();
            plan.with_file_name(format!("{whole}.{}", file.name))
        }
        None => {
            let stem = plan.file_name().unwrap_or_default().to_string_lossy();
            plan.with_file_name(format!("{stem}-{}", file.name))
        }
    }
}

fn is_empty(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.len() == 0)
}

impl Files {
    pub(super) fn of(report: Option<&Path>, pipeline: &Pipeline, mode: Mode, plan: Option<&Path>) -> Self {
        let report = match (report, mode) {
            (Some(report), _) => Some(report.to_owned()),
            (None, Mode::Run) => Some(pipeline.state.with_extension("report")),
            (None, Mode::Plan) => None,
        };
        let plan = plan.map(Path::to_owned);
        let beside = plan
            .iter()
            .filter(|_| report.is_none())
            .flat_map(|plan| BESIDE_A_PLAN.into_iter().map(|file| (file, beside(plan, file))));
        let run_json = report.as_ref().map(|folder| folder.join(report::RUN_JSON.name));
        let files = Self { beside: beside.collect(), run_json, report, plan, sheet: None };
        Self { sheet: files.pictures(), ..files }
    }

    /// Whether they can be written, as far as that can be known before.
    pub(super) fn try_out(&self, named: bool) -> Result<(), Trouble> {
        // The folder beside the state is made after the state, and tried with it where there is none yet.
        if let Some(folder) = self.report.as_ref().filter(|folder| named || folder.symlink_metadata().is_ok()) {
            ReportFolder(folder).try_out()?;
        }
        match &self.plan {
            // Whatever else stands there is somebody's: a table, a picture, the pipeline file, the state.
            Some(path) if path.is_file() && !is_empty(path) && run::read_plan(path).is_err() => {
                let found = "it is there, and is no plan: nothing was written; name another file";
                Err(Trouble::Usage(format!("the plan {}: {found}", path.display())))
            }
            Some(path) => run::try_private(path).map_err(|error| unwritable("the plan", path, error)),
            None => Ok(()),
        }
    }

    /// Writes all of them, as far as that works; the first that does not is told.
    pub(super) fn write(&self, outcome: &Outcome) -> Result<(), Trouble> {
        let Outcome { report, people, .. } = outcome;
        let all = self.input(outcome);
        if (self.report.is_some() || !self.beside.is_empty()) && lines(report) >= MANY {
            tell(
                Severity::Progress,
                &format!("writing the report of {}", counted(lines(report), "account", "accounts")),
            );
        }
        let mut told = Ok(());
        if let Some(folder) = &self.report {
            told = ReportFolder(folder).write(all);
        }
        if let Some(path) = &self.plan {
            match run::write_private(path, |file| run::write_plan(report, people, file)) {
                Ok(()) => {
                    let digest = report.plan_digest.as_deref().map(report::short_digest).unwrap_or_default();
                    tell(Severity::Progress, &format!("plan {digest} saved to {}", path.display()));
                }
                Err(error) => told = told.and(Err(unwritable("the plan", path, error))),
            }
        }
        for (file, path) in &self.beside {
            let written = run::write_private(path, |out| (file.write)(all, out));
            told = told.and(written.map_err(|error| unwritable(file.name, path, error)));
        }
        told
    }

    /// What a form of report is written from.
    pub(super) fn input<'a>(&'a self, Outcome { report, people, .. }: &'a Outcome) -> ReportInput<'a> {
        ReportInput { report, people, uncut: self.uncut() }
    }

    /// What has all of a list that is cut.
    pub(super) fn uncut(&self) -> Uncut<'_> {
        Uncut { sheet: self.sheet.as_deref(), everybody: self.run_json.as_deref(), changes: self.plan.as_deref() }
    }

    /// The page of the report, in its folder or beside the plan.
    pub(super) fn summary(&self) -> Option<PathBuf> {
        self.path(&report::SUMMARY)
    }

    /// The contact sheet, in the folder of the report or beside the plan.
    pub(super) fn pictures(&self) -> Option<PathBuf> {
        self.path(&report::PICTURES)
    }

    fn path(&self, wanted: &ReportFile) -> Option<PathBuf> {
        let beside = || self.beside.iter().find(|(file, _)| file.name == wanted.name).map(|(_, path)| path.clone());
        self.report.as_ref().map(|folder| folder.join(wanted.name)).or_else(beside)
    }

    /// Those that are put besides into a bucket.
    #[cfg(feature = "bucket")]
    pub(super) fn to_put(&self) -> Vec<(&'static ReportFile, PathBuf)> {
        let folder = self.report.as_deref().map(ReportFolder);
        folder.into_iter().flat_map(|folder| FILES.map(|file| (file, folder.path(file)))).collect()
    }

    /// What they are, and where.
    pub(super) fn told(&self) -> Vec<(&'static str, String)> {
        let files = [("report", self.summary()), ("contact sheet", self.pictures())];
        files.into_iter().filter_map(|(what, path)| Some((what, path?.display().to_string()))).collect()
    }
}

/// From so many on the report takes a while.
const MANY: u64 = 2000;

/// How many accounts have a line of their own in it.
fn lines(report: &report::RunReport) -> u64 {
    report.targets.iter().map(|target| target.accounts.saturating_sub(target.unchanged)).sum()
}

fn unwritable(what: &str, path: &Path, error: io::Error) -> Trouble {
    let place = "what stands there may be of an earlier run; name a place that can be written to";
    Trouble::File { tried: format!("write {what} to {}; {place}", path.display()), error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_plans_have_one_page() {
        for (plan, page) in [
            ("out/plan.json", "out/plan.summary.md"),
            ("plan", "plan-summary.md"),
            ("plan.2026", "plan.2026.summary.md"),
        ] {
            assert_eq!(beside(Path::new(plan), &report::SUMMARY), Path::new(page));
        }
    }
}
