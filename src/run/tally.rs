//! From everything a run did to its report (design §6, `run.json`).
//!
//! Owns: the counts and lines of the report, and which exit code they add up to.
//! Leaves to others: formats (`report`).
//! A newcomer gets wrong: in a plan the counts are of what would be done; in a run only of what was done.

use super::apply::Results;
use super::desk::Desk;
use super::feed::Feed;
use super::house::{House, Mode};
use super::judge::DeskPlan;
use super::limits::Guarded;
use crate::error::Trouble;
use crate::exit::Exit;
use crate::http::{Counts, redact};
use crate::model::{ChangeKind, Decision, Fault, Picture, Verdict};
use crate::pipeline::Pipeline;
use crate::plan::{Checked, SourceState};
use crate::report::{
    AccountLine, ChangeLine, LimitLine, PersonFailure, PersonLine, PersonResult, PersonWho, RequestLine, RunReport,
    SourceLine, TargetLine,
};
use crate::state::{DecisionCursor, DecisionFilter, Selection};

/// One target with everything that was decided and done.
pub struct Finished {
    /// The target.
    pub desk: Desk,
    /// What was decided.
    pub plan: DeskPlan,
    /// How each change went; empty in a plan.
    pub results: Results,
    /// Whether it was to be written to at all.
    pub writes: Writes,
}

/// Whether a target was to be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// Yes.
    Applied,
    /// This is a plan, or the target is on dry run.
    Planned,
    /// A limit stopped it.
    Limit,
    /// The run was asked to stop before it came to writing.
    NotBegun,
}

/// Sources, targets and limits as lines, and the exit code they add up to.
pub fn report(
    house: &House,
    pipeline: &Pipeline,
    feeds: &[Feed],
    desks: &[Finished],
    guarded: &Guarded,
    finished: std::time::SystemTime,
) -> Result<(RunReport, Exit), Trouble> {
    let mut people = Vec::new();
    for desk in desks {
        people.extend(lines_of(house, desk)?);
    }
    let mut exit = if house.stop.requested() { Exit::Stopped } else { Exit::Done };
    for failure in feeds.iter().filter_map(|feed| feed.failure.as_ref()) {
        exit = exit.and(failure.kind.into());
    }
    for failure in desks.iter().filter_map(|desk| desk.desk.failure.as_ref()) {
        exit = exit.and(failure.kind.into());
    }
    if guarded.checked.iter().any(|check| check.broken) {
        exit = exit.and(Exit::Limit);
    }
    if people.iter().any(|line: &PersonLine| failed(line)) {
        exit = exit.and(Exit::SomeFailed);
    }
    let outcome = match (exit, house.mode) {
        (Exit::Done, Mode::Plan) => "planned",
        (exit, _) => exit.outcome(),
    };
    let changes = desks.iter().flat_map(|desk| desk.plan.changes.iter().map(|planned| &planned.decision));
    let time = |time| humantime::format_rfc3339_seconds(time).to_string();
    let report = RunReport {
        format: 1,
        tool: concat!("avatarpipe ", env!("CARGO_PKG_VERSION")).to_owned(),
        pipeline: pipeline.name.clone(),
        pipeline_digest: pipeline.digest.to_string(),
        command: house.mode.word().to_owned(),
        run: house.run.to_string(),
        outcome: outcome.to_owned(),
        exit_code: exit.code(),
        started: time(house.started),
        finished: time(finished),
        plan_digest: Some(crate::plan::plan_digest(changes).to_string()),
        sources: feeds.iter().map(source_line).collect(),
        targets: desks.iter().map(|desk| target_line(desk, &people)).collect(),
        requests: requests(feeds, desks),
        limits: guarded.checked.iter().map(limit_line).collect(),
        failures: failures(feeds, desks),
        notes: notes(feeds, desks),
        people,
    };
    Ok((report, exit))
}

/// A change that was to be made and was not, or a photo of which nothing could be learnt.
fn failed(line: &PersonLine) -> bool {
    matches!(line.result, PersonResult::Failed | PersonResult::Open | PersonResult::NotShown | PersonResult::NotDone)
}

fn lines_of(house: &House, desk: &Finished) -> Result<Vec<PersonLine>, Trouble> {
    let filter = DecisionFilter { target: Some(desk.desk.id().clone()), selection: Selection::Reported };
    let mut lines = Vec::new();
    let mut after: Option<DecisionCursor> = None;
    if desk.desk.open.is_none() {
        return Ok(lines);
    }
    loop {
        let page = house.facts.decisions(&filter, after.as_ref(), super::desk::PAGE)?;
        let Some(last) = page.last() else { return Ok(lines) };
        after = Some(DecisionCursor::of(last));
        lines.extend(page.into_iter().map(|decision| line(desk, decision)));
    }
}

