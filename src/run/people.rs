//! Everybody's own line of the report, read from the facts when it is written.
//!
//! Owns: putting decision and result together. Leaves to others: counts (`run_report`), formats (`report`).
//! A newcomer gets wrong: the facts may be made anew by the next run as soon as the lock is free, so whoever still wants
//! lines keeps the run open.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, Write as _};
use std::sync::{Mutex, PoisonError};

use super::context::RunContext;
use super::finished_target::{FinishedTarget, Writes};
use super::pages::{PAGE, each_page};
use super::reviewed::{SavedChange, ToldChange};
use super::thumbnails::{self, Thumbnails};
use crate::error::Trouble;
use crate::model::{Change, Decision, Fault, PersonResult, Recipe, RunId, ServerId, TargetId, TaskResult};
use crate::report::{AccountLine, ChangeLine, PersonFailure, PersonLine, PersonWho, Pictured, ReportPictures};
use crate::state::{DecisionCursor, Reported, StateError};

/// Everybody but the unchanged, by target and account.
pub struct RunPeople {
    context: RunContext,
    targets: Vec<(TargetId, Writes, Recipe)>,
    servers: BTreeMap<TargetId, ServerId>,
    changes: u64,
    /// Only a part of the accounts was selected.
    part: bool,
    /// Every line as it may be told, once a form has asked: to put them together costs more than to read them again.
    lines: Mutex<Option<File>>,
}

impl RunPeople {
    /// Of a run that is over.
    pub fn of(context: RunContext, targets: &[FinishedTarget]) -> Self {
        let target = |done: &FinishedTarget| {
            let recipe = done.target_run.open.as_ref()?.size.recipe.clone();
            Some((done.target_run.id().clone(), done.writes, recipe))
        };
        let changes = targets.iter().map(|done| done.plan.changes().count()).sum();
        let server = |done: &FinishedTarget| {
            Some((done.target_run.id().clone(), done.target_run.open.as_ref()?.server.id.clone()))
        };
        let servers = targets.iter().filter_map(server).collect();
        let targets = targets.iter().filter_map(target).collect();
        // Facts that cannot be read are told by whoever reads the lines.
        let part = context.facts.is_of_a_part().unwrap_or_default();
        Self { context, targets, servers, changes, part, lines: Mutex::default() }
    }

    /// Changes that were decided.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Who answered at each target.
    pub fn servers(&self) -> &BTreeMap<TargetId, ServerId> {
        &self.servers
    }

    /// The last run that the state knew before this one.
    pub fn last_run(&self) -> Result<Option<RunId>, StateError> {
        let runs = self.context.store.runs(2)?;
        Ok(runs.into_iter().map(|run| run.row.id).find(|run| *run != self.context.run))
    }

    /// Nobody asks for pictures any more.
    pub fn end(self) -> Result<(), Trouble> {
        let limited = self.targets.iter().any(|(_, writes, _)| *writes == Writes::Limit);
        self.context.leave_pictures(limited)
    }

    /// Every change that was decided, by target and account.
    pub fn each_change<E>(
        &self,
        mut take: impl FnMut(&SavedChange) -> Result<(), E>,
        lost: impl Fn(StateError) -> E,
    ) -> Result<(), E> {
        for (target, writes, recipe) in &self.targets {
            for page in each_page(
                |after| self.context.facts.planned(target, &CHANGES, after, PAGE).map_err(&lost),
                |last| DecisionCursor::of(&last.decision),
            ) {
                let page = page?;
                for planned in page {
                    let change = SavedChange::of(&planned.decision, &planned.task.step, recipe);
                    // As it went into the plan's digest, and not as it may be shown.
                    let to = planned.decision.to.clone();
                    let reported = named(&self.context, planned.decision).map_err(&lost)?;
                    let line = told(&self.context, reported, *writes).map_err(&lost)?;
                    take(&SavedChange { told: Some(ToldChange { to, ..ToldChange::of(line) }), ..change })?;
                }
            }
        }
        Ok(())
    }
}

/// Those that write.
const CHANGES: [Change; 5] = [Change::Finish, Change::Tidy, Change::Replace, Change::Revert, Change::Remove];

impl RunPeople {
    fn each(&self, take: &mut TakeLine<'_>) -> io::Result<()> {
        for (target, writes, recipe) in &self.targets {
            for page in each_page(
                |after| self.context.facts.reported(target, after, PAGE).map_err(io::Error::other),
                |last| DecisionCursor::of(&last.decision),
            ) {
                let page = page?;
                for reported in page {
                    take(reported, *writes, recipe)?;
                }
            }
        }
        Ok(())
    }
}

impl RunPeople {
    fn told(&self, reported: Reported, writes: Writes) -> Result<PersonLine, StateError> {
        let Decision { target, account, .. } = &reported.decision;
        let left_out = self.part && !self.context.facts.is_selected(target, account)?;
        Ok(PersonLine { left_out, ..told(&self.context, reported, writes)? })
    }

