//! Rows of a map (`match: { map: FILE }`) that give nobody a picture: whose account or person is not there.
//!
//! Owns: which rows those are, and what is said of each. Leaves to others: reading the list (`pipeline`), the exit code
//! (`run_report`).
//! A newcomer gets wrong: a row of somebody who left acts on nobody either, and is no fault. It is a slip where somebody is
//! there and called nearly so, as with entries of `users` (`slips`).

use std::collections::HashSet;

use super::context::RunContext;
use super::finished_target::FinishedTarget;
use super::pages::{PAGE, each_page};
use super::slips::{Slips, apart};
use super::source_run::SourceRun;
use crate::error::Trouble;
use crate::model::{AccountKey, PersonKey, Place, normalise_widely};
use crate::settings::{MapRow, Matching, TargetKind, UserMap};

/// Rows told of one map; a map with more has one cause.
const TOLD: usize = 10;

/// What is sought of a row, and in vain.
struct Sought<'m> {
    line: u32,
    value: &'m str,
    /// In the form in which names are held against each other.
    wide: String,
    near: Option<String>,
}

impl<'m> Sought<'m> {
    fn new(line: u32, value: &'m str) -> Self {
        Self { line, value, wide: normalise_widely(value), near: None }
    }

    fn see(&mut self, name: &str) {
        if self.near.is_none() && is_slip_of(&self.wide, &normalise_widely(name)) {
            self.near = Some(name.to_owned());
        }
    }
}

/// One edit, and not in digits: numbers that lie beside each other are two people's. Of a map of everybody many rows are of people
/// who left, and somebody whose name is more than that away is always there.
fn is_slip_of(written: &str, name: &str) -> bool {
    let letters = |text: &str| text.replace(|sign: char| sign.is_ascii_digit(), "");
    letters(written) != letters(name) && apart(written, name).is_some_and(|edits| edits <= 1)
}

/// Of every target with a map that was listed, where everybody of each source is known.
pub(super) fn slips_of_maps(
    context: &RunContext,
    source_runs: &[SourceRun],
    targets: &[FinishedTarget],
) -> Result<Slips, Trouble> {
    let mut slips = Slips::default();
    if context.is_undo() {
        return Ok(slips);
    }
    for done in targets.iter().filter(|done| done.target_run.ready().is_some()) {
        let Matching::Map(map) = &done.target_run.entry.matching else { continue };
        let mut notes = Notes { map, target: done.target_run.id().as_str(), told: Vec::new(), probable: 0 };
        if source_runs.iter().all(|source_run| source_run.knows_people) {
            let sought = without_person(context, source_runs, map)?;
            notes.take(sought, |value| {
                format!("nobody that a source lists has the key `{}` `{value}`", map.person.word())
            });
        }
        // A folder has an account for each person whom a row names.
        if !matches!(done.target_run.entry.kind, TargetKind::Folder(_) | TargetKind::FolderInBucket(_)) {
            let sought = without_account(context, done, map)?;
            notes.take(sought, |value| {
                format!("no account that is listed has the {} `{value}`", account_word(map.account))
            });
        }
        slips.probable += notes.probable;
        slips.notes.extend(notes.written());
    }
    Ok(slips)
}

fn account_word(key: AccountKey) -> &'static str {
    match key {
        AccountKey::Username => "user name",
        AccountKey::Email => "address",
        AccountKey::Key => "key",
    }
}

