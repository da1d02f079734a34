//! What endpoints that issue tokens have in common.
//!
//! Owns: the way from a request to what is asked for, faults that were dialled in, the OAuth envelope of a refusal, and
//! whom the log names.
//! Leaves to others: judging what is asked for, and the tokens (`google`, `entra`).
//! A newcomer gets wrong: a fault that was dialled in is answered before the body is read.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Form, FromRequest as _, RawPathParams, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::simulator::{SimulatedAnswer, Special};

pub(crate) trait TokenEndpoint: Send + Sync + 'static {
    type Asked: Send;

    /// The refusal that a dialled-in fault of this name stands for.
    fn dialled(&self, word: &str) -> Option<Response>;

    fn read(request: Request) -> impl Future<Output = Option<Self::Asked>> + Send;

    /// The answer, and in whose name it was asked.
    fn issue(&self, request: TokenRequest<Self::Asked>) -> (Response, Option<String>);
}

pub(crate) struct TokenRequest<T> {
    /// The parts of the path that vary, in order.
    pub path: Vec<String>,
    pub headers: HeaderMap,
    pub asked: Option<T>,
}

impl<T> TokenRequest<T> {
    pub(crate) fn authorization(&self) -> Option<&str> {
        self.headers.get(header::AUTHORIZATION)?.to_str().ok()
    }
}

pub(crate) async fn token<E: TokenEndpoint>(
    State(endpoint): State<Arc<E>>,
    path: RawPathParams,
    request: Request,
) -> Response {
    let special = request.extensions().get::<Special>();
    if let Some(refusal) = special.and_then(|Special(word)| endpoint.dialled(word)) {
        return refusal;
    }
    let path = path.iter().map(|(_, value)| value.to_owned()).collect();
    let headers = request.headers().clone();
    let asked = E::read(request).await;
    let (response, who) = endpoint.issue(TokenRequest { path, headers, asked });
    signed(response, who)
}

/// Tells the log in whose name an answer was asked for.
pub(crate) fn signed(mut response: Response, who: Option<String>) -> Response {
    response.extensions_mut().insert(SimulatedAnswer { who, ..SimulatedAnswer::default() });
    response
}

pub(crate) async fn form<T: DeserializeOwned>(request: Request) -> Option<T> {
    Form::<T>::from_request(request, &()).await.ok().map(|Form(form)| form)
}

pub(crate) async fn bytes(request: Request) -> Bytes {
    // The server has read the body already, so this cannot fail or grow.
    axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap_or_default()
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: u16,
    error: String,
    description: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, error: &str, description: impl Into<String>) -> Self {
        Self { status, error: error.to_owned(), description: description.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, Json(json!({ "error": self.error, "error_description": self.description }))).into_response()
    }
}
