//! From everything a run did to its report (docs/command-line.md, "Streams").
//!
//! Owns: the counts of the report, and which exit code they add up to.
//! Leaves to others: everybody's own line (`people`), formats (`report`).
//! A newcomer gets wrong: in a plan the counts are of what would be done; in a run only of what was done.

use super::context::{Mode, RunContext};
use super::finished_target::{FinishedTarget, Writes};
use super::limits::Guarded;
use super::map_rows::slips_of_maps;
use super::pages::{PAGE, each_page};
use super::reviewed::SavedChange;
use super::slips::slips;
use super::source_run::SourceRun;
use super::target_plan::PlanCount;
use crate::error::Trouble;
use crate::exit::Exit;
use crate::http::Counts;
use crate::model::{Change, PersonResult, Reason, TargetId, counted, rfc3339};
use crate::plan::{Checked, PlanDigest, SourceState};
use crate::report::{LimitLine, MisplacedLine, RequestLine, RunReport, SourceLine, TargetLine};
use crate::settings::{Pipeline, Placed, Rate};
use crate::state::{DecisionCursor, DecisionFilter, DecisionKinds, ResultCount};

/// Sources, targets and limits as lines, and the exit code they add up to.
pub(super) fn report(
    context: &RunContext,
    pipeline: &Pipeline,
    source_runs: &[SourceRun],
    targets: &[FinishedTarget],
    guarded: &Guarded,
    finished: std::time::SystemTime,
) -> Result<(RunReport, Exit), Trouble> {
    let counted = targets.iter().map(|done| count(context, done)).collect::<Result<Vec<_>, _>>()?;
    let mut exit = if context.stop.requested() { Exit::Stopped } else { Exit::Done };
    for failure in source_runs.iter().filter_map(|source_run| source_run.failure.as_ref()) {
        exit = exit.and(failure.kind.into());
    }
    for failure in targets.iter().filter_map(|done| done.target_run.failure.as_ref()) {
        exit = exit.and(failure.kind.into());
    }
    if guarded.checked.iter().any(|check| check.broken) {
        exit = exit.and(Exit::Limit);
    }
    let missed = missed(context, targets)?;
    let (mut target_lines, mut made_again) = (Vec::with_capacity(targets.len()), Vec::new());
    for (done, counted) in targets.iter().zip(&counted) {
        let id = done.target_run.id();
        let not_asked = context.facts.count_for(id, Reason::NotAsked)?;
        let not_made = context.facts.count_missed(id)?
            + missed.iter().filter(|one| one.target == *id).map(|one| one.changes).sum::<u64>();
        let left = context.facts.count_not_made_again(id)?;
        if left > 0 && context.mode == Mode::Run && done.writes != Writes::Planned {
            made_again.push(format!(
                "{id}: {left} of the pictures that --rerender makes again were not made; no later run does it unless it is told --rerender"
            ));
        }
        let mut line = TargetLine { not_asked, not_made, ..target_line(done, counted) };
        if context.is_undo() {
            for reason in [Reason::UndoGone, Reason::UndoLocked, Reason::TargetFrozen] {
                line.not_given_back += context.facts.count_for(id, reason)?;
            }
        }
        target_lines.push(line);
    }
    // Of an undoing, of which nothing is left to give back.
    let is_gone = |line: &TargetLine| line.not_given_back > 0 && line.state != "frozen";
    let gives_back = counted.iter().flatten().any(|(change, ..)| change.writes());
    if target_lines.iter().any(is_gone) && !gives_back {
        exit = exit.and(Exit::SomeFailed);
    }
    if !missed.is_empty() || target_lines.iter().any(|line| line.not_made > 0 || line.still_shown > 0) {
        exit = exit.and(Exit::SomeFailed);
    }
    if targets.iter().any(|done| !done.target_run.misplaced.is_empty() || done.plan.count(PlanCount::Locked) > 0) {
        exit = exit.and(Exit::SomeFailed);
    }
    let mostly = source_runs.iter().any(|source_run| source_run.counts.mostly_missed);
    if mostly || counted.iter().flatten().any(|(_, result, _)| failed(*result)) {
        exit = exit.and(Exit::SomeFailed);
    }
    let (slips, rows) = (slips(context, source_runs)?, slips_of_maps(context, source_runs, targets)?);
    let probable = slips.probable + rows.probable;
    if probable > 0 {
        exit = exit.and(Exit::SomeFailed);
    }
    let outcome = match (exit, context.mode) {
        (Exit::Done, Mode::Plan) => "planned",
        (exit, _) => exit.outcome(),
    };
    let time = |time| rfc3339(super::context::unix(time));
    let source_lines: Vec<_> = source_runs.iter().map(source_line).collect();
    let served = RunReport::serves(&source_lines, &target_lines);
    let other_state = if missed.is_empty() && target_lines.iter().all(|line| line.not_made == 0) {
        None
    } else {
        other_state(context)?
    };
    let adopted: u64 = target_lines.iter().map(|line| line.adopted).sum();
    let new_state = (adopted > 0 && is_first(context)?).then(|| {
        let ours = crate::model::counted(adopted, "picture was taken for one of ours by its looks", "pictures were taken for ours by their looks");
        format!("no earlier run is on record: the state is new or was lost, and {ours}; docs/guide/ci.md says what a lost state costs")
    });
    let idle = (context.mode == Mode::Run && !served).then(|| served_nobody(&source_lines));
    let waiting = waiting(context)?;
    let missed = missed.into_iter().map(|one| one.words);
    let report = RunReport {
        format: 1,
        tool: concat!("avatarpipe ", env!("CARGO_PKG_VERSION")).to_owned(),
        pipeline: pipeline.name.clone(),
        pipeline_digest: pipeline.digest.to_string(),
        command: context.command.to_owned(),
        run: context.run.to_string(),
        outcome: outcome.to_owned(),
        exit_code: exit.code(),
        stopped_by: context.stop.cause().map(|cause| cause.word().to_owned()),
        started: time(context.started),
        finished: time(finished),
        last_success: None,
        served,
        plan_digest: Some(plan_digest(context, targets)?.to_string()),
        reviewed_plan: context.reviewed.as_ref().map(|plan| plan.digest.to_string()),
        sources: source_lines,
        targets: target_lines,
        requests: requests(pipeline, source_runs, targets),
        limits: guarded.checked.iter().map(limit_line).collect(),
        store: None,
        credentials: Vec::new(),
        misplaced: misplaced(context, targets),
        slips: probable,
        failures: context.naming.sentences(failures(source_runs, targets)),
        notes: context.naming.sentences(
            idle.into_iter()
                .chain(waiting)
                .chain(new_state)
                .chain(other_state)
                .chain(made_again)
                .chain(slips.notes)
                .chain(rows.notes)
                .chain(notes(context, source_runs, targets))
                .chain(missed)
                .chain(guarded.unneeded())
                .collect(),
        ),
    };
    Ok((report.shown(), exit))
}

