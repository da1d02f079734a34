//! What the terminal and the page of a CI job say in the same words.
//!
//! Owns: headings and their order, the columns of the counts, the sentence of a line. Leaves to others: how it is laid out
//! (`human`, `summary`).
//! A newcomer gets wrong: what must be mended comes first, then changes, then whom a rule leaves alone.

use std::fmt::Write as _;

use super::{ChangeLine, LimitLine, MisplacedLine, PersonLine, RunReport, SourceLine, TargetLine};
use crate::model::{PersonResult, Reason};

/// What the reader is told first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wording {
    /// What would be done.
    Plan,
    /// What was done.
    Run,
}

impl Wording {
    /// Of this report.
    pub(super) fn of(report: &RunReport) -> Self {
        if matches!(report.command.as_str(), "plan" | "undo") { Self::Plan } else { Self::Run }
    }

    /// Of what is told of one of its targets.
    pub(super) fn of_target(report: &RunReport, line: &TargetLine) -> Self {
        if line.is_dry_run() { Self::Plan } else { Self::of(report) }
    }
}

/// How it ended, in the words of the exit codes.
pub(super) fn outcome(report: &RunReport) -> &str {
    match report.outcome.as_str() {
        "partial" => partial(report),
        "limit" => "stopped by a limit",
        "refused" => "sign-in or permission refused",
        "unreachable" => "a source or target could not be reached, or failed as a whole",
        "stopped" => match report.stopped_by.as_deref() {
            Some("SIGINT") => "stopped by Ctrl-C; run again to go on",
            Some("SIGHUP") => "stopped by SIGHUP, since its terminal or session ended; run again to go on",
            Some("SIGTERM") => "stopped by SIGTERM; run again to go on",
            Some("max_duration") => "stopped, since its time (--max-duration) was up; run again to go on",
            _ => "stopped by a signal or the time budget; run again to go on",
        },
        "failed" if report.exit_code == 1 => "failed: a disk or a permission of this machine, or a fault of avatarpipe",
        outcome => outcome,
    }
}

/// What kept a run from being whole, the worst first.
fn partial(report: &RunReport) -> &'static str {
    let some = |of: fn(&TargetLine) -> u64| report.targets.iter().any(|line| of(line) > 0);
    if !report.misplaced.is_empty() {
        "finished, but a picture was put where it must not be"
    } else if some(|line| line.failed) {
        "finished, but some people failed"
    } else if some(|line| line.still_shown) {
        "finished, but a face has to be taken off by hand"
    } else if some(|line| line.not_made) {
        "finished, but not all that was reviewed was made"
    } else if some(|line| line.not_done) {
        "finished, but some changes were not begun"
    } else if some(|line| line.not_shown) {
        "finished, but some pictures were written and are not shown"
    } else if report.sources.iter().any(|line| line.unknown.saturating_sub(line.unusable) > line.present) {
        "finished, but most photos could not be learnt"
    } else if some(|line| line.not_given_back) {
        "finished, but not all can be given back"
    } else if report.slips > 0 {
        "finished, but an entry of `users` or a row of a map fits nobody and looks like a slip"
    } else {
        "finished, but not all is as it should be"
    }
}

/// What stands above lines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Heading {
    order: u8,
    /// The words.
    pub words: &'static str,
    /// The lines below would all say the same, which the heading says already.
    pub says_all: bool,
}

/// How much a section weighs, for whoever looks at colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SectionWeight {
    /// Something went wrong.
    Wrong,
    /// Something waits for somebody.
    Stopped,
    /// All as it should be.
    Other,
}

impl Heading {
    /// How much it weighs.
    pub(super) fn weight(&self) -> SectionWeight {
        match self.order {
            0..=3 => SectionWeight::Wrong,
            4..=9 | 30 => SectionWeight::Stopped,
            _ => SectionWeight::Other,
        }
    }
}

