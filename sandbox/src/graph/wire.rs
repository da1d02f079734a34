//! A call to Graph and its reply, the same for plain requests and parts of batches.
//!
//! Owns: parsing a URL into segments, replies as HTTP, and the error body of docs/wire/microsoft-graph.md §6.
//! Leaves to others: replies as parts of a batch (`batch`).
//! A newcomer gets wrong: the error's inner part repeats the caller's `client-request-id`, the header does too.

use std::collections::BTreeMap;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, request};
use axum::response::Response;
use serde_json::{Value, json};

use super::query::{Query, decode};
use super::service::Graph;
use super::switches;

/// One call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: String,
    /// The path below the version root, decoded.
    pub(super) segments: Vec<String>,
    /// Whether the path began with `/v1.0`.
    pub(super) versioned: bool,
    pub(super) query: Query,
    /// By lower-case name.
    pub(super) headers: BTreeMap<String, String>,
    /// The GUID that we give to the answer.
    pub(super) request_id: String,
}

impl Call {
    pub(super) fn of_request(parts: &request::Parts) -> Self {
        let headers = parts.headers.iter();
        let headers =
            headers.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
        let path = parts.uri.path();
        let rest = path.strip_prefix("/v1.0").filter(|rest| rest.is_empty() || rest.starts_with('/'));
        Self {
            versioned: rest.is_some(),
            ..Self::new(
                parts.method.as_str(),
                rest.unwrap_or(path),
                parts.uri.query().unwrap_or_default(),
                headers.collect(),
            )
        }
    }

    /// A part of a batch: `url` is relative to the version root.
    pub(super) fn of_part(method: &str, url: &str, headers: BTreeMap<String, String>) -> Self {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        Self::new(method, path, query, headers)
    }

    fn new(method: &str, path: &str, query: &str, headers: BTreeMap<String, String>) -> Self {
        let segments = path.split('/').filter(|s| !s.is_empty()).map(decode).collect();
        let request_id = uuid::Uuid::new_v4().to_string();
        let method = method.to_ascii_uppercase();
        Self { method, segments, versioned: true, query: Query::parse(query), headers, request_id }
    }

    pub(super) fn client_request_id(&self) -> &str {
        self.headers.get("client-request-id").map_or(&self.request_id, String::as_str)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    Nothing,
    Json(Value),
    Binary { bytes: Bytes, content_type: String },
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) content: Content,
    /// Resource units that the quota counts.
    pub(super) units: u64,
}

impl Reply {
    pub(super) fn json(value: Value) -> Self {
        Self { status: 200, headers: Vec::new(), content: Content::Json(value), units: 0 }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(super) fn costing(mut self, units: u64) -> Self {
        self.units = units;
        self
    }

    /// The type of the body, as the header names it.
    pub(super) fn content_type(&self) -> Option<&str> {
        match &self.content {
            Content::Nothing => None,
            Content::Json(_) => Some("application/json"),
            Content::Binary { content_type, .. } => Some(content_type),
        }
    }

    pub(super) fn into_response(self, call: &Call) -> Response {
        let content_type = match &self.content {
            // A whole answer says more about its JSON than a part of a batch does.
            Content::Json(_) => Some("application/json;odata.metadata=minimal;odata.streaming=true;charset=utf-8"),
            _ => self.content_type(),
        };
        let mut builder = Response::builder()
            .status(StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
            .header("request-id", &call.request_id)
            .header(
                "client-request-id",
                HeaderValue::from_str(call.client_request_id()).unwrap_or(HeaderValue::from_static("")),
            )
            .header("x-ms-ags-diagnostic", DIAGNOSTIC)
            .header("Cache-Control", "private");
        if let Some(content_type) = content_type {
            builder = builder.header("Content-Type", content_type);
        }
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
                builder = builder.header(name, value);
            }
        }
        let body = match self.content {
            Content::Nothing => Body::empty(),
            Content::Json(value) => Body::from(value.to_string()),
            Content::Binary { bytes, .. } => Body::from(bytes),
        };
        builder.body(body).expect("names and values were made or checked here")
    }
}

const DIAGNOSTIC: &str =
    r#"{"ServerInfo":{"DataCenter":"Sandbox","Slice":"E","Ring":"0","ScaleUnit":"000","RoleInstance":"SBX0001"}}"#;

impl Graph {
    pub(super) fn denied(&self, call: &Call) -> Reply {
        self.error(call, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    }

    /// An error in the shape of §6.
    pub(super) fn error(&self, call: &Call, status: u16, code: &str, message: &str) -> Reply {
        let date = humantime::format_rfc3339_seconds(self.context.now()).to_string();
        let mut error = json!({ "code": code, "message": message });
        error[self.context.switch(&switches::INNER_ERROR)] = json!({
            "date": date.trim_end_matches('Z'), "request-id": call.request_id,
            "client-request-id": call.client_request_id(),
        });
        let reply = Reply { status, ..Reply::json(json!({ "error": error })) };
        if status == 401 { reply.with("WWW-Authenticate", "Bearer realm=\"\"") } else { reply }
    }
}
