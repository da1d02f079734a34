//! A killed process: what was acknowledged is there, what was not is whole or absent.

use std::process::Command;

use super::*;
use crate::state::file::beside;

/// Runs one of the tests below, which kills itself, and says whether it came that far.
fn die(test: &str, path: &Path) {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("state::store::tests::kill::{test}"), "--ignored", "--nocapture"])
        .env("AVATARPIPE_TEST_STATE", path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&status.stdout);
    assert!(said.contains("about to die"), "{said} {}", String::from_utf8_lossy(&status.stderr));
    assert!(!status.status.success());
}

fn child() -> Option<Store> {
    std::env::var_os("AVATARPIPE_TEST_STATE").map(|path| open(Path::new(&path)))
}

fn abort() -> ! {
    println!("about to die");
    std::process::abort()
}

#[test]
#[ignore = "is a child of `what_was_acknowledged_survives`"]
fn dies_after_an_acknowledgement() {
    let Some(store) = child() else { return };
    store.begin_run(run_row("run-1")).wait().unwrap();
    store.begin_intent(&intent("run-1", "KEY1", IntentKind::Replace), &sent(1)).wait().unwrap();
    abort()
}

#[test]
fn what_was_acknowledged_survives() {
    let (_folder, path) = place();
    die("dies_after_an_acknowledgement", &path);
    let journal = beside(&path, "-journal");
    assert_eq!(std::fs::metadata(&journal).unwrap().len(), 0, "between writes the file is whole by itself");
    // As a CI does that keeps the one file.
    std::fs::remove_file(&journal).unwrap();
    let store = open(&path);
    assert_eq!(store.runs(9).unwrap()[0].end, None);
    assert_eq!(store.open_intents(None, 99).unwrap()[0].intent, intent("run-1", "KEY1", IntentKind::Replace));
}

#[test]
#[ignore = "is a child of `half_a_transaction_is_undone`"]
fn dies_in_a_transaction() {
    let Some(store) = child() else { return };
    store.begin_run(run_row("run-1")).wait().unwrap();
    let half = store.write("die", |db| -> Result<(), StateFault> {
        // A cache this small makes SQLite write pages into the file before the commit.
        db.execute_batch(
            "PRAGMA cache_size = 1;
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
             INSERT INTO run (id, pipeline, pipeline_digest, command, started)
             SELECT 'half-' || i, 'corporate', zeroblob(32), 'run', i FROM n",
        )?;
        abort()
    });
    half.wait().unwrap();
}

#[test]
fn half_a_transaction_is_undone() {
    for look_first in [false, true] {
        let (_folder, path) = place();
        die("dies_in_a_transaction", &path);
        let half = std::fs::read(&path).unwrap().windows(5).any(|window| window == b"half-");
        assert!(half && beside(&path, "-journal").exists(), "the kill came in the middle");
        if look_first {
            assert_eq!(Store::view(&path).unwrap().runs(9).unwrap().len(), 1);
        }
        assert_eq!(open(&path).runs(9).unwrap(), [RunRecord { row: run_row("run-1"), end: None }]);
        assert!(!beside(&path, "-journal").exists());
    }
}

#[test]
fn a_store_that_died_while_it_was_made_is_made_again() {
    let (_folder, path) = place();
    std::fs::write(beside(&path, ".new"), "half a file").unwrap();
    std::fs::write(beside(&beside(&path, ".new"), "-journal"), "half a journal").unwrap();
    assert_eq!(open(&path).runs(9).unwrap(), []);
    assert!(!beside(&path, ".new").exists());
}
