//! The one way of text from outside (names, ids, bodies, a system's words) to a stream, a file or a page.
//!
//! Owns: covering secrets, and making visible what would steer a terminal, turn the direction of a line or be taken for
//! a command by the CI that reads the stream (docs/architecture.md, "What comes from outside").
//! Leaves to others: what HTML or Markdown would take for its own, which the pages escape besides.
//! A newcomer gets wrong: a field is cleaned before it is put into a line ([`line`]), a whole answer when it is written
//! ([`text`]); only the first of them sees that a line break came from outside.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::{brief, redact, redact_known};

/// One field: on one line, without secrets, nothing in it but what can be seen, cut where it goes on for too long.
pub(crate) fn line(field: &str) -> String {
    one_line(brief(field))
}

fn one_line(covered: String) -> String {
    if is_plain(&covered) {
        return covered;
    }
    let mut out = String::with_capacity(covered.len());
    for c in without_commands(&covered).chars() {
        visible(c, &mut out);
    }
    out
}

/// A sentence of ours with fields in it: as [`line`]; where it has several lines, such as the faults of a table, one behind
/// the other.
pub(crate) fn sentence(words: &str) -> String {
    one_line(redact(&words.replace('\n', "; ")))
}

/// A whole answer of lines that are ours, without secrets, nothing in it but what can be seen.
pub(crate) fn text(answer: &str) -> String {
    // The words beside `password:` are ours here: a schema has such members.
    let covered = redact_known(answer);
    let mut out = String::with_capacity(covered.len());
    for (nth, part) in covered.split('\n').enumerate() {
        if nth > 0 {
            out.push('\n');
        }
        let part = without_commands(part);
        for c in part.chars() {
            visible(c, &mut out);
        }
    }
    out
}

/// A JSON document, without secrets; what [`line`] makes visible is escaped as JSON does.
pub(crate) fn json(document: &str) -> String {
    // A command of the CI that reads it; such signs stand inside strings only.
    let covered = redact_known(document).replace("##", "\\u0023#");
    let mut out = String::with_capacity(covered.len());
    for c in covered.chars() {
        if c != '\n' && is_hidden(c) {
            // Such a character stands in a JSON text inside a string only, and none of them needs two escapes.
            _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Nothing but what can be seen, and no command: nearly every field.
fn is_plain(line: &str) -> bool {
    line.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'#') && !line.trim_start().starts_with("::")
}

fn visible(c: char, out: &mut String) {
    if is_hidden(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
}

/// Controls of C0 and C1, separators of lines, and what turns the direction of text
/// (<https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>) or has no width and no meaning.
/// The joiners of scripts and emoji stay.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Azure Pipelines and GitHub Actions take `##name[…]` for a command wherever it stands in a line, GitHub `::name::` where a
/// line begins:
/// <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>,
/// <https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands>.
fn without_commands(line: &str) -> Cow<'_, str> {
    let begins = line.trim_start().starts_with("::");
    if !begins && !line.contains("##") {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len() + 8);
    let mut rest = line;
    if begins {
        let blank = line.len() - line.trim_start().len();
        out.push_str(&line[..blank]);
        out.push_str("\\u{3a}");
        rest = &line[blank + 1..];
    }
    while let Some(at) = rest.find("##") {
        let name = rest[at + 2..].trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '-');
        out.push_str(&rest[..at]);
        out.push_str(if name.starts_with('[') { "\\u{23}" } else { "#" });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// A stream of whole lines, each cleaned by [`text`], or by [`json`] where a line is an object.
pub(crate) struct Stream<W>(pub W, pub fn(&str) -> String);

impl<W: Write> Write for Stream<W> {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        // Nobody may be reading any more, which is no reason to end; whoever logs would panic over an error.
        _ = self.0.write_all(self.1(&redact(&String::from_utf8_lossy(lines))).as_bytes());
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_or_turns_a_line_is_visible() {
        for (field, shown) in [
            ("Zoë 東京 👩‍💻 عمر", "Zoë 東京 👩‍💻 عمر"),
            ("ansi\x1b[31mx", "ansi\\u{1b}[31mx"),
            ("c1\u{9b}31mx", "c1\\u{9b}31mx"),
            ("two\nlines\r\tand a tab", "two\\u{a}lines\\u{d}\\u{9}and a tab"),
            ("\u{202e}gpj.ada", "\\u{202e}gpj.ada"),
            ("\u{2066}isolated\u{2069}", "\\u{2066}isolated\\u{2069}"),
            ("line\u{2028}separator", "line\\u{2028}separator"),
            ("nothing\u{200b}\u{feff}there", "nothing\\u{200b}\\u{feff}there"),
            ("p\u{ad}4\u{ad}s", "p\\u{ad}4\\u{ad}s"),
        ] {
            assert_eq!(line(field), shown);
        }
    }

    #[test]
    fn no_line_is_a_command_of_the_ci_that_reads_it() {
        for (answer, shown) in [
            ("a\n  b\n", "a\n  b\n"),
            ("x ##vso[task.setvariable variable=a]b", "x \\u{23}#vso[task.setvariable variable=a]b"),
            ("##[error]x", "\\u{23}#[error]x"),
            ("###[group]x", "#\\u{23}#[group]x"),
            ("## a heading", "## a heading"),
            ("  ::set-output name=a::b", "  \\u{3a}:set-output name=a::b"),
            ("jira: a::b", "jira: a::b"),
        ] {
            assert_eq!(text(answer), shown);
        }
    }

    #[test]
    fn a_json_document_stays_one() {
        let document = serde_json::json!({ "name": "a\u{202e}b\u{9b}c\nd" });
        let clean = json(&serde_json::to_string_pretty(&document).unwrap());
        assert!(clean.contains(r"a\u202eb\u009bc\nd"), "{clean}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&clean).unwrap(), document);
    }

    #[test]
    fn a_log_line_that_is_an_object_stays_one() {
        let document = serde_json::json!({ "found": "##vso[task.x]\u{200b}\u{9b}\u{feff}" });
        let mut written = Vec::new();
        writeln!(Stream(&mut written, json), "{document}").unwrap();
        let line = String::from_utf8(written).unwrap();
        assert!(!line.contains("##") && line.ends_with("}\n"), "{line}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), document);
    }

    #[test]
    fn secrets_are_covered_everywhere() {
        _ = crate::secret::Secret::new("outlet-canary");
        assert_eq!(text("\"password\": {}"), "\"password\": {}", "an answer of ours, such as the schema");
        for clean in [line("x outlet-canary"), text("x\noutlet-canary"), json("\"outlet-canary\"")] {
            assert!(clean.contains("***") && !clean.contains("canary"), "{clean}");
        }
    }
}
