//! The answer on a terminal: what was done, what was left alone and why, what stopped.
//!
//! Owns: how it is laid out. Leaves to others: the words and their order (`words`), lines and columns (`screen`), the same
//! for programs (`json`) and for pages (`summary`).
//! A newcomer gets wrong: what does not fit on a line has its reason above it, once for all that have the same; long lists
//! are cut here, and say which file has them all.

use std::io;
use std::path::Path;

use super::people::{Contents, SectionLines, left_lines, sections};
use super::screen::{self, LineLook, Page, PictureWords, Screen};
use super::words::{self, Heading, Wording};
use super::{People, PersonLine, RunReport, Uncut};

/// Lines of one section before it is cut.
const LINES: usize = 60;

/// The report for people. `uncut` are the files that have everybody, if any are written.
pub fn human(report: &RunReport, people: &dyn People, uncut: Uncut<'_>, screen: Screen) -> io::Result<Page> {
    let mut page = Page::on(screen);
    let wording = Wording::of(report);
    let look = match report.outcome.as_str() {
        "done" | "planned" | "pending" => LineLook::Good,
        "partial" | "limit" | "stopped" => LineLook::Warning,
        _ => LineLook::Bad,
    };
    let RunReport { pipeline, command, run, .. } = report;
    page.say(look, 0, 2, &format!("{pipeline} {command} {run}: {}", words::outcome(report)));
    page.say(LineLook::Plain, 0, 2, &words::answer(report));
    bullets(&mut page, LineLook::Bad, "MISPLACED", &words::misplaced(report));
    bullets(&mut page, LineLook::Bad, "stopped", &report.failures);
    bullets(&mut page, limits_look(report), "limits", &words::limits(report));
    tables(&mut page, report);
    let sections = sections(people, LINES, |line| words::heading(line, wording))?;
    let left = left_lines(&sections);
    for (heading, lines) in &sections {
        section(&mut page, &words::title(report, heading, lines.count), heading, lines, |contents| {
            uncut.of(contents, left)
        });
    }
    bullets(&mut page, LineLook::Heading, "notes", &report.notes);
    Ok(page)
}

/// A limit that is only near stops nothing.
fn limits_look(report: &RunReport) -> LineLook {
    if report.limits.iter().any(|limit| limit.broken) { LineLook::Warning } else { LineLook::Heading }
}

fn tables(page: &mut Page, report: &RunReport) {
    for (heads, rows) in std::iter::once(words::source_table(report)).chain(words::target_tables(report)) {
        if !rows.is_empty() {
            page.blank();
            let width = page.screen().width;
            screen::counts(&heads, &rows, width).into_iter().for_each(|line| page.line(line));
        }
    }
}

fn bullets(page: &mut Page, look: LineLook, heading: &str, lines: &[String]) {
    if !lines.is_empty() {
        page.blank();
        page.say(look, 0, 2, heading);
        lines.iter().for_each(|line| page.say(LineLook::Plain, 2, 4, line));
    }
}

fn section<'u>(
    page: &mut Page,
    title: &str,
    heading: &Heading,
    section: &SectionLines,
    uncut: impl Fn(Contents) -> Option<&'u Path>,
) {
    let look = match heading.weight() {
        words::SectionWeight::Wrong => LineLook::Bad,
        words::SectionWeight::Stopped => LineLook::Warning,
        words::SectionWeight::Other => LineLook::Heading,
    };
    page.blank();
    page.say(look, 0, 2, title);
    if heading.says_all {
        return;
    }
    let lines: Vec<_> = section.lines.values().collect();
    let Screen { width, pictures, .. } = page.screen();
    let named = lines.iter().any(|line| words::name(line).is_some());
    let who = |line: &PersonLine| who(line, named, pictures);
    let row = |line: &&PersonLine| [who(line), vec![reason(line), line.rule.clone()]].concat();
    match screen::columns(&lines.iter().map(row).collect::<Vec<_>>(), 2, width, 2) {
        Some(rows) => rows.into_iter().for_each(|row| page.line(row)),
        None => below_reasons(page, &lines, who),
    }
    if section.more() > 0 {
        let all = match uncut(section.contents()) {
            Some(path) => format!("see {}", path.display()),
            None => "--report DIR writes pictures.html and run.json, which have them all".to_owned(),
        };
        page.say(LineLook::Plain, 2, 4, &format!("… and {} more of {}: {all}", section.more(), section.count));
    }
}

/// Each reason once, and below it whom it is of.
fn below_reasons(page: &mut Page, lines: &[&PersonLine], who: impl Fn(&PersonLine) -> Vec<String>) {
    let mut reasons: Vec<(String, Vec<Vec<String>>)> = Vec::new();
    for line in lines {
        let reason = format!("{} ({})", reason(line), line.rule);
        match reasons.iter_mut().find(|(earlier, _)| *earlier == reason) {
            Some((_, rows)) => rows.push(who(line)),
            None => reasons.push((reason, vec![who(line)])),
        }
    }
    for (reason, rows) in reasons {
        page.say(LineLook::Plain, 2, 2, &reason);
        match screen::columns(&rows, 4, page.screen().width, 0) {
            Some(rows) => rows.into_iter().for_each(|row| page.line(row)),
            None => {
                for row in rows {
                    let mut cells = row.into_iter().filter(|cell| !cell.is_empty());
                    cells.next().into_iter().for_each(|cell| page.say(LineLook::Plain, 4, 6, &cell));
                    page.say(LineLook::Plain, 6, 8, &cells.collect::<Vec<_>>().join(", "));
                }
            }
        }
    }
}

/// Whom a line is of, and what they show.
fn who(line: &PersonLine, named: bool, pictures: PictureWords) -> Vec<String> {
    let name = named.then(|| words::name(line).unwrap_or_default().to_owned());
    let picture = match pictures {
        PictureWords::InWords => words::picture(line),
        PictureWords::ByDigest => words::picture_by_digest(line),
    };
    name.into_iter().chain([format!("{}/{}", line.target, line.account.name), picture]).collect()
}

/// Why, and what went wrong. It is never cut: whose name it was, and the status, stand at its end.
fn reason(line: &PersonLine) -> String {
    match words::wrong(line) {
        Some(wrong) => format!("{} {wrong}", line.why()),
        None => line.why(),
    }
}
