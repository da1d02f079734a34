//! Google's Security Token Service: a CI platform's token for one of Google's (docs/wire/google-directory.md §1.5).
//!
//! Owns: both spellings of the request, judging the provider and the subject token.
//! Leaves to others: what the federated token is good for (`iam`).
//! A newcomer gets wrong: the request names the provider as `//iam…`, the platform's token as `https://iam…`.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::refusals::dialled;
use super::scopes::exists;
use super::tokens::{Grant, LASTS, Principal};
use super::workspace::Workspace;
use crate::context::Context;
use crate::jwt::{Parsed, seconds};
use crate::oauth::{self, Refusal, TokenRequest};
use crate::simulator::Simulator;
use crate::switches::Values::OneOf;
use crate::switches::{Switch, switches};

switches! {
    AUTHORIZATION = "authorization_header", OneOf(&["refused", "ignored"]), "refused",
        "a request with an Authorization header; it can make the call fail (§1.5)";
    EXPIRES_IN = "expires_in", OneOf(&["present", "absent"]), "present",
        "expires_in, which may be absent in special cases (§1.5)";
}

const HOST: &str = "//iam.googleapis.com/";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const SUBJECT_TYPES: [&str; 2] = ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];

pub(super) struct Sts {
    context: Context,
    workspace: Arc<Workspace>,
}

/// A request in either spelling.
pub(super) struct Exchange(Value);

impl Exchange {
    fn read(content_type: &str, body: &[u8]) -> Option<Self> {
        if content_type.starts_with("application/json") {
            return serde_json::from_slice(body).ok().filter(Value::is_object).map(Self);
        }
        let pairs = url::form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into()));
        Some(Self(Value::Object(pairs.collect())))
    }

    /// A member by its name in camel case, or by the same in snake case.
    fn get(&self, name: &str) -> &str {
        let mut snake = String::new();
        for letter in name.chars() {
            if letter.is_ascii_uppercase() {
                snake.push('_');
            }
            snake.push(letter.to_ascii_lowercase());
        }
        self.0.get(name).or_else(|| self.0.get(snake)).and_then(Value::as_str).unwrap_or_default()
    }
}

fn refuse<T>(error: &str, description: &str) -> Result<T, Refusal> {
    Err(Refusal::new(400, error, description))
}

impl Sts {
    pub(super) fn new(context: Context, workspace: Arc<Workspace>) -> Self {
        Self { context, workspace }
    }

    /// For whom the request gets a token.
    fn judge(&self, asked: &Exchange) -> Result<Grant, Refusal> {
        if asked.get("grantType") != EXCHANGE {
            return refuse("invalid_request", "Invalid grant_type.");
        }
        if asked.get("requestedTokenType") != ACCESS_TOKEN {
            return refuse("invalid_request", "Invalid requested_token_type.");
        }
        if !SUBJECT_TYPES.contains(&asked.get("subjectTokenType")) {
            return refuse("invalid_request", "Invalid subject_token_type.");
        }
        let scopes: Vec<String> = asked.get("scope").split_whitespace().map(str::to_owned).collect();
        if scopes.is_empty() || !scopes.iter().all(|scope| exists(scope)) {
            return refuse("invalid_scope", "Invalid OAuth scope.");
        }
        let name = asked.get("audience").strip_prefix(HOST).filter(|name| is_provider(name));
        let Some(name) = name else { return refuse("invalid_request", "Invalid value for \"audience\".") };
        let subject = self.judge_token(name, asked.get("subjectToken"))?;
        Ok(Grant { who: Principal::External(subject), scopes })
    }