fn line(desk: &Finished, decision: Decision) -> PersonLine {
    let went = desk.results.get(&DecisionCursor::of(&decision));
    let (result, error) = match (decision.verdict, went, desk.writes) {
        (Verdict::Change(_), Some(went), _) => (went.result, went.error.clone()),
        (Verdict::Change(_), None, Writes::Planned) => (PersonResult::Planned, None),
        (Verdict::Change(_), None, Writes::Limit) => {
            (PersonResult::NotDone, Some(Fault::new("limit", "a limit stopped the target; nothing was written to it")))
        }
        (Verdict::Change(_), None, _) => (PersonResult::NotDone, Some(Fault::new("stopped", "it was not begun"))),
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

fn source_line(feed: &Feed) -> SourceLine {
    let counts = &feed.counts;
    SourceLine {
        id: feed.id().to_string(),
        state: match feed.state {
            SourceState::Listed => "ok",
            SourceState::Disabled => "disabled",
            SourceState::Failed => "failed",
        }
        .to_owned(),
        people: counts.people,
        in_scope: counts.in_scope,
        present: counts.present,
        absent: counts.absent,
        unknown: counts.unknown,
        downloaded: counts.downloaded,
    }
}

fn target_line(desk: &Finished, people: &[PersonLine]) -> TargetLine {
    let counts = &desk.plan.counts;
    let mut line = TargetLine {
        id: desk.desk.id().to_string(),
        state: match (desk.desk.failure.is_some(), desk.desk.entry.dry_run, desk.writes) {
            (true, ..) => "failed",
            (_, _, Writes::Limit) => "limit",
            (_, true, _) => "dry_run",
            _ => "ok",
        }
        .to_owned(),
        accounts: counts.accounts,
        matched: counts.matched,
        adopted: counts.adopted,
        unchanged: counts.unchanged,
        kept: counts.kept,
        conflicts: counts.conflicts,
        skipped: counts.skipped,
        ..TargetLine::default()
    };
    for person in people.iter().filter(|person| person.target == line.id) {
        match person.result {
            PersonResult::Done | PersonResult::Planned | PersonResult::NotShown => {
                let slot = match ChangeKind::of_word(&person.change.kind) {
                    Some(ChangeKind::Replace) => &mut line.replaced,
                    Some(ChangeKind::Revert) => &mut line.reverted,
                    Some(ChangeKind::Remove) => &mut line.removed,
                    Some(ChangeKind::Finish) => &mut line.finished,
                    Some(ChangeKind::Tidy) => &mut line.tidied,
                    None => continue,
                };
                *slot += 1;
            }
            PersonResult::Failed | PersonResult::Open => line.failed += 1,
            PersonResult::None | PersonResult::NotDone => {}
        }
    }
    line
}

fn requests(feeds: &[Feed], desks: &[Finished]) -> Vec<RequestLine> {
    let line = |endpoint: String, counts: Counts, forecast: u64| RequestLine {
        endpoint,
        sent: counts.sent,
        units: counts.units,
        retried: counts.retried,
        throttled: counts.throttled,
        bytes_received: counts.bytes_received,
        forecast,
    };
    let sources = feeds.iter().filter_map(|feed| {
        let counts = feed.source.as_ref()?.counts();
        Some(line(feed.id().to_string(), counts, feed.counts.forecast))
    });
    let targets = desks.iter().map(|desk| {
        let forecast = desk.desk.sent_for_plan + desk.desk.forecast;
        line(desk.desk.id().to_string(), desk.desk.target.counts(), forecast)
    });
    sources.chain(targets).collect()
}

fn limit_line(checked: &Checked) -> LimitLine {
    LimitLine {
        limit: checked.limit.word().to_owned(),
        scope: checked.scope.clone(),
        value: checked.value,
        of: checked.of,
        allowed: checked.allowed,
        broken: checked.broken,
        overridden: checked.overridden,
        remedy: checked.remedy(),
    }
}

fn failures(feeds: &[Feed], desks: &[Finished]) -> Vec<String> {
    let sources = feeds.iter().filter_map(|feed| Some(format!("{}: {}", feed.id(), feed.failure.as_ref()?)));
    let targets = desks.iter().filter_map(|desk| Some(format!("{}: {}", desk.desk.id(), desk.desk.failure.as_ref()?)));
    sources.chain(targets).collect()
}

fn notes(feeds: &[Feed], desks: &[Finished]) -> Vec<String> {
    let sources = feeds.iter().flat_map(|feed| feed.notes.iter().map(|note| format!("{}: {note}", feed.id())));
    let targets = desks.iter().flat_map(|desk| {
        let open = desk.desk.open.as_ref();
        let surveyed = open.into_iter().flat_map(|open| open.surveyed.notes.iter());
        let upload = open.and_then(|open| open.upload.note.as_ref());
        let lost = not_kept(desk);
        surveyed.chain(upload).chain(&lost).map(|note| format!("{}: {note}", desk.desk.id())).collect::<Vec<_>>()
    });
    sources.chain(targets).collect()
}

/// Pictures that stand there and cannot be put back once this plan is done (`write-protocols.md`, Bitbucket).
fn not_kept(desk: &Finished) -> Option<String> {
    let why = desk.desk.target.keeps_no_earlier_picture()?;
    let goes = |decision: &Decision| {
        let kind = decision.verdict.change();
        matches!(kind, Some(ChangeKind::Replace | ChangeKind::Revert | ChangeKind::Remove))
            && matches!(decision.from, Picture::Ours(_) | Picture::Foreign(_))
    };
    let gone = desk.plan.changes.iter().filter(|planned| goes(&planned.decision)).count();
    (gone > 0).then(|| format!("{why}: {gone} that stood there before this plan cannot be put back after it"))
}
