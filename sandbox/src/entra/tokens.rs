//! The access tokens of a tenant.
//!
//! Owns: issuing, expiry, revocation.
//! Leaves to others: who may have one (`sign_in`).
//! A newcomer gets wrong: a token without the right roles is issued all the same; the 403 comes later
//! (docs/wire/microsoft-graph.md §6).

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::json;

use super::world::App;

#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<(u64, BTreeMap<String, SystemTime>)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Missing,
    /// Never issued, or revoked.
    Unknown,
    Expired,
}

impl Refusal {
    /// The message in the answer; clients must not depend on it.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Missing => "Access token is empty.",
            Self::Unknown => "Invalid authentication token.",
            Self::Expired => "Lifetime validation failed, the token is expired.",
        }
    }
}

impl Tokens {
    /// Issues a token, or the n-th one: its text, and how long it lasts.
    pub(crate) fn issue(&self, app: &App, tenant: &str, now: SystemTime, seconds: u64) -> (String, u64) {
        let mut tokens = self.lock();
        tokens.0 += 1;
        let number = tokens.0;
        let seed = blake3::hash(format!("{}{tenant}{number}{:?}", app.client_id, now).as_bytes());
        // The default lifetime is random between 60 and 90 minutes (§1.5).
        let random = u64::from(u16::from_le_bytes([seed.as_bytes()[0], seed.as_bytes()[1]]));
        let lasts = if seconds == 0 { 3600 + random % 1800 } else { seconds };
        let until = now + Duration::from_secs(lasts);
        let expires = until.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let header = json!({ "typ": "JWT", "nonce": seed.to_hex().as_str(), "alg": "RS256" }).to_string();
        let claims = json!({
            "aud": app.resource, "appid": app.client_id, "tid": tenant, "roles": app.roles, "exp": expires, "ver": "1.0",
        })
        .to_string();
        let parts = [header.as_bytes(), claims.as_bytes(), seed.as_bytes()].map(|part| BASE64URL.encode(part));
        let token = parts.join(".");
        tokens.1.insert(token.clone(), until);
        (token, lasts)
    }

    pub(crate) fn check(&self, authorization: Option<&str>, now: SystemTime) -> Result<(), Refusal> {
        let token =
            authorization.and_then(|a| a.get(..7).filter(|s| s.eq_ignore_ascii_case("bearer ")).map(|_| &a[7..]));
        let token = token.filter(|t| !t.is_empty()).ok_or(Refusal::Missing)?;
        let until = *self.lock().1.get(token.trim()).ok_or(Refusal::Unknown)?;
        if now < until { Ok(()) } else { Err(Refusal::Expired) }
    }

    /// Makes every token issued so far invalid; how many there were.
    pub(crate) fn revoke_all(&self) -> usize {
        std::mem::take(&mut self.lock().1).len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (u64, BTreeMap<String, SystemTime>)> {
        self.0.lock().expect("no code panics while it holds the tokens")
    }
}
