//! The requests for the page, what follows it while it is open, and the truth as JSON.
//!
//! Owns: answering them, and how often an open page is told. Leaves to others: the HTML (`whole`), what is new
//! (`follower`), the truth itself (`truth`, each simulator).
//! A newcomer gets wrong: the bytes of a photo may be anything, a login page too; so no browser may guess their type, nor
//! run what stands in them.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::follower::{is_behind, told};
use super::head::of_the_log;
use super::picture_cache::digest_of;
use super::whole::{SCRIPT, STYLE, whole};
use crate::server_state::ServerState;
use crate::truth::{Shown, Truth};

/// Between two tellings of an open page, at least and at most.
const PACE: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(2)];
/// Nothing is loaded but from here, nothing runs but the page's own script, and no other page may show this one.
const POLICY: &str = "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) async fn show(State(server): State<Arc<ServerState>>) -> Response {
    let html = beside(move || whole(&server, &told(&server)).into_string()).await;
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(html)).into_response()
}

pub(crate) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

pub(crate) async fn script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT).into_response()
}

#[derive(Deserialize)]
pub(crate) struct Since {
    #[serde(default)]
    since: String,
}

/// What is new since an earlier telling. Waits for it, but not for ever: requests are counted, too. A sandbox that stops
/// tells its last word at once.
pub(crate) async fn changes(
    State(server): State<Arc<ServerState>>,
    Query(Since { since }): Query<Since>,
) -> Json<Value> {
    let [least, most] = PACE;
    let mut stopped = server.stopped.clone();
    let mut seen = server.shared.watch_changes();
    let new = async {
        tokio::time::sleep(least).await;
        if !is_behind(&server, &since) {
            _ = tokio::time::timeout(most, seen.changed()).await;
        }
    };
    let ended = tokio::select! {
        () = new => false,
        _ = stopped.wait_for(|stop| *stop) => true,
    };
    Json(beside(move || news(&server, &since, ended)).await)
}

fn news(server: &ServerState, since: &str, ended: bool) -> Value {
    let told = told(server);
    let Some(new) = told.since(since) else { return json!({ "reload": true }) };
    let rows: Vec<_> = new.map(|line| json!({ "key": line.key, "html": line.html })).collect();
    let mut pieces: serde_json::Map<String, Value> =
        told.pieces.iter().map(|(name, html)| ((*name).to_owned(), Value::from(html.as_str()))).collect();
    pieces
        .extend(of_the_log(server, &told).into_iter().map(|(name, html)| (name.to_owned(), html.into_string().into())));
    json!({ "at": told.at(), "rows": rows, "pieces": pieces, "ended": ended })
}

/// What takes long where there are thousands, off the threads that answer clients.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("no code panics while it tells a page")
}

pub(crate) async fn picture(State(server): State<Arc<ServerState>>, Path(digest): Path<String>) -> Response {
    let found = server.pictures.get(&digest).or_else(|| {
        server.pictures.fill(&server.truth());
        server.pictures.get(&digest)
    });
    let Some((bytes, kind)) = found else { return StatusCode::NOT_FOUND.into_response() };
    let headers = [
        (header::CONTENT_TYPE, kind.as_str()),
        (header::CACHE_CONTROL, "max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "sandbox"),
    ];
    (headers, bytes).into_response()
}

fn shown(shown: &Shown) -> Value {
    let Shown { kind, id, owner, bytes, content_type } = shown;
    json!({ "kind": kind, "id": id, "owner": owner, "content_type": content_type, "picture": digest_of(bytes) })
}

pub(crate) fn truth_as_json(truth: &Truth) -> Value {
    let accounts = truth.accounts.iter().map(|a| {
        json!({ "simulator": a.simulator, "key": a.key, "name": a.name, "display_name": a.display_name,
                "email": a.email, "active": a.active, "start": shown(&a.start), "now": shown(&a.now) })
    });
    let people = truth.people.iter().map(|p| {
        json!({ "simulator": p.simulator, "id": p.id, "display_name": p.display_name, "user_name": p.user_name,
                "emails": p.emails, "enabled": p.enabled, "kind": p.kind, "instead": p.instead,
                "photo": p.photo.as_ref().map(|(bytes, _)| digest_of(bytes)) })
    });
    let avatars = truth.avatars.iter().map(|a| {
        json!({ "simulator": a.simulator, "id": a.id, "owner": a.owner, "creator": a.creator,
                "selected": a.selected, "picture": digest_of(&a.bytes) })
    });
    json!({ "accounts": accounts.collect::<Vec<_>>(), "people": people.collect::<Vec<_>>(),
            "avatars": avatars.collect::<Vec<_>>(), "writes": truth.writes, "violations": truth.violations })
}
