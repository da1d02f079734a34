//! Who is meant by a name.
//!
//! Owns: finding people and accounts by name, address, id or pseudonym, and the nearest names where there is nobody.
//! Leaves to others: what is known of them (`collect`).
//! A newcomer gets wrong: one name can mean several people; all of them are explained.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Account, AccountId, AccountKey, Person, PersonKey, PersonRef, SourceId, TargetId, normalise_key};
use crate::nearest::edits;
use crate::pipeline::{Document, Element};
use crate::report::Pseudonyms;
use crate::run::{PAGE, each_page};
use crate::state::{Facts, StateError};

/// How many near names are told.
const NEAREST: usize = 3;

/// Everybody whom a name means.
#[derive(Debug, Default)]
pub(super) struct Meant {
    pub people: BTreeSet<PersonRef>,
    pub accounts: BTreeSet<(TargetId, AccountId)>,
    /// Where nobody is meant: who is called nearly so.
    pub near: Vec<String>,
    /// Whose display name has all words of it, as `karen` of Karen Oyelaran.
    pub parts: Parts,
}

/// Whoever a part of a name may mean.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub people: BTreeMap<PersonRef, Person>,
    pub accounts: BTreeMap<(TargetId, AccountId), Account>,
    /// That there are more than are kept.
    pub cut: bool,
}

/// So many people, and so many accounts, are kept of those whom a part of a name may mean.
const PARTS: usize = 100;

impl Parts {
    fn keep<K: Ord, V>(kept: &mut BTreeMap<K, V>, cut: &mut bool, key: K, value: V) {
        if kept.len() < PARTS {
            kept.insert(key, value);
        } else {
            *cut = true;
        }
    }
}

/// The sources and targets of the file, in its order.
pub(crate) struct Elements {
    /// The sources.
    pub sources: Vec<SourceId>,
    /// The targets, each with the keys that its `match` compares.
    pub targets: Vec<(TargetId, Vec<(PersonKey, AccountKey)>)>,
    /// The targets as the file has them.
    pub(super) written: Vec<Element>,
}

impl Elements {
    /// Those of this file.
    pub(crate) fn of(document: &Document) -> Self {
        let compared = |target: &Element| (TargetId::new(&target.id), target.compared.clone());
        Self {
            sources: document.sources().iter().map(|source| SourceId::new(&source.id)).collect(),
            targets: document.targets().iter().map(compared).collect(),
            written: document.targets().to_vec(),
        }
    }
}

/// Looks through everybody whom the last plan or run listed.
pub(super) fn meant(
    facts: &Facts,
    elements: &Elements,
    pseudonyms: &Pseudonyms,
    who: &str,
) -> Result<Meant, StateError> {
    let (of_target, name) = split(elements, who);
    let name = PseudonymisedName { text: normalise_key(name), pseudonyms };
    let (mut meant, mut near) = (Meant::default(), Near::default());
    let targets = elements.targets.iter().map(|(target, _)| target);
    for target in targets.filter(|target| of_target.is_none_or(|id| id == target.as_str())) {
        for page in each_page(|after| facts.accounts(target, after, PAGE), |last| last.id.clone()) {
            for account in page? {
                if name.is_part_of(&account.display_name) {
                    let key = (target.clone(), account.id.clone());
                    Parts::keep(&mut meant.parts.accounts, &mut meant.parts.cut, key, account.clone());
                }
                if name.means(account_words(&account), &mut near) {
                    meant.accounts.insert((target.clone(), account.id));
                }
            }
        }
    }
    for source in elements.sources.iter().filter(|_| of_target.is_none()) {
        for page in each_page(|after| facts.people(source, after, PAGE), |last| last.id.clone()) {
            for person in page? {
                let key = PersonRef { source: source.clone(), id: person.id.clone() };
                if name.means(person_words(&person), &mut near) {
                    meant.people.insert(key.clone());
                }
                if name.is_part_of(&person.display_name) {
                    Parts::keep(&mut meant.parts.people, &mut meant.parts.cut, key, person);
                }
            }
        }
    }
    meant.near = near.0.into_iter().map(|(_, word)| word).collect();
    Ok(meant)
}

/// The target, where one is written before the name as every table names an account, `jira/ada`; and the name.
pub(super) fn split<'a>(elements: &Elements, who: &'a str) -> (Option<&'a str>, &'a str) {
    let who = who.trim();
    let written = who.split_once('/');
    let account = written.filter(|(target, _)| elements.targets.iter().any(|(id, _)| id.as_str() == *target));
    account.map_or((None, who), |(target, name)| (Some(target), name))
}

/// What an account is called, as it is written.
fn account_words(account: &Account) -> Vec<String> {
    let Account { id, name, email, display_name, handle, .. } = account;
    let all = [Some(name.as_str()), email.as_deref(), Some(display_name), Some(id.as_str()), handle.as_deref()];
    all.into_iter().flatten().map(str::to_owned).collect()
}

/// What a person is called.
fn person_words(person: &Person) -> Vec<String> {
    let keys = person.keys().iter().map(|(_, value)| value.clone());
    [person.display_name.clone(), person.id.to_string()].into_iter().chain(keys).collect()
}

struct PseudonymisedName<'a> {
    text: String,
    pseudonyms: &'a Pseudonyms,
}

impl PseudonymisedName<'_> {
    fn means(&self, words: Vec<String>, near: &mut Near) -> bool {
        let mut means = false;
        for word in words.iter().filter(|word| !word.is_empty()) {
            let compared = normalise_key(word);
            means |= compared == self.text;
            means |= self.text.starts_with("p-") && self.pseudonyms.of(word) == self.text;
            near.offer(&self.text, compared);
        }
        means
    }

    /// Whether all its words are words of a name: never a piece of one, which would fit too many.
    fn is_part_of(&self, display_name: &str) -> bool {
        let name = normalise_key(display_name);
        let mut wanted = words(&self.text).peekable();
        wanted.peek().is_some() && wanted.all(|word| words(&name).any(|there| there == word))
    }
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// The nearest names so far.
#[derive(Default)]
struct Near(Vec<(usize, String)>);

impl Near {
    fn offer(&mut self, name: &str, word: String) {
        let Some(edits) = edits(name, &word) else { return };
        let entry = (edits, word);
        if !self.0.contains(&entry) {
            self.0.push(entry);
            self.0.sort();
            self.0.truncate(NEAREST);
        }
    }
}
