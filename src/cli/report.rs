//! `report FILE [RUN]`: the counts of a recorded run again.

use clap::Args;
use serde_json::Value;

use super::output::{OutputFormat, answer_json, answer_page, screen};
use super::pipeline_file::PipelineFile;
use crate::error::Trouble;
use crate::exit::Exit;
use crate::model::RunId;
use crate::report::{self, RunReport};
use crate::state::{RunRecord, Store};

/// Which run.
#[derive(Debug, Args)]
pub(super) struct Flags {
    #[command(flatten)]
    pipeline: PipelineFile,
    /// The run's id, as `status` lists it; without it the last run that came to a report
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = OutputFormat::Human)]
    format: OutputFormat,
}

/// What of a report names somebody or may, and what is known only after it was recorded: the state keeps none of it, so an
/// empty list or a null would be untrue.
const NOT_KEPT: [&str; 4] = ["misplaced", "failures", "notes", "last_success"];

/// Leaves out what is not kept.
pub(super) fn leave_out(kept: &mut Value) {
    if let Value::Object(fields) = kept {
        fields.retain(|field, _| !NOT_KEPT.contains(&field.as_str()));
    }
}

/// Shows the counts of the run.
pub(super) fn run(flags: &Flags) -> Result<Exit, Trouble> {
    let state = flags.pipeline.state(&flags.pipeline.document()?, "`report`")?;
    let mut kept = kept(&Store::view(&state)?, flags.run.as_deref())?;
    match flags.format {
        OutputFormat::Human => {
            let report: RunReport = serde_json::from_value(kept)
                .map_err(|error| Trouble::Usage(format!("the report in the state cannot be read: {error}")))?;
            let mut page = report::counts(&report, screen());
            page.tell("");
            page.tell("people, failures and notes are not kept in the state: they stood in the report of the run");
            answer_page(&page)
        }
        OutputFormat::Json => {
            leave_out(&mut kept);
            answer_json(&format!("{kept:#}\n"))
        }
    }?;
    Ok(Exit::Done)
}

fn kept(store: &Store, id: Option<&str>) -> Result<Value, Trouble> {
    let Some(id) = id else {
        let newest = store.runs(usize::MAX)?.into_iter().find_map(reported);
        return newest.ok_or_else(|| Trouble::Usage("no run that came to a report is recorded yet".to_owned()));
    };
    let found = store.run(&RunId::new(id))?;
    let found = found
        .ok_or_else(|| Trouble::Usage(format!("no run `{}` is recorded; `status` lists them", id.escape_debug())))?;
    let ended = found.end.as_ref().map_or("it did not end", |_| "it was no run, or ended before it came to one");
    let without = Trouble::Usage(format!("the run {} left no report: {ended}", found.row.id));
    reported(found).ok_or(without)
}

fn reported(run: RunRecord) -> Option<Value> {
    run.end.map(|end| end.report).filter(Value::is_object)
}
