//! What one simulator keeps between runs.
//!
//! Owns: a value and the pictures that it names by their digests.
//! Leaves to others: what is in it (each simulator), where it is kept (`store`).
//! A newcomer gets wrong: a picture is kept once, whoever names it.

use std::collections::BTreeMap;

use bytes::Bytes;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Saved {
    /// Everything but pictures.
    pub value: serde_json::Value,
    /// Pictures by the digest that [`Saved::keep`] gave.
    pub blobs: BTreeMap<String, Bytes>,
}

impl Saved {
    /// Keeps a picture; the digest that stands for it in `value` comes back.
    pub fn keep(&mut self, bytes: &Bytes) -> String {
        let digest = blake3::hash(bytes).to_hex().to_string();
        self.blobs.entry(digest.clone()).or_insert_with(|| bytes.clone());
        digest
    }

    pub(crate) fn blob(&self, digest: &str) -> Result<Bytes, String> {
        self.blobs.get(digest).cloned().ok_or_else(|| format!("the picture {digest} is missing"))
    }
}
