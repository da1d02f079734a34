//! From everything a run did to its report (docs/command-line.md, "Streams").
//!
//! Owns: the counts of the report, and which exit code they add up to.
//! Leaves to others: everybody's own line (`people`), formats (`report`).
//! A newcomer gets wrong: in a plan the counts are of what would be done; in a run only of what was done.

use super::desk::{Desk, PAGE};
use super::feed::Feed;
use super::house::{House, Mode};
use super::judge::DeskPlan;
use super::limits::Guarded;
use crate::error::Trouble;
use crate::exit::Exit;
use crate::http::Counts;
use crate::model::{ChangeKind, PersonResult, rfc3339};
use crate::pipeline::Pipeline;
use crate::plan::{Checked, PlanDigest, SourceState};
use crate::report::{LimitLine, MisplacedLine, RequestLine, RunReport, SourceLine, TargetLine};
use crate::state::{DecisionCursor, DecisionFilter, ResultCount, Selection};

/// One target with everything that was decided and done; each decision with how it went is in the facts.
pub struct Finished {
    /// The target.
    pub desk: Desk,
    /// What was decided.
    pub plan: DeskPlan,
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

impl Writes {
    /// How a change went that has no result of its own.
    pub fn otherwise(self) -> PersonResult {
        match self {
            Self::Planned => PersonResult::Planned,
            Self::Applied | Self::Limit | Self::NotBegun => PersonResult::NotDone,
        }
    }
}

/// Sources, targets and limits as lines, and the exit code they add up to.
pub(super) fn report(
    house: &House,
    pipeline: &Pipeline,
    feeds: &[Feed],
    desks: &[Finished],
    guarded: &Guarded,
    finished: std::time::SystemTime,
) -> Result<(RunReport, Exit), Trouble> {
    let counted = desks.iter().map(|desk| count(house, desk)).collect::<Result<Vec<_>, _>>()?;
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
    let missed = missed(house, desks)?;
    let stale = desks.iter().map(|desk| Ok(house.facts.count_missed(desk.desk.id())?)).sum::<Result<u64, Trouble>>()?;
    if !missed.is_empty() || stale > 0 {
        exit = exit.and(Exit::SomeFailed);
    }
    if desks.iter().any(|desk| !desk.desk.misplaced.is_empty()) {
        exit = exit.and(Exit::SomeFailed);
    }
    let mostly = feeds.iter().any(|feed| feed.counts.mostly_missed);
    if mostly || counted.iter().flatten().any(|(_, result, _)| failed(*result)) {
        exit = exit.and(Exit::SomeFailed);
    }
    let outcome = match (exit, house.mode) {
        (Exit::Done, Mode::Plan) => "planned",
        (exit, _) => exit.outcome(),
    };
    let time = |time| rfc3339(super::house::unix(time));
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
        plan_digest: Some(plan_digest(house, desks)?.to_string()),
        sources: feeds.iter().map(source_line).collect(),
        targets: desks.iter().zip(&counted).map(|(desk, counted)| target_line(desk, counted)).collect(),
        requests: requests(feeds, desks),
        limits: guarded.checked.iter().map(limit_line).collect(),
        misplaced: misplaced(house, desks),
        failures: house.naming.sentences(failures(feeds, desks)),
        notes: house.naming.sentences(notes(feeds, desks).into_iter().chain(missed).collect()),
    };
    Ok((report.shown(), exit))
}

/// A change that was to be made and was not.
fn failed(result: PersonResult) -> bool {
    matches!(result, PersonResult::Failed | PersonResult::Open | PersonResult::NotShown | PersonResult::NotDone)
}

/// The changes of a target by kind and by how they went.
fn count(house: &House, desk: &Finished) -> Result<Vec<(ChangeKind, PersonResult, u64)>, Trouble> {
    let results = house.facts.count_results(desk.desk.id())?;
    let went = |ResultCount { kind, result, count }| (kind, result.unwrap_or(desk.writes.otherwise()), count);
    Ok(results.into_iter().map(went).collect())
}

/// The digest over all changes, in the order of the file's targets.
fn plan_digest(house: &House, desks: &[Finished]) -> Result<crate::model::Digest, Trouble> {
    let mut digest = PlanDigest::default();
    for desk in desks.iter().filter(|desk| desk.plan.changes.count() > 0) {
        let filter = DecisionFilter { target: Some(desk.desk.id().clone()), selection: Selection::Changes };
        let mut after: Option<DecisionCursor> = None;
        loop {
            let page = house.facts.decisions(&filter, after.as_ref(), PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(DecisionCursor::of(last));
            page.iter().for_each(|change| digest.add(change));
        }
    }
    Ok(digest.finish())
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
        present: counts.photos.present,
        absent: counts.photos.absent,
        unknown: counts.photos.unknown,
        downloaded: counts.photos.downloaded,
    }
}

fn target_line(desk: &Finished, counted: &[(ChangeKind, PersonResult, u64)]) -> TargetLine {
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
    for (kind, result, count) in counted {
        match result {
            PersonResult::Done | PersonResult::Planned | PersonResult::NotShown => {
                let slot = match kind {
                    ChangeKind::Replace => &mut line.replaced,
                    ChangeKind::Revert => &mut line.reverted,
                    ChangeKind::Remove => &mut line.removed,
                    ChangeKind::Finish => &mut line.finished,
                    ChangeKind::Tidy => &mut line.tidied,
                };
                *slot += count;
            }
            PersonResult::Failed | PersonResult::Open => line.failed += count,
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

fn misplaced(house: &House, desks: &[Finished]) -> Vec<MisplacedLine> {
    let lines = desks.iter().flat_map(|desk| desk.desk.misplaced.iter().map(|one| one.line(desk.desk.id())));
    match house.naming.pseudonyms() {
        None => lines.collect(),
        Some(pseudonyms) => lines.map(|line| pseudonyms.misplaced(line)).collect(),
    }
}

/// Reviewed changes that this run did not even come to decide about.
fn missed(house: &House, desks: &[Finished]) -> Result<Vec<String>, Trouble> {
    let mut told = Vec::new();
    for (target, changes) in house.facts.reviewed_targets()? {
        let Some(desk) = desks.iter().find(|desk| *desk.desk.id() == target) else {
            told.push(format!(
                "{target}: the plan was of this target, which is not in the file: {changes} changes not made"
            ));
            continue;
        };
        if desk.desk.open.is_none() {
            told.push(format!("{target}: {changes} reviewed changes were not made"));
            continue;
        }
        let mut after = None;
        loop {
            let page = house.facts.reviewed_of_nobody(&target, after.as_ref(), PAGE)?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            told.extend(page.iter().map(|(account, change)| {
                format!("{target}: the reviewed change of account {account} ({change}) was not made: it is not listed any more")
            }));
        }
    }
    Ok(told)
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
        let asides = desk.desk.target.asides();
        surveyed
            .chain(upload)
            .chain(&lost)
            .chain(&asides)
            .map(|note| format!("{}: {note}", desk.desk.id()))
            .collect::<Vec<_>>()
    });
    sources.chain(targets).collect()
}

/// Pictures that stand there and cannot be put back once this plan is done (docs/write-protocols.md, "Bitbucket").
fn not_kept(desk: &Finished) -> Option<String> {
    let why = desk.desk.target.keeps_no_earlier_picture()?;
    let gone = desk.plan.not_kept;
    (gone > 0).then(|| format!("{why}: {gone} that stood there before this plan cannot be put back after it"))
}
