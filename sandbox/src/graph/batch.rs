//! JSON batching (docs/wire/microsoft-graph.md §4).
//!
//! Owns: the rules of a batch, the order and shape of its responses, faults that strike single parts.
//! Leaves to others: answering a part (`Graph::dispatch`).
//! A newcomer gets wrong: the body of a binary part is a JSON string of base64, that of any other part an object.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::service::Graph;
use super::switches::{BATCH_ABSOLUTE, BATCH_BASE64, BATCH_HEADERS, BATCH_LIMIT, BATCH_ORDER, BATCH_THROTTLED};
use super::wire::{Call, Content, Reply};
use crate::faults::{Answer, Effect};

/// The limit on one Graph request (§4).
const LARGEST_BATCH: usize = 4 << 20;

#[derive(Deserialize)]
struct Batch {
    requests: Vec<Part>,
}

/// One part as it was sent. Unknown members are ignored (§9b).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    depends_on: Option<Vec<String>>,
}

/// What became of a part: its status, and the response unless a fault lost it.
struct Done {
    status: u16,
    response: Option<Value>,
    units: u64,
}

impl Graph {
    /// Answers a batch; beside it what was asked for in its parts, and the status of each, for the log.
    pub(super) async fn batch(&self, call: &Call, body: &Bytes) -> (Reply, Vec<(String, u16)>) {
        let batch = match self.judge(call, body) {
            Ok(batch) => batch,
            Err(reply) => return (reply, Vec::new()),
        };
        let (mut done, mut log, mut units) = (BTreeMap::<String, u16>::new(), Vec::new(), 0);
        let mut responses = Vec::new();
        for part in in_order(batch.requests) {
            let failed_parent =
                part.depends_on.iter().flatten().find(|p| done.get(&p.to_lowercase()).is_none_or(|s| *s >= 400));
            let outcome = if failed_parent.is_some() {
                let part_call = self.part_call(call, &part);
                let reply =
                    self.error(&part_call, 424, "FailedDependency", "A request that this one depends on failed.");
                self.done(&part.id, reply)
            } else {
                self.part(call, &part).await
            };
            done.insert(part.id.to_lowercase(), outcome.status);
            log.push((format!("{} {}", part.method, part.url), outcome.status));
            units += outcome.units;
            responses.extend(outcome.response);
        }
        match self.context.switch(&BATCH_ORDER).as_str() {
            "reversed" => responses.reverse(),
            "shuffled" => responses.sort_by_key(|r| *blake3::hash(r["id"].to_string().as_bytes()).as_bytes()),
            _ => {}
        }
        let throttled = done.values().any(|status| *status == 429);
        let status = if throttled && self.context.is(&BATCH_THROTTLED, "424") { 424 } else { 200 };
        let reply = Reply { status, units, ..Reply::json(json!({ "responses": responses })) };
        (reply, log)
    }

    /// The rules whose breach fails the whole batch.
    fn judge(&self, call: &Call, body: &Bytes) -> Result<Batch, Reply> {
        let invalid = |message: &str| Err(self.error(call, 400, "BadRequest", message));
        if body.len() > LARGEST_BATCH {
            return Err(self.error(call, 413, "RequestEntityTooLarge", "The request is larger than 4 MB."));
        }
        let content_type = call.headers.get("content-type").map(String::as_str).unwrap_or_default();
        if !content_type.to_ascii_lowercase().starts_with("application/json") {
            return invalid("Write requests (excluding DELETE) must contain the Content-Type header declaration.");
        }
        let Ok(batch) = serde_json::from_slice::<Batch>(body) else { return invalid("Invalid batch payload format.") };
        if batch.requests.is_empty() {
            return invalid("Invalid batch payload format.");
        }
        let limit = self.context.number(&BATCH_LIMIT);
        if batch.requests.len() as u64 > limit {
            return invalid(&format!("Number of batch request steps exceeds the maximum value of {limit}."));
        }
        let mut ids = BTreeSet::new();
        for part in &batch.requests {
            if part.id.is_empty() || !ids.insert(part.id.to_lowercase()) {
                return invalid(&format!("Request Id {} has to be unique in a batch.", part.id));
            }
            if part.url.contains("://") {
                let status = if self.context.is(&BATCH_ABSOLUTE, "500") { 500 } else { 400 };
                return Err(self.error(call, status, "BadRequest", "Invalid batch payload format."));
            }
            let typed = part.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
            if part.body.is_some() && !typed {
                return invalid(&format!("Request {} has a body but no Content-Type header.", part.id));
            }
        }
        // A parent must stand before its child in the end, so unknown ids and circles are the same fault.
        let parents = batch.requests.iter().flat_map(|part| part.depends_on.iter().flatten());
        if let Some(unknown) = parents.into_iter().find(|parent| !ids.contains(&parent.to_lowercase())) {
            return invalid(&format!("A request depends on {unknown}, which is not in the batch."));
        }
        if has_circle(&batch.requests) {
            return invalid("The dependencies of the requests form a circle.");
        }
        Ok(batch)
    }

