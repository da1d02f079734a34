//! What really stands on this instance, for the page and for tests that believe no report; and what outlives the process.
//!
//! Owns: accounts with the picture shown at the start and now, all files on profiles, saving and restoring.
//! Leaves to others: the log of writes and broken rules (the core).
//! A newcomer gets wrong: only the newest version of a file is an avatar here; the older ones are in the `report`.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::Confluence;
use super::store::{Account, STOCK_FOLDER, Shows, Store, drawn};
use super::world::Standing;
use crate::saved::Saved;
use crate::truth::{self, Shown, ShownKind};

/// What each account showed at the beginning of the world.
pub(super) struct InitialPictures(BTreeMap<String, Shown>);

impl InitialPictures {
    /// Looks at a fresh store.
    pub(super) fn of(store: &Store, default: &str) -> InitialPictures {
        InitialPictures(
            store.accounts.values().map(|account| (account.key.clone(), shown(store, account, default))).collect(),
        )
    }
}

impl Confluence {
    pub(super) fn true_accounts(&self) -> Vec<truth::Account> {
        let (store, default) = (self.store(), self.default_picture());
        let account = |account: &Account| {
            let now = shown(&store, account, &default);
            truth::Account {
                simulator: self.context.name().to_owned(),
                key: account.key.clone(),
                name: account.name.clone(),
                display_name: account.display_name.clone(),
                email: account.email.clone(),
                active: account.standing == Standing::Active,
                start: self.start.0.get(&account.key).cloned().unwrap_or_else(|| now.clone()),
                now,
            }
        };
        store.accounts.values().map(account).collect()
    }

    pub(super) fn true_avatars(&self) -> Vec<truth::Avatar> {
        let (store, default) = (self.store(), self.default_picture());
        let newest = |nth: &usize| store.current(&store.files[*nth].owner, &store.files[*nth].name) == Some(*nth);
        let avatar = |nth: usize| {
            let file = &store.files[nth];
            let owner = store.accounts.get(&file.owner);
            truth::Avatar {
                simulator: self.context.name().to_owned(),
                id: file.name.clone(),
                owner: file.owner.clone(),
                creator: file.creator.clone(),
                selected: owner.is_some_and(|owner| store.shows(owner, &default) == Shows::File(nth)),
                bytes: file.bytes.clone(),
            }
        };
        (0..store.files.len()).filter(newest).map(avatar).collect()
    }

    pub(super) fn saved(&self) -> Saved {
        let store = self.store();
        let mut saved = Saved::default();
        for file in &store.files {
            saved.keep(&file.bytes);
        }
        saved.value = serde_json::to_value(&*store).expect("a tree of strings and numbers is always JSON");
        saved
    }

    pub(super) fn restore(&self, saved: &Saved) -> Result<(), String> {
        let mut restored: Store = serde_json::from_value(saved.value.clone()).map_err(|fault| fault.to_string())?;
        for file in &mut restored.files {
            file.bytes = saved.blob(&file.digest)?;
        }
        restored.index();
        *self.store() = restored;
        Ok(())
    }
}

fn shown(store: &Store, account: &Account, default: &str) -> Shown {
    let own = |kind, file: &str| {
        let (bytes, mime) = drawn(file, default).unwrap_or((Bytes::new(), "image/svg+xml"));
        Shown { kind, id: file.to_owned(), owner: String::new(), bytes, content_type: mime.to_owned() }
    };
    match store.shows(account, default) {
        Shows::Default => own(ShownKind::Default, default),
        Shows::Stock(path) => own(ShownKind::System, path.trim_start_matches(STOCK_FOLDER)),
        Shows::File(nth) => {
            let file = &store.files[nth];
            Shown {
                kind: ShownKind::Custom,
                id: file.name.clone(),
                owner: account.key.clone(),
                bytes: file.bytes.clone(),
                content_type: file.mime.clone(),
            }
        }
    }
}
