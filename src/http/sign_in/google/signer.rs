//! What is wished for, and who signs for it.

use async_trait::async_trait;
use serde::Serialize;

use crate::http::Failure;
use crate::secret::Secret;

/// The longest that Google allows.
pub(super) const LIFE: u64 = 3600;

/// What is wished for.
#[derive(Clone, Copy)]
pub(super) struct Wish<'a> {
    pub(super) subject: &'a str,
    pub(super) scopes: &'a [&'static str],
}

/// What is signed.
#[derive(Serialize)]
pub(super) struct JwtClaims<'a> {
    pub(super) iss: &'a str,
    pub(super) sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<String>,
    pub(super) aud: &'a str,
    pub(super) iat: u64,
    pub(super) exp: u64,
}

/// Whoever signs for the service account.
#[async_trait]
pub(super) trait Signer: Send + Sync {
    /// The service account's e-mail address.
    fn email(&self) -> &str;
    /// The number that the Admin console knows it by, if it is known here.
    fn client_id(&self) -> Option<&str>;
    /// The claims as a signed token.
    async fn sign(&self, claims: &JwtClaims<'_>) -> Result<Secret, Failure>;
}
