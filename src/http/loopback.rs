//! For tests: a server on this machine that answers as the test says and remembers what it was asked.
//!
//! Owns: listening and remembering. Leaves to others: the answers.
//! A newcomer gets wrong: it is no simulator of any vendor (that is `sandbox`); each test writes the few answers it needs.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use url::Url;

use reqwest::header::HeaderMap;

use super::{Client, RateLimit};
use crate::settings::Http;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct ReceivedRequest {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl ReceivedRequest {
    /// One header, empty if it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A server that lives as long as the test's runtime.
pub(crate) struct Loopback {
    pub(crate) url: Url,
    asked: Arc<Mutex<Vec<ReceivedRequest>>>,
}

impl Loopback {
    /// Answers each request by its number, counted from 0, and what it asks.
    pub(crate) async fn start(response: impl Fn(usize, &ReceivedRequest) -> Response + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let asked: Arc<Mutex<Vec<ReceivedRequest>>> = Arc::default();
        let (seen, response) = (Arc::clone(&asked), Arc::new(response));
        let router = axum::Router::new().fallback(move |request: Request| {
            let (seen, response) = (Arc::clone(&seen), Arc::clone(&response));
            async move {
                let one = arrived(request).await;
                let number = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(one.clone());
                    seen.len() - 1
                };
                response(number, &one)
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, asked }
    }

    /// Everything that was asked so far.
    pub(crate) fn asked(&self) -> Vec<ReceivedRequest> {
        self.asked.lock().unwrap().clone()
    }

    /// A line to it that never sleeps, and the pace that says how long it would have.
    pub(crate) fn client(&self) -> (Client, Arc<RateLimit>) {
        let rate_limit = RateLimit::recording();
        (Client::new("test", self.url.clone(), Arc::clone(&rate_limit), &Http::default()).unwrap(), rate_limit)
    }
}

async fn arrived(request: Request) -> ReceivedRequest {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or(String::new(), ToString::to_string);
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    ReceivedRequest { method: parts.method.to_string(), path, headers: parts.headers, body }
}

/// An answer.
pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let builder = headers.iter().fold(Response::builder().status(status), |b, (name, value)| b.header(*name, *value));
    builder.body(body.into()).unwrap()
}

/// An answer with JSON in it.
pub(crate) fn reply_json(status: u16, body: &serde_json::Value) -> Response {
    reply(status, &[("content-type", "application/json")], body.to_string())
}
