//! The CI platform: the issuer of the tokens that jobs sign in with, as GitHub Actions hands them out
//! (docs/wire/google-directory.md §1.5, docs/wire/microsoft-graph.md §1.3).
//!
//! Owns: the request for a token, its claims, its signature.
//! Leaves to others: who believes the token (`google::sts`, `entra::assertion`).
//! A newcomer gets wrong: the URL that a job is given carries a query already; the audience is added to it with `&`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::context::Context;
use super::jwt::{Key, KeyFiles, Parsed, seconds};
use super::oauth::signed;
use super::pictures::{FileRef, Pictures};
use super::simulator::{Credential, Secret, Simulator};

/// One CI platform, as written in a world.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// The simulator's name.
    #[serde(default = "default_id")]
    pub id: String,
    /// `iss` of its tokens.
    #[serde(default = "default_issuer")]
    pub issuer: String,
    /// `sub` of its tokens: the job that runs.
    pub subject: String,
    /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN` of the job. Invented; it opens no real door.
    pub request_token: String,
    /// How long a token lasts.
    #[serde(default = "default_seconds")]
    pub token_seconds: u32,
    /// What it signs with.
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
            token_seconds: default_seconds(),
            key: KeyFiles::named("ci"),
        }
    }

    /// The files that this part names.
    pub(crate) fn files(&self) -> impl Iterator<Item = &FileRef> {
        self.key.files()
    }

    /// What does not fit together.
    pub(crate) fn check(&self, pictures: &Pictures) -> Result<(), String> {
        Key::read(&self.key, pictures).map(drop)
    }
}

/// What believers know of a platform: its name and its key.
#[derive(Debug)]
pub(super) struct Issuer {
    pub(super) platform: Platform,
    key: Key,
}

impl Issuer {
    pub(super) fn new(platform: &Platform, pictures: &Pictures) -> Self {
        let key = Key::read(&platform.key, pictures).expect("a world is checked for its keys");
        Self { platform: platform.clone(), key }
    }

    /// Whether the platform signed this token. Only RS256 is used by the platforms that the pages name.
    pub(super) fn signed(&self, token: &Parsed) -> bool {
        token.header["kid"] == self.key.id.as_str() && self.key.verifies(token, &[jsonwebtoken::Algorithm::RS256])
    }
}

/// The simulator of a platform.
pub(crate) struct Ci {
    context: Context,
    issuer: Arc<Issuer>,
}

/// What a test may ask for.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    /// A token without a request, as GitLab puts one into a variable, with claims of one's own.
    Mint {
        audience: String,
        #[serde(default)]
        claims: serde_json::Map<String, Value>,
    },
}

impl Ci {
    pub(super) fn new(context: Context, issuer: Arc<Issuer>) -> Self {
        Self { context, issuer }
    }

    fn mint(&self, audience: &str, more: serde_json::Map<String, Value>) -> String {
        let platform = &self.issuer.platform;
        let now = seconds(self.context.now());
        let mut claims = json!({
            "jti": uuid::Uuid::new_v4().to_string(), "iss": platform.issuer, "sub": platform.subject, "aud": audience,
            "iat": now, "nbf": now - 300, "exp": now + i64::from(platform.token_seconds),
            "repository": platform.subject.split(':').nth(1), "runner_environment": "self-hosted",
        });
        for (name, value) in more {
            claims[name] = value;
        }
        self.issuer.key.sign(&claims)
    }
}

async fn token(State(ci): State<Arc<Ci>>, request: Request) -> Response {
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let (scheme, secret) = authorization.split_once(' ').unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") || secret != ci.issuer.platform.request_token {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "message": "Unauthorized" }))).into_response();
    }
    let query = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    let audience = query.into_iter().find(|(name, _)| name == "audience").map(|(_, value)| value.into_owned());
    let owner = ci.issuer.platform.subject.split([':', '/']).nth(1).unwrap_or_default();
    let audience = audience.unwrap_or_else(|| format!("https://github.com/{owner}"));
    let body = json!({ "count": 1, "value": ci.mint(&audience, serde_json::Map::new()) });
    signed(Json(body).into_response(), Some(ci.issuer.platform.subject.clone()))
}

impl Simulator for Ci {
    fn name(&self) -> &str {
        self.context.name()
    }

    fn title(&self) -> String {
        "CI platform (OpenID Connect issuer)".into()
    }

    fn router(self: Arc<Self>) -> Router {
        Router::new().route("/token", get(token)).with_state(self)
    }

    fn credentials(&self) -> Vec<Credential> {
        let platform = &self.issuer.platform;
        let request_url = format!("{}/token?api-version=2.0", self.context.base());
        let secret = Secret::Job { request_url, request_token: platform.request_token.clone() };
        vec![Credential { simulator: self.name().to_owned(), user: platform.subject.clone(), secret }]
    }

    fn control(&self, command: &Value) -> Result<Value, String> {
        let Command::Mint { audience, claims } = Command::deserialize(command).map_err(|e| e.to_string())?;
        Ok(json!({ "value": self.mint(&audience, claims) }))
    }
}

fn default_id() -> String {
    "ci".into()
}

fn default_issuer() -> String {
    "https://token.actions.githubusercontent.com".into()
}

fn default_seconds() -> u32 {
    300
}
