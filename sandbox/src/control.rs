//! The control interface of a sandbox: `/_sandbox/…` on the listener of the page.
//!
//! Owns: reading and resetting the log, dialling faults, setting switches, shifting the clock, commands to a simulator.
//! Leaves to others: what they mean (`requests`, `faults`, `switches`, each simulator), the page (`page`).
//! A newcomer gets wrong: it needs no login; the listener is on loopback only.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::faults::Fault;
use super::page;
use super::server_state::ServerState;

pub(super) fn router(server: Arc<ServerState>) -> Router {
    Router::new()
        .route("/", get(page::show))
        .route("/page.css", get(page::style))
        .route("/page.js", get(page::script))
        .route("/changes", get(page::changes))
        .route("/picture/{digest}", get(page::picture))
        .route("/_sandbox/requests", get(requests))
        .route("/_sandbox/requests/reset", post(reset_requests))
        .route("/_sandbox/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/_sandbox/faults/{number}", delete(remove_fault))
        .route("/_sandbox/release", post(release))
        .route("/_sandbox/switches", get(switches).post(set_switches))
        .route("/_sandbox/credentials", get(credentials))
        .route("/_sandbox/endpoints", get(endpoints))
        .route("/_sandbox/truth", get(truth))
        .route("/_sandbox/time", post(advance))
        .route("/_sandbox/do/{simulator}", post(command))
        .with_state(server)
}

type Shared = State<Arc<ServerState>>;

fn refused(why: impl Into<String>) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": why.into() }))).into_response()
}

async fn requests(State(server): Shared) -> Json<Value> {
    let log = &server.shared.requests;
    Json(json!({ "counts": log.counts(), "peaks": log.peaks(), "entries": log.entries() }))
}

async fn reset_requests(State(server): Shared) -> StatusCode {
    server.shared.requests.reset();
    StatusCode::NO_CONTENT
}

async fn faults(State(server): Shared) -> Json<Value> {
    Json(json!(server.shared.faults.all()))
}

async fn add_fault(State(server): Shared, Json(fault): Json<Value>) -> Response {
    match Fault::deserialize(fault) {
        Ok(fault) if fault.on.simulator.as_ref().is_some_and(|name| server.simulator(name).is_none()) => {
            refused(format!("no simulator named {}", fault.on.simulator.unwrap_or_default()))
        }
        Ok(fault) => (StatusCode::CREATED, Json(json!({ "number": server.shared.faults.add(fault) }))).into_response(),
        Err(error) => refused(error.to_string()),
    }
}

async fn clear_faults(State(server): Shared) -> StatusCode {
    server.shared.faults.clear();
    StatusCode::NO_CONTENT
}

async fn remove_fault(State(server): Shared, Path(number): Path<u64>) -> StatusCode {
    if server.shared.faults.remove(number) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

async fn release(State(server): Shared) -> StatusCode {
    server.shared.faults.release();
    StatusCode::NO_CONTENT
}

async fn switches(State(server): Shared) -> Json<Value> {
    let mut all: BTreeMap<String, BTreeMap<&str, Value>> = BTreeMap::new();
    for (simulator, switch, value) in server.shared.switches.all() {
        let entry = json!({ "value": value, "default": switch.default, "about": switch.about });
        all.entry(simulator).or_default().insert(switch.name, entry);
    }
    Json(json!(all))
}

async fn set_switches(
    State(server): Shared,
    Json(settings): Json<BTreeMap<String, BTreeMap<String, String>>>,
) -> Response {
    for (simulator, switches) in &settings {
        for (name, value) in switches {
            if let Err(error) = server.shared.switches.set(simulator, name, value) {
                return refused(error.to_string());
            }
        }
    }
    StatusCode::NO_CONTENT.into_response()
}

async fn credentials(State(server): Shared) -> Json<Value> {
    Json(json!(server.simulators.iter().flat_map(|s| s.credentials()).collect::<Vec<_>>()))
}

async fn endpoints(State(server): Shared) -> Json<Value> {
    Json(json!(server.shared.addresses.get()))
}

/// The truth without the pictures themselves: their digests are here, and `/picture/DIGEST` has the bytes.
async fn truth(State(server): Shared) -> Json<Value> {
    Json(page::truth_as_json(&server.truth()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: i64,
}

async fn advance(State(server): Shared, Json(by): Json<Advance>) -> StatusCode {
    server.shared.shift_clock(by.seconds);
    StatusCode::NO_CONTENT
}

async fn command(State(server): Shared, Path(name): Path<String>, Json(command): Json<Value>) -> Response {
    let Some(simulator) = server.simulator(&name) else { return refused(format!("no simulator named {name}")) };
    let answer = simulator.control(&command);
    server.flush();
    match answer {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => refused(error),
    }
}
