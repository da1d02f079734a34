//! `summary.md`: the report as a page of a CI job or a pull request.
//!
//! Owns: the Markdown. Leaves to others: the words and their order (`words`). A newcomer gets wrong: names come from servers,
//! so every cell is escaped; a display name must not be able to write Markdown or HTML into the page.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use super::people::{SectionLines, left_lines, sections};
use super::words::{self, Heading, Wording};
use super::{PersonLine, ReportFile, ReportInput, RunReport, Uncut, times};

/// Rows of one table, and lines of one list, before it is cut: a job takes a page of 1 MiB, a comment 65,536 characters.
const ROWS: usize = 100;

/// In the folder of the report.
pub(crate) const SUMMARY: ReportFile =
    ReportFile { name: "summary.md", write: |told, out| out.write_all(summary(told)?.as_bytes()) };

/// The report as Markdown.
fn summary(ReportInput { report, people: everybody, uncut }: ReportInput<'_>) -> io::Result<String> {
    let mut out = String::new();
    let wording = Wording::of(report);
    _ = writeln!(out, "# {} {}: {}\n", cell(&report.pipeline), report.command, words::outcome(report));
    _ = writeln!(out, "{}.\n", words::answer(report));
    _ = writeln!(
        out,
        "Begun {}, took {}, exit code {}. Run `{}` of {}{}.\n",
        report.started,
        times::took(report).map_or_else(|| "?".to_owned(), times::words),
        report.exit_code,
        report.run,
        report.tool,
        words::plans(report).iter().map(|(what, digest)| format!(", {what} `{digest}`")).collect::<String>()
    );
    bullets(&mut out, "MISPLACED", &words::misplaced(report), uncut);
    bullets(&mut out, "stopped", &report.failures, uncut);
    bullets(&mut out, "limits", &words::limits(report), uncut);
    for (heads, rows) in std::iter::once(words::source_table(report)).chain(words::target_tables(report)) {
        table(&mut out, &heads, rows.into_iter());
    }
    let sections = sections(everybody, ROWS, |line| words::heading(line, wording))?;
    let left = left_lines(&sections);
    for (heading, lines) in &sections {
        section(
            &mut out,
            &words::title(report, heading, lines.count),
            heading,
            lines,
            uncut.of(lines.contents(), left),
        );
    }
    bullets(&mut out, "notes", &report.notes, uncut);
    requests(&mut out, report);
    Ok(out)
}

fn bullets(out: &mut String, heading: &str, lines: &[String], uncut: Uncut<'_>) {
    if !lines.is_empty() {
        _ = writeln!(out, "## {heading}\n");
        for line in lines.iter().take(ROWS) {
            _ = writeln!(out, "- {}", cell(line));
        }
        more(out, lines.len().saturating_sub(ROWS) as u64, lines.len() as u64, uncut.everybody);
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

fn section(out: &mut String, title: &str, heading: &Heading, section: &SectionLines, uncut: Option<&Path>) {
    _ = writeln!(out, "## {title}\n");
    if heading.says_all {
        return;
    }
    let named = section.lines.values().any(|line| words::name(line).is_some());
    let heads = if named { "account | person | picture | why | rule" } else { "account | picture | why | rule" };
    _ = writeln!(out, "| {heads} |\n|{}", "---|".repeat(heads.split('|').count()));
    for line in section.lines.values() {
        let person = named.then(|| words::name(line).unwrap_or_default().to_owned());
        let account = format!("{}/{}", line.target, line.account.name);
        let rest = [words::picture(line), why(line), line.rule.clone()];
        let cells = std::iter::once(account).chain(person).chain(rest).map(|text| cell(&text));
        _ = writeln!(out, "| {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    more(out, section.more(), section.count, uncut);
    out.push('\n');
}

/// The file lies beside the page, or where the command's own output says.
fn more(out: &mut String, more: u64, count: u64, whole: Option<&Path>) {
    let name = whole.and_then(Path::file_name).map(|name| format!(": see `{}`", name.display())).unwrap_or_default();
    if more > 0 {
        _ = writeln!(out, "\n… and {more} more of {count}{name}.");
    }
}

fn why(line: &PersonLine) -> String {
    match words::wrong(line) {
        Some(wrong) => format!("{} {wrong}", line.why()),
        None => line.why(),
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
