//! The page: every account of every product with the picture it showed at the beginning and the one it shows now.
//!
//! Owns: what is asked for, the pictures that the page names by digest, and the truth as JSON.
//! Leaves to others: the HTML (`html`), the truth itself (`truth`, each simulator).
//! A newcomer gets wrong: the bytes of a photo may be anything, a login page too; so no browser may guess their type.

mod html;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use self::html::Page;
use super::server::ServerState;
use super::truth::{Account, Shown, ShownKind, Truth};

/// The pictures of the page as it was last shown, by digest.
#[derive(Debug, Default)]
pub(super) struct PictureCache(Mutex<BTreeMap<String, (Bytes, String)>>);

impl PictureCache {
    fn fill(&self, truth: &Truth) {
        let shown = truth.accounts.iter().flat_map(|a| [&a.start, &a.now]);
        let shown = shown.map(|s| (s.bytes.clone(), s.content_type.clone()));
        let photos = truth.people.iter().filter_map(|p| p.photo.clone());
        let avatars = truth.avatars.iter().map(|a| (a.bytes.clone(), "image/png".to_owned()));
        let all = shown.chain(photos).chain(avatars).map(|(bytes, kind)| (digest_of(&bytes), (bytes, kind)));
        *self.0.lock().expect(POISON) = all.collect();
    }

    fn get(&self, digest: &str) -> Option<(Bytes, String)> {
        self.0.lock().expect(POISON).get(digest).cloned()
    }
}

const POISON: &str = "no code panics while it holds the pictures";

/// Which accounts are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Filter {
    #[default]
    All,
    Changed,
    Custom,
    System,
    Default,
}

impl Filter {
    const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::All, "all", "All accounts"),
        (Self::Changed, "changed", "Changed"),
        (Self::Custom, "custom", "Own picture"),
        (Self::System, "system", "System picture"),
        (Self::Default, "default", "Default picture"),
    ];

    fn takes(self, account: &Account) -> bool {
        match self {
            Self::All => true,
            Self::Changed => account.changed(),
            Self::Custom => account.now.kind == ShownKind::Custom,
            Self::System => account.now.kind == ShownKind::System,
            Self::Default => account.now.kind == ShownKind::Default,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PageQuery {
    show: Filter,
    q: String,
}

impl PageQuery {
    fn finds(&self, texts: &[&str]) -> bool {
        let wanted = self.q.trim().to_lowercase();
        texts.iter().any(|text| text.to_lowercase().contains(&wanted))
    }
}

pub(super) async fn show(State(server): State<Arc<ServerState>>, Query(query): Query<PageQuery>) -> Html<String> {
    let truth = server.truth();
    server.pictures.fill(&truth);
    Html(Page { server: &server, truth: &truth, query: &query }.html())
}

pub(super) async fn picture(State(server): State<Arc<ServerState>>, Path(digest): Path<String>) -> Response {
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

fn digest_of(bytes: &Bytes) -> String {
    blake3::hash(bytes).to_hex()[..32].to_owned()
}

fn shown(shown: &Shown) -> Value {
    let Shown { kind, id, owner, bytes, content_type } = shown;
    json!({ "kind": kind, "id": id, "owner": owner, "content_type": content_type, "picture": digest_of(bytes) })
}

pub(super) fn truth_as_json(truth: &Truth) -> Value {
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
