//! `state`: counted, checked, copied, and rid of what is not to be kept.

use serde_json::Value;

use super::ended::{Ended, files};
use super::harness::Harness;
use super::population::address;

const PEOPLE: [&str; 3] = ["ada", "grace", "alan"];

fn state(harness: &Harness, arguments: &[&str]) -> Ended {
    harness.finish(&[&["state", "pipeline.yaml"], arguments].concat())
}

fn shown(harness: &Harness) -> Value {
    let ended = state(harness, &["show", "--format", "json"]).expect_exit(0);
    serde_json::from_str(&ended.stdout).expect("JSON")
}

#[test]
fn what_is_kept_is_counted_and_nothing_is_made_for_it() {
    let harness = Harness::with_people(&PEOPLE);
    state(&harness, &["show"]).expect_exit(2).expect_error("there is no state yet");
    assert!(!harness.path("state").exists(), "nothing is made");
    harness.run().expect_exit(0);
    let before = std::fs::read(harness.path("state/stage.db")).expect("the state");
    let human = state(&harness, &["show"]).expect_exit(0);
    human.expect_answer("placements   jira 3\n").expect_answer("writes       3, of these open 0\n");
    let shown = shown(&harness);
    assert_eq!((&shown["schema"], &shown["runs"], &shown["open_writes"]), (&7.into(), &1.into(), &0.into()), "{shown}");
    assert!(shown["cache_bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{shown}");
    state(&harness, &["verify"]).expect_exit(0).expect_answer("are right");
    assert!(std::fs::read(harness.path("state/stage.db")).expect("the state") == before, "a look changes nothing");
}

#[test]
fn a_damaged_state_ends_in_2() {
    let harness = Harness::with_people(&PEOPLE);
    harness.run().expect_exit(0);
    let path = harness.path("state/stage.db");
    let mut bytes = std::fs::read(&path).expect("the state");
    bytes[4096..].fill(0x55);
    std::fs::write(&path, bytes).expect("the damage");
    state(&harness, &["verify"]).expect_exit(2).expect_error("it is damaged");
    state(&harness, &["backup", "copy.db"]).expect_exit(2);
    assert!(!harness.path("copy.db").exists(), "no copy of damage");
}

#[test]
fn a_copy_stands_in_for_the_state_and_replaces_nothing_but_a_copy() {
    use std::os::unix::fs::PermissionsExt as _;

    let harness = Harness::with_people(&PEOPLE);
    harness.run().expect_exit(0);
    std::fs::write(harness.path("notes.txt"), "keep me").expect("somebody's file");
    state(&harness, &["backup", "nowhere/copy.db"]).expect_exit(1).expect_error("there is no folder nowhere");
    state(&harness, &["backup", "notes.txt"]).expect_exit(2).expect_error("not a file of avatarpipe");
    assert_eq!(std::fs::read(harness.path("notes.txt")).expect("somebody's file"), b"keep me");
    state(&harness, &["backup", "state/stage.db"]).expect_exit(2).expect_error("it is the state itself");
    for _ in 0..2 {
        state(&harness, &["backup", "copy.db"]).expect_exit(0);
    }
    let mode = std::fs::metadata(harness.path("copy.db")).expect("a copy").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let copies: Vec<_> = files(harness.folder()).into_iter().filter(|(name, _)| name.starts_with("copy.db")).collect();
    assert_eq!(copies.len(), 1, "nothing beside it");
    std::fs::rename(harness.path("copy.db"), harness.path("state/stage.db")).expect("put back");
    harness.sandbox.requests().reset();
    harness.run().expect_exit(0);
    assert_eq!(harness.writes(), Vec::<String>::new(), "nothing is written again");
}

#[test]
fn a_copy_of_a_running_run_is_whole_and_forgetting_waits_for_its_end() {
    let harness = Harness::with_people(&PEOPLE);
    harness.run().expect_exit(0);
    let lock = avatarpipe::inside::Lock::acquire(
        &harness.path("state/stage.db"),
        &avatarpipe::inside::Holder::here("run-9".into(), "now"),
    );
    let store = avatarpipe::inside::Store::open(lock.expect("the lock")).expect("the state");
    state(&harness, &["backup", "copy.db"]).expect_exit(0);
    state(&harness, &["forget", "ada"]).expect_exit(7).expect_error("run-9");
    state(&harness, &["purge"]).expect_exit(7);
    drop(store);
    state(&harness, &["forget", "ada"]).expect_exit(0);
}

#[test]
fn whoever_is_forgotten_leaves_no_id_behind_and_the_others_stay() {
    let harness = Harness::with_people(&PEOPLE);
    let report = harness.run().expect_exit(0);
    let ids = ["ada", "grace"].map(|name| {
        let line = report.line("jira", name);
        [&line["account"]["id"], &line["person"]["id"]].map(|id| id.as_str().expect("an id").to_owned())
    });
    state(&harness, &["forget", "nobody@contoso.example"]).expect_exit(2);
    let gone = state(&harness, &["forget", &address("ada")]).expect_exit(0).expect_answer("forgotten: ada (entra ");
    state(&harness, &["forget", ""]).expect_exit(2).expect_error("an empty name means nobody");
    gone.expect_answer(": 1 photo mark, 1 placement, 1 closed write, ");
    let bytes = std::fs::read(harness.path("state/stage.db")).expect("the state");
    // As text, or a UUID as its bytes.
    let within =
        |id: &String, of: &[u8]| !of.is_empty() && bytes.windows(of.len()).any(|bytes| bytes == of) && !id.is_empty();
    let there = |id: &String| {
        let packed = uuid::Uuid::parse_str(id).map(uuid::Uuid::into_bytes).unwrap_or_default();
        within(id, id.as_bytes()) || packed != [0; 16] && within(id, &packed)
    };
    assert!(!ids[0].iter().any(there), "{ids:?}");
    assert!(ids[1].iter().all(there), "{ids:?}");
    // Who left is found by the id alone.
    state(&harness, &["purge"]).expect_exit(0).expect_answer("stage.cache removed");
    assert!(!harness.path("state/stage.cache").exists());
    state(&harness, &["forget", &address("grace")]).expect_exit(2).expect_error("nobody is known by name here");
    state(&harness, &["forget", &ids[1][1]])
        .expect_exit(0)
        .expect_answer(": 1 photo mark, 1 placement, 1 closed write, ");
    assert_eq!(shown(&harness)["placements"][0]["count"], 1);
    state(&harness, &["verify"]).expect_exit(0);
    harness.run().expect_exit(0);
    assert_eq!(shown(&harness)["placements"][0]["count"], 3, "who is listed comes back");
}

/// What `run` refuses is not emptied either.
#[test]
fn nothing_is_taken_out_of_another_pipelines_state() {
    let mut harness = Harness::with_people(&["ada"]);
    harness.run().expect_exit(0);
    harness.edit(|pipe| _ = pipe.top("pipeline", "other").top("state", "{ path: state/stage.db }"));
    for act in [&["forget", "ada"][..], &["purge"], &["purge", "--runs-older-than", "0s"]] {
        state(&harness, act).expect_exit(2).expect_error("`stage`");
    }
    harness.edit(|pipe| _ = pipe.top("pipeline", "stage"));
    assert_eq!(shown(&harness)["placements"][0]["count"], 1);
    assert!(harness.path("state/stage.cache/facts.db").exists());
}

/// An undoing may ask no source, and so know nobody by name.
#[test]
fn after_an_undoing_somebody_is_forgotten_whole_or_not_at_all() {
    let harness = Harness::with_people(&["ada"]);
    harness.run().expect_exit(0);
    harness.finish(&["undo", "pipeline.yaml"]);
    let gone = state(&harness, &["forget", &address("ada")]);
    match gone.code() {
        Some(0) => drop(gone.expect_answer(": 1 photo mark, 1 placement, 1 closed write, ")),
        _ => drop(gone.expect_exit(2).expect_error("nothing was forgotten")),
    }
    state(&harness, &["forget", "ada"]);
}

#[test]
fn old_runs_go_and_the_last_success_stays() {
    let harness = Harness::with_people(&PEOPLE);
    for _ in 0..3 {
        harness.run().expect_exit(0);
    }
    state(&harness, &["purge", "--runs-older-than", "1h"]).expect_exit(0).expect_answer("runs taken out: 0");
    // Runs begin in whole seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let purged = state(&harness, &["purge", "--runs-older-than", "0s"]).expect_exit(0);
    // The first one wrote, and the last one is the last success.
    purged.expect_answer("runs taken out: 1");
    harness.finish(&["status", "pipeline.yaml", "--max-age", "1h"]).expect_exit(0);
    state(&harness, &["verify"]).expect_exit(0);
    harness.run().expect_exit(0);
}

#[test]
fn a_run_takes_out_what_the_file_does_not_want_kept() {
    let mut harness = Harness::with_people(&PEOPLE);
    for _ in 0..3 {
        harness.run().expect_exit(0);
    }
    harness.edit(|pipe| _ = pipe.top("state", "{ keep_runs: 1h }"));
    harness.run().expect_exit(0);
    assert_eq!(shown(&harness)["runs"], 4, "all are young");
    harness.edit(|pipe| _ = pipe.top("state", "{ keep_runs: 0s }"));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    harness.run().expect_exit(0);
    assert_eq!(shown(&harness)["runs"], 2, "the one that wrote, and the last success");
}

/// A sandbox run has a state of its own, and keeps it as the file says.
#[test]
fn a_run_in_a_sandbox_takes_out_what_the_file_does_not_want_kept() {
    let mut harness = Harness::with_people(&PEOPLE);
    harness.edit(|pipe| _ = pipe.top("state", "{ keep_runs: 0s }"));
    for _ in 0..3 {
        harness.finish(&["run", "pipeline.yaml", "--sandbox=tiny"]).expect_exit(0);
        std::thread::sleep(std::time::Duration::from_millis(1100));
    }
    let shown =
        harness.finish(&["state", "pipeline.yaml", "--sandbox=tiny", "show", "--format", "json"]).expect_exit(0);
    let shown: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    assert_eq!(shown["runs"], 2, "the one that wrote, and the last success");
}

/// A plan alone leaves names in the cache, and no state.
#[test]
fn the_cache_of_a_plan_goes_without_a_state() {
    let harness = Harness::with_people(&["ada"]);
    harness.plan_with(&[]).expect_exit(0);
    assert!(harness.path("state/stage.cache/facts.db").exists() && !harness.path("state/stage.db").exists());
    state(&harness, &["purge"]).expect_exit(0).expect_answer("stage.cache removed");
    assert!(!harness.path("state/stage.cache").exists());
    state(&harness, &["purge"]).expect_exit(2).expect_error("there is no state yet");
}