/// Rows whose person no source has, each with who is called nearly so.
fn without_person<'m>(
    context: &RunContext,
    source_runs: &[SourceRun],
    map: &'m UserMap,
) -> Result<Vec<Sought<'m>>, Trouble> {
    let rows: Vec<&MapRow> = map.people.values().collect();
    let mut sought = Vec::new();
    for rows in rows.chunks(PAGE) {
        let wanted: Vec<(PersonKey, String)> = rows.iter().map(|row| (map.person, row.person.clone())).collect();
        let mut found = vec![false; rows.len()];
        for source_run in source_runs {
            let people = context.facts.people_with(source_run.id(), &wanted)?;
            found.iter_mut().zip(people).for_each(|(found, people)| *found |= !people.is_empty());
        }
        let missing = rows.iter().zip(found).filter(|(_, found)| !found);
        sought.extend(missing.map(|(row, _)| Sought::new(row.line, &row.person)));
    }
    if sought.is_empty() {
        return Ok(sought);
    }
    // Who stands in a row of their own is not meant by another one.
    let taken: HashSet<&str> = map.people.values().map(|row| row.person.as_str()).collect();
    for source_run in source_runs {
        for page in each_page(|after| context.facts.people(source_run.id(), after, PAGE), |last| last.id.clone()) {
            for person in page? {
                let names = || person.values(map.person).filter(|name| !taken.contains(name));
                sought.iter_mut().for_each(|one| names().for_each(|name| one.see(name)));
            }
        }
    }
    Ok(sought)
}

/// Rows whose account the target did not list, each with the account that is called nearly so.
fn without_account<'m>(
    context: &RunContext,
    done: &FinishedTarget,
    map: &'m UserMap,
) -> Result<Vec<Sought<'m>>, Trouble> {
    let mut missing = map.people.clone();
    let pages = || each_page(|after| context.facts.accounts(done.target_run.id(), after, PAGE), |last| last.id.clone());
    for page in pages() {
        page?.iter().filter_map(|account| account.key(map.account)).for_each(|key| _ = missing.remove(&key));
    }
    let rows = map.people.iter().filter(|(account, _)| missing.contains_key(*account));
    let mut sought: Vec<_> = rows.map(|(account, row)| Sought::new(row.line, account)).collect();
    if sought.is_empty() {
        return Ok(sought);
    }
    for page in pages() {
        for key in page?.iter().filter_map(|account| account.key(map.account)) {
            if !map.people.contains_key(&key) {
                sought.iter_mut().for_each(|one| one.see(&key));
            }
        }
    }
    Ok(sought)
}

/// What is said of one map.
struct Notes<'m> {
    map: &'m UserMap,
    target: &'m str,
    /// Whether it is probably a slip, its line, and the words.
    told: Vec<(bool, u32, String)>,
    probable: u64,
}

impl Notes<'_> {
    fn take(&mut self, sought: Vec<Sought<'_>>, words: impl Fn(&str) -> String) {
        for one in sought {
            let words = words(one.value);
            self.probable += u64::from(one.near.is_some());
            self.told.push(match one.near {
                None => (false, one.line, words),
                Some(near) => (true, one.line, format!("{words}; near it is `{near}`: write that if it is meant")),
            });
        }
    }

    fn written(mut self) -> Vec<String> {
        self.told.sort_by_key(|(near, line, _)| (!near, *line));
        let more = self.told.get(TOLD..).map_or(0, <[_]>::len);
        let place = |line| Place { file: self.map.list.clone(), line };
        let told = self.told.iter().take(TOLD);
        let mut notes: Vec<_> =
            told.map(|(_, line, words)| format!("{}: {words} ({})", place(*line), self.target)).collect();
        if more > 0 {
            let list = &self.map.list;
            notes.push(format!(
                "{}: {more} more rows of {list} give nobody a picture ({})",
                self.map.place, self.target
            ));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::is_slip_of;

    #[test]
    fn who_left_is_no_slip() {
        for (written, name, slip) in [
            ("gracee", "grace", true),
            ("ada@contso.example", "ada@contoso.example", true),
            ("gracehopper", "gracehooper", true),
            ("graeces", "grace", false),
            ("0042", "0043", false),
            ("u1042", "u142", false),
            ("ada", "alan", false),
        ] {
            assert_eq!(is_slip_of(written, name), slip, "{written} {name}");
        }
    }
}
