//! The answer on a terminal: what was done, what was left alone and why, what stopped.
//!
//! Owns: the tables and the order of the sections. Leaves to others: the same for programs (`json`) and for pages (`summary`).
//! A newcomer gets wrong: counts always come with their whole, and long lists are cut here only; `run.json` has them all.

use std::fmt::Write as _;
use std::io;

use comfy_table::{CellAlignment, Table, presets};

use super::people::{Section, sections};
use super::{LimitLine, MisplacedLine, People, PersonLine, RunReport};
use crate::model::{PersonResult, Reason};

/// What the reader is told first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wording {
    /// What would be done.
    Plan,
    /// What was done.
    Run,
}

/// Lines of one section before it is cut.
const LINES: usize = 60;

/// Characters of a reason before it is cut.
const WIDTH: usize = 96;

/// The report for people.
pub fn human(report: &RunReport, people: &dyn People, wording: Wording) -> io::Result<String> {
    let mut out = String::new();
    let title = match wording {
        Wording::Plan => "plan",
        Wording::Run => "run",
    };
    _ = writeln!(out, "{} {title} {}: {}", report.pipeline, report.run, report.outcome);
    bullets(&mut out, "MISPLACED", &misplaced(report));
    tables(&mut out, report, wording);
    let sections = sections(people, LINES, |line| heading(line, wording))?;
    for ((_, heading), lines) in &sections {
        section(&mut out, heading, lines);
    }
    limits(&mut out, report);
    bullets(&mut out, "stopped", &report.failures);
    bullets(&mut out, "notes", &report.notes);
    let pending = sections.values().any(|section| section.lines.values().any(PersonLine::is_change));
    if !pending && report.failures.is_empty() && report.exit_code == 0 {
        _ = writeln!(out, "\nnothing to do");
    }
    Ok(out)
}

/// What the state keeps of the report of a run, for people.
pub(crate) fn counts(report: &RunReport) -> String {
    let RunReport { pipeline, run, outcome, exit_code, started, finished, .. } = report;
    let mut out = format!("{pipeline} run {run}: {outcome}, exit code {exit_code}, {started} to {finished}\n");
    tables(&mut out, report, Wording::Run);
    limits(&mut out, report);
    out
}

fn tables(out: &mut String, report: &RunReport, wording: Wording) {
    if !report.sources.is_empty() {
        _ = writeln!(out, "\n{}", sources(report));
    }
    if !report.targets.is_empty() {
        _ = writeln!(out, "\n{}", targets(report, wording));
    }
}

fn limits(out: &mut String, report: &RunReport) {
    let broken: Vec<_> = report.limits.iter().filter(|limit| limit.broken || limit.overridden).collect();
    if !broken.is_empty() {
        _ = writeln!(out, "\nlimits");
        for limit in broken {
            _ = writeln!(out, "  {}", limit_sentence(limit));
        }
    }
}

/// What a reader must see before anything else.
pub(super) fn misplaced(report: &RunReport) -> Vec<String> {
    report.misplaced.iter().map(MisplacedLine::sentence).collect()
}

/// A limit in one sentence, with what to write to get past it.
pub(crate) fn limit_sentence(limit: &LimitLine) -> String {
    let allowed = limit.allowed.map_or_else(|| "no limit".to_owned(), |n| format!("allowed {n}"));
    let mut text = format!("{} of {}: found {} of {}, {allowed}", limit.limit, limit.scope, limit.value, limit.of);
    match (&limit.remedy, limit.overridden) {
        (Some(remedy), _) => _ = write!(text, "; {remedy}"),
        (None, true) => text.push_str("; let pass by --allow"),
        (None, false) => {}
    }
    text
}

fn bullets(out: &mut String, heading: &str, lines: &[String]) {
    if !lines.is_empty() {
        _ = writeln!(out, "\n{heading}");
        for line in lines {
            _ = writeln!(out, "  {line}");
        }
    }
}

fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(heads.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    trimmed(&table)
}

fn trimmed(table: &Table) -> String {
    table.trim_fmt().lines().map(|line| format!(" {}", line.trim_end())).collect::<Vec<_>>().join("\n")
}

