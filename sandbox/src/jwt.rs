//! JSON web tokens as the sign-ins of the simulators see them: signed, read, and verified with the keys of the world.
//!
//! Owns: the key files of a world, the three parts of a token, signing and verifying with RSA.
//! Leaves to others: what must stand in a token (each sign-in), the order of the checks.
//! A newcomer gets wrong: [`Parsed`] says nothing about the signature; only [`Key::verifies`] does.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use serde::Deserialize;
use serde_json::Value;

use super::pictures::{FileRef, Pictures};

/// A pair of RSA keys in the world's folder. Throw-away keys: they open no real door.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFiles {
    /// The `kid` in the header of what it signs.
    pub id: String,
    /// The private key: PKCS#8 in PEM.
    pub private: FileRef,
    /// The public key in PEM.
    pub public: FileRef,
}

impl KeyFiles {
    /// A key of the bundled world `merged`, by the name of its files.
    pub fn named(name: &str) -> Self {
        let file = |half: &str| FileRef::from(format!("keys/{name}.{half}.pem").as_str());
        let id = blake3::hash(name.as_bytes()).to_hex()[..40].to_owned();
        Self { id, private: file("private"), public: file("public") }
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &FileRef> {
        [&self.private, &self.public].into_iter()
    }
}

pub(super) struct Key {
    pub(super) id: String,
    /// The private key as PEM without anything before its first line.
    pub(super) pem: String,
    private: EncodingKey,
    public: DecodingKey,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Key {
    pub(super) fn read(files: &KeyFiles, pictures: &Pictures) -> Result<Self, String> {
        let text = |file: &FileRef| {
            let bytes = pictures.get(&file.name).ok_or_else(|| format!("there is no key file {}", file.name))?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let start = text.find("-----BEGIN").ok_or_else(|| format!("{} holds no PEM", file.name))?;
            Ok::<_, String>(text[start..].to_owned())
        };
        let fail = |file: &FileRef, fault| format!("{} is no RSA key in PEM: {fault}", file.name);
        let pem = text(&files.private)?;
        let private = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|e| fail(&files.private, e))?;
        let public = DecodingKey::from_rsa_pem(text(&files.public)?.as_bytes()).map_err(|e| fail(&files.public, e))?;
        Ok(Self { id: files.id.clone(), pem, private, public })
    }

    /// A signed token with `kid` and `typ` in its header.
    pub(super) fn sign(&self, claims: &Value) -> String {
        self.sign_with(Algorithm::RS256, &serde_json::json!({ "alg": "RS256", "kid": self.id, "typ": "JWT" }), claims)
    }

    /// A signed token with this header, which must name the same algorithm.
    pub(super) fn sign_with(&self, algorithm: Algorithm, header: &Value, claims: &Value) -> String {
        let message = [header, claims].map(|part| BASE64URL.encode(part.to_string())).join(".");
        let signature = crypto::sign(message.as_bytes(), &self.private, algorithm);
        format!("{message}.{}", signature.expect("an RSA key that was read can sign"))
    }

    /// Whether this key made the token's signature, with one of these algorithms.
    pub(super) fn verifies(&self, token: &Parsed, algorithms: &[Algorithm]) -> bool {
        let named = algorithms.iter().find(|a| token.header["alg"] == format!("{a:?}"));
        named.is_some_and(|algorithm| {
            crypto::verify(&token.signature, token.message.as_bytes(), &self.public, *algorithm).unwrap_or(false)
        })
    }
}

/// The parts of a token, not verified.
#[derive(Clone, Debug)]
pub(super) struct Parsed {
    pub(super) header: Value,
    pub(super) claims: Value,
    message: String,
    signature: String,
}

impl Parsed {
    /// Takes a token apart; none if it is no token at all.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (message, signature) = text.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let part = |text: &str| serde_json::from_slice::<Value>(&BASE64URL.decode(text).ok()?).ok();
        let (header, claims) = (part(header)?, part(claims)?);
        let parsed = Self { header, claims, message: message.to_owned(), signature: signature.to_owned() };
        (parsed.header.is_object() && parsed.claims.is_object()).then_some(parsed)
    }

    pub(super) fn claim(&self, name: &str) -> Option<&str> {
        self.claims[name].as_str()
    }

    /// A time among the claims, in seconds. Fractions are cut: some libraries send them.
    pub(super) fn time(&self, name: &str) -> Option<i64> {
        let value = &self.claims[name];
        #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970 are far below the limit")]
        value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
    }

    /// Whether the audience is this one, given as a text or as a list.
    pub(super) fn is_for(&self, audience: &str) -> bool {
        let aud = &self.claims["aud"];
        aud == audience || aud.as_array().is_some_and(|all| all.iter().any(|one| one == audience))
    }
}

/// Seconds since 1970.
pub(super) fn seconds(now: std::time::SystemTime) -> i64 {
    let since = now.duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