/// A forgotten line of the file is not noticed by an exit code.
fn served_nobody(sources: &[SourceLine]) -> String {
    let why = match !sources.is_empty() && sources.iter().all(|source| source.state == "disabled") {
        true => "every source has `enabled: false`",
        false => "every target is on `freeze` or `dry_run`",
    };
    format!("nobody was served: {why}; this is no success for `status --max-age` and the heartbeat")
}

/// A plan writes nothing, not even that a write of an earlier run came to nothing: it may wait although there is nothing to do.
fn waiting(context: &RunContext) -> Result<Option<String>, Trouble> {
    let open = if context.mode == Mode::Plan { context.store.count_open()? } else { 0 };
    Ok((open > 0).then(|| {
        let writes = counted(open, "write of an earlier run is open", "writes of earlier runs are open");
        format!("{writes} on record, whatever there is to do: the next `run` looks first what became of it")
    }))
}

/// Whether the state knows no run but this one.
fn is_first(context: &RunContext) -> Result<bool, Trouble> {
    Ok(context.store.runs(2)?.iter().all(|run| run.row.id == context.run))
}

/// What is said where the state does not know the run after which the plan was made.
fn other_state(context: &RunContext) -> Result<Option<String>, Trouble> {
    let Some(last) = context.reviewed.as_ref().and_then(|plan| plan.last_run.as_ref()) else { return Ok(None) };
    Ok(context.store.run(last)?.is_none().then(|| {
        format!(
            "the plan was made after run {last}, which the state here does not know: it is another state, an older copy or a new one, \
             and what the plan calls ours is not on record as ours here; bring that state here, or make and review a plan here"
        )
    }))
}

/// A change that was to be made and was not.
fn failed(result: PersonResult) -> bool {
    matches!(result, PersonResult::Failed | PersonResult::Open | PersonResult::NotShown | PersonResult::NotDone)
}

/// The changes of a target by kind and by how they went.
fn count(context: &RunContext, done: &FinishedTarget) -> Result<Vec<(Change, PersonResult, u64)>, Trouble> {
    let results = context.facts.count_results(done.target_run.id())?;
    let went = |ResultCount { change, result, count }| (change, result.unwrap_or(done.writes.otherwise()), count);
    Ok(results.into_iter().map(went).collect())
}

