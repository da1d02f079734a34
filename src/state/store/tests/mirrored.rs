//! What goes to a mirror makes the same file again, and what does not is not acknowledged.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::model::Digest;
use crate::state::error::StateFault;
use crate::state::store::open::Copied;
use crate::state::{Haste, Holder, Joined, Lock, Mirror, RunEnd, RunRow, Store, at_rest, put_commit};

/// Keeps what it is sent, as long as it takes any.
#[derive(Clone, Default)]
struct Kept {
    commits: Arc<Mutex<Vec<Vec<u8>>>>,
    full: Arc<Mutex<bool>>,
}

impl Mirror for Kept {
    fn send(&mut self, commit: &[u8], _: Haste) -> Result<(), StateFault> {
        if *self.full.lock().unwrap() {
            return Err(StateFault::Unreachable("it is gone".to_owned()));
        }
        self.commits.lock().unwrap().push(commit.to_vec());
        Ok(())
    }
}

fn lock(path: &Path) -> Lock {
    Lock::acquire(path, &Holder::here("run".into(), "now")).unwrap()
}

fn row(id: &str) -> RunRow {
    RunRow {
        id: id.into(),
        pipeline: "p".into(),
        pipeline_digest: Digest::of(b"p"),
        command: "run".into(),
        started: 7,
        options: vec!["x".repeat(3000)],
        started_by: None,
    }
}

fn end() -> RunEnd {
    RunEnd {
        outcome: "done".into(),
        exit_code: 0,
        finished: 8,
        plan_digest: None,
        report: serde_json::json!({ "long": "y".repeat(20_000) }),
    }
}

#[test]
fn the_copy_and_the_commits_make_the_same_state_again() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("a.db"), folder.path().join("copy.db"));
    let kept = Kept::default();
    let (store, copied) = Store::open_mirrored(lock(&path), Box::new(kept.clone())).unwrap();
    assert_eq!(copied, Copied::Anew);
    store.copy_to(&copy).unwrap();
    for number in 0..40 {
        let id = format!("run-{number}");
        store.begin_run(row(&id)).wait().unwrap();
        // A write that is refused is undone alone, and leaves nothing in what is sent.
        store.begin_run(row(&id)).wait().unwrap_err();
        store.finish_run(&id.as_str().into(), end()).wait().unwrap();
    }
    store.purge_runs(u64::from(u32::MAX)).wait().unwrap();
    let whole = store.runs(100).unwrap();
    drop(store);

    let (all, mut joined) = (folder.path().join("all.db"), Joined::default());
    std::fs::copy(&copy, &all).unwrap();
    let [file, at_once] = [&copy, &all].map(|path| OpenOptions::new().read(true).write(true).open(path).unwrap());
    for commit in kept.commits.lock().unwrap().iter() {
        put_commit(&file, commit).unwrap();
        joined.add(commit).unwrap();
    }
    put_commit(&at_once, &joined.commit().unwrap()).unwrap();
    drop((file, at_once));
    assert!(std::fs::read(&all).unwrap() == std::fs::read(&copy).unwrap(), "all commits at once are the same file");
    // The next one goes on from it as it is.
    let (next, copied) = Store::open_mirrored(lock(&copy), Box::new(kept)).unwrap();
    assert_eq!((copied, next.runs(100).unwrap()), (Copied::Already, whole.clone()));
    drop(next);
    at_rest(&copy).unwrap();
    let view = Store::view(&copy).unwrap();
    view.check_references().unwrap();
    assert_eq!(view.runs(100).unwrap(), whole);
}

#[test]
fn what_the_mirror_does_not_take_is_not_acknowledged_and_nothing_after_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let kept = Kept::default();
    let (store, _) = Store::open_mirrored(lock(&folder.path().join("a.db")), Box::new(kept.clone())).unwrap();
    store.begin_run(row("one")).wait().unwrap();
    *kept.full.lock().unwrap() = true;
    let refused = store.begin_run(row("two")).wait().unwrap_err();
    assert!(refused.to_string().contains("it is gone"), "{refused}");
    *kept.full.lock().unwrap() = false;
    store.begin_run(row("three")).wait().unwrap_err();
    assert_eq!(kept.commits.lock().unwrap().len(), 1);
}
