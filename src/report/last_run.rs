//! `index.html` in a bucket of reports: how the last run ended, and where its files are.
//!
//! Owns: the page. Leaves to others: the words and their order (`words`), putting it there (`run`).
//! A newcomer gets wrong: it names nobody and shows no face; whoever may see the page need not be let see the files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::words::{self, Table};
use super::{RunReport, times};

const STYLE: &str = include_str!("last_run.css");

/// The page. `files`: what each is called, and where it is as seen from the page.
pub(crate) fn last_run(report: &RunReport, files: &[(&str, String)]) -> String {
    let RunReport { pipeline, command, run, tool, started, exit_code, .. } = report;
    let took = times::took(report).map_or_else(|| "?".to_owned(), times::words);
    let sources = words::source_table(report);
    let head = if *exit_code == 0 { "" } else { "bad" };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex";
                title { (pipeline) ": " (words::outcome(report)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 class=(head) { (pipeline) " " (command) ": " (words::outcome(report)) }
                p.answer { (words::answer(report)) }
                p.quiet {
                    "Begun " time datetime=(started) { (started) } ", took " (took) ", exit code " (exit_code) ". Run "
                    code { (run) } " of " (tool) "."
                    @if let Some(last) = &report.last_success { " Last whole success: " time datetime=(last) { (last) } "." }
                }
                (list("misplaced", report.misplaced.len()))
                (list("stopped", report.failures.len()))
                @for table in std::iter::once(sources).chain(words::target_tables(report)) { (rows(&table)) }
                @let limits = words::limits(report);
                @if !limits.is_empty() {
                    h2 { "limits" }
                    ul { @for line in &limits { li { (line) } } }
                }
                h2 { "files of this run" }
                ul { @for (name, at) in files { li { a href=(at) { (name) } } } }
            }
        }
    };
    page.into_string()
}

/// The words themselves may name somebody.
fn list(what: &str, count: usize) -> Markup {
    html! { @if count > 0 { p.bad { (what) ": " (count) ", told in the files" } } }
}

fn rows((heads, rows): &Table) -> Markup {
    html! {
        @if !rows.is_empty() {
            div.wide {
                table {
                    thead { tr { @for head in heads { th scope="col" { (head) } } } }
                    tbody { @for row in rows { tr { @for cell in row { td { (cell) } } } } }
                }
            }
        }
    }
}

/// Only what is in the page may be shown.
fn policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
}
