//! What the state keeps of a report, so that it can be made again (docs/command-line.md, "report").
//!
//! Owns: taking the names out. Leaves to others: how long a line holds (`state`), making the report again (`recorded`).
//! A newcomer gets wrong: the durable state holds no names. Lines have ids; in sentences a keyed pseudonym stands for each name,
//! which whoever has the cache can turn back.

use serde_json::Value;

use super::context::RunContext;
use super::finished_target::FinishedTarget;
use super::pages::{PAGE, each_page};
use super::people;
use crate::error::Trouble;
use crate::model::{Decision, Reason, TaskResult};
use crate::report::{Pseudonyms, RunReport};
use crate::state::{DecisionCursor, Holds, RecordedLine, Reported, StateError};

/// Beside the fields of `run.json`: how many lines are kept, and whether they may be told by pseudonym alone.
pub(super) const LINES: &str = "lines";
pub(super) const PSEUDONYMS: &str = "pseudonyms";

/// Records what is told of everybody; says how many lines.
pub(super) async fn lines(context: &RunContext, finished: &[FinishedTarget]) -> Result<u64, Trouble> {
    let is_whole = context.store.run(&context.run)?.is_some_and(|run| run.row.command == "run");
    let pseudonyms = Pseudonyms::new(context.store.key()?);
    let mut count = 0;
    for done in finished {
        let target = done.target_run.id();
        let reported = |after: Option<&DecisionCursor>| context.facts.reported(target, after, PAGE);
        for page in each_page(reported, |last| DecisionCursor::of(&last.decision)) {
            let mut lines = Vec::new();
            for Reported { decision, went, .. } in page? {
                // All others, of a run with `--only`: they are counted.
                if is_whole || decision.reason != Reason::NotSelected {
                    lines.push(line(context, &pseudonyms, decision, went, done, is_whole)?);
                }
            }
            count += lines.len() as u64;
            context.store.put_lines(&context.run, target, lines).await?;
        }
    }
    if is_whole {
        context.store.end_lines(&context.run).await?;
    }
    Ok(count)
}

fn line(
    context: &RunContext,
    pseudonyms: &Pseudonyms,
    decision: Decision,
    went: Option<TaskResult>,
    done: &FinishedTarget,
    is_whole: bool,
) -> Result<RecordedLine, StateError> {
    let holds = if is_whole && went.is_none() && !decision.change.writes() { Holds::On } else { Holds::Once };
    let account = decision.account.clone();
    let mut line = people::line(decision.clone(), None, went, done.writes).shown();
    if let Some(error) = &mut line.error {
        let names = context.naming.names_of(&decision)?;
        error.message = pseudonyms.sentence(&error.message, names.iter().map(String::as_str));
    }
    // It names whoever else the keys fit.
    line.detail = None;
    let mut body = serde_json::to_value(&line).unwrap_or_default();
    if let Value::Object(fields) = &mut body {
        fields.retain(|field, value| !value.is_null() && field != "target" && field != "account");
    }
    Ok(RecordedLine { account, body, holds })
}

/// The report but for its lines.
pub(super) fn report(context: &RunContext, report: &RunReport, lines: u64) -> Result<Value, Trouble> {
    let mut kept = report.clone();
    let is_pseudonymous = context.naming.pseudonyms().is_some();
    if !is_pseudonymous {
        let pseudonyms = Pseudonyms::new(context.store.key()?);
        kept.misplaced = kept.misplaced.into_iter().map(|line| pseudonyms.misplaced(line)).collect();
        for sentences in [&mut kept.failures, &mut kept.notes] {
            *sentences = context.naming.without_names(&pseudonyms, std::mem::take(sentences))?;
        }
    }
    let mut value = serde_json::to_value(kept)
        .map_err(|error| Trouble::Own(format!("the report cannot be written down: {error}")))?;
    value[LINES] = lines.into();
    value[PSEUDONYMS] = is_pseudonymous.into();
    Ok(value)
}
