//! The answer on a terminal: what was done, what was left alone and why, what stopped.
//!
//! Owns: how it is laid out. Leaves to others: the words and their order (`words`), the same for programs (`json`) and for
//! pages (`summary`).
//! A newcomer gets wrong: counts always come with their whole, and long lists are cut here only; `run.json` has them all.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use comfy_table::{CellAlignment, Table, presets};

use super::people::{Section, sections};
use super::words::{self, Heading, SOURCE_HEADS, Wording};
use super::{People, PersonLine, RunReport};

/// Lines of one section before it is cut.
const LINES: usize = 60;

/// Characters of a reason before it is cut.
const WIDTH: usize = 96;

/// The report for people. `whole` is the file that has everybody, if one is written.
pub fn human(report: &RunReport, people: &dyn People, whole: Option<&Path>) -> io::Result<String> {
    let mut out = String::new();
    let wording = Wording::of(report);
    _ = writeln!(out, "{} {} {}: {}", report.pipeline, report.command, report.run, words::outcome(report));
    bullets(&mut out, "MISPLACED", &words::misplaced(report));
    bullets(&mut out, "stopped", &report.failures);
    bullets(&mut out, "limits", &words::limits(report));
    tables(&mut out, report, wording);
    let sections = sections(people, LINES, |line| words::heading(line, wording))?;
    for (heading, lines) in &sections {
        section(&mut out, heading, lines, whole);
    }
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
    bullets(&mut out, "limits", &words::limits(report));
    out
}

fn tables(out: &mut String, report: &RunReport, wording: Wording) {
    if !report.sources.is_empty() {
        _ = writeln!(out, "\n{}", table(&SOURCE_HEADS, report.sources.iter().map(words::source_row)));
    }
    if !report.targets.is_empty() {
        _ = writeln!(out, "\n{}", table(&words::target_heads(wording), report.targets.iter().map(words::target_row)));
    }
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

fn section(out: &mut String, heading: &Heading, section: &Section, whole: Option<&Path>) {
    _ = writeln!(out, "\n{} ({})", heading.words, section.count);
    if heading.says_all {
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for line in section.lines.values() {
        table.add_row(row(line));
    }
    _ = writeln!(out, "{}", trimmed(&table));
    if section.more() > 0 {
        let all = match whole {
            Some(path) => format!("see {}", path.display()),
            None => "--report DIR writes run.json, which has them all".to_owned(),
        };
        _ = writeln!(out, "  … and {} more of {}: {all}", section.more(), section.count);
    }
}

fn row(line: &PersonLine) -> [String; 4] {
    let mut why = cut(words::why(line));
    if let Some(wrong) = words::wrong(line) {
        // Never cut: the status stands at its end.
        _ = write!(why, " {wrong}");
    }
    [format!("{}/{}", line.target, line.account.name), words::picture(line), why, line.rule.clone()]
}

/// What a screen takes; `run.json` has it whole.
fn cut(text: String) -> String {
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
