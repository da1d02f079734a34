//! What stands in the folder, and whether it is what the state says.
//!
//! Owns: what all sessions share: the files, the pictures on record, and what was seen last.
//! Leaves to others: how a file gets there whole (`files.rs`), when it is written (`session.rs`).
//! A newcomer gets wrong: what is not the recorded picture is spoilt only where one is placed; a file that stands where
//! nothing is on record is somebody else's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::load::{Claim, Fingerprinter};
use crate::model::{AccountId, PictureRef, Shown};
use crate::settings::Ownership;

use super::files::{PictureFiles, StandingPicture};
use super::names;

/// What the sessions share.
pub(super) struct FolderConnection {
    pub files: PictureFiles,
    ownership: Ownership,
    looks: Arc<dyn Fingerprinter>,
    /// What the state says, by account: the picture there, and what may be there of a write that is open.
    recorded: Mutex<BTreeMap<String, Vec<(PictureRef, Claim)>>>,
    /// What was seen there last, by account.
    stands: Mutex<BTreeMap<String, StandingPicture>>,
}

impl FolderConnection {
    pub(super) fn new(files: PictureFiles, ownership: Ownership, looks: Arc<dyn Fingerprinter>) -> Self {
        Self { files, ownership, looks, recorded: Mutex::default(), stands: Mutex::default() }
    }

    /// Takes what the state says, in place of what it said before.
    pub(super) fn recall(&self, recorded: Vec<(AccountId, PictureRef, Claim)>) {
        let mut known: BTreeMap<String, Vec<(PictureRef, Claim)>> = BTreeMap::new();
        for (account, mark, claim) in recorded {
            // The state is input, too: what is no safe form names no file.
            if names::name_of(account.as_str()).is_some() {
                known.entry(account.as_str().to_owned()).or_default().push((mark, claim));
            }
        }
        *lock(&self.recorded) = known;
    }

    /// The accounts on record, each with its name.
    pub(super) fn on_record(&self) -> Vec<(String, String)> {
        let name = |id: &String| names::name_of(id).map(|name| (id.clone(), name));
        lock(&self.recorded).keys().filter_map(name).collect()
    }

    /// What is on record and stands there, by account.
    pub(super) fn confirmed(&self) -> BTreeMap<String, StandingPicture> {
        let mut pictures = lock(&self.stands).clone();
        pictures.retain(|account, found| self.is_recorded(account, found));
        pictures
    }

    /// What stands for an account, and is noted: the recorded picture before any other.
    pub(super) fn standing(&self, account: &str) -> std::io::Result<Option<StandingPicture>> {
        let all = self.files.standing(account)?;
        let found = all.iter().find(|found| self.is_recorded(account, found)).or_else(|| all.first()).cloned();
        self.note(account, found.clone());
        Ok(found)
    }

    /// What was seen there last.
    pub(super) fn noted(&self, account: &str) -> Option<StandingPicture> {
        lock(&self.stands).get(account).cloned()
    }

    pub(super) fn note(&self, account: &str, standing: Option<StandingPicture>) {
        let mut stands = lock(&self.stands);
        match standing {
            Some(standing) => stands.insert(account.to_owned(), standing),
            None => stands.remove(account),
        };
    }

    fn is_recorded(&self, account: &str, found: &StandingPicture) -> bool {
        let is_it = |(mark, claim): &(PictureRef, Claim)| *claim != Claim::Former && *mark == found.mark();
        lock(&self.recorded).get(account).is_some_and(|marks| marks.iter().any(is_it))
    }

    pub(super) fn shown(&self, account: &str) -> Shown {
        match self.standing(account) {
            Ok(None) => Shown::Default,
            Ok(Some(found)) if self.is_spoilt(account, &found) => Shown::Custom(PictureRef::spoilt(&found.digest)),
            Ok(Some(found)) => Shown::Custom(found.mark()),
            Err(error) => Shown::Unknown(error.to_string()),
        }
    }

    fn is_spoilt(&self, account: &str, found: &StandingPicture) -> bool {
        let placed = |marks: &Vec<(PictureRef, Claim)>| marks.iter().any(|(_, claim)| *claim == Claim::Placed);
        if !lock(&self.recorded).get(account).is_some_and(placed) || self.is_recorded(account, found) {
            return false;
        }
        let is_picture =
            || self.files.read(&found.file).ok().flatten().and_then(|bytes| self.looks.luma(&bytes)).is_some();
        // With `ours` a picture may be somebody's choice; what cannot be decoded is nobody's.
        self.ownership == Ownership::Provider || !is_picture()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
