//! Notes of a plan or run that stand on a line of the pipeline file, as the CI platform shows them there.
//!
//! Owns: which notes those are. Leaves to others: their words (`run`), how a platform shows them (`ci`).
//! A newcomer gets wrong: a note is no fault, so the exit code is what it was.

use std::path::Path;

use super::check::in_repository;
use super::ci::{Annotation, AnnotationLevel, AzureCommand, GitHubCommand, Platform};
use super::output::{OutputFormat, commands};
use crate::error::Trouble;

/// Shows the notes that begin with `FILE:LINE: `.
pub(super) fn show(notes: &[String], format: OutputFormat) -> Result<(), Trouble> {
    if format != OutputFormat::Human {
        return Ok(());
    }
    let command: fn(Annotation<'_>) -> String = match Platform::here() {
        Some(Platform::GitHub) => |one| GitHubCommand(one).to_string(),
        Some(Platform::AzureDevOps) => |one| AzureCommand(one).to_string(),
        // GitLab takes a file of `check`, and Jenkins has no word of its own for it.
        Some(Platform::GitLab | Platform::Jenkins) | None => return Ok(()),
    };
    let line = |(file, line, words): (&str, usize, &str)| {
        let file = in_repository(Path::new(file));
        let annotation =
            Annotation { weight: AnnotationLevel::Warning, file: &file, place: Some((line, 1)), message: words };
        command(annotation) + "\n"
    };
    commands(&notes.iter().filter_map(|note| placed(note)).map(line).collect::<String>())
}

fn placed(note: &str) -> Option<(&str, usize, &str)> {
    let (place, words) = note.split_once(": ")?;
    let (file, line) = place.rsplit_once(':')?;
    Some((file, line.parse().ok()?, words))
}

#[cfg(test)]
mod tests {
    use super::placed;

    #[test]
    fn a_note_on_a_line_is_known_by_its_beginning() {
        for (note, expected) in [
            ("p.yaml:7: nobody fits: `a: b`", Some(("p.yaml", 7, "nobody fits: `a: b`"))),
            ("a/b c.yaml:12: x", Some(("a/b c.yaml", 12, "x"))),
            ("jira: 3 accounts share a slug", None),
            ("jira: p.yaml:7: x", None),
            ("nothing", None),
        ] {
            assert_eq!(placed(note), expected, "{note}");
        }
    }
}
