//! The metadata service of a virtual machine: tokens for its managed identities (docs/wire/microsoft-graph.md §1.4).
//!
//! Owns: judging the request, and the answer in which every number is a text.
//! Leaves to others: the tokens (`tokens`), passing trouble such as 404, 410 and 5xx (`faults`).
//! A newcomer gets wrong: it is asked for a `resource`, not for a `scope`, and is never reached through a proxy.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::directory::Directory;
use super::world::ManagedIdentity;
use crate::context::Context;
use crate::jwt::seconds;
use crate::oauth::{Refusal, signed};
use crate::simulator::Simulator;

pub(crate) struct Metadata {
    context: Context,
    directory: Arc<Directory>,
}

impl Metadata {
    pub(crate) fn new(context: Context, directory: Arc<Directory>) -> Self {
        Self { context, directory }
    }

    fn token(&self, request: &Request) -> Result<(Value, String), Refusal> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        if !header("metadata").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Err(refused("bad_request_102", "Required metadata header not specified"));
        }
        if header("x-forwarded-for").is_some() || header("via").is_some() {
            return Err(refused("bad_request_102", "Requests through a proxy are not supported"));
        }
        let query: Vec<(String, String)> =
            url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
        let asked = |name: &str| query.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
        if asked("api-version") != Some("2018-02-01") {
            return Err(refused(
                "invalid_request",
                "Required query variable 'api-version' is missing or not supported",
            ));
        }
        let resource = asked("resource").unwrap_or_default();
        if resource.is_empty() {
            return Err(refused("invalid_request", "Required query variable 'resource' is missing"));
        }
        let identity = self.identity(&asked)?;
        let app = &self.directory.tenant.app;
        if resource.trim_end_matches('/') != app.resource {
            let says = format!(
                "AADSTS500011: The resource principal named {resource} was not found in the tenant named {}.",
                self.directory.tenant.tenant
            );
            return Err(refused("invalid_resource", says));
        }
        let now = self.context.now();
        let (token, lasts) = self.directory.tokens.issue(app, &self.directory.tenant.tenant, now, 0);
        let begin = seconds(now);
        let answer = json!({
            "access_token": token, "refresh_token": "", "client_id": identity.client_id,
            "expires_in": lasts.to_string(), "ext_expires_in": lasts.to_string(),
            "expires_on": (begin + lasts.cast_signed()).to_string(), "not_before": begin.to_string(),
            "resource": resource, "token_type": "Bearer",
        });
        Ok((answer, identity.client_id.clone()))
    }

    /// The identity that the request names, or the only one there is.
    fn identity<'a>(&self, asked: &impl Fn(&str) -> Option<&'a str>) -> Result<&ManagedIdentity, Refusal> {
        let all = &self.directory.tenant.managed_identities;
        let found = match (asked("client_id"), asked("object_id"), asked("msi_res_id").or_else(|| asked("mi_res_id"))) {
            (None, None, None) if all.len() > 1 => {
                let says = "Multiple user assigned identities exist, please specify the clientId / resourceId of the \
                            identity in the token request";
                return Err(refused("invalid_request", says));
            }
            (None, None, None) => all.first(),
            (client, object, resource) => all.iter().find(|one| {
                client.is_none_or(|id| one.client_id.eq_ignore_ascii_case(id))
                    && object.is_none_or(|id| one.object_id.eq_ignore_ascii_case(id))
                    && resource.is_none_or(|id| one.resource_id.eq_ignore_ascii_case(id))
            }),
        };
        found.ok_or_else(|| refused("invalid_request", "Identity not found"))
    }
}

fn refused(error: &str, says: impl Into<String>) -> Refusal {
    Refusal::new(400, error, says)
}

async fn token(State(metadata): State<Arc<Metadata>>, request: Request) -> Response {
    match metadata.token(&request) {
        Ok((body, client)) => signed(Json(body).into_response(), Some(client)),
        Err(refusal) => refusal.into_response(),
    }
}

impl Simulator for Metadata {
    fn name(&self) -> &str {
        self.context.name()
    }

    fn title(&self) -> String {
        "Azure instance metadata".into()
    }

    fn comes_last(&self) -> bool {
        true
    }

    fn router(self: Arc<Self>) -> Router {
        Router::new().route("/metadata/identity/oauth2/token", get(token)).with_state(self)
    }
}
