//! Graph's error answers: `{"error": {"code", "message", "innerError"}}` (docs/wire/microsoft-graph.md §6).
//!
//! Owns: finding the code that counts, and the words of a refusal. Leaves to others: what a photo's code means (`photo.rs`).
//! A newcomer gets wrong: the outer code may be empty or vague; the deepest one that is known counts. The message is
//! printed, proves something in one case only ([`GraphError::names`]), and takes a proof away in any that does not say "not found".

use serde_json::Value;

use crate::extract::doubt::names_another;
use crate::http::{Failure, FailureKind, Response, Sparse};
use crate::secret::server_message;

/// Codes that something depends on.
const KNOWN: [&str; 20] = [
    "ImageNotFound",
    "ErrorItemNotFound",
    "ErrorEntityNotFound",
    "ErrorInvalidUser",
    "Request_ResourceNotFound",
    "ResourceNotFound",
    "ErrorNonExistentMailbox",
    "AuthenticationError",
    "MailboxNotHostedInExchangeOnline",
    "UnknownError",
    "ErrorAccessDenied",
    "accessDenied",
    "Authorization_RequestDenied",
    "ErrorStoreInternalServerError",
    "extensionError",
    "InvalidAuthenticationToken",
    "TooManyRequests",
    "activityLimitReached",
    "ApplicationThrottled",
    "NoPermissionsInAccessToken",
];

/// The exception that a person without a photo is answered with, in the messages of several codes.
pub(super) const NAMED: &str = "ImageNotFoundException";

/// An error answer, read as far as it can be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct GraphError {
    /// The deepest known code, else the outermost; empty if there is none.
    pub(super) code: String,
    /// Something else of the answer names another error: that proves nothing.
    pub(super) contradicts: bool,
    message: String,
    /// The code inside of a message that is JSON; empty if it is none.
    wrapped: String,
    request_id: String,
}

impl GraphError {
    /// Reads the error out of a body; a body without one gives an empty error.
    pub(super) fn of(body: &Value) -> Self {
        let mut read = Self::default();
        let mut known = String::new();
        let mut level = &body["error"];
        while level.is_object() {
            if let Some(code) = level["code"].as_str().filter(|code| !code.is_empty()) {
                if KNOWN.contains(&code) {
                    code.clone_into(&mut known);
                }
                if read.code.is_empty() {
                    code.clone_into(&mut read.code);
                }
            }
            keep_first(&mut read.message, &level["message"]);
            keep_first(&mut read.request_id, &level["request-id"]);
            // Both spellings are seen.
            level = if level["innerError"].is_object() { &level["innerError"] } else { &level["innererror"] };
        }
        read.unwrap_message();
        if !known.is_empty() {
            // Codes that only say that something is not there are none besides.
            let is_it =
                |code: &str| code == known || code == NAMED || code.eq_ignore_ascii_case("NotFound") || code == "404";
            read.contradicts = names_another(body, &is_it);
            read.code = known;
        }
        read
    }

    /// `UnknownError` hides JSON in its message (docs #11992): its own code and message say more.
    fn unwrap_message(&mut self) {
        let Ok(Sparse(inner)) = serde_json::from_str(&self.message) else { return };
        let inner = if inner["error"].is_object() { &inner["error"] } else { &inner };
        let code = inner["code"].as_str().or_else(|| inner["errorCode"].as_str());
        code.unwrap_or_default().clone_into(&mut self.wrapped);
        let told: Vec<&str> =
            ["code", "errorCode", "message", "errorMessage"].iter().filter_map(|name| inner[*name].as_str()).collect();
        if !told.is_empty() {
            self.message = told.join(": ");
        }
    }

    /// Whether the message names this exception, as a word of its own. The vendor says never to judge by a message (§6);
    /// this is for the one code that says nothing without it (§12).
    pub(super) fn names(&self, exception: &str) -> bool {
        self.message.split(|c: char| !c.is_alphanumeric()).any(|word| word == exception)
    }

    /// Whether it proves that something is not there: nothing of it names another error.
    pub(super) fn is_a_proof(&self) -> bool {
        !self.contradicts
    }

    /// Whether this is an `UnknownError` around another error with this code (§12).
    pub(super) fn is_around(&self, code: &str) -> bool {
        self.code == "UnknownError" && self.wrapped == code
    }

    /// `404 ImageNotFound: … (request id …)`
    pub(super) fn words(&self, status: u16) -> String {
        let mut words = status.to_string();
        let parts = [(" ", &self.code, ""), (": ", &self.message, ""), (" (request id ", &self.request_id, ")")];
        for (before, part, after) in parts.into_iter().filter(|(_, part, _)| !part.is_empty()) {
            words.extend([before, part, after]);
        }
        server_message(&words)
    }
}

fn keep_first(slot: &mut String, value: &Value) {
    if slot.is_empty() {
        value.as_str().unwrap_or_default().clone_into(slot);
    }
}

/// The error of a whole answer.
pub(super) fn error_of(response: &Response) -> GraphError {
    let Sparse(body) = serde_json::from_slice(&response.body).unwrap_or_default();
    GraphError::of(&body)
}

/// A failure for an answer that is not the one hoped for; `permission` is what a 403 lacks.
pub(super) fn failure(response: &Response, permission: &str) -> Failure {
    let error = error_of(response);
    let found = if error == GraphError::default() { response.excerpt() } else { error.words(response.status) };
    match response.status {
        401 => refused_token(response),
        403 => response
            .failure(FailureKind::Refused, found)
            .hint(format!("grant the application permission `{permission}` to the app and give admin consent")),
        429 | 500 | 502 | 503 | 504 | 509 => {
            response.failure(FailureKind::Unreachable, found).hint("Microsoft Graph is in trouble: run again later")
        }
        _ => response
            .failure(FailureKind::Odd, found)
            .hint("that is not documented: run again, and check `endpoints` if it stays so"),
    }
}

/// A fresh token was refused too.
pub(super) fn refused_token(response: &Response) -> Failure {
    response
        .failure(FailureKind::Refused, error_of(response).words(response.status))
        .hint("Graph refuses a fresh token: is it for this cloud? check `cloud` and `endpoints`")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_deepest_known_code_counts() {
        for (body, code) in [
            (json!({ "error": { "code": "ImageNotFound" } }), "ImageNotFound"),
            (json!({ "error": { "code": "", "innerError": { "code": "ErrorItemNotFound" } } }), "ErrorItemNotFound"),
            (json!({ "error": { "code": "NotFound", "innererror": { "code": "ImageNotFound" } } }), "ImageNotFound"),
            (json!({ "error": { "code": "TooManyRequests", "innerError": { "code": "429" } } }), "TooManyRequests"),
            (json!({ "error": { "code": "NewOne", "innerError": { "code": "NewerOne" } } }), "NewOne"),
            (json!({ "error": "ImageNotFound" }), ""),
            (json!({ "code": "ImageNotFound" }), ""),
            (json!("ImageNotFound"), ""),
        ] {
            assert_eq!(GraphError::of(&body).code, code, "{body}");
        }
    }

    #[test]
    fn json_inside_a_message_is_unwrapped_for_the_reader() {
        let message = r#"{"error":{"code":"NoPermissionsInAccessToken","message":"No roles."}}"#;
        let error = GraphError::of(&json!({ "error": { "code": "UnknownError", "message": message,
            "innerError": { "request-id": "b1d9" } } }));
        assert_eq!(error.words(500), "500 UnknownError: NoPermissionsInAccessToken: No roles. (request id b1d9)");
    }
}
