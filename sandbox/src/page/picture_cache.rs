//! The pictures that the page names by digest.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bytes::Bytes;

use crate::truth::Truth;

/// The pictures of the page as it was last shown, by digest.
#[derive(Debug, Default)]
pub(crate) struct PictureCache(Mutex<BTreeMap<String, (Bytes, String)>>);

impl PictureCache {
    pub(super) fn fill(&self, truth: &Truth) {
        let shown = truth.accounts.iter().flat_map(|a| [&a.start, &a.now]);
        let shown = shown.map(|s| (s.bytes.clone(), s.content_type.clone()));
        let photos = truth.people.iter().filter_map(|p| p.photo.clone());
        let avatars = truth.avatars.iter().map(|a| (a.bytes.clone(), "image/png".to_owned()));
        let all = shown.chain(photos).chain(avatars).map(|(bytes, kind)| (digest_of(&bytes), (bytes, kind)));
        *self.0.lock().expect(POISON) = all.collect();
    }

    pub(super) fn get(&self, digest: &str) -> Option<(Bytes, String)> {
        self.0.lock().expect(POISON).get(digest).cloned()
    }
}

const POISON: &str = "no code panics while it holds the pictures";

pub(super) fn digest_of(bytes: &Bytes) -> String {
    blake3::hash(bytes).to_hex()[..32].to_owned()
}
