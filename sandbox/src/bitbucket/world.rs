//! The part of a world file that describes one Bitbucket.
//!
//! Owns: the serde types of that part and their defaults.
//! Leaves to others: what becomes of them (`store`), where pictures come from (the caller's function).
//! A newcomer gets wrong: `slug` is not `name`: it is the name in lower case with odd letters replaced
//! (docs/wire/atlassian.md §5).

use serde::{Deserialize, Serialize};

use crate::atlassian::world::{account, instance};
use crate::pictures::FileRef;

instance! {
    /// One simulated Bitbucket, as written in a world.
    "bitbucket", "Bitbucket" {}
}

account! {
    /// Unset: made from the name.
    #[serde(default)]
    pub slug: Option<String>,
    /// Numeric id; unset: 101 and on.
    #[serde(default)]
    pub id: Option<u64>,
    /// A person or a service.
    #[serde(default)]
    pub kind: Kind,
    /// What the person uploaded.
    #[serde(default)]
    pub picture: Option<FileRef>,
}

/// Whether an account is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// In use.
    #[default]
    Active,
    /// Disabled.
    Inactive,
}

/// What stands behind an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `NORMAL`.
    #[default]
    Normal,
    /// `SERVICE`: a project's or a repository's access key.
    Service,
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
            (
                "[{ name: ada }, { name: ADA, id: 7 }]",
                "bitbucket bitbucket: account ADA: the name, slug or id is taken",
            ),
            ("[{ name: a@b }, { name: a_b }]", "bitbucket bitbucket: account a_b: the name, slug or id is taken"),
            ("[{ name: ada, picture: ada.png }]", "bitbucket bitbucket: account ada: no picture named ada.png"),
        ];
        for (accounts, fault) in table {
            let yaml = format!("version: 8.19.1\naccounts: {accounts}");
            let instance: Instance = serde_yaml::from_str(&yaml).expect("an instance");
            let found = instance.check(&Pictures::default()).err().unwrap_or_default();
            assert_eq!(found, fault, "{accounts}");
        }
    }
}
