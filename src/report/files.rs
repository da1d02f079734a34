//! The files in the folder of a report: one form of it each.
//!
//! Owns: what a form is given. Leaves to others: which there are ([`super::FILES`]), where the folder lies (`cli`).
//! A newcomer gets wrong: a form writes as it reads, and holds nobody but whom it shows: there may be a million people
//! (promise P9).

use std::io::{self, Write};

use super::{People, RunReport};

/// What became of a run.
#[derive(Clone, Copy)]
pub(crate) struct ReportInput<'a> {
    /// Everything but the people.
    pub report: &'a RunReport,
    /// Everybody's own line.
    pub people: &'a dyn People,
}

/// A form of report.
pub(crate) struct ReportFile {
    /// In the folder.
    pub name: &'static str,
    /// Writes the whole file.
    pub write: fn(ReportInput<'_>, &mut dyn Write) -> io::Result<()>,
}
