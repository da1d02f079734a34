//! The API's refusals: two shapes of JSON, and pages of text (docs/wire/google-directory.md §5).
//!
//! Owns: the reason in an answer, its class, and what to change. Leaves to others: trying again (`client.rs`, `batch.rs`).
//! A newcomer gets wrong: 403 may mean "slower", and 404 says only in its message what is not there.

use serde_json::Value;

use crate::extract::doubt::names_another;
use crate::http::{Failure, FailureKind, Response, Sparse, is_transient};
use crate::secret::server_message;

/// A refusal, read as far as it can be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct GoogleError {
    reason: String,
    message: String,
    /// Something else of the answer names another error than that something is not there: that proves nothing.
    contradicts: bool,
}

/// What a refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// The token is refused.
    Token,
    /// The subject lacks the privilege.
    Privilege,
    /// The token lacks a scope.
    Scope,
    /// The API is not enabled in the project.
    Api,
    /// The customer may not use APIs.
    Domain,
    /// The day's quota is used up.
    Spent,
    /// Slower.
    Rate,
    /// The person has no photo.
    NoPhoto,
    /// There is no such user.
    NoUser,
    /// Something else is not there.
    NotThere,
    /// The request is wrong.
    Request,
    /// The server is in trouble.
    Server,
    /// Not documented.
    Odd,
}

impl GoogleError {
    /// Reads the body of a refusal; what is neither shape gives what its text tells.
    pub(super) fn of(body: &[u8]) -> Self {
        let Ok(Sparse(json)) = serde_json::from_slice(body) else { return Self::of_text(body) };
        let error = &json["error"];
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let of_details = || error["details"].as_array()?.iter().find_map(|detail| text(&detail["reason"]));
        let reason = text(&error["errors"][0]["reason"]).or_else(of_details).or_else(|| text(&error["status"]));
        let reason = reason.unwrap_or_default();
        let contradicts = !reason.is_empty() && names_another(&json, &is_not_there);
        Self { reason, message: text(&error["message"]).unwrap_or_default(), contradicts }
    }

    /// Gateways before the API answer in plain text or HTML.
    fn of_text(body: &[u8]) -> Self {
        let reason = reason_of(&String::from_utf8_lossy(&body[..body.len().min(4096)]));
        Self { reason: reason.unwrap_or_default().to_owned(), ..Self::default() }
    }

    /// The table of §5.
    pub(super) fn class(&self, status: u16) -> Class {
        let has = |part: &str| self.message.contains(part);
        match (status, self.cause()) {
            (401, _) => Class::Token,
            (403 | 429, "dailyLimitExceeded") => Class::Spent,
            (429, _) => Class::Rate,
            (
                403 | 503,
                "userRateLimitExceeded"
                | "rateLimitExceeded"
                | "quotaExceeded"
                | "RESOURCE_EXHAUSTED"
                | "RATE_LIMIT_EXCEEDED",
            ) => Class::Rate,
            (403, "insufficientPermissions" | "ACCESS_TOKEN_SCOPE_INSUFFICIENT") => Class::Scope,
            (403, "accessNotConfigured" | "SERVICE_DISABLED") => Class::Api,
            (403, "domainCannotUseApis") => Class::Domain,
            (403, _) => Class::Privilege,
            (404, "notFound" | "NOT_FOUND") if has("userKey") => Class::NoUser,
            (404, "notFound" | "NOT_FOUND") if has("photo") && !self.contradicts => Class::NoPhoto,
            (404, _) => Class::NotThere,
            (400, _) => Class::Request,
            (status, _) if is_transient(status) => Class::Server,
            _ => Class::Odd,
        }
    }

    /// The reason; where none is given but that something is denied, the one that the message is known to go with.
    fn cause(&self) -> &str {
        let told = match self.reason.as_str() {
            "" | "PERMISSION_DENIED" | "forbidden" => reason_of(&self.message),
            _ => None,
        };
        told.unwrap_or(&self.reason)
    }

    /// `403 forbidden: Not Authorized to access this resource/api`
    pub(super) fn words(&self, status: u16) -> String {
        let mut words = status.to_string();
        for (before, part) in [(" ", &self.reason), (": ", &self.message)] {
            if !part.is_empty() {
                words.push_str(before);
                words.push_str(part);
            }
        }
        server_message(&words)
    }
}

/// Messages and the reasons that they are documented with: answers in the format of google.rpc may give a status alone,
/// and pages not even that.
const MESSAGES: [(&str, &str); 8] = [
    ("request rate higher than configured", "rateLimitExceeded"),
    ("quota exceeded", "rateLimitExceeded"),
    ("rate limit exceeded", "rateLimitExceeded"),
    ("daily limit exceeded", "dailyLimitExceeded"),
    ("insufficient permission", "insufficientPermissions"),
    ("insufficient authentication scopes", "insufficientPermissions"),
    ("has not been used in project", "accessNotConfigured"),
    ("domain cannot use apis", "domainCannotUseApis"),
];

