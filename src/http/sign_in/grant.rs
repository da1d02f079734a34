//! One way to sign in, seen from outside.

use std::time::Duration;

use async_trait::async_trait;

use crate::http::{Counts, Failure};
use crate::secret::Secret;

/// What a sign-in gave.
#[derive(Debug)]
pub(crate) struct Granted {
    /// The token.
    pub token: Secret,
    /// How long it lives from now on.
    pub expires_in: Duration,
}

/// One way to sign in.
#[async_trait]
pub(crate) trait Grant: Send + Sync {
    /// Asks for a token.
    async fn ask(&self) -> Result<Granted, Failure>;

    /// Whose sign-in it is, as far as our own side knows.
    fn who(&self) -> Option<String> {
        None
    }

    /// When the credential itself ends, as `certificate` and Unix seconds, where that can be read.
    fn ends(&self) -> Option<(String, u64)> {
        None
    }

    /// What else there is to know of the credential's own end.
    fn lasts(&self) -> Option<String> {
        None
    }

    /// What was sent so far: a sign-in is a request of its source.
    fn counts(&self) -> Counts;
}
