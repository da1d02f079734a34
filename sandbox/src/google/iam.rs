//! IAM Service Account Credentials: Google signs, or issues a token, for whoever may act for a service account
//! (docs/wire/google-directory.md §1.5).
//!
//! Owns: `signJwt`, `generateAccessToken`, and who may call them.
//! Leaves to others: what the signed assertion is good for (`token`).
//! A newcomer gets wrong: acting for the account (`workloadIdentityUser`) is not yet signing for it
//! (`serviceAccountTokenCreator`).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::tokens::{Grant, LASTS, Principal, bearer};
use super::workspace::{LiveAccount, Workspace};
use crate::context::Context;
use crate::jwt::seconds;
use crate::oauth::{self, TokenRequest};
use crate::simulator::Simulator;
use crate::switches::Values::OneOf;
use crate::switches::{Switch, switches};

switches! {
    TOKEN_CREATOR = "token_creator", OneOf(&["as_declared", "missing"]), "as_declared",
        "whether roles/iam.serviceAccountTokenCreator is granted; the usual set-up lacks it (§1.5)";
    API = "api", OneOf(&["enabled", "disabled"]), "enabled",
        "whether iamcredentials.googleapis.com is switched on in the project (§1.5)";
}

const CLOUD_SCOPES: [&str; 2] =
    ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/iam"];

pub(super) struct IamCredentials {
    context: Context,
    workspace: Arc<Workspace>,
}

/// A refusal in the envelope of google.rpc.
struct Fault {
    status: u16,
    code: &'static str,
    message: String,
    reason: &'static str,
}

impl Fault {
    fn new(status: u16, code: &'static str, message: impl Into<String>, reason: &'static str) -> Self {
        Self { status, code, message: message.into(), reason }
    }

    fn invalid(message: &str) -> Self {
        Self::new(400, "INVALID_ARGUMENT", message, "")
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut error = json!({ "code": self.status, "message": self.message, "status": self.code });
        if !self.reason.is_empty() {
            error["details"] = json!([{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": self.reason,
                                        "domain": "iam.googleapis.com" }]);
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, Json(json!({ "error": error }))).into_response()
    }
}

impl IamCredentials {
    pub(super) fn new(context: Context, workspace: Arc<Workspace>) -> Self {
        Self { context, workspace }
    }

    /// The account that the caller may act for with this permission, and the caller.
    fn judge(&self, authorization: &str, key: &str, permission: &str) -> Result<(&LiveAccount, String), Fault> {
        let token = bearer(authorization).unwrap_or_default();
        let Some(grant) = self.workspace.tokens.find(token, self.context.now()) else {
            let says = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or \
                        other valid authentication credential.";
            return Err(Fault::new(401, "UNAUTHENTICATED", says, ""));
        };
        if self.context.is(&API, "disabled") {
            let project = &self.workspace.world.project_number;
            let says = format!(
                "IAM Service Account Credentials API has not been used in project {project} before or it is disabled. \
                 Enable it by visiting https://console.developers.google.com/apis/api/iamcredentials.googleapis.com/\
                 overview?project={project} then retry."
            );
            return Err(Fault::new(403, "PERMISSION_DENIED", says, "SERVICE_DISABLED"));
        }
        if !grant.scopes.iter().any(|scope| CLOUD_SCOPES.contains(&scope.as_str())) {
            let says = "Request had insufficient authentication scopes.";
            return Err(Fault::new(403, "PERMISSION_DENIED", says, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"));
        }
        let live = self.workspace.account(key).filter(|live| !live.account.deleted);
        let may = |live: &&LiveAccount| match &grant.who {
            Principal::External(subject) => live.account.federated.contains(subject) && live.account.token_creator,
            Principal::User(_) | Principal::Account(_) => false,
        };
        let granted = !self.context.is(&TOKEN_CREATOR, "missing");
        let denied = || {
            let says = format!("Permission '{permission}' denied on resource (or it may not exist).");
            Fault::new(403, "PERMISSION_DENIED", says, "IAM_PERMISSION_DENIED")
        };
        let live = live.filter(|live| granted && may(live)).ok_or_else(denied)?;
        Ok((live, grant.who.name().to_owned()))
    }

    fn sign(&self, authorization: &str, key: &str, body: &Value) -> Result<(Value, String), Fault> {
        let (live, who) = self.judge(authorization, key, "iam.serviceAccounts.signJwt")?;
        let payload = body["payload"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let Some(claims) = payload.filter(Value::is_object) else {
            return Err(Fault::invalid("Invalid JSON payload: `payload` must be a text that holds a JSON object."));
        };
        let now = seconds(self.context.now());
        let exp = claims.get("exp").map(|exp| exp.as_i64().filter(|exp| (now..=now + 12 * 3600).contains(exp)));
        if exp == Some(None) {
            return Err(Fault::invalid("The `exp` claim must be an integer, not past, and at most 12 hours ahead."));
        }
        let key = live.managed.as_ref().unwrap_or(&live.key);
        Ok((json!({ "keyId": key.id, "signedJwt": key.sign(&claims) }), who))
    }

    fn generate(&self, authorization: &str, key: &str, body: &Value) -> Result<(Value, String), Fault> {
        let (live, who) = self.judge(authorization, key, "iam.serviceAccounts.getAccessToken")?;
        let scopes = body["scope"].as_array().map(|all| all.iter().filter_map(Value::as_str).map(str::to_owned));
        let scopes: Vec<String> = scopes.into_iter().flatten().collect();
        if scopes.is_empty() {
            return Err(Fault::invalid("Request contains an invalid argument: scope."));
        }
        let grant = Grant { who: Principal::Account(live.account.email.clone()), scopes };
        let now = self.context.now();
        let token = self.workspace.tokens.issue("ya29.c.c0A", grant, now);
        let expires = humantime::format_rfc3339_seconds(now + Duration::from_secs(LASTS)).to_string();
        Ok((json!({ "accessToken": token, "expireTime": expires }), who))
    }
}

impl oauth::TokenEndpoint for IamCredentials {
    type Asked = Value;

    fn dialled(&self, _word: &str) -> Option<Response> {
        None
    }

    async fn read(request: Request) -> Option<Value> {
        serde_json::from_slice(&oauth::bytes(request).await).ok()
    }

    fn issue(&self, request: TokenRequest<Value>) -> (Response, Option<String>) {
        let [project, call] = &request.path[..] else { return (StatusCode::NOT_FOUND.into_response(), None) };
        let body = request.asked.as_ref().unwrap_or(&Value::Null);
        let authorization = request.authorization().unwrap_or_default();
        let (key, verb) = call.rsplit_once(':').unwrap_or((call, ""));
        let done = match verb {
            _ if project != "-" => Err(Fault::invalid("The project must be the wildcard `-`.")),
            "signJwt" => self.sign(authorization, key, body),
            "generateAccessToken" => self.generate(authorization, key, body),
            _ => Err(Fault::new(404, "NOT_FOUND", "Method not found.", "")),
        };
        match done {
            Err(fault) => (fault.into_response(), None),
            Ok((body, who)) => (Json(body).into_response(), Some(who)),
        }
    }
}

impl Simulator for IamCredentials {
    fn name(&self) -> &str {
        self.context.name()
    }

    fn title(&self) -> String {
        "Google IAM credentials".into()
    }

    fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/v1/projects/{project}/serviceAccounts/{call}", post(oauth::token::<Self>))
            .with_state(self)
    }

    fn switches(&self) -> Vec<&'static Switch> {
        SWITCHES.iter().collect()
    }
}
