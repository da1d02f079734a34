//! Answers, with the error bodies that the products give.
//!
//! Owns: status, headers and body of an answer; the shapes of errors (docs/wire/atlassian.md §10).
//! Leaves to others: the headers every answer carries (`login`).
//! A newcomer gets wrong: some refusals are JSON with `message`, some with `errorMessages`, some plain text or HTML.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub status: u16,
    /// Headers, repeated names allowed.
    pub headers: Vec<(HeaderName, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(status: u16, value: &Value) -> Reply {
        Reply::typed(status, "application/json;charset=UTF-8", value.to_string().into_bytes())
    }

    pub(crate) fn typed(status: u16, mime: &str, body: Vec<u8>) -> Reply {
        Reply { status, headers: vec![(header::CONTENT_TYPE, mime.to_owned())], body }
    }

    /// 204.
    pub(crate) fn empty() -> Reply {
        Reply { status: 204, headers: Vec::new(), body: Vec::new() }
    }

    /// Jira's usual error: `{"errorMessages":[…],"errors":{}}`.
    pub(crate) fn error(status: u16, message: &str) -> Reply {
        Reply::json(status, &json!({"errorMessages": [message], "errors": {}}))
    }

    /// `{"message":…}`, as filters answer.
    pub(crate) fn message(status: u16, message: &str) -> Reply {
        Reply::json(status, &json!({ "message": message }))
    }

    /// 401 of a resource that needs a login.
    pub(crate) fn login_required() -> Reply {
        Reply::error(401, "You are not authenticated. Authentication required to perform this operation.")
            .with(header::WWW_AUTHENTICATE, "OAuth realm=\"sandbox\"")
    }

    pub(crate) fn page(status: u16, title: &str, text: &str) -> Reply {
        let page = format!("<!DOCTYPE html><html><head><title>{title}</title></head><body><p>{text}</p></body></html>");
        Reply::typed(status, "text/html;charset=UTF-8", page.into_bytes())
    }

    pub(crate) fn redirect(to: &str) -> Reply {
        Reply { status: 302, headers: vec![(header::LOCATION, to.to_owned())], body: Vec::new() }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn no_store(self) -> Reply {
        self.with(header::CACHE_CONTROL, "no-cache, no-store, no-transform")
    }
}

impl From<Reply> for Response<Body> {
    fn from(reply: Reply) -> Response<Body> {
        let mut response = Response::new(Body::from(reply.body));
        *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in reply.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}
