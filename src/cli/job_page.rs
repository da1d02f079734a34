//! The page that a CI platform shows of a job: `summary.md`, handed over in the platform's own way.
//!
//! Owns: which platform takes it how, and how much. Leaves to others: the page (`report`), the platforms (`ci`).
//! A newcomer gets wrong: a page that cannot be handed over is a warning; the run was what it was.

use std::io::{self, Write as _};
use std::path::Path;

use super::ci::{AzureSummary, Platform};
use super::output::{OutputFormat, commands, tell};
use crate::error::Trouble;
use crate::input;
use crate::report::{ReportInput, SUMMARY, Severity};

/// The file whose Markdown GitHub, and those that run jobs as GitHub does, show of a step:
/// <https://docs.github.com/actions/reference/workflow-commands-for-github-actions#adding-a-job-summary>.
const GITHUB: &str = "GITHUB_STEP_SUMMARY";

/// What GitHub takes of one step, in bytes; more than that and it shows nothing.
const MOST: usize = 1 << 20;

/// Hands over the page of a report; `page` is where it was written to, if it was.
pub(super) fn show(input: ReportInput<'_>, page: Option<&Path>, format: OutputFormat) -> Result<(), Trouble> {
    if let Some(path) = std::env::var_os(GITHUB).filter(|path| !path.is_empty())
        && let Err(error) = append(input, Path::new(&path))
    {
        tell(Severity::Warning, &format!("the page of the job cannot be written to {GITHUB}: {error}"));
    }
    match (Platform::here(), format, page) {
        (Some(Platform::AzureDevOps), OutputFormat::Human, Some(page)) => {
            let page = std::path::absolute(page).map_err(Trouble::file("find the report"))?;
            commands(&format!("{}\n", AzureSummary(&page.display().to_string())))
        }
        _ => Ok(()),
    }
}

/// Other steps, and this one, may have written there before.
fn append(input: ReportInput<'_>, path: &Path) -> io::Result<()> {
    let mut page = Vec::new();
    (SUMMARY.write)(input, &mut page)?;
    let mut file = input::append(path)?;
    let before = usize::try_from(file.metadata()?.len()).unwrap_or(MOST);
    file.write_all(fitting(&page, MOST.saturating_sub(before)))
}

/// Whole lines only.
fn fitting(page: &[u8], most: usize) -> &[u8] {
    match page.get(..most) {
        Some(begin) if begin.len() < page.len() => {
            let end = begin.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            &begin[..end]
        }
        _ => page,
    }
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn a_page_is_cut_between_lines() {
        for (most, cut) in [(100, "ab\ncd\n"), (6, "ab\ncd\n"), (5, "ab\n"), (3, "ab\n"), (2, ""), (0, "")] {
            assert_eq!(fitting(b"ab\ncd\n", most), cut.as_bytes(), "{most}");
        }
    }
}
