//! What Google's sign-in services refuse with, and what to change (docs/wire/google-directory.md §1.3, §1.5).
//!
//! Owns: both error shapes of the sign-in, and the table. Leaves to others: trying again (`bearer.rs`).
//! A newcomer gets wrong: the token endpoints speak OAuth (`{"error": "…"}`), IAM speaks the API's shape
//! (`{"error": {"code": …}}`).

use serde::Deserialize;
use serde_json::Value;

use super::signer::{Signer, Wish};
use crate::http::{Failure, FailureKind, Response};
use crate::secret::server_message;

/// A refused token.
pub(super) struct GoogleRefusal {
    pub(super) failure: Failure,
    pub(super) remedy: GoogleRemedy,
}

/// What may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GoogleRemedy {
    None,
    /// It may pass by itself.
    Wait,
    /// Our clock is wrong: the server's, once.
    ServersClock,
}

/// The OAuth shape.
#[derive(Deserialize)]
struct GoogleTokenError {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl GoogleTokenError {
    fn of(response: &Response) -> Option<Self> {
        serde_json::from_slice(&response.body).ok()
    }

    fn words(&self, status: u16) -> String {
        match self.error_description.as_str() {
            "" => server_message(&format!("{status} {}", self.error)),
            words => server_message(&format!("{status} {}: {words}", self.error)),
        }
    }

