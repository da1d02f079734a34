//! A call to the Directory API and its reply, the same for plain requests and parts of batches.
//!
//! Owns: parsing a target, replies as HTTP with compression, and their bytes as parts of a batch.
//! Leaves to others: what a reply says (`users`, `photos`, `members`, `errors`).
//! A newcomer gets wrong: compression needs two headers, `Accept-Encoding: gzip` and a `User-Agent` with `gzip` in it
//! (docs/wire/google-directory.md §2.1).

use std::collections::BTreeMap;
use std::io::Write as _;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, request};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

const ROOT: &str = "/admin/directory/v1/";

/// What came or went before the page that is asked for, since the last one: users are missing or come twice (§6.11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Drift {
    #[default]
    None,
    /// Somebody went: one user is skipped.
    Skips,
    /// Somebody came: one user comes again.
    Repeats,
}

impl Drift {
    /// The word of a fault; any other is no drift.
    pub(super) fn named(word: &str) -> Self {
        match word {
            "page_skips" => Self::Skips,
            "page_repeats" => Self::Repeats,
            _ => Self::None,
        }
    }

    /// How many users come before a page that begins after so many.
    pub(super) fn before(self, offset: usize) -> usize {
        match self {
            Self::Skips if offset > 0 => offset + 1,
            Self::Repeats => offset.saturating_sub(1),
            Self::Skips | Self::None => offset,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: String,
    /// Whether the path lies below the API's root.
    pub(super) is_directory: bool,
    /// The path below the root, decoded.
    pub(super) segments: Vec<String>,
    /// The parameters in the order they were sent, decoded.
    pub(super) parameters: Vec<(String, String)>,
    /// By lower-case name.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) drift: Drift,
}

impl Call {
    pub(super) fn of_request(parts: &request::Parts) -> Self {
        let headers = parts.headers.iter();
        let headers = headers.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        Self::new(parts.method.as_str(), target, headers.collect())
    }

    pub(super) fn new(method: &str, target: &str, headers: BTreeMap<String, String>) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let rest = path.strip_prefix(ROOT);
        let segments = rest.unwrap_or_default().split('/').filter(|s| !s.is_empty()).map(decode).collect();
        let parameters = url::form_urlencoded::parse(query.as_bytes());
        let parameters = parameters.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        let (method, drift) = (method.to_ascii_uppercase(), Drift::None);
        Self { method, is_directory: rest.is_some(), segments, parameters, headers, drift }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    fn takes_gzip(&self) -> bool {
        let holds = |name| self.header(name).is_some_and(|value| value.contains("gzip"));
        holds("accept-encoding") && holds("user-agent")
    }

    /// JSON is written for people unless the caller asks otherwise.
    fn is_pretty(&self) -> bool {
        self.get("prettyPrint") != Some("false")
    }
}

/// Percent-decoding of a path segment, in which `+` is a plus.
fn decode(segment: &str) -> String {
    let kept = segment.replace('+', "%2B");
    let (decoded, _) = url::form_urlencoded::parse(kept.as_bytes()).next().unwrap_or_default();
    decoded.into_owned()
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    Nothing,
    Json(Value),
    Raw { text: String, content_type: String },
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) content: Content,
}

impl Reply {
    pub(super) fn json(value: Value) -> Self {
        Self { status: 200, headers: Vec::new(), content: Content::Json(value) }
    }

    pub(super) fn text(status: u16, text: String) -> Self {
        let content = Content::Raw { text, content_type: "text/plain; charset=UTF-8".into() };
        Self { status, headers: Vec::new(), content }
    }

    pub(super) fn html(status: u16, text: String) -> Self {
        let content = Content::Raw { text, content_type: "text/html; charset=UTF-8".into() };
        Self { status, headers: Vec::new(), content }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn body(&self, pretty: bool) -> (Option<&str>, Vec<u8>) {
        match &self.content {
            Content::Nothing => (None, Vec::new()),
            Content::Raw { text, content_type } => (Some(content_type), text.clone().into_bytes()),
            Content::Json(value) => {
                let text = if pretty { format!("{value:#}\n") } else { value.to_string() };
                (Some("application/json; charset=UTF-8"), text.into_bytes())
            }
        }
    }

    pub(super) fn into_response(self, call: &Call) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut builder = Response::builder().status(status);
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
                builder = builder.header(name, value);
            }
        }
        let (content_type, mut body) = self.body(call.is_pretty());
        if let Some(content_type) = content_type {
            builder = builder.header("Content-Type", content_type).header("Vary", "Origin, X-Origin, Referer");
        }
        if call.takes_gzip() && !body.is_empty() {
            body = gzip(&body);
            builder = builder.header("Content-Encoding", "gzip");
        }
        builder.body(Body::from(body)).expect("names and values were made or checked here")
    }

    /// The reply as a part of a batch holds it: a whole HTTP response, its lines ended by CRLF.
    pub(super) fn into_part(self, call: &Call) -> Vec<u8> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut head = format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or("Unknown"));
        let (content_type, body) = self.body(call.is_pretty());
        if let Some(content_type) = content_type {
            head.push_str(&format!("Content-Type: {content_type}\r\n"));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut part = head.into_bytes();
        part.extend(body);
        part
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.expect("memory takes every write")
}
