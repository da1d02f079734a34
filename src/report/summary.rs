//! `summary.md`: the report as a page of a CI job or a pull request.
//!
//! Owns: the Markdown. Leaves to others: the counts. A newcomer gets wrong: names come from servers, so every cell is
//! escaped; a display name must not be able to write Markdown or HTML into the page.

use std::fmt::Write as _;
use std::io;

use super::human::{limit_sentence, misplaced};
use super::people::sections;
use super::{People, PersonLine, ReportFile, RunReport};
use crate::model::PersonResult;

/// Rows of one table before it is cut.
const ROWS: usize = 200;

/// In the folder of the report.
pub(crate) const SUMMARY: ReportFile =
    ReportFile { name: "summary.md", write: |told, out| out.write_all(summary(told.report, told.people)?.as_bytes()) };

/// The report as Markdown.
fn summary(report: &RunReport, everybody: &dyn People) -> io::Result<String> {
    let mut out = String::new();
    _ = writeln!(out, "# {}: {} {}\n", cell(&report.pipeline), report.command, report.outcome);
    _ = writeln!(
        out,
        "Run `{}`, {} to {}, exit code {}, {}.\n",
        report.run, report.started, report.finished, report.exit_code, report.tool
    );
    bullets(&mut out, "Misplaced", &misplaced(report));
    bullets(&mut out, "Stopped", &report.failures);
    let broken: Vec<_> =
        report.limits.iter().filter(|limit| limit.broken || limit.overridden).map(limit_sentence).collect();
    bullets(&mut out, "Limits", &broken);
    sources(&mut out, report);
    targets(&mut out, report);
    requests(&mut out, report);
    people(&mut out, everybody)?;
    bullets(&mut out, "Notes", &report.notes);
    Ok(out)
}

fn bullets(out: &mut String, heading: &str, lines: &[String]) {
    if !lines.is_empty() {
        _ = writeln!(out, "## {heading}\n");
        for line in lines {
            _ = writeln!(out, "- {}", cell(line));
        }
        out.push('\n');
    }
}

fn sources(out: &mut String, report: &RunReport) {
    out.push_str("| source | state | people | in scope | photo | none | unknown | downloaded |\n|---|---|--:|--:|--:|--:|--:|--:|\n");
    for s in &report.sources {
        _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            cell(&s.id),
            s.state,
            s.people,
            s.in_scope,
            s.present,
            s.absent,
            s.unknown,
            s.downloaded
        );
    }
    out.push('\n');
}

fn targets(out: &mut String, report: &RunReport) {
    out.push_str(
        "| target | state | accounts | matched | replaced | reverted | removed | unchanged | adopted | kept | \
         conflicts | skipped | finished | tidied | failed |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for t in &report.targets {
        let counts = [
            t.accounts,
            t.matched,
            t.replaced,
            t.reverted,
            t.removed,
            t.unchanged,
            t.adopted,
            t.kept,
            t.conflicts,
            t.skipped,
            t.finished,
            t.tidied,
            t.failed,
        ];
        let counts: Vec<_> = counts.iter().map(u64::to_string).collect();
        _ = writeln!(out, "| {} | {} | {} |", cell(&t.id), t.state, counts.join(" | "));
    }
    out.push('\n');
}

fn requests(out: &mut String, report: &RunReport) {
    out.push_str("| endpoint | requests | forecast | units | sent again | throttled | bytes received |\n|---|--:|--:|--:|--:|--:|--:|\n");
    for r in &report.requests {
        _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} |",
            cell(&r.endpoint),
            r.sent,
            r.forecast,
            r.units,
            r.retried,
            r.throttled,
            r.bytes_received
        );
    }
    out.push('\n');
}

fn people(out: &mut String, people: &dyn People) -> io::Result<()> {
    let sections = sections(people, ROWS, |line| (line.change.kind.clone(), line.reason.clone()))?;
    for ((kind, reason), section) in sections {
        _ = writeln!(out, "## {kind}: {reason} ({})\n", section.count);
        out.push_str("| account | from | to | rule | result |\n|---|---|---|---|---|\n");
        for line in section.lines.values() {
            _ = writeln!(
                out,
                "| {}/{} | {} | {} | {} | {} |",
                cell(&line.target),
                cell(&line.account.name),
                picture(&line.change.from),
                picture(&line.change.to),
                cell(&line.rule),
                result(line)
            );
        }
        if section.more() > 0 {
            _ = writeln!(out, "\n… and {} more of {}: see `run.json`.", section.more(), section.count);
        }
        out.push('\n');
    }
    Ok(())
}

fn result(line: &PersonLine) -> String {
    let word = match line.result {
        PersonResult::None => "",
        PersonResult::Planned => "planned",
        PersonResult::Done => "done",
        PersonResult::NotShown => "not shown",
        PersonResult::Failed => "failed",
        PersonResult::Open => "open",
        PersonResult::NotDone => "not begun",
    };
    match (&line.error, &line.detail) {
        (Some(error), _) => format!("{word}: {}", cell(&error.message)),
        (None, Some(detail)) => format!("{word} {}", cell(detail)).trim().to_owned(),
        (None, None) => word.to_owned(),
    }
}

fn picture(text: &str) -> String {
    cell(text.get(..11).filter(|_| text.starts_with("b3:")).unwrap_or(text))
}

/// Text that stays text inside a Markdown table.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '!' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn a_name_cannot_write_into_the_page() {
        assert_eq!(cell("a|b<img src=x>\n[x](y)"), "a\\|b&lt;img src=x&gt; \\[x\\](y)");
    }
}
