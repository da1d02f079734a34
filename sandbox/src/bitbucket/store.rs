//! What this Bitbucket holds: accounts, each with one picture or none.
//!
//! Owns: the data and the rules that concern nothing but data.
//! Leaves to others: who may ask (`atlassian`), how it is asked (`call`).
//! A newcomer gets wrong: there is no earlier picture to go back to; what was overwritten is kept here for tests only.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::world::{AccountWorld, Instance, Kind, Standing};
use crate::atlassian::account::stored;
use crate::atlassian::auth::{AccountStore as _, AuthState};
use crate::atlassian::made_up::number_from;
use crate::atlassian::site::ProductStore;
use crate::pictures::Pictures;

/// The time of uploads that were there from the start, in milliseconds: 2022 and on.
const FIRST_UPLOAD: u64 = 1_655_392_225_748;

stored! {
    id: u64,
    session: (),
    may_log_in: |account| account.kind == Kind::Normal,
    {
        pub slug: String,
        pub kind: Kind,
        pub picture: Option<Picture>,
    }
}

impl Account {
    /// The key that stays when the name changes.
    pub(crate) fn key(&self) -> String {
        self.id.to_string()
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Picture {
    /// Milliseconds of the upload: the `v` in `avatarUrl`.
    pub version: u64,
    /// Name of who uploaded it; `world` for what was there from the start.
    pub creator: String,
    /// Names the picture among the saved ones.
    pub digest: String,
    #[serde(skip)]
    pub bytes: Bytes,
}

/// A picture that is no more.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Gone {
    pub owner: u64,
    pub version: u64,
    pub creator: String,
    pub ended_by: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Store {
    pub accounts: BTreeMap<u64, Account>,
    pub gone: Vec<Gone>,
    pub auth_state: AuthState<()>,
}

impl Store {
    pub(crate) fn new(world: &Instance, pictures: &Pictures) -> Result<Store, String> {
        let mut store = Store::default();
        for (written, nth) in world.accounts.iter().zip(101..) {
            let account = account(&world.title, written, nth, pictures);
            let account = account.map_err(|fault| format!("account {}: {fault}", written.name))?;
            let taken = store.accounts.values().any(|other| {
                other.id == account.id || other.slug == account.slug || other.name.eq_ignore_ascii_case(&account.name)
            });
            if taken {
                return Err(format!("account {}: the name, slug or id is taken", written.name));
            }
            store.insert(account);
        }
        store.index();
        Ok(store)
    }

    pub(crate) fn by_slug(&self, slug: &str) -> Option<&Account> {
        self.accounts.values().find(|account| account.slug == slug)
    }

    pub(crate) fn id_of(&self, name: &str) -> Option<u64> {
        self.key_of(name)?.parse().ok()
    }

    /// Gives an account another name, and the slug that goes with it unless another is given. Its id stays.
    pub(crate) fn rename(&mut self, id: u64, to: &str, slug: Option<String>) -> Result<(), String> {
        if self.id_of(to).is_some_and(|other| other != id) {
            return Err(format!("the name {to} is taken"));
        }
        let account = self.accounts.get_mut(&id).ok_or_else(|| format!("no account {id}"))?;
        (account.name, account.slug) = (to.to_owned(), slug.unwrap_or_else(|| slug_of(to)));
        self.index();
        Ok(())
    }

    /// Adds an account. Its slug may be another one's, too: then the slug leads to the older of both.
    pub(crate) fn hire(&mut self, title: &str, written: &AccountWorld, pictures: &Pictures) -> Result<u64, String> {
        let next = self.accounts.keys().next_back().map_or(101, |last| last + 1);
        let account = account(title, written, next, pictures)?;
        if self.id_of(&account.name).is_some() || self.accounts.contains_key(&account.id) {
            return Err(format!("account {}: the name or id is taken", written.name));
        }
        let id = account.id;
        self.insert(account);
        self.index();
        Ok(id)
    }

    pub(crate) fn replace(&mut self, id: u64, picture: Option<Picture>, who: &str) {
        let former = self.accounts.get_mut(&id).and_then(|account| std::mem::replace(&mut account.picture, picture));
        if let Some(Picture { version, creator, .. }) = former {
            self.gone.push(Gone { owner: id, version, creator, ended_by: who.to_owned() });
        }
    }
}

impl Picture {
    pub(crate) fn new(version: u64, creator: &str, bytes: Bytes) -> Picture {
        let digest = blake3::hash(&bytes).to_hex().to_string();
        Picture { version, creator: creator.to_owned(), digest, bytes }
    }
}

fn account(title: &str, written: &AccountWorld, nth: u64, pictures: &Pictures) -> Result<Account, String> {
    let picture = match &written.picture {
        None => None,
        Some(file) => {
            let bytes = pictures.get(&file.name).ok_or_else(|| format!("no picture named {}", file.name))?;
            let version = FIRST_UPLOAD + number_from(title, &written.name) % 10_000_000_000;
            Some(Picture::new(version, "world", bytes))
        }
    };
    Ok(Account {
        slug: written.slug.clone().unwrap_or_else(|| slug_of(&written.name)),
        kind: written.kind,
        picture,
        ..Account::written(written, written.id.unwrap_or(nth), written.name.clone())
    })
}

/// The name in lower case, what is neither letter nor digit nor one of `._-` replaced.
fn slug_of(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    name.to_lowercase().chars().map(|c| if plain(c) { c } else { '_' }).collect()
}

impl ProductStore for Store {
    fn pictures(&self) -> impl Iterator<Item = &Bytes> {
        self.accounts.values().filter_map(|account| account.picture.as_ref()).map(|picture| &picture.bytes)
    }

    fn pictures_mut(&mut self) -> impl Iterator<Item = (&str, &mut Bytes)> {
        let pictures = self.accounts.values_mut().filter_map(|account| account.picture.as_mut());
        pictures.map(|picture| (picture.digest.as_str(), &mut picture.bytes))
    }
}
