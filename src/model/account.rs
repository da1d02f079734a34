//! An account of a target with the picture that it shows now.
//!
//! Owns: what every product's user bean is translated into.
//! Leaves to others: whether the picture is ours (`picture.rs`), who the account belongs to (`plan`).
//! A newcomer gets wrong: `name` may change and is what the vendors' calls want; `id` never changes and is what we keep.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccountId, PictureRef, normalise_key};

/// What an account can be matched by (pipelines/README.md, "Targets").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountKey {
    /// The name that the person signs in with.
    Username,
    /// The mail address, where the product shows it.
    Email,
    /// The immutable id.
    Key,
}

impl AccountKey {
    /// The word in the pipeline file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Username => "username",
            Self::Email => "email",
            Self::Key => "key",
        }
    }
}

/// Whether the server lets the account be used, and whether `accounts` of the pipeline file selects it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountStanding {
    /// In use.
    Active,
    /// Disabled, deleted or anonymised.
    Inactive,
    /// In none of `accounts.groups`.
    NotInGroups,
    /// Meant by `accounts.exclude`.
    Excluded,
    /// Not yet in the share of `accounts.rollout`.
    NotInRollout,
}

impl AccountStanding {
    /// In use, and not selected.
    pub fn is_left_out(self) -> bool {
        match self {
            Self::Active | Self::Inactive => false,
            Self::NotInGroups | Self::Excluded | Self::NotInRollout => true,
        }
    }
}

/// What the target says that an account shows, before our records are asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// The instance's default, or nothing.
    Default,
    /// A stock picture of the product that somebody chose.
    System(PictureRef),
    /// A picture that somebody uploaded: a person, or we.
    Custom(PictureRef),
    /// The answer did not say; nothing may be written.
    Unknown(String),
}

impl Shown {
    /// Whether an account that was to show this does, by what a later listing says: `None`, it is not listed any more.
    pub(crate) fn is_confirmed_by(&self, listed: Option<&Self>, default: Option<&PictureRef>) -> bool {
        match (self, listed) {
            (Self::Default, Some(Self::System(mark))) => default == Some(mark),
            (wanted, Some(listed)) => wanted == listed,
            (_, None) => false,
        }
    }
}

/// One user of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Immutable inside the target.
    pub id: AccountId,
    /// What the person signs in with, as the server spells it.
    pub name: String,
    /// What calls want besides or in place of the name: Bitbucket the slug, Confluence the content id of the personal
    /// information, once a picture shows it.
    pub handle: Option<String>,
    /// The mail address, if the server shows it.
    pub email: Option<String>,
    /// For reports only; never compared.
    pub display_name: String,
    /// Whether the account is in use and selected.
    pub standing: AccountStanding,
    /// The picture it shows now.
    pub shown: Shown,
}

impl Account {
    /// The value of a match key in its compared form; `None` when it is not filled.
    pub fn key(&self, key: AccountKey) -> Option<String> {
        let value = match key {
            AccountKey::Username => normalise_key(&self.name),
            AccountKey::Email => normalise_key(self.email.as_deref().unwrap_or_default()),
            AccountKey::Key => normalise_key(self.id.as_str()),
        };
        (!value.is_empty()).then_some(value)
    }
}
