//! What is around every request to a simulator: the log entry, and carrying out the faults.
//!
//! Owns: what an effect does to the connection and the answer.
//! Leaves to others: which fault strikes (`faults`), answering (each simulator).
//! A newcomer gets wrong: the work goes on when the client has left, as on a real server; so a client that gives up
//! must reckon with a write that happens later.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use futures::{StreamExt, stream};
use tokio::sync::watch;

use super::connection::Connection;
use super::echo;
use super::faults::{Answer, Effect, RequestFacts};
use super::requests::Entry;
use super::server_state::ServerState;
use super::simulator::{SimulatedAnswer, Special};

/// Bodies beyond this are refused; the largest request of any protocol here is far below.
const LARGEST_REQUEST: usize = 64 << 20;

/// Writes a request into the log, lets a fault strike it, and else has the simulator answer.
pub(super) async fn handle(
    State((server, name)): State<(Arc<ServerState>, Arc<str>)>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_REQUEST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let release = server.shared.faults.next_release();
    let target = parts.uri.path_and_query().map_or("/", |t| t.as_str());
    let facts = RequestFacts { simulator: &name, method: parts.method.as_str(), target, body: &body, part: false };
    // Before the log shows the request: whoever sees it there may clear the faults at once.
    let effect = server.shared.faults.strike(&facts);
    let number = server.shared.requests.arrived(Entry {
        simulator: name.to_string(),
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        peer_port: connection.peer_port(),
        received: body.len() as u64,
        ..Entry::default()
    });
    // A server goes on with what it began, whether or not the client is still there to hear.
    let handled = tokio::spawn(async move {
        let request = Request::from_parts(parts, Body::from(body));
        let word = effect.as_ref().map(Effect::word);
        let mut response = carry_out(effect, &server, &connection, release, request, next).await;
        server.flush();
        date(&mut response, &server);
        let answer = response.extensions_mut().remove::<SimulatedAnswer>().unwrap_or_default();
        let status = response.extensions().get::<Unheard>().is_none().then(|| response.status().as_u16());
        server.shared.requests.answered((&name, number), status, answer, word);
        response
    });
    handled.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// The server's own time, as every HTTP server sends it; a fault's answer may say another.
fn date(response: &mut Response, server: &ServerState) {
    let now = httpdate::fmt_http_date(server.shared.now());
    if let (false, Ok(now)) = (response.headers().contains_key(header::DATE), HeaderValue::from_str(&now)) {
        response.headers_mut().insert(header::DATE, now);
    }
}

/// Marks a response that the client does not get to see.
#[derive(Clone)]
struct Unheard;

async fn carry_out(
    effect: Option<Effect>,
    server: &Arc<ServerState>,
    connection: &Connection,
    mut release: watch::Receiver<u64>,
    mut request: Request,
    next: Next,
) -> Response {
    match effect {
        None => next.run(request).await,
        Some(Effect::Answer(answer)) => answer.into_response(),
        Some(Effect::LoginPage {}) => Html(LOGIN_PAGE).into_response(),
        Some(Effect::Echo { status, form }) => echo::answer(request, status, form).await,
        Some(Effect::Special(word)) => {
            request.extensions_mut().insert(Special(word));
            next.run(request).await
        }
        Some(Effect::Delay { ms }) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            next.run(request).await
        }
        Some(Effect::HandleOnRelease {}) => match release.changed().await {
            Ok(()) => next.run(request).await,
            // The sandbox is no more.
            Err(_) => unheard(connection, StatusCode::NO_CONTENT.into_response()),
        },
        Some(Effect::Drop {}) => unheard(connection, StatusCode::NO_CONTENT.into_response()),
        Some(Effect::HandleThenDrop {}) => unheard(connection, next.run(request).await),
        Some(Effect::HandleLate { after_ms }) => {
            let server = Arc::clone(server);
            server.shared.late.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(after_ms)).await;
                next.run(request).await;
                server.flush();
                server.shared.late.fetch_sub(1, Ordering::SeqCst);
            });
            unheard(connection, StatusCode::NO_CONTENT.into_response())
        }
        Some(Effect::Truncate { after_bytes }) => truncated(next.run(request).await, after_bytes).await,
        Some(Effect::Endless {}) => endless(next.run(request).await).await,
        Some(Effect::HandleThenAnswer(answer)) => {
            next.run(request).await;
            answer.into_response()
        }
        Some(Effect::Drip { bytes, every_ms }) => dripping(next.run(request).await, bytes, every_ms).await,
    }
}

fn unheard(connection: &Connection, mut response: Response) -> Response {
    connection.cut();
    response.extensions_mut().insert(Unheard);
    response
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(if self.status == 0 { 200 } else { self.status });
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
                headers.append(name, value);
            }
        }
        let (body, kind) = match self.body {
            serde_json::Value::Null => (String::new(), None),
            serde_json::Value::String(text) => (text, Some("text/plain; charset=utf-8")),
            value => (value.to_string(), Some("application/json")),
        };
        if let (Some(kind), false) = (kind, headers.contains_key(header::CONTENT_TYPE)) {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), headers, body).into_response()
    }
}

/// Announces the whole body and sends only its beginning.
async fn truncated(response: Response, after: usize) -> Response {
    let (mut parts, body) = collected(response).await;
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    let beginning = body.slice(..after.min(body.len()));
    // The pause makes the connection write out the beginning before the end comes.
    let end = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    };
    let pieces = stream::once(async { Ok(beginning) }).chain(stream::once(end));
    Response::from_parts(parts, Body::from_stream(pieces))
}

/// Sends the body in small pieces with pauses.
async fn dripping(response: Response, size: usize, every_ms: u64) -> Response {
    let (mut parts, body) = collected(response).await;
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    let pieces = stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(every_ms)).await;
        let piece = rest.split_to(size.clamp(1, rest.len()));
        Some((Ok::<Bytes, std::io::Error>(piece), rest))
    });
    Response::from_parts(parts, Body::from_stream(pieces))
}

/// Sends the body, then blanks for as long as somebody listens.
async fn endless(response: Response) -> Response {
    let (mut parts, body) = collected(response).await;
    parts.headers.remove(header::CONTENT_LENGTH);
    let blanks = stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Ok::<Bytes, std::io::Error>(Bytes::from_static(b" ")), ()))
    });
    Response::from_parts(parts, Body::from_stream(stream::once(async { Ok(body) }).chain(blanks)))
}

async fn collected(response: Response) -> (axum::http::response::Parts, Bytes) {
    let (parts, body) = response.into_parts();
    (parts, axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default())
}

const LOGIN_PAGE: &str = "<!DOCTYPE html><html><head><title>Log in</title></head><body><h1>Log in</h1>\
<form method=\"post\" action=\"/login\"><input name=\"username\"><input name=\"password\" type=\"password\">\
<button>Log in</button></form></body></html>\n";