/// The answer in one sentence: what is or was to be done, then who is left alone.
pub(super) fn answer(report: &RunReport) -> String {
    let sum = |of: fn(&TargetLine) -> u64| report.targets.iter().map(of).sum::<u64>();
    let changes =
        [(Wording::Run, ["replaced", "reverted", "mended"]), (Wording::Plan, ["to replace", "to revert", "to mend"])]
            .into_iter()
            .flat_map(|(wording, words)| {
                let lines = || report.targets.iter().filter(move |line| Wording::of_target(report, line) == wording);
                let replaced = lines().map(|line| line.replaced).sum::<u64>();
                let reverted = lines().map(|line| line.reverted + line.removed).sum();
                let mended = lines().map(|line| line.tidied + line.finished).sum();
                [replaced, reverted, mended].into_iter().zip(words)
            })
            .collect::<Vec<_>>();
    let undone = [
        (sum(|line| line.failed), "failed"),
        (sum(|line| line.not_done), "not begun"),
        (sum(|line| line.not_shown), "written and not shown"),
        (not_made(report), "reviewed and not made"),
    ];
    let rest = [
        (sum(|line| line.still_shown), "to take off by hand"),
        (sum(|line| line.unchanged + line.adopted), "unchanged"),
        (sum(|line| line.conflicts), "in conflict"),
        (sum(TargetLine::left_alone), "left alone"),
    ];
    let told = |counts: &[(u64, &str)]| {
        let some = counts.iter().filter(|(count, _)| *count > 0);
        some.map(|(count, words)| format!("{count} {words}")).collect::<Vec<_>>().join(", ")
    };
    let done = told(&[&changes[..], &undone[..]].concat());
    // Where something failed as a whole nobody knows what is to do.
    let done = match (done.is_empty(), report.exit_code, report.failures.is_empty()) {
        (false, ..) => done,
        (true, 0 | 3, true) => match sum(|line| line.not_given_back) {
            left @ 1.. => format!("nothing can be given back: {left}"),
            _ if report.exit_code == 0 => "nothing to do".to_owned(),
            _ => "nothing was done".to_owned(),
        },
        (true, ..) => "nothing was done".to_owned(),
    };
    [done, told(&rest)].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}

/// Whether a limit kept a change from being made.
fn is_stopped_by_limit(line: &PersonLine) -> bool {
    line.result == PersonResult::NotDone && line.error.as_ref().is_some_and(|error| error.code == "limit")
}

/// Headings in the order of what a reader must see first.
pub(super) fn heading(line: &PersonLine, wording: Wording) -> Heading {
    let (order, words) = match (line.result, line.is_change()) {
        (PersonResult::Failed, _) => (0, "failed"),
        (PersonResult::Open, true) => (1, "open: the next run looks again"),
        (PersonResult::NotShown, true) => (2, "written, but not shown"),
        (PersonResult::NotDone, true) => not_done(line),
        (PersonResult::NotDone, false) => NOT_MADE,
        (PersonResult::Planned, true) => to_do(&line.change.kind),
        (_, true) if wording == Wording::Plan => to_do(&line.change.kind),
        (_, true) => done(&line.change.kind),
        (_, false) if line.left_out => LEFT_OUT,
        (_, false) => left(line),
    };
    let says_all = !line.is_change()
        && (line.left_out
            || matches!(line.reason.as_str(), "not_selected" | "source_unreachable" | "not_asked" | "target_frozen"));
    Heading { order, words, says_all: says_all && order > NOT_MADE.0 }
}

/// Reviewed changes that were not made, also those of accounts and targets that have no line, since they are not there any more.
fn not_made(report: &RunReport) -> u64 {
    report.targets.iter().map(|line| line.not_made).sum()
}

/// What stands above lines, with how many there are: those without a line of their own are told under `notes`.
pub(super) fn title(report: &RunReport, heading: &Heading, lines: u64) -> String {
    let all = if heading.order == NOT_MADE.0 { not_made(report).max(lines) } else { lines };
    let elsewhere = if all > lines { format!(", {} of them under `notes`", all - lines) } else { String::new() };
    format!("{} ({all}{elsewhere})", heading.words)
}

const NOT_MADE: (u8, &str) = (3, "reviewed, but not made");

fn not_done(line: &PersonLine) -> (u8, &'static str) {
    match (is_stopped_by_limit(line), line.change.kind.as_str()) {
        (true, "revert") => (4, "stopped by a limit, to revert"),
        (true, "remove") => (5, "stopped by a limit, to revert: it must not stand there"),
        (true, "replace") => (6, "stopped by a limit, to replace"),
        (true, _) => (7, "stopped by a limit, to mend"),
        (false, _) => (8, "not begun"),
    }
}

fn to_do(kind: &str) -> (u8, &'static str) {
    match kind {
        "revert" => (10, "to revert"),
        "remove" => (11, "to revert: it must not stand there"),
        "replace" => (12, "to replace"),
        "finish" => (13, "to mend: a half-done write of an earlier run to complete"),
        _ => (14, "to mend: a leftover of an earlier run to take away"),
    }
}

fn done(kind: &str) -> (u8, &'static str) {
    match kind {
        "revert" => (20, "reverted"),
        "remove" => (21, "reverted: it must not stand there"),
        "replace" => (22, "replaced"),
        "finish" => (23, "mended: a half-done write of an earlier run was completed"),
        _ => (24, "mended: a leftover of an earlier run was taken away"),
    }
}

const LEFT_OUT: (u8, &str) = (34, "left out by --only or --target");

