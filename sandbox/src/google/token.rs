//! Google's token endpoint: the JWT bearer grant of service accounts (docs/wire/google-directory.md §1.3).
//!
//! Owns: judging an assertion in the recorded order, and the OAuth envelope of the refusals.
//! Leaves to others: the tokens (`tokens`), what a token may do (`directory`).
//! A newcomer gets wrong: a misspelt scope is no refusal. It is answered 200 with an `id_token` and no access token.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde_json::{Value, json};

use super::refusals::dialled;
use super::scopes::exists;
use super::tokens::{Grant, LASTS, Principal};
use super::workspace::Workspace;
use super::world::ServiceAccount;
use crate::context::Context;
use crate::jwt::{Parsed, seconds};
use crate::oauth::{self, Refusal, TokenRequest};
use crate::simulator::{Credential, Secret, Simulator};
use crate::switches::Values::{Number, OneOf};
use crate::switches::{Switch, switches};

switches! {
    SKEW = "skew_seconds", Number, "300", "how far the clock of an assertion may be off (§1.3, measured by others)";
    EXPIRES_IN = "expires_in", OneOf(&["number", "text"]), "number",
        "expires_in as a number or as a text; google-auth takes both (§1.3)";
    MISSPELT_SCOPE = "misspelt_scope", OneOf(&["id_token", "unauthorized_client"]), "id_token",
        "what a scope that does not exist gets (§1.3, §6 trap 2)";
    SUSPENDED_SUBJECT = "suspended_subject", OneOf(&["invalid_grant", "access_denied", "invalid_account"]), "invalid_grant",
        "the refusal for a suspended subject, which the rows do not single out (§1.3)";
}

pub(super) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";

pub(super) struct TokenEndpoint {
    context: Context,
    workspace: Arc<Workspace>,
}

/// What an assertion was good for.
enum Outcome {
    Access(Grant),
    /// Signed, but with a scope that there is not.
    Identity(String),
}

fn refuse<T>(status: u16, error: &str, description: &str) -> Result<T, Refusal> {
    Err(Refusal::new(status, error, description))
}

impl TokenEndpoint {
    pub(super) fn new(context: Context, workspace: Arc<Workspace>) -> Self {
        Self { context, workspace }
    }

