//! `summary.md`: the report as a page of a CI job or a pull request.
//!
//! Owns: the Markdown. Leaves to others: the words and their order (`words`). A newcomer gets wrong: names come from servers,
//! so every cell is escaped; a display name must not be able to write Markdown or HTML into the page.

use std::fmt::Write as _;
use std::io;

use super::people::{Section, sections};
use super::words::{self, Heading, SOURCE_HEADS, Wording};
use super::{People, PersonLine, ReportFile, RunReport, times};

/// Rows of one table, and lines of one list, before it is cut: a job takes a page of 1 MiB, a comment 65,536 characters.
const ROWS: usize = 100;

/// In the folder of the report.
pub(crate) const SUMMARY: ReportFile =
    ReportFile { name: "summary.md", write: |told, out| out.write_all(summary(told.report, told.people)?.as_bytes()) };

/// The report as Markdown.
fn summary(report: &RunReport, everybody: &dyn People) -> io::Result<String> {
    let mut out = String::new();
    let wording = Wording::of(report);
    _ = writeln!(out, "# {} {}: {}\n", cell(&report.pipeline), report.command, words::outcome(report));
    _ = writeln!(
        out,
        "Begun {}, took {}, exit code {}. Run `{}` of {}.\n",
        report.started,
        times::took(report).map_or_else(|| "?".to_owned(), times::words),
        report.exit_code,
        report.run,
        report.tool
    );
    bullets(&mut out, "MISPLACED", &words::misplaced(report));
    bullets(&mut out, "stopped", &report.failures);
    bullets(&mut out, "limits", &words::limits(report));
    table(&mut out, &SOURCE_HEADS, report.sources.iter().map(words::source_row));
    table(&mut out, &words::target_heads(wording), report.targets.iter().map(words::target_row));
    for (heading, lines) in sections(everybody, ROWS, |line| words::heading(line, wording))? {
        section(&mut out, &heading, &lines);
    }
    bullets(&mut out, "notes", &report.notes);
    requests(&mut out, report);
    Ok(out)
}

fn bullets(out: &mut String, heading: &str, lines: &[String]) {
    if !lines.is_empty() {
        _ = writeln!(out, "## {heading}\n");
        for line in lines.iter().take(ROWS) {
            _ = writeln!(out, "- {}", cell(line));
        }
        more(out, lines.len().saturating_sub(ROWS) as u64, lines.len() as u64);
        out.push('\n');
    }
}

/// The first column has names, the others have counts.
fn table(out: &mut String, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    _ = writeln!(out, "| {} |\n|---|{}", heads.join(" | "), "--:|".repeat(heads.len() - 1));
    for row in rows {
        let cells: Vec<_> = row.iter().map(|text| cell(text)).collect();
        _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out.push('\n');
}

fn requests(out: &mut String, report: &RunReport) {
    if report.requests.is_empty() {
        return;
    }
    out.push_str("## requests\n\n");
    let heads = ["endpoint", "requests", "forecast", "units", "sent again", "throttled", "bytes received"];
    let rows = report.requests.iter().map(|r| {
        let counts = [r.sent, r.forecast, r.units, r.retried, r.throttled, r.bytes_received];
        std::iter::once(r.endpoint.clone()).chain(counts.iter().map(u64::to_string)).collect()
    });
    table(out, &heads, rows);
}

fn section(out: &mut String, heading: &Heading, section: &Section) {
    _ = writeln!(out, "## {} ({})\n", heading.words, section.count);
    if heading.says_all {
        return;
    }
    let named = section.lines.values().any(|line| name(line).is_some());
    let heads = if named { "account | person | picture | why | rule" } else { "account | picture | why | rule" };
    _ = writeln!(out, "| {heads} |\n|{}", "---|".repeat(heads.split('|').count()));
    for line in section.lines.values() {
        let person = named.then(|| name(line).unwrap_or_default().to_owned());
        let account = format!("{}/{}", line.target, line.account.name);
        let rest = [words::picture(line), why(line), line.rule.clone()];
        let cells = std::iter::once(account).chain(person).chain(rest).map(|text| cell(&text));
        _ = writeln!(out, "| {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    more(out, section.more(), section.count);
    out.push('\n');
}

fn name(line: &PersonLine) -> Option<&str> {
    line.person.as_ref()?.name.as_deref()
}

fn more(out: &mut String, more: u64, count: u64) {
    if more > 0 {
        _ = writeln!(out, "\n… and {more} more of {count}: see `run.json`.");
    }
}

fn why(line: &PersonLine) -> String {
    match words::wrong(line) {
        Some(wrong) => format!("{} {wrong}", words::why(line)),
        None => words::why(line),
    }
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