    /// The subject of the platform's token, if the provider takes it.
    fn judge_token(&self, name: &str, subject_token: &str) -> Result<String, Refusal> {
        let provider = self.workspace.world.providers.iter().find(|p| p.name == name && !p.disabled);
        let Some(provider) = provider else {
            return refuse(
                "invalid_target",
                "The target service indicated by the \"audience\" parameters is invalid. This might either be because \
                 the pool or provider is disabled or deleted or because it doesn't exist.",
            );
        };
        let Some(token) = Parsed::read(subject_token) else {
            return refuse("invalid_request", "Unable to parse the ID Token.");
        };
        let issuer = token.claim("iss").unwrap_or_default();
        if issuer != provider.issuer {
            let says = format!("The issuer in ID Token {issuer} does not match the expected ones.");
            return refuse("invalid_grant", &says);
        }
        let known = self.workspace.issuers.iter().find(|known| known.platform.issuer == issuer);
        if token.header.get("kid").is_none() || !known.is_some_and(|known| known.signed(&token)) {
            return refuse("invalid_grant", "Error connecting to the given credential's issuer, or invalid signature.");
        }
        let own = [format!("https:{HOST}{name}"), format!("{HOST}{name}")];
        let takes = if provider.audiences.is_empty() { &own[..] } else { &provider.audiences };
        if !takes.iter().any(|audience| token.is_for(audience)) {
            let says =
                format!("The audience in ID Token {} does not match the expected audience.", token.claims["aud"]);
            return refuse("invalid_grant", &says);
        }
        let now = seconds(self.context.now());
        let fresh = token.time("iat").is_some_and(|iat| iat <= now && now - iat <= 24 * 3600);
        if !fresh || token.time("exp").is_none_or(|exp| exp <= now) {
            return refuse("invalid_grant", "ID Token is stale to sign-in, or issued in the future.");
        }
        let subject = token.claim("sub").unwrap_or_default();
        if subject.is_empty() || subject.len() > 127 {
            return refuse(
                "invalid_grant",
                "The size of mapped attribute google.subject exceeds the 127 bytes limit. Either modify your attribute \
                 mapping or the incoming assertion to produce a mapped attribute that is less than 127 bytes.",
            );
        }
        Ok(subject.to_owned())
    }
}

/// `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`.
fn is_provider(name: &str) -> bool {
    let segments: Vec<&str> = name.split('/').collect();
    matches!(
        segments[..],
        ["projects", number, "locations", "global", "workloadIdentityPools", pool, "providers", provider]
            if number.bytes().all(|b| b.is_ascii_digit()) && ![number, pool, provider].contains(&"")
    )
}

impl oauth::TokenEndpoint for Sts {
    type Asked = Exchange;

    fn dialled(&self, word: &str) -> Option<Response> {
        dialled(word).map(Refusal::into_response)
    }

    async fn read(request: Request) -> Option<Exchange> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        Exchange::read(&content_type, &oauth::bytes(request).await)
    }

    fn issue(&self, request: TokenRequest<Exchange>) -> (Response, Option<String>) {
        let grant = match request.asked {
            _ if request.headers.contains_key(header::AUTHORIZATION) && self.context.is(&AUTHORIZATION, "refused") => {
                Err(Refusal::new(401, "invalid_client", "Invalid client authentication."))
            }
            None => refuse("invalid_request", "Bad Request"),
            Some(asked) => self.judge(&asked),
        };
        let grant = match grant {
            Ok(grant) => grant,
            Err(refusal) => return (refusal.into_response(), None),
        };
        let who = grant.who.name().to_owned();
        let token = self.workspace.tokens.issue("ya29.d.c0A", grant, self.context.now());
        let mut body = json!({ "access_token": token, "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer" });
        if self.context.is(&EXPIRES_IN, "present") {
            body["expires_in"] = LASTS.into();
        }
        (Json(body).into_response(), Some(who))
    }
}

impl Simulator for Sts {
    fn name(&self) -> &str {
        self.context.name()
    }

    fn title(&self) -> String {
        "Google Security Token Service".into()
    }

    fn router(self: Arc<Self>) -> Router {
        Router::new().route("/v1/token", post(oauth::token::<Self>)).with_state(self)
    }

    fn switches(&self) -> Vec<&'static Switch> {
        SWITCHES.iter().collect()
    }
}
