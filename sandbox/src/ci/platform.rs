//! What a CI platform is, and whose tokens are believed.
//!
//! Owns: how a platform stands in `world.yaml`, telling its tokens from others.
//! Leaves to others: making them (`simulator`), what else must stand in one (`google::sts`, `entra::assertion`).
//! A newcomer gets wrong: a signature says who made a token, not for whom.

use serde::Deserialize;

use crate::jwt::{Key, KeyFiles, Parsed};
use crate::pictures::Pictures;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    #[serde(default = "default_id")]
    pub id: String,
    /// `iss` of its tokens.
    #[serde(default = "default_issuer")]
    pub issuer: String,
    /// `sub` of its tokens: the job that runs.
    pub subject: String,
    /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`, or `SYSTEM_ACCESSTOKEN`, of the job. Invented; it opens no real door.
    pub request_token: String,
    /// The service connection that the job may use, where it is one of Azure Pipelines.
    #[serde(default = "default_connection")]
    pub service_connection: String,
    #[serde(default = "default_seconds")]
    pub token_seconds: u32,
    pub key: KeyFiles,
}

impl Platform {
    /// A platform like GitHub Actions whose job runs as `subject`.
    pub fn new(subject: &str) -> Self {
        Self {
            id: default_id(),
            issuer: default_issuer(),
            subject: subject.to_owned(),
            request_token: "sandbox-ci-request-token".into(),
            service_connection: default_connection(),
            token_seconds: default_seconds(),
            key: KeyFiles::named("ci"),
        }
    }
}

/// What believers know of a platform: its name and its key.
#[derive(Debug)]
pub(crate) struct Issuer {
    pub(crate) platform: Platform,
    pub(super) key: Key,
}

impl Issuer {
    pub(crate) fn new(platform: &Platform, pictures: &Pictures) -> Self {
        let key = Key::read(&platform.key, pictures).expect("a world is checked for its keys");
        Self { platform: platform.clone(), key }
    }

    /// Whether the platform signed this token. Only RS256 is used by the platforms that the pages name.
    pub(crate) fn signed(&self, token: &Parsed) -> bool {
        token.header["kid"] == self.key.id.as_str() && self.key.verifies(token, &[jsonwebtoken::Algorithm::RS256])
    }
}

fn default_id() -> String {
    "ci".into()
}

fn default_issuer() -> String {
    "https://token.actions.githubusercontent.com".into()
}

fn default_connection() -> String {
    "6f2c1e0a-3b7d-4c59-8a41-9d0e5b7c2f13".into()
}

fn default_seconds() -> u32 {
    300
}
