//! What really stands on this instance, for the page and for tests that believe no report; and what outlives the process.
//!
//! Owns: accounts with the picture shown at the start and now, all custom avatars, saving and restoring.
//! Leaves to others: the log of writes and broken rules (the core).
//! A newcomer gets wrong: what is shown is rendered through the same path as the picture request, crop and default
//! included; the uploaded bytes are nowhere.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::Jira;
use super::pictures;
use super::store::{Account, Shows, Store};
use super::world::Standing;
use crate::saved::Saved;
use crate::truth;
use crate::truth::{Shown, ShownKind};

/// The largest size a browser can ask for.
const LARGEST: u32 = 256;

/// What each account showed at the beginning of the world.
pub(super) struct InitialPictures(BTreeMap<String, (ShownKind, u64, Bytes)>);

impl InitialPictures {
    /// Looks at a fresh store.
    pub(super) fn of(store: &Store) -> InitialPictures {
        InitialPictures(store.accounts.values().map(|account| (account.key.clone(), shown(store, account))).collect())
    }
}

impl Jira {
    pub(super) fn true_accounts(&self) -> Vec<truth::Account> {
        let store = self.store();
        let default =
            || (ShownKind::Default, store.default_avatar, store.picture(store.default_avatar).unwrap_or_default());
        let account = |account: &Account| truth::Account {
            simulator: self.context.name().to_owned(),
            key: account.key.clone(),
            name: account.name.clone(),
            display_name: account.display_name.clone(),
            email: account.email.clone(),
            active: account.standing == Standing::Active,
            start: rendered(&account.key, self.start.0.get(&account.key).cloned().unwrap_or_else(default)),
            now: rendered(&account.key, shown(&store, account)),
        };
        store.accounts.values().map(account).collect()
    }

    pub(super) fn true_avatars(&self) -> Vec<truth::Avatar> {
        let store = self.store();
        let lying = store.avatars.iter().filter(|(_, avatar)| avatar.deleted_by.is_none());
        let avatar = |(id, avatar): (&u64, &super::store::Avatar)| truth::Avatar {
            simulator: self.context.name().to_owned(),
            id: id.to_string(),
            owner: avatar.owner.clone(),
            creator: avatar.creator.clone(),
            selected: store.accounts.get(&avatar.owner).is_some_and(|owner| store.shows(owner) == Shows::Custom(*id)),
            bytes: avatar.png.clone(),
        };
        lying.map(avatar).collect()
    }

    pub(super) fn saved(&self) -> Saved {
        let store = self.store();
        let mut saved = Saved::default();
        for avatar in store.avatars.values() {
            saved.keep(&avatar.png);
        }
        saved.value = serde_json::to_value(&*store).expect("a tree of strings and numbers is always JSON");
        saved
    }

    pub(super) fn restore(&self, saved: &Saved) -> Result<(), String> {
        let mut restored: Store = serde_json::from_value(saved.value.clone()).map_err(|fault| fault.to_string())?;
        for avatar in restored.avatars.values_mut() {
            avatar.png = saved.blob(&avatar.digest)?;
        }
        restored.index();
        *self.store() = restored;
        Ok(())
    }
}

fn shown(store: &Store, account: &Account) -> (ShownKind, u64, Bytes) {
    let (kind, id) = match store.shows(account) {
        Shows::Default => (ShownKind::Default, store.default_avatar),
        Shows::System(id) => (ShownKind::System, id),
        Shows::Custom(id) => (ShownKind::Custom, id),
    };
    (kind, id, store.picture(id).unwrap_or_default())
}

fn rendered(key: &str, (kind, id, stored): (ShownKind, u64, Bytes)) -> Shown {
    let owner = if kind == ShownKind::Custom { key.to_owned() } else { String::new() };
    let bytes = pictures::render(&stored, LARGEST);
    Shown { kind, id: id.to_string(), owner, bytes, content_type: "image/png".to_owned() }
}
