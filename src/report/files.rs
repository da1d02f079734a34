//! The files in the folder of a report: one form of it each.
//!
//! Owns: what a form is given. Leaves to others: which there are ([`super::FILES`]), where the folder lies (`cli`).
//! A newcomer gets wrong: a form writes as it reads, and holds nobody but whom it shows: there may be a million people
//! (promise P9).

use std::io::{self, Write};
use std::path::Path;

use super::people::Contents;
use super::{People, RunReport};

/// What became of a run.
#[derive(Clone, Copy)]
pub(crate) struct ReportInput<'a> {
    /// Everything but the people.
    pub report: &'a RunReport,
    /// Everybody's own line.
    pub people: &'a dyn People,
    /// Where all of them are, for a form that is cut.
    pub uncut: Uncut<'a>,
}

/// The files that have what lists leave out.
#[derive(Clone, Copy, Default)]
pub struct Uncut<'a> {
    /// Everybody.
    pub everybody: Option<&'a Path>,
    /// Changes alone.
    pub changes: Option<&'a Path>,
}

impl<'a> Uncut<'a> {
    /// Which has all lines of a section.
    pub(super) fn of(self, changes: Contents) -> Option<&'a Path> {
        self.everybody.or(self.changes.filter(|_| changes == Contents::Changes))
    }
}

/// A form of report.
pub(crate) struct ReportFile {
    /// In the folder.
    pub name: &'static str,
    /// Writes the whole file.
    pub write: fn(ReportInput<'_>, &mut dyn Write) -> io::Result<()>,
}
