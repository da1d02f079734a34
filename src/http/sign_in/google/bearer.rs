//! The JWT bearer grant: a signed wish for a token in an administrator's name (docs/wire/google-directory.md §1.3).
//!
//! Owns: the claims and the token request. Leaves to others: signing (`key.rs`, `federated.rs`), what a refusal means.
//! A newcomer gets wrong: the audience is Google's own endpoint, wherever the request is sent.

use std::time::SystemTime;

use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::refusal::{self, Judged, Remedy};
use crate::http::sign_in::{Granted, clock};
use crate::http::{Client, Failure, FailureKind, Pause, Request, Response};

/// The only audience that the endpoint takes.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";

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
pub(super) struct Claims<'a> {
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
    async fn sign(&self, claims: &Claims<'_>) -> Result<SecretString, Failure>;
}

/// All members may be missing: one misspelt scope gives an `id_token` alone (§1.3).
#[derive(Deserialize)]
struct Token {
    access_token: Option<SecretString>,
    #[serde(default)]
    expires_in: Value,
}

/// Asks for a token.
pub(super) async fn ask(client: &Client, signer: &dyn Signer, wish: &Wish<'_>) -> Result<Granted, Failure> {
    let mut pauses = client.pauses();
    let (mut now, mut corrected) = (SystemTime::now(), false);
    loop {
        let issued = clock::issued_at(now);
        let claims = Claims {
            iss: signer.email(),
            sub: wish.subject,
            scope: Some(wish.scopes.join(" ")),
            aud: AUDIENCE,
            iat: issued,
            exp: issued + LIFE,
        };
        let assertion = signer.sign(&claims).await?;
        let request = Request::post(client.url("token"))
            .returns_secrets()
            .accept("application/json")
            .form(&[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")])
            .secret_form(&[("assertion", &assertion)]);
        let response = client.read(request).await?;
        if response.status == 200 {
            return granted(&response, wish);
        }
        let Judged { failure, remedy } = refusal::of_token(&response, signer, wish);
        let again = match remedy {
            Remedy::None => false,
            Remedy::Wait => matches!(client.rest(&mut pauses, None).await, Pause::Wait(_)),
            Remedy::ServersClock => !std::mem::replace(&mut corrected, true),
        };
        if !again {
            return Err(failure);
        }
        now = clock::of_server(&response).filter(|_| corrected).unwrap_or_else(SystemTime::now);
        client.count_retried(1);
    }
}

fn granted(response: &Response, wish: &Wish<'_>) -> Result<Granted, Failure> {
    let Token { access_token, expires_in } = response.json()?;
    let Some(token) = access_token else {
        let found =
            format!("200 without an access token: Google does not know one of the scopes {}", wish.scopes.join(", "));
        return Err(response.failure(FailureKind::Refused, found).hint("this is our fault: please report it"));
    };
    Ok(Granted { token, expires_in: clock::life(&expires_in) })
}
