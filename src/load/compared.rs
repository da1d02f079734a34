//! Pictures of a run that the server was seen to keep as they were sent.
//!
//! Owns: whose they are, and whether one was another. Leaves to others: looking (`*/session.rs`, `run::recheck`).
//! A newcomer gets wrong: only a target that keeps an upload in a session until a second request needs this. Where name and bytes
//! go in one request, nothing on the way can put them together wrongly.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::model::{AccountId, PictureRef};

/// So many pictures more than the last of every worker are looked at after the writes, taken at random. Of a mix-up that hit a
/// fifth of all, one run in a hundred sees nothing; of one that hit half, one in a million.
pub(crate) const RECHECKED: usize = 20;

/// What was compared while a run wrote: the first picture of every session and some more.
#[derive(Debug, Default)]
pub struct Compared {
    /// And whether that told anything.
    looked: Mutex<HashMap<AccountId, bool>>,
    /// Hashes of the names that the server gave to the uploads of this run.
    made: Mutex<HashSet<u64>>,
    mixed: AtomicBool,
}

impl Compared {
    /// The picture of this account was looked at: it is what was sent, or cannot be told.
    pub(crate) fn put(&self, account: &AccountId, is_as_sent: bool) {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner).insert(account.clone(), is_as_sent);
    }

    /// Whether it was.
    pub(crate) fn has(&self, account: &AccountId) -> bool {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner).contains_key(account)
    }

    /// Whether it is known to be what was sent.
    pub(crate) fn knows(&self, account: &AccountId) -> bool {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner).get(account) == Some(&true)
    }

    /// The server made a picture and called it so. `false`: it called another one of this run so before.
    pub(crate) fn is_new(&self, mark: &PictureRef) -> bool {
        let mut hasher = DefaultHasher::new();
        mark.hash(&mut hasher);
        self.made.lock().unwrap_or_else(PoisonError::into_inner).insert(hasher.finish())
    }

    /// One was another picture: what nobody looked at may be, too.
    pub(crate) fn mix(&self) {
        self.mixed.store(true, Ordering::Release);
    }

    /// Whether one was.
    pub(crate) fn is_mixed(&self) -> bool {
        self.mixed.load(Ordering::Acquire)
    }
}
