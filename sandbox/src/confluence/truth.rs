//! What really stands on this instance, for the page and for tests that believe no report.
//!
//! Owns: what an account shows, and all files on profiles.
//! Leaves to others: the log of writes and broken rules (the core).
//! A newcomer gets wrong: only the newest version of a file is an avatar here; the older ones are in the `report`.

use bytes::Bytes;

use super::site::Confluence;
use super::stock::{STOCK_FOLDER, drawn};
use super::store::{Account, Shows, Store};
use crate::truth::{self, Shown, ShownKind};

pub(super) fn avatars(site: &Confluence, store: &Store) -> Vec<truth::Avatar> {
    let default = site.default_picture();
    let newest = |nth: &usize| store.current(&store.files[*nth].owner, &store.files[*nth].name) == Some(*nth);
    let avatar = |nth: usize| {
        let file = &store.files[nth];
        let owner = store.accounts.get(&file.owner);
        truth::Avatar {
            simulator: site.context.name().to_owned(),
            id: file.name.clone(),
            owner: file.owner.clone(),
            creator: file.creator.clone(),
            selected: owner.is_some_and(|owner| store.shows(owner, &default) == Shows::File(nth)),
            bytes: file.bytes.clone(),
        }
    };
    (0..store.files.len()).filter(newest).map(avatar).collect()
}

/// What an account shows, given the name of the default picture.
pub(super) fn shown(store: &Store, account: &Account, default: &str) -> Shown {
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