    fn each_told(&self, take: &mut dyn FnMut(PersonLine) -> io::Result<()>) -> io::Result<()> {
        self.each(&mut |reported, writes, _| take(self.told(reported, writes).map_err(io::Error::other)?))
    }

    /// Writes every line down, each with whether it was left out.
    fn written(&self) -> io::Result<File> {
        let mut lines = BufWriter::new(crate::report::People::scratch(self)?);
        self.each_told(&mut |line| {
            serde_json::to_writer(&mut lines, &(line.left_out, &line))?;
            lines.write_all(b"\n")
        })?;
        Ok(lines.into_inner()?)
    }
}

type TakeLine<'a> = dyn FnMut(Reported, Writes, &Recipe) -> io::Result<()> + 'a;

impl crate::report::People for RunPeople {
    fn each_line(&self, take: &mut dyn FnMut(PersonLine) -> io::Result<()>) -> io::Result<()> {
        let kept = || self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = kept().take();
        // What needs no room on the disk is told on a full one, too.
        let Ok(mut lines) = lines.map_or_else(|| self.written(), Ok) else { return self.each_told(take) };
        lines.rewind()?;
        let (mut read, mut text) = (BufReader::new(&lines), String::new());
        while read.read_line(&mut text)? > 0 {
            let (left_out, line): (bool, PersonLine) = serde_json::from_str(&text)?;
            take(PersonLine { left_out, ..line })?;
            text.clear();
        }
        *kept() = Some(lines);
        Ok(())
    }

    fn each_pictured(&self, take: &mut dyn FnMut(Pictured) -> io::Result<()>) -> io::Result<()> {
        // Only changes have any.
        if self.changes == 0 || self.pictures().side.is_none() {
            return self.each_line(&mut |line| take(Pictured { line, before: None, after: None }));
        }
        let mut thumbnails = Thumbnails::new(&self.context, self.pictures());
        self.each(&mut |reported, writes, recipe| {
            let [before, after] = thumbnails.of(&reported.decision, recipe).map_err(io::Error::other)?;
            let line = self.told(reported, writes).map_err(io::Error::other)?;
            take(Pictured { line, before, after })
        })
    }

    fn pictures(&self) -> ReportPictures {
        thumbnails::shown(&self.context, self.changes)
    }

    fn scratch(&self) -> io::Result<File> {
        tempfile::tempfile_in(self.context.cache())
    }
}

/// A change that was not come to, with the name of whom it is for.
fn named(context: &RunContext, decision: Decision) -> Result<Reported, StateError> {
    let person = decision.person.as_ref().map(|person| context.facts.person(person)).transpose()?.flatten();
    Ok(Reported { decision, went: None, name: person.map(|person| person.display_name) })
}

/// A line as it may be told: named as the file wants it, with nothing in it that cannot be seen.
pub(super) fn told(context: &RunContext, reported: Reported, writes: Writes) -> Result<PersonLine, StateError> {
    let Reported { decision, went, name } = reported;
    let mut name = name.filter(|name| !name.is_empty());
    // An undoing may have asked no source, and the cache may be gone.
    if name.is_none() && decision.person.is_some() && context.is_undo() {
        let account = context.facts.account(&decision.target, &decision.account)?;
        name = account.map(|account| account.display_name).filter(|name| !name.is_empty());
    }
    let Some(pseudonyms) = context.naming.pseudonyms() else { return Ok(line(decision, name, went, writes).shown()) };
    let names = context.naming.names_of(&decision)?;
    Ok(pseudonyms.line(line(decision, name, went, writes), &names).shown())
}

/// A line as it is.
pub(super) fn line(decision: Decision, name: Option<String>, went: Option<TaskResult>, writes: Writes) -> PersonLine {
    let (result, error) = match (decision.change.writes(), went) {
        (true, Some(went)) => (went.result, went.error),
        (true, None) => (writes.otherwise(), why(writes)),
        // A reviewed change that turned out to be none any more.
        (false, Some(went)) => (went.result, went.error),
        (false, None) => (PersonResult::None, None),
    };
    PersonLine {
        target: decision.target.to_string(),
        account: AccountLine { id: decision.account.to_string(), name: decision.account_name },
        person: decision.person.map(|person| PersonWho {
            source: person.source.to_string(),
            id: person.id.to_string(),
            name,
        }),
        change: ChangeLine { kind: decision.change.word().to_owned(), from: decision.from.label(), to: decision.to },
        reason: decision.reason.word().to_owned(),
        rule: decision.rule.to_string(),
        detail: decision.detail,
        result,
        error: error.map(|fault| PersonFailure { code: fault.code, message: fault.message }),
        left_out: false,
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
