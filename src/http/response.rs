//! What a server said, whole and inside its cap.
//!
//! Owns: reading JSON out of it, and saying in a failure what was tried and found.
//! Leaves to others: what a status means (`extract`, `load`).
//! A newcomer gets wrong: an answer of any status is an answer. A failure is made of it by whoever knows the interface.

use std::time::SystemTime;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::de::DeserializeOwned;

use super::{Failure, FailureKind};
use crate::model::Fault;
use crate::secret::{brief, redact};

/// How much of an odd body is quoted.
const QUOTED: usize = 160;

/// An answer with its whole body.
#[derive(Clone, Debug)]
pub(crate) struct Response {
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
pub(crate) enum Sent {
    /// The server answered, whatever the status.
    Response(Response),
    /// It may have arrived.
    Lost(Fault),
    /// It surely never left.
    Never(Fault),
}

impl Response {
    pub(crate) fn new(status: u16, headers: HeaderMap, body: Bytes, tried: String) -> Self {
        Self { status, headers, body, tried }
    }

    /// What was asked: `GET https://host/path?query`.
    pub(crate) fn tried(&self) -> &str {
        &self.tried
    }

    /// One header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Every header that is text.
    pub(crate) fn headers_as_text(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }

    /// What the server's clock said when it answered; ours may be hours off.
    pub(crate) fn server_time(&self) -> Option<SystemTime> {
        super::retry::server_time(&self.headers)
    }

    /// Whether the body is a page for people.
    pub(crate) fn is_html(&self) -> bool {
        let typed = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        typed.is_some_and(|mime| mime.trim_start().to_ascii_lowercase().starts_with("text/html"))
            || ["<!doctype html", "<html"].iter().any(|start| starts_with_folded(&self.body, start))
    }

    /// The body as JSON; a failure of kind [`FailureKind::Odd`] if it is something else.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).or_else(|error| {
            let mended = without_half_pairs(&self.body).and_then(|body| serde_json::from_slice(&body).ok());
            mended.ok_or_else(|| self.not_json(&error))
        })
    }

    /// A failure that says what was asked and found.
    pub(crate) fn failure(&self, kind: FailureKind, found: impl Into<String>) -> Failure {
        Failure::new(kind, self.tried.clone(), self.with_request_id(brief(&found.into())))
    }

    /// By what the vendor's logs and support know the request: Graph has `request-id`, Atlassian `X-AREQUESTID`. None is
    /// documented of Google.
    fn request_id(&self) -> Option<&str> {
        let id = self.header("request-id").or_else(|| self.header("x-arequestid"))?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '*' | '@' | '_' | ':');
        (!id.is_empty() && id.len() <= 64 && id.chars().all(plain)).then_some(id)
    }

    /// What was found, with the request's id where there is one and it is not told yet.
    pub(crate) fn with_request_id(&self, found: String) -> String {
        match self.request_id() {
            Some(id) if !found.contains(id) => format!("{found} (request id {id})"),
            _ => found,
        }
    }

    /// A good answer that is no page: it may hold people's names and addresses, and is not quoted.
    fn is_data(&self) -> bool {
        let body = self.body.trim_ascii_start();
        (200..300).contains(&self.status)
            && !self.is_html()
            && [&b"{"[..], b"[", b"\"", b"<?xml", b"<methodResponse"].iter().any(|start| body.starts_with(start))
    }

    /// The status and the first bytes of the body, for a failure's `found`; of data its length alone.
    pub(crate) fn excerpt(&self) -> String {
        if self.is_data() {
            return format!("{}, {} bytes of data", self.status, self.body.len());
        }
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

/// The body with `\ufffd` in the place of every half of a surrogate pair, if there is any. Programs that cut names by
/// their UTF-16 units write such, and one name must not cost the page.
fn without_half_pairs(body: &[u8]) -> Option<Vec<u8>> {
    let unit = |at: usize| {
        let digits = body.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut mended = body.to_vec();
    let (mut at, mut any) = (0, false);
    while let Some(escape) = body.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\\')) {
        at += escape;
        at += match (unit(at), unit(at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                mended[at + 2..at + 6].copy_from_slice(b"fffd");
                any = true;
                6
            }
            _ => 2,
        };
    }
    any.then_some(mended)
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

    fn response(mime: &str, body: &str) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, mime.parse().unwrap());
        Response::new(200, headers, Bytes::copy_from_slice(body.as_bytes()), "GET https://h.example/x".into())
    }

    #[test]
    fn odd_bodies_are_told_by_what_they_are() {
        for (mime, body, words) in [
            ("text/html;charset=UTF-8", "<p>Log in", "an HTML page where JSON was expected"),
            ("application/json", "\n <!DOCTYPE HTML><html>", "an HTML page where JSON was expected"),
            ("application/json", "", "200, empty body: JSON that breaks off"),
            ("application/json", "oops", "body begins `oops`: no JSON"),
            ("application/json", "{\"a\": \"x\"}", "200, 10 bytes of data: JSON of another shape than documented"),
            ("application/json", "{\"a\": 1, \"mail\": \"ada@x.org\"", "200, 28 bytes of data: JSON that breaks off"),
        ] {
            #[derive(serde::Deserialize, Debug)]
            struct Wire {
                #[serde(rename = "a")]
                _a: u32,
            }
            let failure = response(mime, body).json::<Wire>().unwrap_err();
            assert_eq!(failure.kind, FailureKind::Odd);
            assert!(failure.found.contains(words), "{failure}");
        }
    }

    #[test]
    fn a_failure_tells_the_request_id_once() {
        for (name, id, found) in [
            ("request-id", "b1d9-0a", "404 (request id b1d9-0a)"),
            ("X-AREQUESTID", "*1X2Y3x7x1", "404 (request id *1X2Y3x7x1)"),
            ("x-arequestid", "a b", "404"),
            ("x-arequestid", "", "404"),
            ("date", "now", "404"),
        ] {
            let mut response = response("application/json", "{}");
            response
                .headers
                .insert(reqwest::header::HeaderName::from_bytes(name.as_bytes()).unwrap(), id.parse().unwrap());
            assert_eq!(response.failure(FailureKind::Odd, "404").found, found);
            assert_eq!(response.with_request_id(found.to_owned()), found, "once");
        }
    }

    #[test]
    fn half_a_surrogate_pair_costs_its_letter_and_no_more() {
        for (body, read) in [
            (r#""a\ud83db""#, "a\u{fffd}b"),
            (r#""\uDE00""#, "\u{fffd}"),
            (r#""\ud83d\ude00\ud83d""#, "\u{1F600}\u{fffd}"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}\u{1F600}"),
            (r#""\\ud83d \ud83d""#, "\\ud83d \u{fffd}"),
            (r#""\ud83d""#, "\u{fffd}"),
        ] {
            assert_eq!(response("application/json", body).json::<String>().unwrap(), read, "{body}");
        }
        assert!(response("application/json", r#""\ud83d"#).json::<String>().is_err());
    }

    #[test]
    fn a_quoted_body_holds_no_token() {
        let body = format!("{{\"access_token\": \"{}\", \"rest\": 1}}", "eyJ0".repeat(400));
        let refused = Response { status: 400, ..response("application/json", &body) };
        let found = refused.excerpt();
        assert!(!found.contains("eyJ0") && found.contains("rest"), "{found}");
    }
}
