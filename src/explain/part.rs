//! Who is meant by a part of a name, as `karen` or `oyelaran`.
//!
//! Owns: that one name is explained, and of several each is told with what to write. Leaves to others: finding them (`who`).
//! A newcomer gets wrong: a whole name, address or id goes before it; so whoever is called just so is never hidden by others.

use std::collections::BTreeSet;

use super::who::{Meant, Parts};
use crate::error::Trouble;
use crate::model::{AccountId, Matched, Person, PersonKey, PersonRef, TargetId, normalise_key};
use crate::state::{Facts, StateError};

/// So many are told.
const TOLD: usize = 8;

/// Whoever a part of a name means, if they have one name.
///
/// # Errors
///
/// Several names have this part, or a file cannot be read.
pub(super) fn meant_by_part(facts: &Facts, who: &str, meant: &mut Meant) -> Result<(), Trouble> {
    let parts = std::mem::take(&mut meant.parts);
    let people = parts.people.values().map(|person| &person.display_name);
    let accounts = parts.accounts.values().map(|account| &account.display_name);
    let names: BTreeSet<_> = people.chain(accounts).map(|name| normalise_key(name)).collect();
    if names.len() > 1 || parts.cut {
        return Err(several(facts, who, &parts)?);
    }
    meant.people.extend(parts.people.into_keys());
    meant.accounts.extend(parts.accounts.into_keys());
    Ok(())
}

fn several(facts: &Facts, who: &str, parts: &Parts) -> Result<Trouble, StateError> {
    let mut all: Vec<String> = parts.people.iter().map(|(key, person)| of_person(key, person)).collect();
    for ((target, id), account) in &parts.accounts {
        if !is_of_these(facts, target, id, parts)? {
            all.push(format!("{target}/{} ({})", account.name, account.display_name));
        }
    }
    let count = if parts.cut { format!("more than {}", all.len()) } else { all.len().to_string() };
    let more = if all.len() > TOLD { ", …" } else { "" };
    all.truncate(TOLD);
    Ok(Trouble::Usage(format!(
        "{}: {count} people and accounts have this in their name; write the address, id or account of one of them: {}{more}",
        who.escape_debug(),
        all.join(", ")
    )))
}

/// What to write first: an address, or else the id.
fn of_person(key: &PersonRef, person: &Person) -> String {
    let mut written = [PersonKey::Email, PersonKey::Upn].into_iter().filter_map(|key| person.values(key).next());
    format!("{} ({})", written.next().unwrap_or(key.id.as_str()), person.display_name)
}

/// Whether it is the account of a person who is told already.
fn is_of_these(facts: &Facts, target: &TargetId, account: &AccountId, parts: &Parts) -> Result<bool, StateError> {
    let rows = facts.matches(target, account)?.into_iter();
    Ok(rows.into_iter().any(|row| match row.matched {
        Matched::Person(id) => parts.people.contains_key(&PersonRef { source: row.source, id }),
        _ => false,
    }))
}
