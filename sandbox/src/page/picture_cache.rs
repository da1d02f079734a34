//! The pictures that the page names by digest.
//!
//! Owns: digests, each made once as long as its bytes stay. Leaves to others: whose pictures these are (`truth`).
//! A newcomer gets wrong: bytes are known by where they lie; so what is known must hold them, or others would lie there.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;

use crate::truth::Truth;

/// The pictures of the page as it was last shown, by digest.
#[derive(Debug, Default)]
pub(crate) struct PictureCache(Mutex<Pictures>);

#[derive(Debug, Default)]
struct Pictures {
    by_digest: BTreeMap<String, (Bytes, String)>,
    by_place: HashMap<(usize, usize), (Bytes, String)>,
}

impl PictureCache {
    pub(super) fn fill(&self, truth: &Truth) {
        let shown = truth.accounts.iter().flat_map(|a| [&a.start, &a.now]);
        let shown = shown.map(|s| (&s.bytes, s.content_type.as_str()));
        let photos = truth.people.iter().filter_map(|p| p.photo.as_ref()).map(|(bytes, kind)| (bytes, kind.as_str()));
        let avatars = truth.avatars.iter().map(|a| (&a.bytes, "image/png"));
        let mut fresh = Pictures::default();
        let mut known = self.lock();
        for (bytes, kind) in shown.chain(photos).chain(avatars) {
            let digest = match known.by_place.get(&place(bytes)) {
                Some((_, digest)) => digest.clone(),
                None => digest_of(bytes),
            };
            fresh.by_place.insert(place(bytes), (bytes.clone(), digest.clone()));
            fresh.by_digest.insert(digest, (bytes.clone(), kind.to_owned()));
        }
        *known = fresh;
    }

    pub(super) fn get(&self, digest: &str) -> Option<(Bytes, String)> {
        self.lock().by_digest.get(digest).cloned()
    }

    pub(super) fn digest(&self, bytes: &Bytes) -> String {
        let known = self.lock().by_place.get(&place(bytes)).map(|(_, digest)| digest.clone());
        known.unwrap_or_else(|| digest_of(bytes))
    }

    fn lock(&self) -> MutexGuard<'_, Pictures> {
        self.0.lock().expect("no code panics while it holds the pictures")
    }
}

fn place(bytes: &Bytes) -> (usize, usize) {
    (bytes.as_ptr() as usize, bytes.len())
}

pub(super) fn digest_of(bytes: &Bytes) -> String {
    blake3::hash(bytes).to_hex()[..32].to_owned()
}
