//! What really stands on this instance, for the page and for tests that believe no report.
//!
//! Owns: what an account shows, and its picture.
//! Leaves to others: the log of writes and broken rules (the core).
//! A newcomer gets wrong: what is shown is what a browser gets at 256 px; the uploaded bytes are in `avatars`.

use super::site::Bitbucket;
use super::store::{Account, Store};
use crate::jira::pictures;
use crate::truth::{self, Shown, ShownKind};

/// The size that is shown on the page.
const SIDE: u32 = 256;

pub(super) fn avatars(site: &Bitbucket, store: &Store) -> Vec<truth::Avatar> {
    let avatar = |account: &Account| {
        let picture = account.picture.as_ref()?;
        Some(truth::Avatar {
            simulator: site.context.name().to_owned(),
            id: picture.version.to_string(),
            owner: account.key(),
            creator: picture.creator.clone(),
            selected: true,
            bytes: picture.bytes.clone(),
        })
    };
    store.accounts.values().filter_map(avatar).collect()
}

pub(super) fn shown(account: &Account) -> Shown {
    let custom = account.picture.as_ref();
    Shown {
        kind: if custom.is_some() { ShownKind::Custom } else { ShownKind::Default },
        id: custom.map(|picture| picture.version.to_string()).unwrap_or_default(),
        owner: custom.map(|_| account.key()).unwrap_or_default(),
        bytes: pictures::render(&stored(account), SIDE),
        content_type: "image/png".to_owned(),
    }
}

/// What an account shows: its picture, or the one of everybody who has none.
pub(super) fn stored(account: &Account) -> bytes::Bytes {
    account.picture.as_ref().map_or_else(|| pictures::system(0), |picture| picture.bytes.clone())
}