fn left(line: &PersonLine) -> (u8, &'static str) {
    match (line.change.kind.as_str(), line.reason.as_str()) {
        (_, "still_shown") => (9, "to take off by hand"),
        ("conflict", _) => (30, "in conflict"),
        (_, "not_asked") => (35, "left alone: not asked any more, the run was stopped or its time was up"),
        (_, "source_unreachable") => (31, "left alone, since a source could not be read"),
        (_, "target_frozen") => (36, "left alone, since the target is frozen"),
        (_, "not_selected") => LEFT_OUT,
        ("skip", _) => (33, "left alone, not looked at"),
        _ => (32, "left alone by a rule"),
    }
}

/// The sources with their columns: what is not known of a photo, or what is unusable, only where there is such a one, and so
/// whoever was not asked about; together the people in scope.
pub(super) fn source_table(report: &RunReport) -> Table {
    let photos = asked_about_photos(report);
    let columns: [Column<SourceLine>; 8] = [
        ("people", |line| line.people, Shown::Always),
        ("in scope", |line| line.in_scope, Shown::Always),
        ("photo", |line| line.present, photos),
        ("none", |line| line.absent, photos),
        ("unusable", |line| line.unusable, Shown::IfAny),
        ("unknown", |line| line.unknown.saturating_sub(line.unusable), photos),
        ("not asked", not_asked, if photos == Shown::Always { Shown::IfAny } else { Shown::Never }),
        ("downloaded", |line| line.downloaded, photos),
    ];
    table("source", &report.sources.iter().collect::<Vec<_>>(), &columns, |line| (&line.id, &line.state))
}

/// An undoing asks for no photo and goes by what is on record.
fn asked_about_photos(report: &RunReport) -> Shown {
    if report.command.starts_with("undo") { Shown::IfAny } else { Shown::Always }
}

/// People in scope without an account that needs their photo; of a source that failed nobody knows.
fn not_asked(line: &SourceLine) -> u64 {
    let known = line.present + line.absent + line.unknown;
    if line.state == "ok" { line.in_scope.saturating_sub(known) } else { 0 }
}

/// A count of a line, and when it has a column.
type Column<L> = (&'static str, fn(&L) -> u64, Shown);

/// When a column is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Always,
    /// Where it is not 0 throughout.
    IfAny,
    /// Of what was not asked it says nothing.
    Never,
}

fn table<L>(first: &'static str, lines: &[&L], columns: &[Column<L>], named: fn(&L) -> (&str, &str)) -> Table {
    let any = |column: &Column<L>| lines.iter().any(|line| column.1(line) > 0);
    let has = |column: &&Column<L>| match column.2 {
        Shown::Always => true,
        Shown::IfAny => any(column),
        Shown::Never => false,
    };
    let columns: Vec<_> = columns.iter().filter(has).collect();
    let heads = std::iter::once(first).chain(columns.iter().map(|column| column.0)).collect();
    let row = |line: &&L| {
        let (id, state) = named(line);
        let name = if state == "ok" { id.to_owned() } else { format!("{id} ({state})") };
        std::iter::once(name).chain(columns.iter().map(|column| column.1(line).to_string())).collect()
    };
    (heads, lines.iter().map(row).collect())
}

