//! Who is to be forgotten by a name.
//!
//! Owns: one human by any name, also who is listed nowhere any more and stands in the state alone. Leaves to others: forgetting
//! (`state`), comparing names (`who`).
//! A newcomer gets wrong: here a name that means several people is refused, since what is forgotten does not come back.

use std::collections::BTreeMap;
use std::path::Path;

use super::who::{Elements, Meant, meant};
use crate::error::Trouble;
use crate::model::{Matched, PersonRef};
use crate::report::Pseudonyms;
use crate::run::facts_path;
use crate::state::{Facts, PeopleAndAccounts, StateError, Store};

/// The person or account that `who` means, in all sources, and the accounts that the last plan or run matched to them.
///
/// # Errors
///
/// The name means nobody, or several, or a file cannot be read.
pub(crate) fn one_named(state: &Path, store: &Store, elements: &Elements, who: &str) -> Result<Named, Trouble> {
    // A variable that is not set, and what is left of whoever was forgotten.
    if who.trim().is_empty() {
        return Err(Trouble::Usage("an empty name means nobody: write a name, an address or an id".to_owned()));
    }
    let path = facts_path(state);
    let mut found = store.with_id(who)?;
    let mut meant_there = Meant::default();
    let is_id = !(found.people.is_empty() && found.accounts.is_empty());
    if path.exists() {
        let facts = Facts::open(&path)?;
        if !is_id && lists_nobody(&facts, elements)? {
            return Err(Trouble::Usage(format!(
                "{}: nobody is known by name here, since what learnt last asked no source for its people, or none answered: make a \
                 plan first, or give the id that the source or the target has for the person; nothing was forgotten",
                who.escape_debug()
            )));
        }
        meant_there = meant(&facts, elements, &Pseudonyms::new(store.key()?), who)?;
        found.people.append(&mut meant_there.people.clone());
        found.accounts.append(&mut meant_there.accounts.clone());
        beside(&facts, elements, &mut found)?;
    }
    // Also where nobody listed the person since.
    for (target, account) in &found.accounts {
        found.people.extend(store.placement(target, account)?.and_then(|placement| placement.person));
    }
    let shown = who.escape_debug();
    if found.people.is_empty() && found.accounts.is_empty() && !path.exists() {
        return Err(Trouble::Usage(format!(
            "{shown}: this id does not stand in the state, and nobody is known by name here: {} is missing, which each `plan` and \
             `run` makes; give the id that the source or the target has for the person, or make a plan first; nothing was \
             forgotten",
            path.display()
        )));
    }
    if found.people.is_empty() && found.accounts.is_empty() {
        let near = match meant_there.near.as_slice() {
            [] => String::new(),
            near => format!("; near it: {}", near.join(", ")),
        };
        return Err(Trouble::Usage(format!(
            "{shown}: nobody has this name, address, id or pseudonym, as the last plan or run listed them, nor this id in the state{near}"
        )));
    }
    let people = most(found.people.iter().map(|person| person.source.as_str()));
    let accounts = most(meant_there.accounts.iter().map(|(target, _)| target.as_str()));
    let facts = if path.exists() { Some(Facts::open(&path)?) } else { None };
    let names = names(facts.as_ref(), &found)?;
    if let Some((place, count)) = people.into_iter().chain(accounts).find(|(_, count)| *count > 1) {
        let mut told: Vec<_> = names.iter().take(TOLD).map(String::as_str).collect();
        if names.len() > TOLD {
            told.push("…");
        }
        return Err(Trouble::Usage(format!(
            "{shown} means {count} of `{place}`: {}; name one of them by address or id",
            told.join(", ")
        )));
    }
    Ok(Named { whom: found, names })
}

/// Names of an ambiguous name that are told.
const TOLD: usize = 8;

/// Who is meant.
pub(crate) struct Named {
    /// By ids.
    pub whom: PeopleAndAccounts,
    /// As people know them: `Ada Lindqvist (entra 7c55…)`, `jira/ada (JIRAUSER10100)`.
    pub names: Vec<String>,
}

/// Who is listed nowhere any more has ids alone.
fn names(facts: Option<&Facts>, found: &PeopleAndAccounts) -> Result<Vec<String>, StateError> {
    let mut names = Vec::new();
    for person in &found.people {
        let listed = facts.map(|facts| facts.person(person)).transpose()?.flatten();
        let name = listed.map(|listed| listed.display_name).filter(|name| !name.is_empty());
        let id = format!("{} {}", person.source, person.id);
        names.push(name.map_or_else(|| id.clone(), |name| format!("{name} ({id})")));
    }
    for (target, account) in &found.accounts {
        let listed = facts.map(|facts| facts.account(target, account)).transpose()?.flatten();
        let id = format!("{target}/{account}");
        names.push(listed.map_or_else(|| id.clone(), |listed| format!("{target}/{} ({account})", listed.name)));
    }
    Ok(names)
}

/// Whether no source has anybody in the facts: then a name means nobody, whoever stands in the state.
fn lists_nobody(facts: &Facts, elements: &Elements) -> Result<bool, StateError> {
    for source in &elements.sources {
        if !facts.people(source, None, 1)?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The people of these accounts, and the accounts of these people.
fn beside(facts: &Facts, elements: &Elements, found: &mut PeopleAndAccounts) -> Result<(), StateError> {
    for (target, account) in &found.accounts {
        for row in facts.matches(target, account)? {
            if let Matched::Person(id) = row.matched {
                found.people.insert(PersonRef { source: row.source, id });
            }
        }
    }
    for person in &found.people {
        for (target, _) in &elements.targets {
            let (matched, _) = facts.claimants_of(target, person)?;
            found.accounts.extend(matched.into_iter().map(|account| (target.clone(), account)));
        }
    }
    Ok(())
}

/// The place that most stand for, and how often.
fn most<'a>(places: impl Iterator<Item = &'a str>) -> Option<(&'a str, usize)> {
    let mut counts = BTreeMap::new();
    places.for_each(|place| *counts.entry(place).or_insert(0) += 1);
    counts.into_iter().max_by_key(|(_, count)| *count)
}
