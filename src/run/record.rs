//! What the state keeps of a report, so that it can be made again (docs/command-line.md, "report").
//!
//! Owns: taking the names out. Leaves to others: how long a line holds (`state`), making the report again (`recorded`).
//! A newcomer gets wrong: the durable state holds no names. Lines have ids; in sentences a keyed pseudonym stands for each name,
//! which whoever has the cache can turn back.

use serde_json::Value;

use super::context::RunContext;
use super::finished_target::FinishedTarget;
use super::naming;
use super::pages::{PAGE, each_page};
use super::people;
use crate::error::Trouble;
use crate::model::{Decision, PersonRef, Reason, TaskResult};
use crate::plan::lookups;
use crate::report::{Pseudonyms, RunReport};
use crate::state::{DecisionCursor, Holds, RecordedLine, Reported, StateError};

/// Beside the fields of `run.json`: how many lines are kept, and whether they may be told by pseudonym alone.
pub(super) const LINES: &str = "lines";
pub(super) const PSEUDONYMS: &str = "pseudonyms";

/// So many reasons of a target are kept whole; where more differ, a server had a bad night, and all say nearly the same.
const DETAILS: usize = 2000;

/// So many people with a key of one account: no sentence names them all.
const NAMED: usize = 100;

/// Records what is told of everybody; says how many lines.
pub(super) async fn lines(context: &RunContext, finished: &[FinishedTarget]) -> Result<u64, Trouble> {
    let is_whole = context.store.run(&context.run)?.is_some_and(|run| run.row.command == "run");
    let pseudonyms = Pseudonyms::new(context.store.key()?);
    let mut count = 0;
    for done in finished {
        let target = done.target_run.id();
        let mut details = DETAILS;
        let reported = |after: Option<&DecisionCursor>| context.facts.reported(target, after, PAGE);
        for page in each_page(reported, |last| DecisionCursor::of(&last.decision)) {
            let mut lines = Vec::new();
            for Reported { decision, went, .. } in page? {
                // All others, of a run with `--only`: they are counted.
                if is_whole || decision.reason != Reason::NotSelected {
                    lines.push(line(context, &pseudonyms, decision, went, done, is_whole, &mut details)?);
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
    details: &mut usize,
) -> Result<RecordedLine, StateError> {
    let holds = if is_whole && went.is_none() && !decision.change.writes() { Holds::On } else { Holds::Once };
    let account = decision.account.clone();
    let mut line = people::line(decision.clone(), None, went, done.writes).shown();
    if let Some(error) = &mut line.error {
        let names = context.naming.names_of(&decision)?;
        error.message = pseudonyms.sentence(&error.message, names.iter().map(String::as_str));
    }
    line.detail = match line.detail.take().filter(|_| *details > 0) {
        Some(detail) => {
            *details -= 1;
            self::detail(context, pseudonyms, &decision, done, &detail)?
        }
        None => None,
    };
    let mut body = serde_json::to_value(&line).unwrap_or_default();
    if let Value::Object(fields) = &mut body {
        fields.retain(|field, value| !value.is_null() && field != "target" && field != "account");
    }
    Ok(RecordedLine { account, body, holds })
}

/// What a reason says besides, without names; `None` where it may name people that are not looked for.
fn detail(
    context: &RunContext,
    pseudonyms: &Pseudonyms,
    decision: &Decision,
    done: &FinishedTarget,
    detail: &str,
) -> Result<Option<String>, StateError> {
    let mut names = context.naming.names_of(decision)?;
    match decision.reason {
        Reason::UndoPassedOn => return Ok(None),
        Reason::Ambiguous | Reason::Conflict => match others(context, decision, done)? {
            Some(others) => names.extend(others),
            None => return Ok(None),
        },
        _ => {}
    }
    let detail = without_request_ids(&pseudonyms.sentence(detail, names.iter().map(String::as_str)));
    Ok(Some(match decision.reason {
        Reason::PhotoUnknown | Reason::Unreadable | Reason::StillShown => without_quoted(&detail),
        _ => detail,
    }))
}

/// What a fault of a photo quotes may be the name of its file, and that is called like its person more often than not.
fn without_quoted(detail: &str) -> String {
    let parts = detail.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 0 { part } else { "`…`" }).collect()
}

/// What everybody is called who has a key of the account, and each account that claims one of them. `None`: too many.
fn others(context: &RunContext, decision: &Decision, done: &FinishedTarget) -> Result<Option<Vec<String>>, StateError> {
    let (facts, target) = (&context.facts, &decision.target);
    let Some(account) = facts.account(target, &decision.account)? else { return Ok(None) };
    let keys = lookups(&account, &done.target_run.entry.matching);
    let mut names = Vec::new();
    for row in facts.matches(target, &decision.account)? {
        let people: Vec<_> = facts.people_with(&row.source, &keys)?.into_iter().flatten().collect();
        if people.len() > NAMED {
            return Ok(None);
        }
        for person in people {
            names.extend(naming::of_person(&person).into_iter().map(str::to_owned));
            let who = PersonRef { source: row.source.clone(), id: person.id };
            let (matched, claims) = facts.claimants_of(target, &who)?;
            let left_behind = facts.left_behind(target, &who)?;
            if matched.len() + claims.len() + left_behind.len() > NAMED {
                return Ok(None);
            }
            for id in matched.iter().chain(&claims).chain(&left_behind) {
                let account = facts.account(target, id)?;
                names.extend(account.iter().flat_map(naming::of_account).map(str::to_owned));
            }
        }
    }
    Ok(Some(names))
}

/// A vendor gives each request another id, and who is left alone for one cause night after night has one line.
fn without_request_ids(detail: &str) -> String {
    const BEGINS: &str = " (request id ";
    let mut rest = detail;
    let mut out = String::with_capacity(detail.len());
    while let Some((before, behind)) = rest.split_once(BEGINS) {
        out.push_str(before);
        rest = behind.split_once(')').map_or("", |(_, behind)| behind);
    }
    out + rest
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_fault_of_a_photo_quotes_is_not_kept() {
        for (detail, kept) in [
            (
                "[picture_missing] people.csv:7: `photos/ada.jpg` is not there",
                "[picture_missing] people.csv:7: `…` is not there",
            ),
            ("there is `Ada.jpg`, not `ada.jpg`", "there is `…`, not `…`"),
            ("[throttled] 429", "[throttled] 429"),
        ] {
            assert_eq!(without_quoted(detail), kept);
        }
    }
}
