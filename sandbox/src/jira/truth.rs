//! What really stands on this instance, for the page and for tests that believe no report.
//!
//! Owns: what an account shows, and all custom avatars.
//! Leaves to others: the log of writes and broken rules (the core).
//! A newcomer gets wrong: what is shown is rendered through the same path as the picture request, crop and default
//! included; the uploaded bytes are nowhere.

use bytes::Bytes;

use super::pictures;
use super::site::Jira;
use super::store::{Account, Shows, Store};
use crate::truth;
use crate::truth::{Shown, ShownKind};

/// The largest size a browser can ask for.
const LARGEST: u32 = 256;

/// What an account shows: its kind, its id, and its bytes as they are stored.
pub(super) type Picture = (ShownKind, u64, Bytes);

pub(super) fn avatars(site: &Jira, store: &Store) -> Vec<truth::Avatar> {
    let lying = store.avatars.iter().filter(|(_, avatar)| avatar.deleted_by.is_none());
    let avatar = |(id, avatar): (&u64, &super::store::Avatar)| truth::Avatar {
        simulator: site.context.name().to_owned(),
        id: id.to_string(),
        owner: avatar.owner.clone(),
        creator: avatar.creator.clone(),
        selected: store.accounts.get(&avatar.owner).is_some_and(|owner| store.shows(owner) == Shows::Custom(*id)),
        bytes: avatar.png.clone(),
    };
    lying.map(avatar).collect()
}

/// What an account shows that never chose anything.
pub(super) fn default_picture(store: &Store) -> Picture {
    (ShownKind::Default, store.default_avatar, store.picture(store.default_avatar).unwrap_or_default())
}

pub(super) fn picture(store: &Store, account: &Account) -> Picture {
    let (kind, id) = match store.shows(account) {
        Shows::Default => (ShownKind::Default, store.default_avatar),
        Shows::System(id) => (ShownKind::System, id),
        Shows::Custom(id) => (ShownKind::Custom, id),
    };
    (kind, id, store.picture(id).unwrap_or_default())
}

/// The same as a browser shows it.
pub(super) fn shown(key: &str, (kind, id, stored): Picture) -> Shown {
    let owner = if kind == ShownKind::Custom { key.to_owned() } else { String::new() };
    let bytes = pictures::render(&stored, LARGEST);
    Shown { kind, id: id.to_string(), owner, bytes, content_type: "image/png".to_owned() }
}