    /// The recorded order: structure, signature, `iss`, `iat` and `exp`, window, empty scope, `aud`; then the subject.
    fn judge(&self, assertion: &str) -> Result<Outcome, Refusal> {
        let Some(token) = Parsed::read(assertion) else { return refuse(400, "invalid_request", "Bad Request") };
        let account = self.judge_signature(&token)?;
        self.judge_window(&token)?;
        let scopes: Vec<String> =
            token.claim("scope").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        if scopes.is_empty() {
            return refuse(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.");
        }
        if token.claims["aud"] != AUDIENCE {
            return refuse(400, "invalid_grant", "Invalid JWT: Failed audience check.");
        }
        if !scopes.iter().all(|scope| exists(scope)) {
            if self.context.is(&MISSPELT_SCOPE, "id_token") {
                return Ok(Outcome::Identity(account.email.clone()));
            }
            return Err(unauthorized());
        }
        let who = match token.claims.get("sub") {
            None | Some(Value::Null) => Principal::Account(account.email.clone()),
            // A service account that names itself acts as itself.
            Some(Value::String(sub)) if *sub == account.email => Principal::Account(account.email.clone()),
            Some(sub) => Principal::User(self.judge_subject(account, sub, &scopes)?),
        };
        Ok(Outcome::Access(Grant { who, scopes }))
    }

    fn judge_signature(&self, token: &Parsed) -> Result<&ServiceAccount, Refusal> {
        let refused = || Refusal::new(400, "invalid_grant", "Invalid JWT Signature.");
        if token.header["alg"] != "RS256" {
            return Err(refused());
        }
        // Whose key could have made the signature is known only from `iss`: without an account there is none to try.
        let unknown = || Refusal::new(400, "invalid_grant", "Invalid grant: account not found");
        let live = token.claim("iss").and_then(|iss| self.workspace.account(iss)).ok_or_else(unknown)?;
        let revoked = self.workspace.is_revoked(&live.account.email);
        let file = Some(&live.key).filter(|_| !revoked);
        let keys = [file, live.managed.as_ref()].into_iter().flatten();
        let mut named = keys.filter(|key| token.header.get("kid").is_none_or(|kid| *kid == key.id.as_str()));
        if !named.any(|key| key.verifies(token, &[Algorithm::RS256])) {
            return Err(refused());
        }
        if live.account.deleted { Err(unknown()) } else { Ok(&live.account) }
    }

    fn judge_window(&self, token: &Parsed) -> Result<(), Refusal> {
        let (now, skew) = (seconds(self.context.now()), self.context.number(&SKEW).cast_signed());
        let fits = match (token.time("iat"), token.time("exp")) {
            (Some(iat), Some(exp)) => exp > iat && exp - iat <= 3600 && iat <= now + skew && exp >= now - skew,
            _ => false,
        };
        if fits {
            return Ok(());
        }
        refuse(
            400,
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat \
             and exp values in the JWT claim.",
        )
    }

    /// The primary address of the subject, if this account may speak for it with these scopes.
    fn judge_subject(&self, account: &ServiceAccount, sub: &Value, scopes: &[String]) -> Result<String, Refusal> {
        let Some((local, domain)) = sub.as_str().and_then(|sub| sub.split_once('@')) else {
            return refuse(400, "invalid_request", &format!("Invalid impersonation \"sub\" field: {sub}"));
        };
        if local.is_empty() || !domain.contains('.') || domain.contains('@') {
            return refuse(400, "invalid_grant", "Not a valid email.");
        }
        let world = &self.workspace.world;
        let mut entries = world.delegation.iter().filter(|entry| entry.client_id == account.client_id);
        let granted = entries.any(|entry| scopes.iter().all(|scope| entry.scopes.contains(scope)));
        if !granted || !world.domains.iter().any(|own| own.eq_ignore_ascii_case(domain)) {
            return Err(unauthorized());
        }
        let sub = sub.as_str().unwrap_or_default();
        let users = self.workspace.users();
        let found = users.iter().find(|live| live.user.email.eq_ignore_ascii_case(sub));
        match found.map(|live| &live.user) {
            None => refuse(400, "invalid_grant", "Invalid email or User ID"),
            Some(user) if user.deleted => refuse(400, "invalid_grant", "The account has been deleted"),
            Some(user) if user.suspended => {
                let error = self.context.switch(&SUSPENDED_SUBJECT);
                Err(dialled(&error).unwrap_or_else(|| Refusal::new(400, &error, "Invalid email or User ID")))
            }
            Some(user) => Ok(user.email.clone()),
        }
    }
}

fn unauthorized() -> Refusal {
    Refusal::new(
        401,
        "unauthorized_client",
        "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the \
         scopes requested.",
    )
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenForm {
    grant_type: Option<String>,
    assertion: Option<String>,
}

impl oauth::TokenEndpoint for TokenEndpoint {
    type Asked = TokenForm;

    fn dialled(&self, word: &str) -> Option<Response> {
        dialled(word).map(Refusal::into_response)
    }

    async fn read(request: Request) -> Option<TokenForm> {
        oauth::form(request).await
    }

    fn issue(&self, request: TokenRequest<TokenForm>) -> (Response, Option<String>) {
        let outcome = match request.asked {
            None => refuse(400, "invalid_request", "Bad Request"),
            Some(form) if form.grant_type.as_deref() != Some(GRANT_TYPE) => {
                let what = form.grant_type.as_deref().unwrap_or_default();
                refuse(400, "unsupported_grant_type", &format!("Invalid grant_type: {what}"))
            }
            Some(form) => self.judge(form.assertion.as_deref().unwrap_or_default()),
        };
        match outcome {
            Err(refusal) => (refusal.into_response(), None),
            Ok(Outcome::Identity(account)) => {
                let seed = blake3::hash(account.as_bytes()).to_hex();
                let body = json!({ "id_token": format!("eyJhbGciOiJSUzI1NiJ9.e30.{seed}") });
                (Json(body).into_response(), Some(account))
            }
            Ok(Outcome::Access(grant)) => {
                let who = grant.who.name().to_owned();
                let token = self.workspace.tokens.issue("ya29.c.b0A", grant, self.context.now());
                let lasts: Value =
                    if self.context.is(&EXPIRES_IN, "text") { LASTS.to_string().into() } else { LASTS.into() };
                let body = json!({ "access_token": token, "expires_in": lasts, "token_type": "Bearer" });
                (([(header::CACHE_CONTROL, "private")], Json(body)).into_response(), Some(who))
            }
        }
    }
}

impl Simulator for TokenEndpoint {
    fn name(&self) -> &str {
        self.context.name()
    }

    fn title(&self) -> String {
        "Google token endpoint".into()
    }

    fn router(self: Arc<Self>) -> Router {
        Router::new().route("/token", post(oauth::token::<Self>)).with_state(self)
    }

    fn switches(&self) -> Vec<&'static Switch> {
        SWITCHES.iter().collect()
    }

    /// A key file for each account, as the console gives it out, but with this endpoint as `token_uri`.
    fn credentials(&self) -> Vec<Credential> {
        let each = self.workspace.accounts.values().map(|live| {
            let account = &live.account;
            let key_file = json!({
                "type": "service_account",
                "project_id": account.email.split(['@', '.']).nth(1),
                "private_key_id": live.key.id,
                "private_key": live.key.pem,
                "client_email": account.email,
                "client_id": account.client_id,
                "auth_uri": "https://accounts.google.com/o/oauth2/auth",
                "token_uri": format!("{}/token", self.context.base()),
                "universe_domain": "googleapis.com",
            });
            let customer = self.workspace.world.customer.clone();
            let secret = Secret::ServiceAccount { key_file, subject: account.subject.clone(), customer };
            Credential { simulator: self.name().to_owned(), user: account.email.clone(), secret }
        });
        each.collect()
    }

    fn control(&self, command: &Value) -> Result<Value, String> {
        self.workspace.command(command, self.context.now())
    }
}