/// A table with its columns.
pub(super) type Table = (Vec<&'static str>, Vec<Vec<String>>);

/// The tables of the targets: those that were written to, and those of which is told what would be.
pub(super) fn target_tables(report: &RunReport) -> Vec<Table> {
    let tables = [Wording::Run, Wording::Plan].map(|wording| {
        let lines = report.targets.iter().filter(|line| Wording::of_target(report, line) == wording);
        target_table(&lines.collect::<Vec<_>>(), wording, asked_about_photos(report))
    });
    tables.into_iter().filter(|(_, rows)| !rows.is_empty()).collect()
}

fn target_table(lines: &[&TargetLine], wording: Wording, matched: Shown) -> Table {
    let [replaced, reverted, mended] = match wording {
        Wording::Run => ["replaced", "reverted", "mended"],
        Wording::Plan => ["to replace", "to revert", "to mend"],
    };
    let columns: [Column<TargetLine>; 12] = [
        ("accounts", |line| line.accounts, Shown::Always),
        ("matched", |line| line.matched, matched),
        (replaced, |line| line.replaced, Shown::Always),
        (reverted, |line| line.reverted + line.removed, Shown::Always),
        ("unchanged", |line| line.unchanged + line.adopted, Shown::Always),
        ("in conflict", |line| line.conflicts, Shown::IfAny),
        ("by hand", |line| line.still_shown, Shown::IfAny),
        ("left alone", TargetLine::left_alone, Shown::Always),
        (mended, |line| line.tidied + line.finished, Shown::Always),
        ("failed", |line| line.failed, Shown::Always),
        ("not begun", |line| line.not_done, Shown::IfAny),
        // Replaced or reverted as far as the server said; nobody saw it there.
        ("not shown", |line| line.not_shown, Shown::IfAny),
    ];
    table("target", lines, &columns, |line| (&line.id, &line.state))
}

/// What a reader must see before anything else.
pub(super) fn misplaced(report: &RunReport) -> Vec<String> {
    report.misplaced.iter().map(MisplacedLine::sentence).collect()
}

/// The limits that stopped something, or would have; then those that are near.
pub(super) fn limits(report: &RunReport) -> Vec<String> {
    let (broken, rest): (Vec<_>, Vec<_>) = report.limits.iter().partition(|limit| limit.broken || limit.overridden);
    let near = rest.into_iter().filter(|limit| is_near(limit));
    broken.into_iter().map(limit_sentence).chain(near.map(|limit| limit_sentence(limit) + "; near its limit")).collect()
}

/// From four fifths of what is allowed. One that lets everything pass is never near.
fn is_near(limit: &LimitLine) -> bool {
    limit.value > 0
        && limit.allowed.is_some_and(|most| most < limit.of && limit.value.saturating_mul(5) >= most.saturating_mul(4))
}

/// A limit in one sentence, with what to write to get past it.
pub(crate) fn limit_sentence(limit: &LimitLine) -> String {
    let allowed = limit.allowed.map_or_else(|| "no limit".to_owned(), |n| format!("allowed {n}"));
    let LimitLine { limit: name, scope, value, of, of_what, .. } = limit;
    let of = if of_what.is_empty() { of.to_string() } else { format!("{of} {of_what}") };
    let mut text = format!("{name} of {scope}: found {value} of {of}, {allowed}");
    match (&limit.remedy, limit.overridden) {
        (Some(remedy), _) => _ = write!(text, "; {remedy}"),
        (None, true) => text.push_str("; let pass by --allow"),
        (None, false) => {}
    }
    text
}

/// What the account showed, and what it is to show, in words.
pub(super) fn picture(line: &PersonLine) -> String {
    let ChangeLine { from, to, .. } = &line.change;
    if line.is_change() && from != to { change_in_words(from, to, &line.reason) } else { in_words(from).to_owned() }
}

/// `default → photo`.
pub(crate) fn change_in_words(from: &str, to: &str, reason: &str) -> String {
    let new = match (from.starts_with(DIGEST), to.starts_with(DIGEST)) {
        (_, true) if reason == Reason::Undone.word() => "our earlier picture",
        (true, true) => "new photo",
        (_, true) => "photo",
        _ => in_words(to),
    };
    format!("{} → {new}", in_words(from))
}

/// What begins the digest of a picture of ours.
const DIGEST: &str = "b3:";

fn in_words(picture: &str) -> &str {
    match picture.split_once(':') {
        Some(("b3", _)) => "our picture",
        Some(("foreign", whose)) if whose.starts_with("of:") => "another account's picture",
        Some(("foreign", _)) => "uploaded picture",
        Some(("system", _)) => "stock picture",
        _ if picture == "unknown" => "not known",
        _ => picture,
    }
}

/// The same for whoever compares pictures.
pub(super) fn picture_by_digest(line: &PersonLine) -> String {
    if line.is_change() && line.change.from != line.change.to {
        format!("{} → {}", short(&line.change.from), short(&line.change.to))
    } else {
        short(&line.change.from)
    }
}

/// What the source calls the person.
pub(super) fn name(line: &PersonLine) -> Option<&str> {
    line.person.as_ref()?.name.as_deref()
}

/// What went wrong, unless the heading says it.
pub(super) fn wrong(line: &PersonLine) -> Option<String> {
    let error = line.error.as_ref().filter(|_| !is_stopped_by_limit(line))?;
    Some(format!("[{}] {}", error.code, error.message))
}

/// A digest, cut to what an eye can compare.
pub(crate) fn short_digest(digest: &str) -> &str {
    digest.get(..DIGEST.len() + 8).unwrap_or(digest)
}

/// The plans that a report tells of: the one that was reviewed, and what was planned.
pub(super) fn plans(report: &RunReport) -> Vec<(&'static str, &str)> {
    let all = [("reviewed plan", &report.reviewed_plan), ("plan", &report.plan_digest)];
    all.into_iter().filter_map(|(what, digest)| Some((what, short_digest(digest.as_deref()?)))).collect()
}

/// Digests are cut to what an eye can compare, also that of a file in a folder.
fn short(picture: &str) -> String {
    match picture.split_once(DIGEST) {
        Some((before @ ("" | "foreign:"), hex)) => format!("{before}{DIGEST}{}", hex.get(..8).unwrap_or(hex)),
        _ => picture.to_owned(),
    }
}
