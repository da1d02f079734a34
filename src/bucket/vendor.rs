//! What all vendors' stores have in common.
//!
//! Owns: what is asked of each, repetitions, and the words where one cannot be built. Leaves to others: who we are for each (`amazon`, `azure`,
//! `google`).
//! A newcomer gets wrong: what the environment holds is covered before the crate reads it.

use object_store::list::PaginatedListStore;
use object_store::{ObjectStore, RetryConfig};

use crate::http::{Failure, FailureKind, object_failure};
use crate::secret::Secret;
use crate::settings;

/// Objects, and their listing page by page.
pub(super) trait Store: ObjectStore + PaginatedListStore {}

impl<S: ObjectStore + PaginatedListStore> Store for S {}

/// The crate's own repetitions are not ours.
pub(super) fn once() -> RetryConfig {
    RetryConfig { max_retries: 0, ..RetryConfig::default() }
}

/// What the environment may hold that nobody else may see.
pub(super) fn cover(variables: &[&str]) {
    variables.iter().filter_map(|name| std::env::var(name).ok()).for_each(|value| drop(Secret::new(value)));
}

/// It cannot be built from what is known.
pub(super) fn unusable(place: &settings::Bucket, error: &object_store::Error, hint: &'static str) -> Failure {
    let failure = object_failure(&format!("using {}", place.url), error);
    Failure { kind: FailureKind::Misconfigured, ..failure }.hint(hint)
}
