//! What was decided, told in the log at `-v`: each account but the unchanged, with its reason and the rule's place.
//!
//! Owns: that line. Leaves to others: deciding (`target_planner`), the report (`people`).
//! A newcomer gets wrong: a decision is told once, when nothing is left to fetch or to look at.

use tracing::Level;

use super::context::RunContext;
use super::finished_target::Writes;
use super::pages::{PAGE, each_page};
use super::people::told;
use super::spans;
use super::target_run::TargetRun;
use crate::report::PersonLine;
use crate::state::{DecisionCursor, StateError};

/// Tells the decisions about a target's accounts.
pub(super) fn tell(context: &RunContext, target_run: &TargetRun) -> Result<(), StateError> {
    if !tracing::enabled!(Level::INFO) {
        return Ok(());
    }
    let _whose = spans::target(target_run.id(), "decide").entered();
    let reported = |after: Option<&DecisionCursor>| context.facts.reported(target_run.id(), after, PAGE);
    for page in each_page(reported, |last| DecisionCursor::of(&last.decision)) {
        for reported in page? {
            log(&told(context, reported, Writes::Planned)?);
        }
    }
    Ok(())
}

fn log(line: &PersonLine) {
    tracing::info!(
        account = %line.account.name,
        person = line.person.as_ref().map(|person| person.id.as_str()),
        change = %line.change.kind,
        from = %line.change.from,
        reason = %line.reason,
        rule = %line.rule,
        detail = line.detail.as_deref(),
        "decided"
    );
}
