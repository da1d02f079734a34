//! Everybody's own line, one after the other.
//!
//! Owns: the way lines come, and picking the first few of each section. Leaves to others: where they lie (`run`).
//! A newcomer gets wrong: there may be a million of them, so no page and no screen ever holds all (promise P9).

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use bytes::Bytes;

use super::PersonLine;
use super::natural::natural;
use crate::model::MediaType;

/// Everybody but the unchanged, by target and account. `run.json` lists them all.
pub trait People {
    /// Hands over line after line, until one is not taken.
    ///
    /// # Errors
    ///
    /// What `take` returns, or that the lines cannot be read.
    fn each_line(&self, take: &mut dyn FnMut(PersonLine) -> io::Result<()>) -> io::Result<()>;

    /// The same lines with their pictures, as far as these are at hand.
    ///
    /// # Errors
    ///
    /// As [`People::each_line`].
    fn each_pictured(&self, take: &mut dyn FnMut(Pictured) -> io::Result<()>) -> io::Result<()>;

    /// Which pictures there are.
    fn pictures(&self) -> ReportPictures;

    /// An empty file for its owner alone, which is gone as soon as it is closed.
    ///
    /// # Errors
    ///
    /// That it cannot be made.
    fn scratch(&self) -> io::Result<File>;
}

/// A line with its pictures.
pub struct Pictured {
    /// The line.
    pub line: PersonLine,
    /// What stood there before.
    pub before: Option<Thumbnail>,
    /// What is to stand there.
    pub after: Option<Thumbnail>,
}

/// A small copy of a picture.
pub struct Thumbnail {
    /// How it is encoded.
    pub media_type: MediaType,
    /// The encoded picture.
    pub bytes: Bytes,
}

/// Which pictures a report has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportPictures {
    /// Pixels of the longest side; `None`: there are no pictures.
    pub side: Option<u32>,
    /// Those that stood there before.
    pub before: StoodPictures,
}

/// Which of the pictures that stood there before are at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoodPictures {
    /// All that the target gave when it was asked.
    Fetched,
    /// Those that were looked at for another reason.
    Seen,
    /// None.
    Off,
    /// None any more: the report is made again.
    NotKept,
}

/// What the lines of a section are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contents {
    /// Something is or was to be written.
    Changes,
    /// Nothing is.
    LeftAlone,
}

/// The lines of one section: how many there are, and the first few by target and account name.
#[derive(Debug, Default)]
pub(super) struct SectionLines {
    /// All of them.
    pub count: u64,
    /// The first few.
    pub lines: BTreeMap<(String, String, u64), PersonLine>,
}

impl SectionLines {
    fn take(&mut self, line: PersonLine, at_most: usize) {
        // The count tells leftovers of one account apart.
        let key = (line.target.clone(), natural(&line.account.name), self.count);
        self.count += 1;
        if self.lines.len() < at_most || self.lines.last_key_value().is_some_and(|(last, _)| key < *last) {
            self.lines.insert(key, line);
        }
        if self.lines.len() > at_most {
            self.lines.pop_last();
        }
    }

    /// What its lines are: all of one kind, as their heading says.
    pub(super) fn contents(&self) -> Contents {
        let changes = self.lines.values().all(PersonLine::is_change);
        if changes { Contents::Changes } else { Contents::LeftAlone }
    }

    /// Those that were left out.
    pub(super) fn more(&self) -> u64 {
        self.count - self.lines.len() as u64
    }
}

/// So many lines change nothing.
pub(super) fn left_lines<K>(sections: &BTreeMap<K, SectionLines>) -> u64 {
    let left = sections.values().filter(|section| section.contents() == Contents::LeftAlone);
    left.map(|section| section.count).sum()
}

/// Everybody, by section; of each section the first few.
pub(super) fn sections<K: Ord>(
    people: &dyn People,
    at_most: usize,
    section: impl Fn(&PersonLine) -> K,
) -> io::Result<BTreeMap<K, SectionLines>> {
    let mut sections: BTreeMap<K, SectionLines> = BTreeMap::new();
    people.each_line(&mut |line| {
        sections.entry(section(&line)).or_default().take(line, at_most);
        Ok(())
    })?;
    Ok(sections)
}
