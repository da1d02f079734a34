//! Everybody's own line, one after the other.
//!
//! Owns: the way lines come, and picking the first few of each section. Leaves to others: where they lie (`run`).
//! A newcomer gets wrong: there may be a million of them, so no page and no screen ever holds all (promise P9).

use std::collections::BTreeMap;
use std::io;

use super::PersonLine;

/// Everybody but the unchanged, by target and account. `run.json` lists them all.
pub trait People {
    /// Hands over line after line, until one is not taken.
    ///
    /// # Errors
    ///
    /// What `take` returns, or that the lines cannot be read.
    fn each_line(&self, take: &mut dyn FnMut(PersonLine) -> io::Result<()>) -> io::Result<()>;
}

/// The lines of one section: how many there are, and the first few by target and account name.
#[derive(Debug, Default)]
pub(super) struct Section {
    /// All of them.
    pub count: u64,
    /// The first few.
    pub lines: BTreeMap<(String, String, u64), PersonLine>,
}

impl Section {
    fn take(&mut self, line: PersonLine, at_most: usize) {
        // The count tells leftovers of one account apart.
        let key = (line.target.clone(), line.account.name.clone(), self.count);
        self.count += 1;
        if self.lines.len() < at_most || self.lines.last_key_value().is_some_and(|(last, _)| key < *last) {
            self.lines.insert(key, line);
        }
        if self.lines.len() > at_most {
            self.lines.pop_last();
        }
    }

    /// Those that were left out.
    pub(super) fn more(&self) -> u64 {
        self.count - self.lines.len() as u64
    }
}

/// Everybody, by section; of each section the first few.
pub(super) fn sections<K: Ord>(
    people: &dyn People,
    at_most: usize,
    section: impl Fn(&PersonLine) -> K,
) -> io::Result<BTreeMap<K, Section>> {
    let mut sections: BTreeMap<K, Section> = BTreeMap::new();
    people.each_line(&mut |line| {
        sections.entry(section(&line)).or_default().take(line, at_most);
        Ok(())
    })?;
    Ok(sections)
}
