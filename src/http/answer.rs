//! What a server said, whole and inside its cap.
//!
//! Owns: reading JSON out of it, and saying in a failure what was tried and found.
//! Leaves to others: what a status means (`extract`, `load`).
//! A newcomer gets wrong: an answer of any status is an answer. A failure is made of it by whoever knows the interface.

use std::time::SystemTime;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::de::DeserializeOwned;

use super::redact::redact;
use super::{Failure, FailureKind};
use crate::model::Fault;

/// How much of an odd body is quoted.
const QUOTED: usize = 160;

/// An answer with its whole body.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, unpacked.
    pub body: Bytes,
    tried: String,
}

/// What became of a write.
#[derive(Clone, Debug)]
pub enum Sent {
    /// The server answered, whatever the status.
    Answer(Answer),
    /// It may have arrived.
    Lost(Fault),
    /// It surely never left.
    NotSent(Fault),
}

impl Answer {
    pub(crate) fn new(status: u16, headers: HeaderMap, body: Bytes, tried: String) -> Self {
        Self { status, headers, body, tried }
    }

    /// What was asked: `GET https://host/path?query`.
    pub fn tried(&self) -> &str {
        &self.tried
    }

    /// One header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What the server's clock said when it answered; ours may be hours off.
    pub fn server_time(&self) -> Option<SystemTime> {
        super::retry::server_time(&self.headers)
    }

    /// Whether the body is a page for people.
    pub fn is_html(&self) -> bool {
        let typed = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        typed.is_some_and(|mime| mime.trim_start().to_ascii_lowercase().starts_with("text/html"))
            || ["<!doctype html", "<html"].iter().any(|start| starts_with_folded(&self.body, start))
    }

    /// The body as JSON; a failure of kind [`FailureKind::Odd`] if it is something else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| self.not_json(&error))
    }

    /// A failure that says what was asked and found.
    pub fn failure(&self, kind: FailureKind, found: impl Into<String>) -> Failure {
        Failure::new(kind, self.tried.clone(), redact(&found.into()))
    }

    /// The status and the first bytes of the body, for a failure's `found`.
    pub fn excerpt(&self) -> String {
        match quote(&self.body) {
            None => format!("{}, empty body", self.status),
            Some(quoted) => format!("{}, body begins `{quoted}`", self.status),
        }
    }

    /// A failure for an answer that is not JSON, or not the documented one.
    pub(crate) fn not_json(&self, error: &serde_json::Error) -> Failure {
        if self.is_html() {
            return self
                .failure(FailureKind::Odd, format!("{}, an HTML page where JSON was expected", self.excerpt()))
                .hint("a login page or a gateway answers here: check the base URL, and whether single sign-on stands before it");
        }
        // The error's words quote values of the body when a type is wrong; its place is enough.
        let what = match error.classify() {
            serde_json::error::Category::Data => "JSON of another shape than documented",
            serde_json::error::Category::Eof => "JSON that breaks off",
            _ => "no JSON",
        };
        let place = format!("line {} column {}", error.line(), error.column());
        let failure = self.failure(FailureKind::Odd, format!("{}: {what} ({place})", self.excerpt()));
        match error.classify() {
            serde_json::error::Category::Eof => {
                failure.hint("the answer was cut short: run again; if it stays so, look at any proxy between")
            }
            _ => failure.hint("is that the right address, and does a proxy between change what is answered?"),
        }
    }
}

fn starts_with_folded(body: &[u8], start: &str) -> bool {
    body.trim_ascii_start().get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}

/// The first characters of a body on one line.
fn quote(body: &[u8]) -> Option<String> {
    // Redacted before it is cut: half a secret is not recognised any more. Secrets are far shorter than the margin.
    let head = String::from_utf8_lossy(&body[..body.len().min(64 * QUOTED)]);
    let words: Vec<&str> =
        head.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    let line = redact(&words.join(" "));
    (!line.is_empty()).then(|| line.chars().take(QUOTED).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(mime: &str, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, mime.parse().unwrap());
        Answer::new(200, headers, Bytes::copy_from_slice(body.as_bytes()), "GET https://h.example/x".into())
    }

    #[test]
    fn odd_bodies_are_told_by_what_they_are() {
        for (mime, body, words) in [
            ("text/html;charset=UTF-8", "<p>Log in", "an HTML page where JSON was expected"),
            ("application/json", "\n <!DOCTYPE HTML><html>", "an HTML page where JSON was expected"),
            ("application/json", "", "200, empty body: JSON that breaks off"),
            ("application/json", "oops", "body begins `oops`: no JSON"),
            ("application/json", "{\"a\": \"x\"}", "JSON of another shape than documented"),
        ] {
            #[derive(serde::Deserialize, Debug)]
            struct Wire {
                #[serde(rename = "a")]
                _a: u32,
            }
            let failure = answer(mime, body).json::<Wire>().unwrap_err();
            assert_eq!(failure.kind, FailureKind::Odd);
            assert!(failure.found.contains(words), "{failure}");
        }
    }

    #[test]
    fn a_quoted_body_holds_no_token() {
        let body = format!("{{\"access_token\": \"{}\", \"rest\": 1}}", "eyJ0".repeat(400));
        let found = answer("application/json", &body).excerpt();
        assert!(!found.contains("eyJ0") && found.contains("rest"), "{found}");
    }
}
