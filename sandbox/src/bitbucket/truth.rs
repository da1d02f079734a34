//! What really stands on this instance, for the page and for tests that believe no report; and what outlives the process.
//!
//! Owns: accounts with the picture shown at the start and now, saving and restoring.
//! Leaves to others: the log of writes and broken rules (the core).
//! A newcomer gets wrong: what is shown is what a browser gets at 256 px; the uploaded bytes are in `avatars`.

use std::collections::BTreeMap;

use super::Bitbucket;
use super::call::stored;
use super::store::{Account, Store};
use super::world::Standing;
use crate::jira::pictures;
use crate::saved::Saved;
use crate::truth::{self, Shown, ShownKind};

/// The size that is shown on the page.
const SIDE: u32 = 256;

/// What each account showed at the beginning of the world.
pub(super) struct InitialPictures(BTreeMap<u64, Shown>);

impl InitialPictures {
    /// Looks at a fresh store.
    pub(super) fn of(store: &Store) -> InitialPictures {
        InitialPictures(store.accounts.values().map(|account| (account.id, shown(account))).collect())
    }
}

impl Bitbucket {
    pub(super) fn true_accounts(&self) -> Vec<truth::Account> {
        let account = |account: &Account| {
            let now = shown(account);
            truth::Account {
                simulator: self.context.name().to_owned(),
                key: account.key(),
                name: account.name.clone(),
                display_name: account.display_name.clone(),
                email: account.email.clone(),
                active: account.standing == Standing::Active,
                start: self.start.0.get(&account.id).cloned().unwrap_or_else(|| now.clone()),
                now,
            }
        };
        self.store().accounts.values().map(account).collect()
    }

    pub(super) fn true_avatars(&self) -> Vec<truth::Avatar> {
        let avatar = |account: &Account| {
            let picture = account.picture.as_ref()?;
            Some(truth::Avatar {
                simulator: self.context.name().to_owned(),
                id: picture.version.to_string(),
                owner: account.key(),
                creator: picture.creator.clone(),
                selected: true,
                bytes: picture.bytes.clone(),
            })
        };
        self.store().accounts.values().filter_map(avatar).collect()
    }

    pub(super) fn saved(&self) -> Saved {
        let store = self.store();
        let mut saved = Saved::default();
        for picture in store.accounts.values().filter_map(|account| account.picture.as_ref()) {
            saved.keep(&picture.bytes);
        }
        saved.value = serde_json::to_value(&*store).expect("a tree of strings and numbers is always JSON");
        saved
    }

    pub(super) fn restore(&self, saved: &Saved) -> Result<(), String> {
        let mut restored: Store = serde_json::from_value(saved.value.clone()).map_err(|fault| fault.to_string())?;
        for picture in restored.accounts.values_mut().filter_map(|account| account.picture.as_mut()) {
            picture.bytes = saved.blob(&picture.digest)?;
        }
        restored.index();
        *self.store() = restored;
        Ok(())
    }
}

fn shown(account: &Account) -> Shown {
    let custom = account.picture.as_ref();
    Shown {
        kind: if custom.is_some() { ShownKind::Custom } else { ShownKind::Default },
        id: custom.map(|picture| picture.version.to_string()).unwrap_or_default(),
        owner: custom.map(|_| account.key()).unwrap_or_default(),
        bytes: pictures::render(&stored(account), SIDE),
        content_type: "image/png".to_owned(),
    }
}
