//! From a request to the one dispatcher that plain calls and parts of batches share; Graph as a simulator.
//!
//! Owns: the table of calls. Leaves to others: each family of calls (`users`, `photos`, `batch`), quota (`throttle`).
//! A newcomer gets wrong: a call whose token is not good costs nothing.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::Value;

use super::service::Graph;
use super::wire::{Call, Reply};
use super::{photos, switches, throttle, users};
use crate::entra::{LivePerson, LivePhoto};
use crate::saved::Saved;
use crate::simulator::Special;
use crate::simulator::{SimulatedAnswer, Simulator};
use crate::switches::Switch;
use crate::truth::Person;

impl Graph {
    /// Answers one call, or one part of a batch, whose token is good.
    pub(super) fn dispatch(&self, call: &Call) -> Reply {
        let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
        let cost = throttle::cost(&segments, &call.query);
        let measure = match self.quota.take(&self.context, cost) {
            Ok(measure) => measure,
            Err(refusal) => return refusal.reply(self, call),
        };
        let reply = if call.method == "GET" {
            self.get(call, &segments)
        } else {
            self.error(call, 405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
        };
        measure.mark(self, &segments, reply).costing(cost)
    }

    fn get(&self, call: &Call, segments: &[&str]) -> Reply {
        match segments {
            ["users"] => self.list_users(call),
            ["users", id] => self.one_user(call, id),
            ["users", id, "photo"] => self.photo(call, id, None),
            ["users", id, "photo", "$value"] => self.photo_value(call, id, None),
            ["users", id, "photos"] => self.photos(call, id),
            ["users", id, "photos", size] => self.photo(call, id, Some(size)),
            // The page misspells `photos` as `photo` in an example (docs/wire/microsoft-graph.md §3.1): both are served.
            ["users", id, "photos" | "photo", size, "$value"] => self.photo_value(call, id, Some(size)),
            ["groups", id, "transitiveMembers", "microsoft.graph.user"] => self.group_members(call, id),
            _ => {
                let segment = segments.last().copied().unwrap_or_default();
                self.error(call, 400, "BadRequest", &format!("Resource not found for the segment '{segment}'."))
            }
        }
    }
}

impl Graph {
    /// A person as the page and the tests see them.
    fn person(&self, live: &LivePerson) -> Person {
        let (photo, instead) = match &live.photo {
            LivePhoto::Present(file) => (Some((file.bytes(), file.content_type.to_owned())), None),
            LivePhoto::Absent(shape) => (None, Some(photos::word(shape))),
            LivePhoto::Failing(shape) => (None, Some(photos::word(shape))),
        };
        let person = &live.person;
        Person {
            simulator: self.context.name().to_owned(),
            id: person.id.clone(),
            display_name: person.name.clone(),
            user_name: person.upn.clone(),
            emails: users::emails(person),
            enabled: live.enabled,
            kind: person.user_type.clone().unwrap_or_default(),
            photo,
            instead,
            proven_absent: matches!(live.photo, LivePhoto::Absent(_)),
        }
    }
}

async fn answer(State(graph): State<Arc<Graph>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // The server has read the body already, so this cannot fail or grow.
    let body: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let call = Call::of_request(&parts);
    if parts.extensions.get::<Special>().is_some_and(|special| special.0 == "token_expired") {
        graph.directory.tokens.revoke_all();
    }
    let authorization = parts.headers.get("authorization").and_then(|v| v.to_str().ok());
    let known = graph.directory.tokens.check(authorization, graph.context.now());
    let (reply, batch) = match known {
        Err(refusal) => (graph.error(&call, 401, "InvalidAuthenticationToken", refusal.message()), Vec::new()),
        Ok(()) if !call.versioned => {
            (graph.error(&call, 400, "BadRequest", "Invalid version. This simulator serves v1.0."), Vec::new())
        }
        Ok(()) if call.method == "POST" && call.segments == ["$batch"] => graph.batch(&call, &body).await,
        Ok(()) => (graph.dispatch(&call), Vec::new()),
    };
    let who = known.is_ok().then(|| graph.directory.tenant.app.client_id.clone());
    let answer = SimulatedAnswer { who, session: None, parts: batch, units: Some(reply.units) };
    let mut response = reply.into_response(&call);
    response.extensions_mut().insert(answer);
    response
}

impl Simulator for Graph {
    fn name(&self) -> &str {
        self.context.name()
    }

    fn title(&self) -> String {
        "Microsoft Graph".into()
    }

    fn router(self: Arc<Self>) -> Router {
        Router::new().fallback(answer).with_state(self)
    }

    fn switches(&self) -> Vec<&'static Switch> {
        switches::SWITCHES.iter().collect()
    }

    fn save(&self) -> Saved {
        self.directory.save()
    }

    fn load(&self, saved: &Saved) -> Result<(), String> {
        self.directory.load(saved)
    }

    fn people(&self) -> Vec<Person> {
        self.directory.people().iter().map(|live| self.person(live)).collect()
    }

    fn control(&self, command: &Value) -> Result<Value, String> {
        let answer = self.directory.command(command)?;
        self.context.changed();
        Ok(answer)
    }
}