/// The digest over all changes, in the order of the file's targets.
fn plan_digest(context: &RunContext, targets: &[FinishedTarget]) -> Result<crate::model::Digest, Trouble> {
    let mut digest = PlanDigest::default();
    // Those of which a saved plan holds the changes, too.
    for done in targets {
        let Some(open) = &done.target_run.open else { continue };
        let filter = DecisionFilter { target: Some(done.target_run.id().clone()), kinds: DecisionKinds::Changes };
        for page in each_page(|after| context.facts.decisions(&filter, after, PAGE), DecisionCursor::of) {
            for decision in page? {
                let task = context.facts.task(&DecisionCursor::of(&decision))?;
                let Some(task) = task else { continue };
                let change = SavedChange::of(&decision, &task.step, &open.size.recipe);
                digest.add(change.parts(&decision.to));
            }
        }
    }
    Ok(digest.finish())
}

fn source_line(source_run: &SourceRun) -> SourceLine {
    let counts = &source_run.counts;
    SourceLine {
        id: source_run.id().to_string(),
        state: match source_run.state {
            SourceState::Listed => "ok",
            SourceState::Disabled => "disabled",
            // The failure says which.
            SourceState::Failed | SourceState::Stopped => "failed",
        }
        .to_owned(),
        people: counts.people,
        in_scope: counts.in_scope,
        present: counts.photos.present,
        absent: counts.photos.absent,
        unknown: counts.photos.unknown,
        unusable: counts.photos.unusable,
        downloaded: counts.photos.downloaded,
    }
}

fn target_line(done: &FinishedTarget, counted: &[(Change, PersonResult, u64)]) -> TargetLine {
    let count = |of| done.plan.count(of);
    let mut line = TargetLine {
        id: done.target_run.id().to_string(),
        state: match (done.target_run.failure.is_some(), done.target_run.entry.dry_run.value, done.writes) {
            (true, ..) => "failed",
            (_, _, Writes::Limit) => "limit",
            _ if done.target_run.entry.freeze.value => "frozen",
            (_, true, _) => "dry_run",
            _ => "ok",
        }
        .to_owned(),
        accounts: count(PlanCount::Accounts),
        matched: count(PlanCount::Matched),
        adopted: count(PlanCount::Adopted),
        unchanged: count(PlanCount::Unchanged),
        kept: count(PlanCount::Kept),
        still_shown: count(PlanCount::StillShown),
        conflicts: count(PlanCount::Conflicts),
        skipped: count(PlanCount::Skipped),
        ..TargetLine::default()
    };
    for (change, result, number) in counted {
        line.not_shown += if *result == PersonResult::NotShown { *number } else { 0 };
        match result {
            PersonResult::Done | PersonResult::Planned | PersonResult::NotShown => {
                let slot = match change {
                    Change::Replace => &mut line.replaced,
                    Change::Revert => &mut line.reverted,
                    Change::Remove => &mut line.removed,
                    Change::Finish => &mut line.finished,
                    Change::Tidy => &mut line.tidied,
                    Change::Unchanged | Change::Keep | Change::Conflict | Change::Skip => continue,
                };
                *slot += number;
            }
            PersonResult::Failed | PersonResult::Open => line.failed += number,
            PersonResult::NotDone => line.not_done += number,
            PersonResult::None => {}
        }
    }
    line
}

fn requests(pipeline: &Pipeline, source_runs: &[SourceRun], targets: &[FinishedTarget]) -> Vec<RequestLine> {
    let line = |endpoint: String, rate: &str, counts: Counts| {
        let speed = |rate: &Rate| f64::from(rate.units) / rate.per.as_secs_f64();
        RequestLine {
            endpoint,
            sent: counts.sent,
            units: counts.units,
            retried: counts.retried,
            throttled: counts.throttled,
            bytes_received: counts.bytes_received,
            rate: rate.to_owned(),
            per_second: pipeline.rates.get(rate).map(speed).unwrap_or_default(),
            ..RequestLine::default()
        }
    };
    let sources = source_runs.iter().filter_map(|source_run| {
        let counts = source_run.source.as_ref()?.counts();
        let forecast = source_run.counts.forecast;
        Some(RequestLine { forecast, ..line(source_run.id().to_string(), &source_run.entry.rate, counts) })
    });
    let targets = targets.iter().map(|FinishedTarget { target_run, .. }| RequestLine {
        forecast: target_run.sent_for_plan + target_run.forecast,
        for_pictures: target_run.sent_for_pictures,
        ..line(target_run.id().to_string(), &target_run.entry.rate, target_run.target.counts())
    });
    sources.chain(targets).collect()
}

pub(crate) fn limit_line(checked: &Checked) -> LimitLine {
    LimitLine {
        limit: checked.limit.word().to_owned(),
        scope: checked.scope.clone(),
        value: checked.value,
        of: checked.of,
        of_what: {
            let (one, many) = checked.limit.of_what();
            if checked.of == 1 { one } else { many }.to_owned()
        },
        allowed: checked.allowed,
        broken: checked.broken,
        overridden: checked.overridden,
        remedy: checked.remedy(),
    }
}

