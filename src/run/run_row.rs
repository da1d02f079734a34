//! The row of a run in the state: there from the first second, so that a run that died is seen as one.
//!
//! Owns: its first form, and the end of a command that made no report. Leaves to others: the end of a run (`close`).
//! A newcomer gets wrong: a plan has none, since it writes nothing to the state (promise P3).

use super::context::{self, RunContext};
use crate::error::Trouble;
use crate::exit::Exit;
use crate::settings::Pipeline;
use crate::state::{RunEnd, RunRow};

/// Begins the row; the state belongs to the pipeline from then on.
pub(super) async fn begin(
    context: &RunContext,
    pipeline: &Pipeline,
    command: &str,
    options: Vec<String>,
    started_by: Option<String>,
) -> Result<RunRow, Trouble> {
    let row = RunRow {
        id: context.run.clone(),
        pipeline: pipeline.name.clone(),
        pipeline_digest: pipeline.digest,
        command: command.to_owned(),
        started: context::unix(context.started),
        options,
        started_by,
    };
    context.store.claim(&pipeline.name).await?;
    context.store.begin_run(row.clone()).await?;
    Ok(row)
}

/// The end without a report. Without any the row would look like a run that was killed. Why stands in the report's place; there is
/// none of a part of a pipeline, since it may name people, and the state names nobody.
pub(super) fn end(exit: Exit, why: Option<String>) -> RunEnd {
    RunEnd {
        outcome: exit.outcome().to_owned(),
        exit_code: exit.code(),
        finished: context::unix_now(),
        plan_digest: None,
        report: why.map_or(serde_json::Value::Null, Into::into),
    }
}
