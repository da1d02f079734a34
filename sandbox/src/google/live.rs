//! A user and a photo as the directory holds them now.
//!
//! Owns: from what a world says of them to what they are, etags, what a search still sees.
//! Leaves to others: what happens to them (`workspace`).
//! A newcomer gets wrong: an etag may be there without a photo behind it.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use bytes::Bytes;

use super::thumbnail::thumbnail;
use super::world::{Photo, User};
use crate::pictures::Pictures;

#[derive(Clone, Debug)]
pub(super) struct LiveUser {
    pub(super) user: User,
    pub(super) photo: LivePhoto,
    pub(super) edition: u32,
    /// What the search index still shows, and since when it is wrong.
    pub(super) indexed: Option<(SystemTime, User)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LivePhoto {
    None,
    /// A JPEG of 96 by 96, and the suffix of its etag.
    Present {
        bytes: Bytes,
        suffix: String,
    },
    /// An etag without a photo behind it: gone meanwhile.
    Vanished {
        suffix: String,
    },
    /// An etag, and a refusal of this name.
    Failing {
        row: String,
        suffix: String,
    },
}

impl LiveUser {
    pub(super) fn new(user: &User, pictures: &Pictures) -> Self {
        let suffix = String::new();
        let photo = match &user.photo {
            Photo::None => LivePhoto::None,
            Photo::Vanished => LivePhoto::Vanished { suffix },
            Photo::Failure(row) => LivePhoto::Failing { row: row.clone(), suffix },
            Photo::File(file) => {
                let bytes = pictures.get(&file.name).unwrap_or_default();
                LivePhoto::Present { bytes: thumbnail(&bytes).expect("a world is checked for its photos"), suffix }
            }
        };
        let mut live = Self { user: user.clone(), photo, edition: 1, indexed: None };
        live.mark();
        live
    }

    /// The user as the search index shows them.
    pub(super) fn indexed(&self, now: SystemTime, lag: u64) -> &User {
        match &self.indexed {
            Some((since, old)) if now.duration_since(*since).is_ok_and(|passed| passed.as_secs() < lag) => old,
            _ => &self.user,
        }
    }

    /// The part of the photo's etag after the `/`, if there is one.
    pub(super) fn suffix(&self) -> Option<&str> {
        match &self.photo {
            LivePhoto::None => None,
            LivePhoto::Present { suffix, .. } | LivePhoto::Vanished { suffix } | LivePhoto::Failing { suffix, .. } => {
                Some(suffix)
            }
        }
    }

    /// Gives the photo its mark: the one of the world for the first edition, else one made from all that counts.
    pub(super) fn mark(&mut self) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.user.id.as_bytes()).update(&self.edition.to_le_bytes());
        if let LivePhoto::Present { bytes, .. } = &self.photo {
            hasher.update(bytes);
        }
        let given = self.user.etag.clone().filter(|_| self.edition == 1);
        let made = given.unwrap_or_else(|| short(hasher));
        match &mut self.photo {
            LivePhoto::None => {}
            LivePhoto::Present { suffix, .. } | LivePhoto::Vanished { suffix } | LivePhoto::Failing { suffix, .. } => {
                *suffix = made;
            }
        }
    }
}

/// 160 bits in 27 characters, as the part of an etag after the `/` (docs/wire/google-directory.md §2.3).
pub(super) fn short(hasher: blake3::Hasher) -> String {
    let mut bytes = [0; 20];
    hasher.finalize_xof().fill(&mut bytes);
    BASE64URL.encode(bytes)
}
