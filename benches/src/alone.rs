//! What a first run is made of besides its requests, each part alone: the work on pictures, and the journal.
//!
//! A newcomer gets wrong: these call the program's own code, since no other makes its bytes or may write its state. Nothing is
//! compared with them but the whole that they are parts of.

use std::hint::black_box;
use std::path::Path;
use std::thread;

use avatarpipe::inside::{DecodeLimits, Digest, Holder, Lock, Luma, Resize, RunId, RunRow, Store, render};
use serde_json::{from_value, json};

use crate::bare::CONCURRENCY;
use crate::pictures::{jpeg, marked};
use crate::servers::key;

/// Renders so many photos, one after the other.
pub(crate) fn render_all(count: u32, side: u32) {
    let photo = jpeg(side);
    for nth in 0..count {
        let rendition = render(&marked(&photo, nth), &Resize::default(), None, &DecodeLimits::default());
        _ = black_box(rendition.expect("a picture"));
    }
}

/// Takes so many replacements through the journal, as many at once as the runs that are measured have under way.
pub(crate) fn journal(state: &str, count: u32) {
    let run = RunId::new("2026-11-22T08-00-00Z-0000");
    let lock = Lock::acquire(Path::new(state), &Holder::here(run.clone(), "2026-11-22T08:00:00Z")).expect("a lock");
    let store = Store::open(lock).expect("a new state");
    let row = RunRow {
        id: run,
        pipeline: "bench".to_owned(),
        pipeline_digest: Digest::of(b"bench"),
        command: "run".to_owned(),
        started: 0,
        options: Vec::new(),
        started_by: None,
    };
    store.begin_run(row).wait().expect("a run");
    thread::scope(|scope| {
        for worker in 0..CONCURRENCY as u32 {
            let store = &store;
            scope.spawn(move || (worker..count).step_by(CONCURRENCY).for_each(|nth| replace(store, nth)));
        }
    });
}

/// The three writes of docs/write-protocols.md, "Jira", where nothing of ours stood there.
fn replace(store: &Store, nth: u32) {
    let digest = Digest::of(&nth.to_le_bytes());
    let luma =
        Luma::from_values((0..=255).map(|value: u8| value.wrapping_mul(nth as u8 | 1)).collect()).expect("256 values");
    let intent = from_value(json!({
        "run": "2026-11-22T08-00-00Z-0000", "target": "jira", "server": "server", "account": key(nth),
        "account_name": format!("person{nth:06}"), "kind": "replace",
        "person": { "source": "entra", "id": crate::servers::id(nth) }, "photo": digest, "recipe": "r@256",
        "rendition": digest, "luma": luma, "stood": "default", "base": [], "before": "default", "begun_at": 0,
    }));
    let event = |body| from_value(body).expect("an event as the journal keeps it");
    let mark = (20_000 + nth).to_string();
    let sent = event(json!({ "event": "sent", "attempt": 1, "route": "session", "at": 0 }));
    let id = store.begin_intent(&intent.expect("an intent as the journal keeps it"), &sent).wait().expect("an intent");
    store.record(id, &event(json!({ "event": "made", "mark": mark }))).wait().expect("an event");
    store.end(id, &event(json!({ "event": "shown", "mark": mark }))).wait().expect("an event");
}
