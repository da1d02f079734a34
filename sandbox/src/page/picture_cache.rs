//! The pictures that the page names by digest.
//!
//! Owns: digests and sizes, each found once as long as the bytes stay. Leaves to others: whose they are (`truth`).
//! A newcomer gets wrong: bytes are known by where they lie; so what is known must hold them, or others would lie there.

use std::collections::{BTreeMap, HashMap};
use std::io::Cursor;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use bytes::Bytes;

use crate::truth::Truth;

/// The pictures of the page as it was last shown, by digest.
#[derive(Debug, Default)]
pub(crate) struct PictureCache(Mutex<Pictures>);

#[derive(Debug, Default)]
struct Pictures {
    by_digest: BTreeMap<String, (Bytes, String)>,
    by_place: HashMap<(usize, usize), Arc<KnownPicture>>,
}

#[derive(Debug)]
struct KnownPicture {
    bytes: Bytes,
    digest: String,
    /// Its sides, if it is one.
    size: OnceLock<Option<(u32, u32)>>,
}

impl KnownPicture {
    fn new(bytes: &Bytes) -> Arc<Self> {
        Arc::new(Self { bytes: bytes.clone(), digest: digest_of(bytes), size: OnceLock::new() })
    }
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
            if fresh.by_place.contains_key(&place(bytes)) {
                continue;
            }
            let before = known.by_place.get(&place(bytes)).cloned();
            let picture = before.unwrap_or_else(|| KnownPicture::new(bytes));
            fresh.by_digest.insert(picture.digest.clone(), (bytes.clone(), kind.to_owned()));
            fresh.by_place.insert(place(bytes), picture);
        }
        *known = fresh;
    }

    pub(super) fn get(&self, digest: &str) -> Option<(Bytes, String)> {
        self.lock().by_digest.get(digest).cloned()
    }

    pub(super) fn digest(&self, bytes: &Bytes) -> String {
        self.known(bytes).digest.clone()
    }

    /// Its sides, if it is a picture.
    pub(super) fn size(&self, bytes: &Bytes) -> Option<(u32, u32)> {
        let known = self.known(bytes);
        *known.size.get_or_init(|| {
            let reader = image::ImageReader::new(Cursor::new(&known.bytes)).with_guessed_format().ok();
            reader.and_then(|reader| reader.into_dimensions().ok())
        })
    }

    fn known(&self, bytes: &Bytes) -> Arc<KnownPicture> {
        let known = self.lock().by_place.get(&place(bytes)).cloned();
        known.unwrap_or_else(|| KnownPicture::new(bytes))
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