fn sources(report: &RunReport) -> String {
    let heads = ["source", "people", "in scope", "photo", "none", "unknown", "downloaded"];
    let rows = report.sources.iter().map(|line| {
        let name = if line.state == "ok" { line.id.clone() } else { format!("{} ({})", line.id, line.state) };
        let counts = [line.people, line.in_scope, line.present, line.absent, line.unknown, line.downloaded];
        std::iter::once(name).chain(counts.iter().map(u64::to_string)).collect()
    });
    table(&heads, rows)
}

fn targets(report: &RunReport, wording: Wording) -> String {
    let heads: [&str; 9] = match wording {
        Wording::Run => {
            ["target", "accounts", "matched", "replaced", "reverted", "unchanged", "left alone", "mended", "failed"]
        }
        Wording::Plan => {
            ["target", "accounts", "matched", "to replace", "to revert", "unchanged", "left alone", "to mend", "failed"]
        }
    };
    let rows = report.targets.iter().map(|line| {
        let name = if line.state == "ok" { line.id.clone() } else { format!("{} ({})", line.id, line.state) };
        let counts = [
            line.accounts,
            line.matched,
            line.replaced,
            line.reverted + line.removed,
            line.unchanged + line.adopted,
            line.kept + line.conflicts + line.skipped,
            line.tidied + line.finished,
            line.failed,
        ];
        std::iter::once(name).chain(counts.iter().map(u64::to_string)).collect()
    });
    table(&heads, rows)
}

/// Headings in the order of what a reader must see first.
fn heading(line: &PersonLine, wording: Wording) -> (u8, String) {
    if line.is_change() {
        match line.result {
            PersonResult::Failed => return (0, "failed".into()),
            PersonResult::Open => return (1, "open: the next run looks again".into()),
            PersonResult::NotShown => return (2, "written, but not shown".into()),
            PersonResult::NotDone => return (3, "not begun".into()),
            PersonResult::None | PersonResult::Planned | PersonResult::Done => {}
        }
    } else if line.result == PersonResult::Failed {
        return (0, "failed".into());
    } else if line.result == PersonResult::NotDone {
        return (3, "reviewed, but not made".into());
    }
    let planned = wording == Wording::Plan || line.result == PersonResult::Planned;
    let (order, done, todo) = match line.change.kind.as_str() {
        "replace" => (4, "replaced", "to replace"),
        "revert" => (5, "reverted", "to revert"),
        "remove" => (6, "removed", "to remove"),
        "finish" => (7, "finished", "to finish"),
        "tidy" => (8, "tidied", "to tidy"),
        "conflict" => (9, "conflicts, left alone", "conflicts, left alone"),
        "skip" => (11, "not looked at", "not looked at"),
        _ => (10, "left alone", "left alone"),
    };
    (order, if planned { todo } else { done }.into())
}

fn section(out: &mut String, heading: &str, section: &Section) {
    _ = writeln!(out, "\n{heading} ({})", section.count);
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for line in section.lines.values() {
        table.add_row(row(line));
    }
    _ = writeln!(out, "{}", trimmed(&table));
    if section.more() > 0 {
        _ = writeln!(out, "  … and {} more of {}: see run.json", section.more(), section.count);
    }
}

fn row(line: &PersonLine) -> [String; 4] {
    let what = if line.is_change() {
        format!("{} → {}", short(&line.change.from), short(&line.change.to))
    } else {
        short(&line.change.from)
    };
    let mut why = reason_text(&line.reason).to_owned();
    if let Some(detail) = &line.detail {
        _ = write!(why, ": {detail}");
    }
    let mut why = cut(why);
    if let Some(error) = &line.error {
        // Never cut: the status stands at its end.
        _ = write!(why, " [{}] {}", error.code, error.message);
    }
    [format!("{}/{}", line.target, line.account.name), what, why, line.rule.clone()]
}

/// The sentence behind a reason's word; an unknown word (a report of a newer program) stands for itself.
pub(super) fn reason_text(word: &str) -> &str {
    serde_json::from_value(serde_json::Value::from(word)).map_or(word, |reason: Reason| reason.text())
}

/// What a screen takes; `run.json` has it whole.
fn cut(text: String) -> String {
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Digests are cut to what an eye can compare.
fn short(picture: &str) -> String {
    match picture.strip_prefix("b3:") {
        Some(hex) => format!("b3:{}", hex.get(..8).unwrap_or(hex)),
        None => picture.to_owned(),
    }
}
