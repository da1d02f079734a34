//! What this Jira holds: accounts, avatars, user properties, sessions, counters.
//!
//! Owns: the data and the rules that concern nothing but data (who is who, what is shown, what is deleted).
//! Leaves to others: who may ask (`login`), how it is asked (`users`, `avatars`, `upload`), pixels (`pictures`).
//! A newcomer gets wrong: `chosen` may name a dead avatar. Deleting a chosen avatar leaves the property as it is, and
//! the account shows the default (docs/wire/atlassian.md §3.6).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::pictures::{self, Uploaded};
use super::world::{AccountWorld, Choice, Instance, Standing};
use crate::atlassian::auth::{AccountStore, AccountView, AuthState, Role};
use crate::atlassian::made_up::number_from;
use crate::atlassian::site::ProductStore;
use crate::pictures::Pictures;

/// How many system avatars there are; one more is the anonymous one.
const SYSTEM_AVATARS: u64 = 6;
/// Ids that public examples show as the default (§3.2); none of ours is one of them.
const DEFAULTS_IN_EXAMPLES: [u64; 4] = [10122, 10202, 10341, 10346];

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Account {
    pub key: String,
    pub name: String,
    pub display_name: String,
    pub email: Option<String>,
    pub standing: Standing,
    pub role: Role,
    pub password: Option<String>,
    pub tokens: Vec<String>,
    pub blocked: bool,
    pub groups: BTreeSet<String>,
    /// The user property `user.avatar.id`.
    pub chosen: Option<u64>,
    pub properties: BTreeMap<String, Value>,
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
    pub(crate) fn new(world: &Instance, pictures: &Pictures) -> Result<Store, String> {
        let first_system = first_system(world);
        let spread = number_from(&world.title, "default") % SYSTEM_AVATARS;
        let mut store = Store {
            groups: world.groups.iter().cloned().collect(),
            next_avatar: world.next_avatar.unwrap_or(first_system + 1000 + number_from(&world.title, "next") % 3000),
            first_system,
            default_avatar: world.default_avatar.unwrap_or(first_system + spread),
            ..Store::default()
        };
        if store.default_avatar >= store.next_avatar || first_system + SYSTEM_AVATARS >= store.next_avatar {
            let (default, next) = (store.default_avatar, store.next_avatar);
            return Err(format!("next_avatar {next} must be above the system avatars and the default {default}"));
        }
        // A world may give one picture to thousands.
        let mut made = HashMap::new();
        for (position, written) in world.accounts.iter().enumerate() {
            store.add(position, written, pictures, &mut made)?;
        }
        Ok(store)
    }

    fn add<'a>(
        &mut self,
        position: usize,
        written: &'a AccountWorld,
        pictures: &Pictures,
        made: &mut HashMap<&'a str, Bytes>,
    ) -> Result<(), String> {
        let key = written.key.clone().unwrap_or_else(|| format!("JIRAUSER{}", 10_100 + position));
        let mut custom = Vec::new();
        for name in written.avatars.iter().map(|file| &file.name) {
            if !made.contains_key(name.as_str()) {
                let bytes =
                    pictures.get(name).ok_or_else(|| format!("account {}: no picture named {name}", written.name))?;
                let png = by_hand(&bytes).ok_or_else(|| format!("account {}: {name} is no picture", written.name))?;
                made.insert(name, png.into());
            }
            custom.push(self.create(&key, "world", made[name.as_str()].clone()));
        }
        let chosen = match written.shows {
            None => custom.last().copied(),
            Some(Choice::Default) => None,
            Some(Choice::Custom(nth)) => {
                Some(*custom.get(nth).ok_or_else(|| format!("account {}: no custom avatar {nth}", written.name))?)
            }
            Some(Choice::System(nth)) => {
                let other = self.system_ids().into_iter().filter(|id| *id != self.default_avatar).nth(nth);
                Some(other.ok_or_else(|| format!("account {}: no system avatar {nth}", written.name))?)
            }
            Some(Choice::Dead) => {
                self.next_avatar += 1;
                Some(self.next_avatar - 1)
            }
        };
        let anonymised = written.standing == Standing::Anonymised;
        let name = if anonymised { key.to_lowercase() } else { written.name.to_lowercase() };
        let display_name = match anonymised {
            true => format!("user-{:05x}", number_from(&key, "anonymised") & 0xf_ffff),
            false => written.display_name.clone().unwrap_or_else(|| name.clone()),
        };
        self.groups.extend(written.groups.iter().cloned());
        let account = Account {
            key: key.clone(),
            name: name.clone(),
            display_name,
            email: written.email.clone().filter(|_| !anonymised),
            standing: written.standing,
            role: written.role,
            password: written.password.clone(),
            tokens: written.tokens.clone(),
            blocked: written.blocked,
            groups: written.groups.iter().cloned().collect(),
            chosen,
            properties: BTreeMap::new(),
        };
        if self.accounts.contains_key(&key) || self.auth_state.names.contains_key(&name) {
            return Err(format!("account {name}: the name or the key {key} is taken"));
        }
        if account.tokens.iter().any(|token| self.auth_state.tokens.contains_key(token)) {
            return Err(format!("account {name}: another account has its token"));
        }
        self.auth_state.names.insert(name, key.clone());
        self.auth_state.tokens.extend(account.tokens.iter().map(|token| (token.clone(), key.clone())));
        self.accounts.insert(key, account);
        Ok(())
    }

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

impl AccountStore for Store {
    type Account = Account;
    type SessionData = Option<Temporary>;

    fn auth_state(&self) -> &AuthState<Option<Temporary>> {
        &self.auth_state
    }

    fn auth_state_mut(&mut self) -> &mut AuthState<Option<Temporary>> {
        &mut self.auth_state
    }

    fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    fn account(&self, key: &str) -> Option<&Account> {
        self.accounts.get(key)
    }

    fn view(account: &Account) -> AccountView<'_> {
        AccountView {
            key: (&account.key).into(),
            name: &account.name,
            display_name: &account.display_name,
            email: account.email.as_deref(),
            password: account.password.as_deref(),
            tokens: &account.tokens,
            in_use: account.standing == Standing::Active,
            may_log_in: account.standing == Standing::Active,
            blocked: account.blocked,
        }
    }

    fn block(&mut self, key: &str, blocked: bool) {
        if let Some(account) = self.accounts.get_mut(key) {
            account.blocked = blocked;
        }
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

/// What the cropping page makes when a person uploads by hand: the whole middle.
pub(super) fn by_hand(bytes: &[u8]) -> Option<Vec<u8>> {
    let uploaded = Uploaded::read(bytes, 100.0).ok()?;
    uploaded.cut(uploaded.middle())
}

fn first_system(world: &Instance) -> u64 {
    let start = 10_400 + number_from(&world.title, "system") % 2000;
    let clear = |first: u64| !DEFAULTS_IN_EXAMPLES.iter().any(|id| (first..=first + SYSTEM_AVATARS).contains(id));
    if clear(start) { start } else { start + 100 }
}
