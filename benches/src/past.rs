//! The state that a first run would have left: a first run of a million takes a day by the rates, and an hour here.
//!
//! A newcomer gets wrong: this alone leans on the program, since nobody else may write its state; nothing of it is measured.

use std::path::Path;

use avatarpipe::inside::{
    Absence, AccountId, Before, Digest, Fingerprint, Holder, Lock, PersonId, PersonRef, PhotoMark, PictureRef,
    Placement, Provenance, Recipe, Remembered, Resize, RunId, SourceId, Store, TargetId, Version,
};

use crate::pictures::{jpeg, marked};
use crate::servers::{FIRST_AVATAR, etag, id, key};

/// So many are recorded at once.
const TOGETHER: u32 = 5000;

/// Writes the state that knows the world of [`crate::servers::serve`] with pictures.
pub(crate) fn lay(state: &str, people: u32, side: u32) {
    let holder = Holder::here(RunId::new("2026-11-22T08-00-00Z-0000"), "2026-11-22T08:00:00Z");
    let lock = Lock::acquire(Path::new(state), &holder).expect("the lock of a new folder");
    let store = Store::open(lock).expect("a new state");
    let (photo, recipe) = (jpeg(side), Recipe::new(format!("{}@256", Resize::default().recipe())));
    let (mut marks, mut pictures) = (Vec::new(), FIRST_AVATAR..);
    for nth in 0..people {
        let who = PersonRef { source: SourceId::new("entra"), id: PersonId::new(id(nth)) };
        let mark = if crate::servers::has_photo(nth) {
            let digest = Digest::of(&marked(&photo, nth));
            drop(store.adopt(Placement {
                target: TargetId::new("jira"),
                account: AccountId::new(key(nth)),
                person: Some(who.clone()),
                photo: digest,
                recipe: recipe.clone(),
                rendition: digest,
                mark: PictureRef::new(pictures.next().expect("no end of numbers").to_string()),
                provenance: Provenance::Made,
                before: Before::Default,
                looks: Some(Fingerprint::from_bytes([0; 8])),
                keys: None,
            }));
            PhotoMark { version: Some(Version::new(etag(nth))), found: Remembered::Present(digest) }
        } else {
            PhotoMark { version: None, found: Remembered::Absent(Absence::NotFound) }
        };
        marks.push((who, mark));
        if marks.len() as u32 == TOGETHER || nth + 1 == people {
            store.put_marks(std::mem::take(&mut marks)).wait().expect("the state takes marks");
        }
    }
}
