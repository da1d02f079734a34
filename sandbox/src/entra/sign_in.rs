//! The sign-in of Entra: the token endpoint of the client credentials grant (docs/wire/microsoft-graph.md §1).
//!
//! Owns: judging a token request, and the errors of §1.6 in their shape.
//! Leaves to others: assertions (`assertion`), the tokens themselves (`tokens`).
//! A newcomer gets wrong: whoever sends a secret is judged by it alone; an assertion beside it is not looked at.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::assertion::AssertionCheck;
use super::directory::Directory;
use super::switches::{self, SWITCHES};
use super::token_error::{TokenError, dialled, refuse};
use crate::ci::Issuer;
use crate::context::Context;
use crate::oauth::{self, TokenRequest};
use crate::simulator::{Credential, Secret, Simulator};
use crate::switches::Switch;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub(crate) struct SignIn {
    context: Context,
    directory: Arc<Directory>,
    issuers: Vec<Arc<Issuer>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TokenForm {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_assertion_type: Option<String>,
    client_assertion: Option<String>,
    scope: Option<String>,
}

impl SignIn {
    pub(crate) fn new(context: Context, directory: Arc<Directory>, issuers: Vec<Arc<Issuer>>) -> Self {
        Self { context, directory, issuers }
    }

    fn token(&self, tenant: &str, headers: &HeaderMap, mut asked: TokenForm) -> Result<Value, TokenError> {
        if let Some((id, secret)) = basic(headers) {
            asked.client_id.get_or_insert(id);
            asked.client_secret.get_or_insert(secret);
        }
        self.judge(tenant, &asked)?;
        let issue = self.context.number(&switches::TOKEN_SECONDS);
        let known = &self.directory.tenant;
        let (token, lasts) = self.directory.tokens.issue(&known.app, &known.tenant, self.context.now(), issue);
        let mut answer = json!({ "token_type": "Bearer", "expires_in": lasts, "access_token": token });
        if self.context.is(&switches::EXT_EXPIRES_IN, "present") {
            answer["ext_expires_in"] = lasts.into();
        }
        Ok(answer)
    }

    fn judge(&self, tenant: &str, asked: &TokenForm) -> Result<(), TokenError> {
        let known = &self.directory.tenant;
        let app = &known.app;
        let missing = |name: &str| {
            refuse(
                "invalid_request",
                900_144,
                format!("The request body must contain the following parameter: '{name}'."),
            )
        };
        match asked.grant_type.as_deref() {
            None => return missing("grant_type"),
            Some("client_credentials") => {}
            Some(_) => return refuse("unsupported_grant_type", 70_003, "The app requested an unsupported grant type."),
        }
        if ["common", "consumers"].contains(&tenant) {
            let message = "The grant type is not supported over the /common or /consumers endpoints. \
                           Please use the /organizations or tenant-specific endpoint.";
            return refuse("invalid_request", 9_001_023, message);
        }
        if !tenant.eq_ignore_ascii_case(&known.tenant) && !tenant.eq_ignore_ascii_case(&known.domain) {
            let message = format!("Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.");
            return refuse("invalid_request", 90_002, message);
        }
        let Some(client) = asked.client_id.as_deref() else { return missing("client_id") };
        if !client.eq_ignore_ascii_case(&app.client_id) {
            let message = format!("Application with identifier '{client}' was not found in the directory '{tenant}'.");
            return refuse("unauthorized_client", 700_016, message);
        }
        let Some(scope) = asked.scope.as_deref() else { return missing("scope") };
        self.judge_scope(scope)?;
        self.judge_secret(tenant, asked)
    }

    fn judge_scope(&self, scope: &str) -> Result<(), TokenError> {
        let app = &self.directory.tenant.app;
        let mut scopes = scope.split_whitespace();
        let (first, more) = (scopes.next().unwrap_or_default(), scopes.next());
        if more.is_some() {
            let message = format!("Provided value for the input parameter scope '{scope}' can only be one resource.");
            return refuse("invalid_scope", 28_002, message);
        }
        let Some(resource) = first.strip_suffix("/.default") else {
            let message = format!("The provided value for the input parameter 'scope' is not valid: '{scope}'.");
            return refuse("invalid_scope", 70_011, message);
        };
        if resource.trim_end_matches('/') != app.resource {
            let message = format!("The resource principal named {resource} was not found in the tenant.");
            return refuse("invalid_resource", 500_011, message);
        }
        Ok(())
    }

    fn judge_secret(&self, tenant: &str, asked: &TokenForm) -> Result<(), TokenError> {
        let app = &self.directory.tenant.app;
        if let Some(secret) = &asked.client_secret {
            if *secret == app.client_secret {
                return Ok(());
            }
            if Some(secret) == app.expired_secret.as_ref() {
                let message = format!("The provided client secret keys for app '{}' are expired.", app.client_id);
                return refuse("invalid_client", 7_000_222, message);
            }
            let message = format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret \
                 value, not the client secret ID, for a secret added to app '{}'.",
                app.client_id
            );
            return refuse("invalid_client", 7_000_215, message);
        }
        match (asked.client_assertion_type.as_deref(), &asked.client_assertion) {
            (Some(ASSERTION_TYPE), Some(assertion)) => {
                let (context, directory, issuers) = (&self.context, &*self.directory, &self.issuers[..]);
                AssertionCheck { context, directory, issuers, tenant }.judge(assertion)
            }
            _ => {
                let message =
                    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
                refuse("invalid_client", 7_000_218, message)
            }
        }
    }

    fn answer(&self, error: &TokenError) -> Response {
        let status = match error.error {
            "invalid_client" if self.context.is(&switches::INVALID_CLIENT_STATUS, "401") => StatusCode::UNAUTHORIZED,
            "temporarily_unavailable" if self.context.is(&switches::TRANSIENT_STATUS, "503") => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            _ => StatusCode::BAD_REQUEST,
        };
        let [trace, correlation] = [(); 2].map(|()| uuid::Uuid::new_v4().to_string());
        let timestamp = humantime::format_rfc3339_seconds(self.context.now()).to_string().replace('T', " ");
        let description = format!(
            "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}",
            error.code, error.message
        );
        let body = json!({
            "error": error.error, "error_description": description, "error_codes": [error.code], "timestamp": timestamp,
            "trace_id": trace, "correlation_id": correlation,
            "error_uri": format!("{}/error?code={}", self.context.base(), error.code),
        });
        (status, Json(body)).into_response()
    }
}

