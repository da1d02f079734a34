//! The JWT bearer grant: a signed wish for a token in an administrator's name (docs/wire/google-directory.md §1.3).
//!
//! Owns: the token request. Leaves to others: signing (`key.rs`, `federated.rs`), what a refusal means.
//! A newcomer gets wrong: the audience is Google's own endpoint, wherever the request is sent.

use std::time::SystemTime;

use serde::Deserialize;
use serde_json::Value;

use super::refusal::{self, GoogleRefusal, GoogleRemedy};
use super::signer::{JwtClaims, LIFE, Signer, Wish};
use crate::http::sign_in::{Granted, clock};
use crate::http::{Client, Failure, FailureKind, Pause, Request, Response};
use crate::secret::Secret;

/// The only audience that the endpoint takes.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";

/// All members may be missing: one misspelt scope gives an `id_token` alone (§1.3).
#[derive(Deserialize)]
struct GoogleToken {
    access_token: Option<Secret>,
    #[serde(default)]
    expires_in: Value,
}

/// Asks for a token.
pub(super) async fn ask(client: &Client, signer: &dyn Signer, wish: &Wish<'_>) -> Result<Granted, Failure> {
    let mut pauses = client.pauses();
    let (mut now, mut corrected) = (SystemTime::now(), false);
    loop {
        let issued = clock::issued_at(now);
        let claims = JwtClaims {
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
        let GoogleRefusal { failure, remedy } = refusal::of_token(&response, signer, wish);
        let again = match remedy {
            GoogleRemedy::None => false,
            GoogleRemedy::Wait => matches!(client.rest(&mut pauses, None).await, Pause::Wait(_)),
            GoogleRemedy::ServersClock => !std::mem::replace(&mut corrected, true),
        };
        if !again {
            return Err(failure);
        }
        now = clock::of_server(&response).filter(|_| corrected).unwrap_or_else(SystemTime::now);
        client.count_retried(1);
    }
}

fn granted(response: &Response, wish: &Wish<'_>) -> Result<Granted, Failure> {
    let GoogleToken { access_token, expires_in } = response.json()?;
    let Some(token) = access_token else {
        let found =
            format!("200 without an access token: Google does not know one of the scopes {}", wish.scopes.join(", "));
        return Err(response.failure(FailureKind::Refused, found).hint("this is our fault: please report it"));
    };
    Ok(Granted { token, expires_in: clock::life(&expires_in) })
}
