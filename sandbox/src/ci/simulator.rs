//! The endpoint at which a job gets its tokens.
//!
//! Owns: the request for a token, its claims, its signature.
//! Leaves to others: who believes the token (`google::sts`, `entra::assertion`).
//! A newcomer gets wrong: the URL that a job is given carries a query already; the audience is added to it with `&`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::platform::{Issuer, Platform};
use crate::context::Context;
use crate::jwt::{Key, seconds};
use crate::oauth::signed;
use crate::pictures::{FileRef, Pictures};
use crate::simulator::{Credential, Secret, Simulator};
use crate::world::{Assembly, Part};

struct Ci {
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

/// Whether the request bears the job's own token.
fn is_of_the_job(ci: &Ci, request: &Request) -> bool {
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let (scheme, secret) = authorization.split_once(' ').unwrap_or_default();
    scheme.eq_ignore_ascii_case("bearer") && secret == ci.issuer.platform.request_token
}

fn asked_for(request: &Request, name: &str) -> Option<String> {
    let query = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    query.into_iter().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

async fn token(State(ci): State<Arc<Ci>>, request: Request) -> Response {
    if !is_of_the_job(&ci, &request) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "message": "Unauthorized" }))).into_response();
    }
    let audience = asked_for(&request, "audience");
    let owner = ci.issuer.platform.subject.split([':', '/']).nth(1).unwrap_or_default();
    let audience = audience.unwrap_or_else(|| format!("https://github.com/{owner}"));
    let body = json!({ "count": 1, "value": ci.mint(&audience, serde_json::Map::new()) });
    signed(Json(body).into_response(), Some(ci.issuer.platform.subject.clone()))
}

/// `Oidctoken - Create` of Azure DevOps: <https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create>.
/// The audience is Entra's, whoever asks.
async fn of_connection(State(ci): State<Arc<Ci>>, request: Request) -> Response {
    let refuse = |status: StatusCode, words: &str| (status, Json(json!({ "message": words }))).into_response();
    if !is_of_the_job(&ci, &request) {
        return refuse(StatusCode::UNAUTHORIZED, "Unauthorized");
    }
    let platform = &ci.issuer.platform;
    if asked_for(&request, "api-version").is_none_or(|version| !version.starts_with("7.1")) {
        return refuse(StatusCode::BAD_REQUEST, "No api-version was supplied");
    }
    if asked_for(&request, "serviceConnectionId").as_ref() != Some(&platform.service_connection) {
        return refuse(StatusCode::NOT_FOUND, "The service connection does not exist");
    }
    let body = json!({ "oidcToken": ci.mint("api://AzureADTokenExchange", serde_json::Map::new()) });
    signed(Json(body).into_response(), Some(platform.subject.clone()))
}

impl Part for Platform {
    fn files(&self) -> Vec<&FileRef> {
        self.key.files().collect()
    }

    fn check(&self, pictures: &Pictures) -> Result<(), String> {
        Key::read(&self.key, pictures).map(drop)
    }

    fn simulators(&self, assembly: &Assembly) -> Vec<Arc<dyn Simulator>> {
        let issuer = assembly.issuers.iter().find(|issuer| issuer.platform == *self);
        let issuer = Arc::clone(issuer.expect("every platform of the world is an issuer"));
        vec![Arc::new(Ci { context: assembly.context(&self.id), issuer })]
    }
}

impl Simulator for Ci {
    fn name(&self) -> &str {
        self.context.name()
    }

    fn title(&self) -> String {
        "CI platform (OpenID Connect issuer)".into()
    }

    fn router(self: Arc<Self>) -> Router {
        Router::new().route("/token", get(token)).route("/oidctoken", post(of_connection)).with_state(self)
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
