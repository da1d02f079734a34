//! The part of a world file that describes one Bitbucket.
//!
//! Owns: the serde types of that part and their defaults.
//! Leaves to others: what becomes of them (`store`), where pictures come from (the caller's function).
//! A newcomer gets wrong: `slug` is not `name`: it is the name in lower case with odd letters replaced
//! (docs/wire/atlassian.md §5).

use serde::{Deserialize, Serialize};

use crate::atlassian::auth::Role;
use crate::atlassian::version::Version;
use crate::pictures::FileRef;

/// One simulated Bitbucket, as written in a world.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// The simulator's name.
    #[serde(default = "id")]
    pub id: String,
    /// The release to play.
    pub version: Version,
    /// Shown as the server's title; also seeds ids, so that two worlds have different ones.
    #[serde(default = "title")]
    pub title: String,
    /// The server's own id (manifest); unset: made from the title.
    #[serde(default)]
    pub server_id: Option<String>,
    /// `/bitbucket`, or empty.
    #[serde(default)]
    pub base_path: String,
    /// What the server calls itself in links; unset: the host it was asked under.
    #[serde(default)]
    pub base_url: Option<String>,
    /// Everybody.
    #[serde(default)]
    pub accounts: Vec<AccountWorld>,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountWorld {
    /// Login name.
    pub name: String,
    /// Unset: made from the name.
    #[serde(default)]
    pub slug: Option<String>,
    /// Numeric id; unset: 101 and on.
    #[serde(default)]
    pub id: Option<u64>,
    /// Unset: the name.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Unset: none.
    #[serde(default)]
    pub email: Option<String>,
    /// Inactive accounts cannot log in.
    #[serde(default)]
    pub standing: Standing,
    /// A person or a service.
    #[serde(default)]
    pub kind: Kind,
    /// What the account may do.
    #[serde(default)]
    pub role: Role,
    /// Unset: no password login.
    #[serde(default)]
    pub password: Option<String>,
    /// HTTP access tokens.
    #[serde(default)]
    pub tokens: Vec<String>,
    /// Rate limiting blocks the account for good (§2.4).
    #[serde(default)]
    pub blocked: bool,
    /// Group names.
    #[serde(default)]
    pub groups: Vec<String>,
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

impl Instance {
    /// The picture files that this part names.
    pub fn files(&self) -> impl Iterator<Item = &FileRef> {
        self.accounts.iter().flat_map(|account| &account.picture)
    }
}

fn id() -> String {
    "bitbucket".to_owned()
}

fn title() -> String {
    "Bitbucket".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::Pictures;

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