fn reason_of(message: &str) -> Option<&'static str> {
    let message = message.to_ascii_lowercase();
    MESSAGES.iter().find(|(words, _)| message.contains(words)).map(|(_, reason)| *reason)
}

fn is_not_there(code: &str) -> bool {
    matches!(code, "notFound" | "NOT_FOUND" | "404")
}

/// Whether an answer only says "slower".
pub(super) fn is_rate(response: &Response) -> bool {
    GoogleError::of(&response.body).class(response.status) == Class::Rate
}

/// Who asks, for the words of a refusal.
#[derive(Debug)]
pub(super) struct Asker {
    pub(super) subject: Option<String>,
    pub(super) customer: String,
    pub(super) scopes: Vec<&'static str>,
}

impl Asker {
    /// A failure for an answer that is not the one hoped for.
    pub(super) fn failure(&self, response: &Response) -> Failure {
        let error = GoogleError::of(&response.body);
        let class = error.class(response.status);
        let found = if error.message.is_empty() { response.excerpt() } else { error.words(response.status) };
        let challenge = response.header("www-authenticate");
        let failure = response.failure(kind(class), found).lacks(self.lacks(class, challenge));
        if class == Class::NotThere && error == GoogleError::default() {
            return failure
                .hint("that is not how the Directory API answers: check `endpoints.directory`, and any proxy between");
        }
        match self.hint(class, challenge) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    /// What has to be granted, where that is all that is wrong.
    fn lacks(&self, class: Class, challenge: Option<&str>) -> Option<String> {
        match class {
            Class::Privilege => Some("an admin role that may read".to_owned()),
            Class::Scope => Some(self.wanted(challenge)),
            Class::Api => Some("the Admin SDK API".to_owned()),
            Class::Domain => Some("API access of the domain".to_owned()),
            _ => None,
        }
    }

    /// The scope that is asked for in vain.
    fn wanted(&self, challenge: Option<&str>) -> String {
        challenge.and_then(wanted_scope).unwrap_or_else(|| self.scopes.join(","))
    }

    /// What to change, and where.
    pub(super) fn hint(&self, class: Class, challenge: Option<&str>) -> Option<String> {
        let who = match &self.subject {
            Some(subject) => format!("{subject} (`subject`)"),
            None => "the service account".to_owned(),
        };
        Some(match class {
            Class::Token => "Google refuses a fresh token: check `endpoints`, this machine's clock, and whether the key is still valid".to_owned(),
            Class::Privilege => {
                let missing = if self.subject.is_none() {
                    ", or name an administrator in `subject`; without one, `customer` must be the id that begins with C"
                } else {
                    ""
                };
                format!("in the Admin console, Account, Admin roles: give {who} a role with the privilege Users, Read (for groups under `users`: Groups, Read){missing}")
            }
            Class::Scope => {
                let wanted = self.wanted(challenge);
                format!("in the Admin console, Security, API controls, Domain-wide delegation: add the scope {wanted} to the service account's client id")
            }
            Class::Api => "enable the Admin SDK API (admin.googleapis.com) in the Google Cloud project that the service account belongs to; a project you do not know means other credentials than these".to_owned(),
            Class::Domain => "in the Admin console, Security, API controls: let the domain use APIs; just after a change there it passes, so run again later".to_owned(),
            Class::Spent => "the day's quota of the Google Cloud project is used up: run again tomorrow, or ask for more in the console".to_owned(),
            Class::Rate => "lower `units` of the rate: others may be using the same quota, 2400 a minute unless the console says otherwise".to_owned(),
            Class::NotThere | Class::Request if self.subject.is_none() && self.customer == "my_customer" => {
                "`my_customer` means nothing without `subject`: write the customer id that begins with C (Admin console, Account, Account settings) in `customer`".to_owned()
            }
            Class::NotThere | Class::Request => format!(
                "`customer` is {}: write `my_customer`, or the id that begins with C (Admin console, Account, Account settings); a domain does not do",
                self.customer
            ),
            // Seen for good, for accounts without a subject (§5).
            Class::Server if self.subject.is_none() => {
                "Google may be in trouble; the same is answered for good to a service account that has no admin role: assign one, or name an administrator in `subject`".to_owned()
            }
            Class::Server => "Google is in trouble: run again later".to_owned(),
            Class::NoPhoto | Class::NoUser | Class::Odd => return None,
        })
    }
}

fn kind(class: Class) -> FailureKind {
    match class {
        Class::Token | Class::Privilege | Class::Scope | Class::Api | Class::Domain => FailureKind::Refused,
        Class::Rate | Class::Spent | Class::Server => FailureKind::Unreachable,
        Class::Request | Class::NotThere => FailureKind::Misconfigured,
        Class::NoPhoto | Class::NoUser | Class::Odd => FailureKind::Odd,
    }
}

/// The scope in `Bearer realm="…", error=insufficient_scope, scope="…"`.
fn wanted_scope(challenge: &str) -> Option<String> {
    let (_, rest) = challenge.split_once("scope=\"")?;
    let (scope, _) = rest.split_once('"')?;
    (!scope.is_empty()).then(|| scope.to_owned())
}
