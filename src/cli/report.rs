//! `report FILE [RUN]`: the report of a recorded run again, in each of its forms.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::output::{answer_page, answered, screen};
use super::pipeline_file::PipelineFile;
use super::report_files::{self, ReportFolder};
use crate::error::Trouble;
use crate::exit::Exit;
use crate::report::{self, ReportFile, ReportInput, Uncut};
use crate::run::{RecordedReport, recorded};

/// Which run.
#[derive(Debug, Args)]
pub(super) struct Flags {
    #[command(flatten)]
    pipeline: PipelineFile,
    /// The run's id, as `status` lists it; without it the last run that came to a report
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = ReportForm::Human)]
    format: ReportForm,
    #[arg(long, value_name = "DIR", help = report_files::report_again_help())]
    report: Option<PathBuf>,
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReportForm {
    /// Tables for people
    Human,
    /// run.json
    Json,
    /// summary.md
    Summary,
    /// junit.xml
    Junit,
    /// metrics.prom
    Metrics,
    /// pictures.html, without pictures
    Pictures,
}

impl ReportForm {
    /// The file of a report that is printed; `None`: tables.
    fn file(self) -> Option<&'static ReportFile> {
        match self {
            Self::Human => None,
            Self::Json => Some(&report::RUN_JSON),
            Self::Summary => Some(&report::SUMMARY),
            Self::Junit => Some(&report::JUNIT),
            Self::Metrics => Some(&report::METRICS),
            Self::Pictures => Some(&report::PICTURES),
        }
    }
}

/// Makes the report again.
pub(super) fn run(flags: &Flags) -> Result<Exit, Trouble> {
    let document = flags.pipeline.document()?;
    let state = flags.pipeline.state(&document, "`report`")?;
    let RecordedReport { report, people } = recorded(&state, flags.run.as_deref(), document.names())?;
    let folder = flags.report.as_deref().map(ReportFolder);
    let run_json = folder.map(|folder| folder.path(&report::RUN_JSON));
    let sheet = folder.map(|folder| folder.path(&report::PICTURES));
    let uncut = Uncut { sheet: sheet.as_deref(), everybody: run_json.as_deref(), changes: None };
    let input = ReportInput { report: &report, people: &people, uncut };
    if let Some(folder) = folder {
        folder.try_out()?;
        folder.write(input)?;
    }
    match flags.format.file() {
        Some(file) => answered((file.write)(input, &mut std::io::stdout().lock())),
        None => {
            let mut page = report::human(&report, &people, uncut, screen()).map_err(Trouble::file("read the state"))?;
            let told = |file: &ReportFile| folder.map(|folder| folder.path(file).display().to_string());
            let files = [("report", &report::SUMMARY), ("contact sheet", &report::PICTURES)];
            page.files(&files.into_iter().filter_map(|(what, file)| Some((what, told(file)?))).collect::<Vec<_>>());
            answer_page(&page)
        }
    }?;
    Ok(Exit::Done)
}
