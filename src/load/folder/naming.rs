//! How a person's file is named: `match` of the pipeline file.
//!
//! Owns: the names that a person has there. Leaves to others: their safe form (`names.rs`).
//! A newcomer gets wrong: several names are no choice. They make the person ambiguous, which is for matching to say.

use std::collections::BTreeMap;

use crate::model::{Person, PersonKey};
use crate::settings::Matching;

/// How a person's file is named.
#[derive(Clone, Debug)]
pub(super) enum Naming {
    /// After the first of these keys that the person has.
    Keys(Vec<PersonKey>),
    /// After the name that a list has for one of the person's keys.
    Map {
        /// The key.
        person: PersonKey,
        /// Its values, in their compared form, and the name of each.
        names: BTreeMap<String, String>,
    },
}

impl Naming {
    /// A map says who an account is, and here who has which file.
    pub(super) fn of(matching: &Matching) -> Self {
        match matching {
            Matching::Pairs(pairs) => Self::Keys(pairs.iter().map(|pair| pair.person).collect()),
            Matching::Map(map) => Self::Map {
                person: map.person,
                names: map.people.iter().map(|(account, person)| (person.clone(), account.clone())).collect(),
            },
        }
    }

    pub(super) fn names(&self, person: &Person) -> Vec<String> {
        match self {
            Self::Keys(keys) => {
                keys.iter().find_map(|key| person.values(*key).next()).map(str::to_owned).into_iter().collect()
            }
            Self::Map { person: key, names } => {
                person.values(*key).filter_map(|value| names.get(value)).cloned().collect()
            }
        }
    }
}
