//! The part of a world file that describes one Confluence.
//!
//! Owns: the serde types of that part and their defaults.
//! Leaves to others: what becomes of them (`store`), where pictures come from (the caller's function).
//! A newcomer gets wrong: `picture` is what the person uploaded in the web page, so its file is named `user-avatar`;
//! `files` were put there by RPC or an app, under names of their own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::atlassian::world::{account, instance};
use crate::pictures::FileRef;

instance! {
    /// One simulated Confluence, as written in a world.
    "confluence", "Confluence" {
        /// Groups besides those that accounts name.
        #[serde(default)]
        pub groups: Vec<String>,
    }
}

account! {
    /// Immutable key; unset: 32 digits made from title and name.
    #[serde(default)]
    pub key: Option<String>,
    /// What the person uploaded in the web page.
    #[serde(default)]
    pub picture: Option<FileRef>,
    /// Files that lie on the profile under other names.
    #[serde(default)]
    pub files: BTreeMap<String, FileRef>,
    /// What is chosen; unset: `picture` if there is one, else nothing.
    #[serde(default)]
    pub shows: Option<Choice>,
}

/// Whether an account is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// In use.
    #[default]
    Active,
    /// Disabled; still listed (docs/wire/atlassian.md §4.1).
    Inactive,
    /// Gone from every directory: an unknown user, found by key only.
    Deleted,
}

/// What an account has chosen at the start.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Nothing was ever chosen.
    Default,
    /// The nth stock picture, from 0.
    Stock(usize),
    /// The file of that name; if there is none, the default is shown.
    File(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::Pictures;
    use crate::world::Part as _;

    #[test]
    fn what_does_not_fit_together_is_told() {
        // accounts → the fault; empty: none
        let table = [
            ("[{ name: ada }, { name: alan, shows: { stock: 1 } }]", ""),
            ("[{ name: ada }, { name: ADA }]", "confluence confluence: account ada: the name or the key"),
            (
                "[{ name: a, tokens: [t] }, { name: b, tokens: [t] }]",
                "confluence confluence: account b: another account has its token",
            ),
            ("[{ name: ada, shows: { stock: 99 } }]", "confluence confluence: account ada: no stock picture 99"),
            ("[{ name: ada, picture: ada.png }]", "confluence confluence: account ada: no picture named ada.png"),
        ];
        for (accounts, fault) in table {
            let yaml = format!("version: 9.2.0\naccounts: {accounts}");
            let instance: Instance = serde_yaml::from_str(&yaml).expect("an instance");
            let found = instance.check(&Pictures::default()).err().unwrap_or_default();
            assert_eq!(found.is_empty(), fault.is_empty(), "{accounts}: {found}");
            assert!(found.starts_with(fault), "{accounts}: {found}");
        }
    }
}
