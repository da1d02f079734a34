//! The part of a world file that describes one Jira.
//!
//! Owns: the serde types of that part and their defaults.
//! Leaves to others: what becomes of them (`store`), where pictures come from (the caller's function).
//! A newcomer gets wrong: `key` is not `name`. Avatars belong to keys, requests name names; since 8.4 new keys are
//! `JIRAUSER<n>` (docs/wire/atlassian.md §3.2).

use serde::{Deserialize, Serialize};

pub use crate::atlassian::auth::Role;

use crate::atlassian::world::{account, instance};
use crate::pictures::FileRef;

instance! {
    /// One simulated Jira, as written in a world.
    "jira", "Jira" {
        /// The instance default's id; unset: made from the title. It becomes the id of one of the system avatars.
        #[serde(default)]
        pub default_avatar: Option<u64>,
        /// The id the next custom avatar gets; unset: made from the title.
        #[serde(default)]
        pub next_avatar: Option<u64>,
        /// Groups besides those that accounts name.
        #[serde(default)]
        pub groups: Vec<String>,
    }
}

account! {
    /// Immutable key; unset: `JIRAUSER<10100 + position>`.
    #[serde(default)]
    pub key: Option<String>,
    /// Custom avatars the person uploaded by hand, as picture files of the world.
    #[serde(default)]
    pub avatars: Vec<FileRef>,
    /// Which avatar is chosen; unset: the last custom one, or none.
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
    /// Disabled; avatar calls work all the same (§3.9).
    Inactive,
    /// Gone from every directory: seen only with `includeDeleted`.
    Deleted,
    /// Anonymised (8.7+): name `jirauser…`, an odd display name, no e-mail.
    Anonymised,
}

/// What an account has chosen at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Nothing was ever chosen.
    Default,
    /// The nth of its custom avatars, from 0.
    Custom(usize),
    /// The nth of the system avatars that are not the default, from 0.
    System(usize),
    /// An avatar that was deleted while it was chosen: the property keeps the dead id (§3.6).
    Dead,
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
            ("[{ name: ada }, { name: alan }]", ""),
            ("[{ name: ada }, { name: ADA, key: x }]", "jira jira: account ada: the name or the key x is taken"),
            (
                "[{ name: ada, key: x }, { name: alan, key: x }]",
                "jira jira: account alan: the name or the key x is taken",
            ),
            (
                "[{ name: a, tokens: [t] }, { name: b, tokens: [t] }]",
                "jira jira: account b: another account has its token",
            ),
            ("[{ name: ada, shows: { custom: 0 } }]", "jira jira: account ada: no custom avatar 0"),
            ("[{ name: ada, shows: { system: 9 } }]", "jira jira: account ada: no system avatar 9"),
            ("[{ name: ada, avatars: [ada.png] }]", "jira jira: account ada: no picture named ada.png"),
        ];
        for (accounts, fault) in table {
            let yaml = format!("version: 9.12.5\naccounts: {accounts}");
            let instance: Instance = serde_yaml::from_str(&yaml).expect("an instance");
            let found = instance.check(&Pictures::default()).err().unwrap_or_default();
            assert_eq!(found, fault, "{accounts}");
        }
        let low = "version: 9.12.5\nnext_avatar: 100\n";
        let instance: Instance = serde_yaml::from_str(low).expect("an instance");
        assert!(
            instance.check(&Pictures::default()).is_err_and(|fault| fault.contains("next_avatar 100 must be above"))
        );
    }
}
