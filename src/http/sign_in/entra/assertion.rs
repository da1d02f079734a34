//! The assertion that a certificate signs (docs/wire/microsoft-graph.md §1.2).
//!
//! Owns: its header and claims. Leaves to others: reading the file (`key_pair`).
//! A newcomer gets wrong: `x5t#S256` is of the raw digest, not of its hex text, and unpadded; anything else is
//! AADSTS700027.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::ExposeSecret as _;
use serde::Serialize;

use crate::http::key_pair::KeyPair;
use crate::http::sign_in::clock;
use crate::http::{Failure, FailureKind};
use crate::secret::Secret;
use crate::settings::Certificate;

/// Within the 5 to 10 minutes that are advised, the half minute that it is dated back included.
const LIFE: u64 = 330;

#[derive(Serialize)]
struct AssertionClaims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    nbf: u64,
    iat: u64,
    exp: u64,
}

/// A fresh assertion.
pub(super) fn sign(
    certificate: &Certificate,
    audience: &str,
    client_id: &str,
    now: SystemTime,
) -> Result<Secret, Failure> {
    let Certificate { file, password } = certificate;
    let tried = format!("reading the certificate {}", file.display());
    let pair = KeyPair::read(&tried, file, password.as_ref())?;
    let wrong = |found: &str| {
        Failure::new(FailureKind::Misconfigured, tried.as_str(), found)
            .hint("Entra takes RSA keys of at least 2048 bits here")
    };
    let key = EncodingKey::from_rsa_pem(pair.key().expose_secret().as_bytes())
        .map_err(|_| wrong("its private key is not an RSA key"))?;
    let header = Header { x5t_s256: Some(URL_SAFE_NO_PAD.encode(pair.thumbprint())), ..Header::new(Algorithm::PS256) };
    let issued = clock::issued_at(now);
    let claims = AssertionClaims {
        aud: audience,
        iss: client_id,
        sub: client_id,
        jti: uuid::Uuid::new_v4().to_string(),
        nbf: issued,
        iat: issued,
        exp: issued + LIFE,
    };
    let token = jsonwebtoken::encode(&header, &claims, &key).map_err(|_| wrong("its private key cannot sign"))?;
    Ok(Secret::new(token))
}