fn misplaced(context: &RunContext, targets: &[FinishedTarget]) -> Vec<MisplacedLine> {
    let lines =
        targets.iter().flat_map(|done| done.target_run.misplaced.iter().map(|one| one.line(done.target_run.id())));
    match context.naming.pseudonyms() {
        None => lines.collect(),
        Some(pseudonyms) => lines.map(|line| pseudonyms.misplaced(line)).collect(),
    }
}

/// Reviewed changes that this run did not even come to decide about.
struct Missed {
    target: TargetId,
    changes: u64,
    words: String,
}

fn missed(context: &RunContext, targets: &[FinishedTarget]) -> Result<Vec<Missed>, Trouble> {
    let mut told = Vec::new();
    for (target, changes) in context.facts.reviewed_targets()? {
        let all = |words: String| Missed { target: target.clone(), changes, words };
        let Some(done) = targets.iter().find(|done| *done.target_run.id() == target) else {
            told.push(all(format!(
                "{target}: the plan was of this target, which is not in the file: {}",
                counted(changes, "change not made", "changes not made")
            )));
            continue;
        };
        if done.target_run.open.is_none() {
            let changes = counted(changes, "reviewed change was not made", "reviewed changes were not made");
            told.push(all(format!("{target}: {changes}")));
            continue;
        }
        for page in each_page(|after| context.facts.reviewed_of_nobody(&target, after, PAGE), |(last, _)| last.clone())
        {
            told.extend(page?.into_iter().map(|(account, change)| Missed {
                target: target.clone(),
                changes: 1,
                words: format!("{target}: the reviewed change of account {account} ({change}) was not made: it is not listed any more"),
            }));
        }
    }
    Ok(told)
}

fn failures(source_runs: &[SourceRun], targets: &[FinishedTarget]) -> Vec<String> {
    let locked = targets.iter().filter_map(|done| match done.plan.count(PlanCount::Locked) {
        0 => None,
        some => {
            let pictures = counted(some, "kept picture", "kept pictures");
            Some(format!("{}: {pictures} cannot be opened", done.target_run.id()))
        }
    });
    let sources = source_runs
        .iter()
        .filter_map(|source_run| Some(format!("{}: {}", source_run.id(), source_run.failure.as_ref()?)));
    let targets = targets
        .iter()
        .filter_map(|done| Some(format!("{}: {}", done.target_run.id(), done.target_run.failure.as_ref()?)));
    sources.chain(targets).chain(locked).collect()
}

fn notes(context: &RunContext, source_runs: &[SourceRun], targets: &[FinishedTarget]) -> Vec<String> {
    let sources = source_runs
        .iter()
        .flat_map(|source_run| source_run.notes.iter().map(|note| format!("{}: {note}", source_run.id())));
    let noted = targets.iter().flat_map(|done| {
        let open = done.target_run.open.as_ref();
        let surveyed = open.into_iter().flat_map(|open| open.surveyed.notes.iter());
        let upload = open.and_then(|open| open.upload.note.as_ref());
        // What an undoing takes away is ours.
        let lost = if context.is_undo() { None } else { not_kept(done) };
        let asides = done.target_run.target.asides();
        let spared = spared(done);
        surveyed
            .chain(upload)
            .chain(&lost)
            .chain(&spared)
            .chain(&asides)
            .map(|note| format!("{}: {note}", done.target_run.id()))
            .collect::<Vec<_>>()
    });
    let excluded = targets.iter().flat_map(|done| {
        let told = |pattern: &Placed<String>| {
            let words = format!("no account fits the pattern `{}` of `accounts.exclude`", pattern.value);
            format!("{}: {words} ({})", pattern.place, done.target_run.id())
        };
        done.target_run.excludes_nobody().map(told).collect::<Vec<_>>()
    });
    excluded.chain(sources).chain(noted).collect()
}

/// The state cannot tell a person's own choice from the face that a run put there which this state has not seen.
fn spared(done: &FinishedTarget) -> Option<String> {
    let spared = done.plan.count(PlanCount::Spared);
    (spared > 0).then(|| {
        format!(
            "{} an uploaded picture that is not in this state: put there by somebody, or by a run that this state has not seen; \
             they are under `{}`: look at them, and take off by hand what they do not want shown",
            counted(spared, "person who opted out shows", "people who opted out show"),
            Reason::NotOurs.text()
        )
    })
}

/// Pictures that stand there and cannot be put back once this plan is done (docs/write-protocols.md, "Bitbucket").
fn not_kept(done: &FinishedTarget) -> Option<String> {
    let why = done.target_run.target.keeps_no_earlier_picture()?;
    let gone = done.plan.count(PlanCount::NotKept);
    (gone > 0).then(|| {
        format!("{why}: {gone} that stood there cannot be put back, and nothing is kept of them (`keep_replaced`)")
    })
}
