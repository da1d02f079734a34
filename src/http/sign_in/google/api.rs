//! What a token of Google's is for.
//!
//! Owns: who a self-signed token names, and who is answered. Leaves to others: scopes (`extract`, `bucket`).
//! A newcomer gets wrong: the Directory API knows nobody of a workload identity pool; a service account speaks for them.

/// An API of Google's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GoogleApi {
    /// Users and their photos.
    Directory,
    /// Buckets.
    #[cfg(feature = "bucket")]
    Storage,
}

impl GoogleApi {
    /// Who a token that a service account signs itself is for (docs/wire/google-directory.md §1.6).
    pub(super) fn audience(self) -> &'static str {
        match self {
            Self::Directory => "https://admin.googleapis.com/",
            #[cfg(feature = "bucket")]
            Self::Storage => "https://storage.googleapis.com/",
        }
    }

    /// Whether it answers somebody of a pool who speaks for no service account.
    pub(super) fn answers_the_pool(self) -> bool {
        self != Self::Directory
    }
}
