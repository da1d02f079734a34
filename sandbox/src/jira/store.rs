//! What this Jira holds: accounts, avatars, user properties, sessions, counters.
//!
//! Owns: the data and the rules that concern nothing but data (who is who, what is shown, what is deleted).
//! Leaves to others: who may ask (`login`), how it is asked (`users`, `avatars`, `upload`), pixels (`pictures`).
//! A newcomer gets wrong: `chosen` may name a dead avatar. Deleting a chosen avatar leaves the property as it is, and
//! the account shows the default (docs/wire/atlassian.md §3.6).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::pictures::{self, Uploaded};
use super::world::{AccountWorld, Standing};
use crate::atlassian::account::stored;
use crate::atlassian::auth::AuthState;
use crate::atlassian::site::ProductStore;

/// How many system avatars there are; one more is the anonymous one.
pub(super) const SYSTEM_AVATARS: u64 = 6;

stored! {
    key: String,
    session: Option<Temporary>,
    may_log_in: |_| true,
    {
        /// The user property `user.avatar.id`.
        pub chosen: Option<u64>,
        pub properties: BTreeMap<String, Value>,
    }
}

/// One custom avatar, deleted ones included.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Avatar {
    pub owner: String,
    /// Name of who created it; `world` for what was there from the start.
    pub creator: String,
    /// Who deleted it.
    pub deleted_by: Option<String>,
    /// Names the picture among the saved ones.
    pub digest: String,
    /// The largest stored size as PNG.
    #[serde(skip)]
    pub png: Bytes,
}

/// An upload that waits for its crop: the one of its session.
#[derive(Clone, Debug)]
pub(crate) struct Temporary {
    pub uploaded: Uploaded,
    /// Key of the user named in step 1; Jira itself does not remember it (§3.5).
    pub meant_for: String,
}

/// What is counted besides requests and logins.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Counters {
    pub temporary_overwritten: u64,
    pub lost_temporary: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Store {
    pub accounts: BTreeMap<String, Account>,
    pub groups: BTreeSet<String>,
    pub avatars: BTreeMap<u64, Avatar>,
    pub next_avatar: u64,
    pub first_system: u64,
    pub default_avatar: u64,
    pub counters: Counters,
    pub auth_state: AuthState<Option<Temporary>>,
    /// A listing of a million is not sorted again for each page, and a page looks up nobody before it. Empty after a
    /// change of a name; nobody's standing changes.
    #[serde(skip)]
    pub(super) by_name: Vec<Sorted>,
}

/// One account in the order of names.
#[derive(Debug)]
pub(crate) struct Sorted {
    key: String,
    pub standing: Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shows {
    /// The instance default, for want of another.
    Default,
    /// A system avatar that was chosen.
    System(u64),
    /// A custom avatar of that account.
    Custom(u64),
}

impl Store {
    /// The account of that name is called something else from now on, and somebody new, without a picture, gets the name.
    pub(crate) fn pass_on(&mut self, name: &str) {
        let name = name.to_lowercase();
        let Some(mut former) = self.auth_state.names.get(&name).and_then(|key| self.accounts.get(key)).cloned() else {
            return;
        };
        let key = format!("JIRAUSER{}", 90_000 + self.accounts.len());
        let newcomer = Account {
            key: key.clone(),
            display_name: format!("{} II", former.display_name),
            email: former.email.as_ref().map(|email| format!("new.{email}")),
            password: None,
            tokens: Vec::new(),
            chosen: None,
            properties: BTreeMap::new(),
            ..former.clone()
        };
        former.name = format!("{name}.former");
        self.auth_state.names.insert(former.name.clone(), former.key.clone());
        self.auth_state.names.insert(name, key.clone());
        self.accounts.insert(former.key.clone(), former);
        self.accounts.insert(key, newcomer);
    }