    fn part_call(&self, outer: &Call, part: &Part) -> Call {
        let mut headers: BTreeMap<String, String> =
            part.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
        headers.entry("client-request-id".into()).or_insert_with(|| outer.client_request_id().to_owned());
        Call::of_part(&part.method, &part.url, headers)
    }

    async fn part(&self, outer: &Call, part: &Part) -> Done {
        let call = self.part_call(outer, part);
        match self.context.part_fault(&part.method, &part.url) {
            // A part holds no credential that could be given back.
            None | Some(Effect::Special(_) | Effect::Echo { .. }) => self.done(&part.id, self.dispatch(&call)),
            Some(Effect::Answer(answer) | Effect::HandleThenAnswer(answer)) => self.dialled(&part.id, &answer),
            Some(Effect::LoginPage {}) => {
                let body = Bytes::from_static(b"<html><body>Sign in</body></html>");
                let content = Content::Binary { bytes: body, content_type: "text/html".into() };
                self.done(&part.id, Reply { content, ..Reply::json(Value::Null) })
            }
            Some(Effect::Delay { ms } | Effect::Drip { every_ms: ms, .. }) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                self.done(&part.id, self.dispatch(&call))
            }
            Some(Effect::Truncate { after_bytes }) => {
                let mut reply = self.dispatch(&call);
                if let Content::Binary { bytes, .. } = &mut reply.content {
                    bytes.truncate(after_bytes);
                }
                self.done(&part.id, reply)
            }
            // A part that the answer does not hold: it must be treated as failed (§4).
            Some(Effect::Drop {} | Effect::HandleLate { .. } | Effect::HandleOnRelease {} | Effect::Endless {}) => {
                Done { status: 0, response: None, units: 0 }
            }
            Some(Effect::HandleThenDrop {}) => Done { response: None, ..self.done(&part.id, self.dispatch(&call)) },
        }
    }

    fn done(&self, id: &str, reply: Reply) -> Done {
        let mut headers = Map::new();
        headers.insert(self.spelled("Cache-Control"), "private".into());
        if let Some(content_type) = reply.content_type() {
            headers.insert(self.spelled("Content-Type"), content_type.into());
        }
        for (name, value) in &reply.headers {
            headers.insert(self.spelled(name), value.as_str().into());
        }
        let mut response = json!({ "id": id, "status": reply.status, "headers": headers });
        match &reply.content {
            Content::Nothing => {}
            Content::Json(value) => response["body"] = value.clone(),
            Content::Binary { bytes, .. } => response["body"] = self.base64(bytes).into(),
        }
        Done { status: reply.status, response: Some(response), units: reply.units }
    }

    fn dialled(&self, id: &str, answer: &Answer) -> Done {
        let status = if answer.status == 0 { 200 } else { answer.status };
        let headers = answer.headers.iter().map(|(name, value)| (self.spelled(name), value.as_str().into()));
        let headers: Map<String, Value> = headers.collect();
        let mut response = json!({ "id": id, "status": status, "headers": headers });
        if !answer.body.is_null() {
            response["body"] = answer.body.clone();
        } else if status >= 400 {
            response["body"] = json!({ "error": { "code": "UnknownError", "message": "" } });
        }
        Done { status, response: Some(response), units: 1 }
    }

    fn base64(&self, bytes: &[u8]) -> String {
        match self.context.switch(&BATCH_BASE64).as_str() {
            "url" => URL_SAFE_NO_PAD.encode(bytes),
            "wrapped" => {
                let text = STANDARD.encode(bytes).into_bytes();
                let lines = text.chunks(76).map(|line| String::from_utf8_lossy(line).into_owned());
                lines.collect::<Vec<_>>().join("\r\n")
            }
            _ => STANDARD.encode(bytes),
        }
    }

    fn spelled(&self, name: &str) -> String {
        match self.context.switch(&BATCH_HEADERS).as_str() {
            "lower" => name.to_lowercase(),
            "upper" => name.to_uppercase(),
            _ => name.to_owned(),
        }
    }
}

/// The parts with every parent before its children. Only for batches without a circle.
fn in_order(parts: Vec<Part>) -> Vec<Part> {
    let (mut ordered, mut waiting, mut placed) = (Vec::new(), parts, BTreeSet::new());
    while !waiting.is_empty() {
        let (ready, rest): (Vec<Part>, Vec<Part>) = waiting.into_iter().partition(|p| is_ready(p, &placed));
        if ready.is_empty() {
            ordered.extend(rest);
            break;
        }
        placed.extend(ready.iter().map(|p| p.id.to_lowercase()));
        ordered.extend(ready);
        waiting = rest;
    }
    ordered
}

fn has_circle(parts: &[Part]) -> bool {
    let mut placed = BTreeSet::new();
    loop {
        let ready: Vec<String> = parts.iter().filter(|p| is_ready(p, &placed)).map(|p| p.id.to_lowercase()).collect();
        let before = placed.len();
        placed.extend(ready);
        if placed.len() == before {
            return placed.len() < parts.len();
        }
    }
}

fn is_ready(part: &Part, placed: &BTreeSet<String>) -> bool {
    part.depends_on.iter().flatten().all(|parent| placed.contains(&parent.to_lowercase()))
}
