//! Everybody's own line of the report, read from the facts when it is written.
//!
//! Owns: putting decision and result together. Leaves to others: counts (`tally`), formats (`report`).
//! A newcomer gets wrong: the facts may be made anew by the next run as soon as the lock is free, so whoever still wants
//! lines keeps the house open.

use super::desk::PAGE;
use super::house::House;
use super::saved::SavedChange;
use super::tally::{Finished, Writes};
use crate::http::redact;
use crate::model::{Decision, Fault, PersonResult, TargetId, Verdict, Went};
use crate::pipeline::Names;
use crate::report::{AccountLine, ChangeLine, PersonFailure, PersonLine, PersonWho};
use crate::state::{DecisionCursor, DecisionFilter, Selection, StateError};

/// Everybody but the unchanged, by target and account.
pub struct People {
    house: House,
    targets: Vec<(TargetId, Writes)>,
    names: Names,
}

impl People {
    /// Of a run that is over.
    pub fn of(house: House, desks: &[Finished], names: Names) -> Self {
        let opened = desks.iter().filter(|desk| desk.desk.open.is_some());
        let targets = opened.map(|desk| (desk.desk.id().clone(), desk.writes)).collect();
        Self { house, targets, names }
    }

    fn named(&self, line: PersonLine) -> PersonLine {
        match self.names {
            Names::Full => line,
            Names::Pseudonym => line.pseudonymised(),
        }
    }

    /// Every change that was decided, by target and account.
    pub fn each_change<E>(
        &self,
        mut take: impl FnMut(&SavedChange) -> Result<(), E>,
        lost: impl Fn(StateError) -> E,
    ) -> Result<(), E> {
        let filter = DecisionFilter { target: None, selection: Selection::Changes };
        let mut after: Option<DecisionCursor> = None;
        loop {
            let page = self.house.facts.decisions(&filter, after.as_ref(), PAGE).map_err(&lost)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(DecisionCursor::of(last));
            page.iter().try_for_each(|change| take(&SavedChange::of(change)))?;
        }
    }
}

impl crate::report::People for People {
    fn each_line(&self, take: &mut dyn FnMut(PersonLine) -> std::io::Result<()>) -> std::io::Result<()> {
        for (target, writes) in &self.targets {
            let mut after: Option<DecisionCursor> = None;
            loop {
                let page = self.house.facts.reported(target, after.as_ref(), PAGE).map_err(std::io::Error::other)?;
                let Some((last, _)) = page.last() else { break };
                after = Some(DecisionCursor::of(last));
                for (decision, went) in page {
                    take(self.named(line(decision, went, *writes)))?;
                }
            }
        }
        Ok(())
    }
}

fn line(decision: Decision, went: Option<Went>, writes: Writes) -> PersonLine {
    let (result, error) = match (decision.verdict, went) {
        (Verdict::Change(_), Some(went)) => (went.result, went.error),
        (Verdict::Change(_), None) => (writes.otherwise(), why(writes)),
        _ => (PersonResult::None, None),
    };
    PersonLine {
        target: decision.target.to_string(),
        account: AccountLine { id: decision.account.to_string(), name: decision.account_name },
        person: decision
            .person
            .map(|person| PersonWho { source: person.source.to_string(), id: person.id.to_string() }),
        change: ChangeLine { kind: decision.verdict.word().to_owned(), from: decision.from.label(), to: decision.to },
        reason: decision.reason.word().to_owned(),
        rule: decision.rule.to_string(),
        detail: decision.detail.as_deref().map(redact),
        result,
        error: error.map(|fault| PersonFailure { code: fault.code, message: redact(&fault.message) }),
    }
}

/// Why a change was not come to.
fn why(writes: Writes) -> Option<Fault> {
    match writes {
        Writes::Planned => None,
        Writes::Limit => Some(Fault::new("limit", "a limit stopped the target; nothing was written to it")),
        Writes::Applied | Writes::NotBegun => Some(Fault::new("stopped", "it was not begun")),
    }
}
