//! The store against kills, damage, strangers and its own past. One file a question.

mod damage;
mod journal;
mod kept;
mod kill;
mod lines;
#[cfg(feature = "bucket")]
mod mirrored;
mod round_trip;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;

use super::open::SHAPE;
use super::*;
use crate::model::{
    Absence, Before, Digest, Event, Fault, Intent, IntentKind, KeysDigest, Left, Luma, OpenIntent, PersonRef,
    PhotoMark, PictureRef, Placement, Provenance, Remembered, RunId, Shown, SourceId, Status, Wrote,
};
use crate::state::error::StateFault;
use crate::state::file::Shape;
use crate::state::{Blame, Holder, Lock, writer};

fn lock(path: &Path) -> Lock {
    Lock::acquire(path, &Holder::here("test".into(), "now")).unwrap()
}

fn open(path: &Path) -> Store {
    Store::open(lock(path)).unwrap()
}

/// A folder of its own with a path for a store that is not made yet.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("corporate.db");
    (folder, path)
}

fn person(id: &str) -> PersonRef {
    PersonRef { source: "entra".into(), id: id.into() }
}

fn luma(value: u8) -> Luma {
    Luma::from_values(vec![value; 256]).unwrap()
}

fn run_row(id: &str) -> RunRow {
    RunRow {
        id: id.into(),
        pipeline: "corporate".into(),
        pipeline_digest: Digest::of(b"pipeline"),
        command: "run".into(),
        started: 1_800_000_000,
        options: Vec::new(),
        started_by: None,
    }
}

fn run_end(exit_code: u8) -> RunEnd {
    RunEnd {
        outcome: "done".into(),
        exit_code,
        finished: 1_800_000_060,
        plan_digest: Some(Digest::of(b"plan")),
        report: serde_json::json!({ "targets": [{ "id": "jira", "replaced": 3 }] }),
    }
}

pub(in crate::state) fn intent(run: &str, account: &str, kind: IntentKind) -> Intent {
    let replaces = kind == IntentKind::Replace;
    Intent {
        handle: None,
        run: run.into(),
        target: "jira".into(),
        server: "server-1".into(),
        account: account.into(),
        account_name: "ada.lovelace".into(),
        kind,
        person: Some(person("p1")),
        photo: replaces.then(|| Digest::of(b"photo")),
        recipe: replaces.then(|| "r1".into()),
        rendition: replaces.then(|| Digest::of(b"rendition")),
        luma: replaces.then(|| luma(7)),
        stood: Shown::System("10122".into()),
        making: None,
        base: vec!["1".into(), "2".into()],
        old: Some("2".into()),
        old_looks: None,
        keys: None,
        before: Before::Picture("1".into()),
        owner: None,
        stood_in: None,
        stood_of: None,
        back: None,
        begun_at: 1_800_000_001,
    }
}

fn sent(attempt: u32) -> Event {
    Event::Sent { attempt, route: "session".into(), at: 1_800_000_002 }
}

fn mark(mark: &str) -> PictureRef {
    mark.into()
}

fn placement(account: &str) -> Placement {
    Placement {
        target: "jira".into(),
        account: account.into(),
        person: Some(person("p1")),
        photo: Digest::of(b"photo"),
        recipe: "r1".into(),
        rendition: Digest::of(b"rendition"),
        mark: mark("15017"),
        provenance: Provenance::Adopted,
        before: Before::Unknown,
        looks: None,
        keys: None,
    }
}
