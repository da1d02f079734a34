//! What a reader of an object is told besides its bytes.
//!
//! Owns: the headers that are kept with it. Leaves to others: which they are (`load`, `run`).
//! A newcomer gets wrong: what avatarpipe alone reads has none.

use object_store::{Attribute, AttributeValue, Attributes};

/// How an object is served.
#[derive(Clone, Debug, Default)]
pub(crate) struct Served(Attributes);

impl Served {
    /// With these headers `Content-Type` and `Cache-Control`.
    pub(crate) fn new(media_type: &'static str, cache_control: &str) -> Self {
        let headers = [
            (Attribute::ContentType, AttributeValue::from(media_type)),
            (Attribute::CacheControl, cache_control.to_owned().into()),
        ];
        Self(headers.into_iter().collect())
    }

    pub(super) fn attributes(&self) -> Attributes {
        self.0.clone()
    }
}