    fn passes(&self) -> bool {
        matches!(self.error.as_str(), "internal_failure" | "server_error" | "temporarily_unavailable")
    }
}

/// A refusal of the token endpoint.
pub(super) fn of_token(response: &Response, signer: &dyn Signer, wish: &Wish<'_>) -> GoogleRefusal {
    let Some(refusal) = GoogleTokenError::of(response) else {
        return GoogleRefusal { failure: unreadable(response), remedy: GoogleRemedy::None };
    };
    let remedy = match refusal.error.as_str() {
        // What `read` has repeated already is not repeated again; 408 it leaves to us.
        _ if response.status == 408 => GoogleRemedy::Wait,
        _ if response.status >= 429 => GoogleRemedy::None,
        _ if refusal.passes() => GoogleRemedy::Wait,
        "invalid_grant" if refusal.error_description.contains("reasonable timeframe") => GoogleRemedy::ServersClock,
        _ => GoogleRemedy::None,
    };
    let down = remedy == GoogleRemedy::Wait || response.status >= 429 || refusal.passes();
    let kind = if down { FailureKind::Unreachable } else { FailureKind::Refused };
    let failure = response.failure(kind, refusal.words(response.status));
    let failure = if down {
        failure.hint("Google's sign-in is in trouble: run again later")
    } else {
        // Google grants all scopes or none, and does not say which one is not there.
        let scopes = (refusal.error == "unauthorized_client").then(|| wish.scopes.join(", "));
        failure.hint(hint(&refusal, signer, wish)).lacks(scopes)
    };
    GoogleRefusal { failure, remedy }
}

/// The table of §1.3.
fn hint(refusal: &GoogleTokenError, signer: &dyn Signer, wish: &Wish<'_>) -> String {
    let told = refusal.error_description.as_str();
    let has = |part: &str| told.to_ascii_lowercase().contains(part);
    let (email, subject) = (signer.email(), wish.subject);
    match refusal.error.as_str() {
        "unauthorized_client" => {
            let id = signer.client_id().map_or_else(|| format!("the numeric client id of {email}"), str::to_owned);
            format!(
                "in the Admin console, Security, API controls, Domain-wide delegation: enter {id} with the scopes {}",
                wish.scopes.join(",")
            )
        }
        "invalid_grant" if has("reasonable timeframe") => "set this machine's clock right".to_owned(),
        "invalid_grant" if has("user id") || has("valid email") || has("has been deleted") => {
            format!("`subject` is {subject}: write the primary e-mail address of an administrator who is still there")
        }
        "invalid_grant" if has("signature") => {
            format!("the key is revoked, or not one of {email}: make a new key and put its file in place")
        }
        "invalid_grant" if has("account not found") => {
            format!("the service account {email} is not there any more: name one that is")
        }
        "invalid_grant" if has("audience") => {
            "what answers is not Google's token endpoint: check `endpoints.token`".to_owned()
        }
        "invalid_scope" => "Google does not know the scope: this is our fault, please report it".to_owned(),
        "invalid_request" => format!("`subject` is {subject}: is it an e-mail address?"),
        "access_denied" => {
            format!("an administrator's policy denies {email}: look at Security, API controls, App access control")
        }
        "invalid_account" => format!("the account {subject} cannot be used: is it suspended?"),
        "disabled_client" | "deleted_client" => {
            format!(
                "the service account {email} or its client is disabled or deleted: enable it in the Google Cloud console"
            )
        }
        _ => format!("check the key, the service account {email} and `subject`"),
    }
}

/// A refusal of the token exchange (§1.5).
pub(super) fn of_exchange(response: &Response, provider: &str) -> Failure {
    let Some(refusal) = GoogleTokenError::of(response) else { return unreadable(response) };
    if response.status >= 429 || refusal.passes() {
        return response.failure(FailureKind::Unreachable, refusal.words(response.status));
    }
    response.failure(FailureKind::Refused, refusal.words(response.status)).hint(match refusal.error.as_str() {
        "invalid_request" => format!("`audience` is {provider}: write //iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER"),
        "invalid_target" => format!("the pool or provider {provider} is not there, or is disabled"),
        "invalid_grant" if is_stale(&refusal.error_description) => "the token of the CI platform is outside its time: it is good for minutes, or for as long as the job may run; start the job anew, and look at this machine's clock".to_owned(),
        "invalid_grant" => format!("the CI token does not suit the provider: its audience must be https:{provider}, its issuer and attributes must meet the provider's conditions; mapped attributes take 127 bytes"),
        "unauthorized_client" | "access_denied" => "the provider's attribute condition refuses this job".to_owned(),
        _ => format!("check the provider {provider}"),
    })
}

/// Whether the token exchange speaks of the token's time: its subject token must not have ended (§1.5).
fn is_stale(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    ["expired", "expiration", "stale", "in the past", "too old", "issued at"].iter().any(|word| words.contains(word))
}

/// A refusal of the IAM Service Account Credentials API.
pub(super) fn of_iam(response: &Response, email: &str) -> Failure {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let error = &body["error"];
    if !error.is_object() {
        return unreadable(response);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (status, message) = (text(&error["status"]), text(&error["message"]));
    let found = format!("{} {status}: {message}", response.status);
    let disabled = message.contains("has not been used in project")
        || error["details"].as_array().is_some_and(|all| all.iter().any(|one| one["reason"] == "SERVICE_DISABLED"));
    let (kind, hint) = match response.status {
        429 | 500.. => (FailureKind::Unreachable, "Google's IAM is in trouble: run again later".to_owned()),
        403 if disabled => (
            FailureKind::Refused,
            "enable iamcredentials.googleapis.com in the project of the service account".to_owned(),
        ),
        401 => (FailureKind::Refused, "the federated token is refused: check `endpoints.iam_credentials`".to_owned()),
        404 => (FailureKind::Refused, format!("the service account {email} is not there")),
        403 => (
            FailureKind::Refused,
            format!(
                "grant the CI's principal roles/iam.serviceAccountTokenCreator on {email}, besides roles/iam.workloadIdentityUser"
            ),
        ),
        _ => (FailureKind::Refused, format!("check the service account {email}")),
    };
    response.failure(kind, found).hint(hint)
}

/// An answer in neither shape.
fn unreadable(response: &Response) -> Failure {
    let kind =
        if response.status == 429 || response.status >= 500 { FailureKind::Unreachable } else { FailureKind::Odd };
    response
        .failure(kind, response.excerpt())
        .hint("that is not how Google's sign-in answers: check `endpoints`, and any proxy between")
}
