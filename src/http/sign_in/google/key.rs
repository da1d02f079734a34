//! A service account's key file (docs/wire/google-directory.md §1.2).
//!
//! Owns: reading it, signing with it. Leaves to others: what is signed (`bearer.rs`).
//! A newcomer gets wrong: after JSON the key has real line breaks; nothing is to be repaired in it.

use std::path::Path;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::api::GoogleApi;
use super::signer::{JwtClaims, LIFE, Signer};
use crate::http::key_pair::contents;
use crate::http::sign_in::{Granted, clock};
use crate::http::{Failure, FailureKind};
use crate::secret::{Secret, redact};

#[derive(Deserialize)]
struct ServiceAccountFile {
    #[serde(rename = "type", default)]
    kind: String,
    client_email: Option<String>,
    /// It is sent to nobody, so no text from outside can hold it.
    private_key: Option<SecretString>,
    private_key_id: Option<String>,
    client_id: Option<String>,
    universe_domain: Option<String>,
}

/// The key of a service account.
pub(super) struct Key {
    tried: String,
    email: String,
    id: Option<String>,
    client_id: Option<String>,
    key: EncodingKey,
}

impl Key {
    /// Reads the file.
    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        let tried = format!("reading the service account's key {}", file.display());
        let wrong = |found: &str| {
            Failure::new(FailureKind::Misconfigured, tried.as_str(), found)
                .hint("name the JSON file that the Google Cloud console gave when the key was made")
        };
        let bytes = zeroize::Zeroizing::new(contents(&tried, file)?);
        let wire: ServiceAccountFile =
            serde_json::from_slice(&bytes).map_err(|_| wrong("it is not the JSON of a key"))?;
        match wire.kind.as_str() {
            "service_account" => {}
            "external_account" => {
                return Err(wrong("it is of the type `external_account`")
                    .hint("write `external_account_file` in place of `service_account_file`"));
            }
            other => return Err(wrong(&format!("its type is `{}`, not `service_account`", redact(other)))),
        }
        if let Some(universe) = wire.universe_domain.filter(|universe| universe != "googleapis.com") {
            return Err(wrong(&format!("it is of the universe `{universe}`, which has no Directory API")));
        }
        let (Some(email), Some(private_key)) = (wire.client_email, wire.private_key) else {
            return Err(wrong("it lacks `client_email` or `private_key`"));
        };
        let key = EncodingKey::from_rsa_pem(private_key.expose_secret().as_bytes())
            .map_err(|_| wrong("its `private_key` is not an RSA key"))?;
        Ok(Self { email, id: wire.private_key_id, client_id: wire.client_id, key, tried })
    }

    /// A token that needs no token endpoint; good for one API only.
    pub(super) fn sign_itself_in(&self, api: GoogleApi, now: SystemTime) -> Result<Granted, Failure> {
        let issued = clock::issued_at(now);
        let claims = JwtClaims {
            iss: &self.email,
            sub: &self.email,
            scope: None,
            aud: api.audience(),
            iat: issued,
            exp: issued + LIFE,
        };
        let left = (issued + LIFE).saturating_sub(clock::seconds(now));
        Ok(Granted { token: self.signed(&claims)?, expires_in: Duration::from_secs(left) })
    }

    fn signed(&self, claims: &JwtClaims<'_>) -> Result<Secret, Failure> {
        let header = Header { kid: self.id.clone(), ..Header::new(Algorithm::RS256) };
        let token = jsonwebtoken::encode(&header, claims, &self.key).map_err(|_| {
            Failure::new(FailureKind::Misconfigured, self.tried.as_str(), "its `private_key` cannot sign")
        })?;
        Ok(Secret::new(token))
    }
}

#[async_trait]
impl Signer for Key {
    fn email(&self) -> &str {
        &self.email
    }

    fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    async fn sign(&self, claims: &JwtClaims<'_>) -> Result<Secret, Failure> {
        self.signed(claims)
    }
}