    /// The account of that key is called something else from now on.
    pub(crate) fn rename(&mut self, from: &str, key: String, to: String) {
        self.by_name.clear();
        self.auth_state.names.remove(&from.to_lowercase());
        self.auth_state.names.insert(to.clone(), key.clone());
        self.accounts.entry(key).and_modify(|account| account.name = to);
    }

    /// To be called before [`Self::sorted`].
    pub(crate) fn sort(&mut self) {
        if self.by_name.len() != self.accounts.len() {
            let mut all: Vec<&Account> = self.accounts.values().collect();
            all.sort_by(|a, b| a.name.cmp(&b.name));
            let sorted = |account: &Account| Sorted { key: account.key.clone(), standing: account.standing };
            self.by_name = all.into_iter().map(sorted).collect();
        }
    }

    /// Everybody in the order of names.
    pub(crate) fn sorted(&self) -> impl Iterator<Item = &Sorted> {
        self.by_name.iter()
    }

    pub(crate) fn account(&self, sorted: &Sorted) -> Option<&Account> {
        self.accounts.get(&sorted.key)
    }

    pub(crate) fn create(&mut self, owner: &str, creator: &str, png: impl Into<Bytes>) -> u64 {
        let png = png.into();
        let digest = blake3::hash(&png).to_hex().to_string();
        let id = self.next_avatar;
        self.next_avatar += 1;
        let (owner, creator) = (owner.to_owned(), creator.to_owned());
        let avatar = Avatar { owner, creator, deleted_by: None, digest, png };
        self.avatars.insert(id, avatar);
        id
    }

    /// A custom avatar that was not deleted.
    pub(crate) fn avatar(&self, id: u64) -> Option<&Avatar> {
        self.avatars.get(&id).filter(|avatar| avatar.deleted_by.is_none())
    }

    /// Custom avatars of an account, deleted ones left out.
    pub(crate) fn custom_of<'a>(&'a self, key: &'a str) -> impl Iterator<Item = (u64, &'a Avatar)> {
        let all = self.avatars.iter().filter(move |(_, a)| a.deleted_by.is_none() && a.owner == key);
        all.map(|(id, avatar)| (*id, avatar))
    }

    /// Ids of the system avatars, the anonymous one left out.
    pub(crate) fn system_ids(&self) -> Vec<u64> {
        let mut ids: Vec<u64> = (self.first_system..self.first_system + SYSTEM_AVATARS).collect();
        if !ids.contains(&self.default_avatar) {
            ids.push(self.default_avatar);
        }
        ids
    }

    /// The avatar of users who do not exist.
    pub(crate) fn anonymous_avatar(&self) -> u64 {
        self.first_system + SYSTEM_AVATARS
    }

    pub(crate) fn shows(&self, account: &Account) -> Shows {
        match account.chosen {
            Some(id) if self.avatar(id).is_some_and(|a| a.owner == account.key) => Shows::Custom(id),
            Some(id) if id != self.default_avatar && self.system_ids().contains(&id) => Shows::System(id),
            _ => Shows::Default,
        }
    }

    pub(crate) fn shown_id(&self, account: &Account) -> u64 {
        match self.shows(account) {
            Shows::Default => self.default_avatar,
            Shows::System(id) | Shows::Custom(id) => id,
        }
    }

    /// The stored picture of any avatar, system ones included.
    pub(crate) fn picture(&self, id: u64) -> Option<Bytes> {
        if let Some(avatar) = self.avatar(id) {
            return Some(avatar.png.clone());
        }
        let drawn = self.system_ids().into_iter().chain([self.anonymous_avatar()]).position(|known| known == id)?;
        Some(pictures::system(drawn))
    }
}

impl ProductStore for Store {
    fn pictures(&self) -> impl Iterator<Item = &Bytes> {
        self.avatars.values().map(|avatar| &avatar.png)
    }

    fn pictures_mut(&mut self) -> impl Iterator<Item = (&str, &mut Bytes)> {
        self.avatars.values_mut().map(|avatar| (avatar.digest.as_str(), &mut avatar.png))
    }
}