/// Client id and secret from HTTP Basic, each URL-decoded as RFC 6749 §2.3.1 asks.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let decode = |text: &str| {
        let decoded = url::form_urlencoded::parse(text.as_bytes()).next();
        decoded.map(|(text, _)| text.into_owned()).unwrap_or_default()
    };
    Some((decode(id), decode(secret)))
}

impl oauth::TokenEndpoint for SignIn {
    type Asked = TokenForm;

    fn dialled(&self, word: &str) -> Option<Response> {
        dialled(word).map(|error| self.answer(&error))
    }

    async fn read(request: Request) -> Option<TokenForm> {
        oauth::form(request).await
    }

    fn issue(&self, request: TokenRequest<TokenForm>) -> (Response, Option<String>) {
        let tenant = request.path.first().map_or("", String::as_str);
        let asked = request.asked.unwrap_or_default();
        let who = asked.client_id.clone();
        let response = match self.token(tenant, &request.headers, asked) {
            Ok(body) => ([(header::CACHE_CONTROL, "no-store, no-cache")], Json(body)).into_response(),
            Err(error) => self.answer(&error),
        };
        (response, who)
    }
}

/// The discovery document, which public client libraries read first.
async fn discovery(State(sign_in): State<Arc<SignIn>>, Path(tenant): Path<String>) -> Json<Value> {
    let base = sign_in.context.base();
    Json(json!({
        "issuer": format!("{base}/{tenant}/v2.0"),
        "token_endpoint": format!("{base}/{tenant}/oauth2/v2.0/token"),
        "authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/authorize"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic", "private_key_jwt"],
        "grant_types_supported": ["client_credentials"],
    }))
}

impl Simulator for SignIn {
    fn name(&self) -> &str {
        self.context.name()
    }

    fn title(&self) -> String {
        "Entra ID sign-in".into()
    }

    fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/{tenant}/oauth2/v2.0/token", post(oauth::token::<Self>))
            .route("/{tenant}/v2.0/.well-known/openid-configuration", get(discovery))
            .with_state(self)
    }

    fn switches(&self) -> Vec<&'static Switch> {
        SWITCHES.iter().collect()
    }

    fn credentials(&self) -> Vec<Credential> {
        let known = &self.directory.tenant;
        let secret = Secret::App { tenant: known.tenant.clone(), client_secret: known.app.client_secret.clone() };
        let certificates = known.app.certificates.iter().map(|own| Secret::Certificate {
            tenant: known.tenant.clone(),
            certificate: self.directory.text(&own.certificate.name),
            private_key: self.directory.text(&own.private.name),
        });
        let secrets = [secret].into_iter().chain(certificates);
        let credential =
            |secret| Credential { simulator: self.name().to_owned(), user: known.app.client_id.clone(), secret };
        secrets.map(credential).collect()
    }

    fn control(&self, command: &Value) -> Result<Value, String> {
        self.directory.command(command)
    }
}
