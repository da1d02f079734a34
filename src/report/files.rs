//! The files in the folder of a report: one form of it each.
//!
//! Owns: what a form is given. Leaves to others: which there are ([`super::FILES`]), where the folder lies (`cli`).
//! A newcomer gets wrong: a form writes as it reads, and holds nobody but whom it shows: there may be a million people
//! (promise P9).

use std::io::{self, Write};
use std::path::Path;

use super::people::Contents;
use super::{People, RunReport};

/// Rows of a section of the contact sheet in which nothing is written, before it is cut.
pub(super) const SHEET_ROWS: u64 = 10_000;

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
    /// The contact sheet: everybody, for people, unless there are too many ([`SHEET_ROWS`]).
    pub sheet: Option<&'a Path>,
    /// Everybody.
    pub everybody: Option<&'a Path>,
    /// Changes alone.
    pub changes: Option<&'a Path>,
}

impl<'a> Uncut<'a> {
    /// Which has all lines of a section, that for people first; `left`: so many lines of the report change nothing.
    pub(super) fn of(self, contents: Contents, left: u64) -> Option<&'a Path> {
        let is_changes = contents == Contents::Changes;
        let sheet = self.sheet.filter(|_| is_changes || left <= SHEET_ROWS);
        sheet.or(self.everybody).or(self.changes.filter(|_| is_changes))
    }
}

/// A form of report.
pub(crate) struct ReportFile {
    /// In the folder.
    pub name: &'static str,
    /// Writes the whole file.
    pub write: fn(ReportInput<'_>, &mut dyn Write) -> io::Result<()>,
}
