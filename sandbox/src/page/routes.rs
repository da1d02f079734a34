//! The requests for the page, and the truth as JSON.
//!
//! Owns: answering them. Leaves to others: the HTML (`html`), the truth itself (`truth`, each simulator).
//! A newcomer gets wrong: the bytes of a photo may be anything, a login page too; so no browser may guess their type.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};

use super::html::Page;
use super::picture_cache::digest_of;
use super::query::PageQuery;
use crate::server_state::ServerState;
use crate::truth::{Shown, Truth};

pub(crate) async fn show(State(server): State<Arc<ServerState>>, Query(query): Query<PageQuery>) -> Html<String> {
    let truth = server.truth();
    server.pictures.fill(&truth);
    Html(Page { server: &server, truth: &truth, query: &query }.html())
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
