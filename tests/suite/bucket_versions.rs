//! A state of another version in a bucket: an older one steps up and a copy of it stays, a newer one is left alone.
//!
//! Owns: what stands in the bucket after it. Leaves to others: the steps themselves (`state/store/tests/kept`).
//! A newcomer gets wrong: the machine that stepped it up is gone with its copy; that in the bucket is the one that counts.

use avatarpipe_sandbox::s3::ObjectStore;

use super::harness::Harness;
use super::stores::{s3, store};

/// Of version 1, of the pipeline `corporate` and a Jira that is no other's.
const V1: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/state/store/kept/v1.db");

/// Where SQLite keeps it (<https://www.sqlite.org/fileformat2.html#the_database_header>).
const USER_VERSION: std::ops::Range<usize> = 60..64;

fn version(file: &[u8]) -> u32 {
    u32::from_be_bytes(file[USER_VERSION].try_into().expect("four bytes"))
}

/// Ada, whose state stands in this store; `pipeline`: its name, `target`: that of its Jira.
fn harness(store: &ObjectStore, pipeline: &str, target: &str) -> Harness {
    let mut harness = Harness::with_people(&["ada"]);
    harness.edit(|pipe| _ = pipe.top("pipeline", pipeline).jira("id", target).jira("quiet", "0s"));
    s3(store.url(), "p").for_state(&mut harness, "");
    harness
}

fn objects(store: &ObjectStore, below: &str) -> Vec<Vec<u8>> {
    store.objects().into_iter().filter(|(name, _)| name.starts_with(below)).map(|(_, bytes)| bytes).collect()
}

#[test]
fn an_older_state_steps_up_and_a_copy_of_it_stays_in_the_bucket() {
    let store = store();
    let mut harness = harness(&store, "corporate", "board");
    harness.edit(|pipe| _ = pipe.top("limits", "{ source_shrink: { count: 1000 } }"));
    let old = std::fs::read(V1).expect("a file of version 1");
    harness.write("old.db", &old);
    harness.finish(&["state", "pipeline.yaml", "push", "old.db"]).expect_exit(0);
    assert_eq!(version(&objects(&store, "p/snapshots/")[0]), 1);
    // A look changes nothing there, and a file that is made of it is as old as it is.
    harness.finish(&["state", "pipeline.yaml", "show"]).expect_exit(0).expect_answer("schema version 1");
    harness.finish(&["status", "pipeline.yaml"]).expect_exit(0).expect_answer("run-2");
    harness.finish(&["state", "pipeline.yaml", "pull", "same.db"]).expect_exit(0);
    assert_eq!(version(&std::fs::read(harness.path("same.db")).expect("a file")), 1);
    assert_eq!(objects(&store, "p/copies/").len(), 0);

    for _ in 0..2 {
        harness.move_with_the_state_alone();
        harness.run().expect_exit(0);
    }
    let copies = objects(&store, "p/copies/");
    assert_eq!(copies.iter().map(|copy| version(copy)).collect::<Vec<_>>(), [1], "one copy, whatever came after it");
    assert!(objects(&store, "p/snapshots/").iter().any(|snapshot| version(snapshot) > 1));
    // It is whole: an empty bucket goes on from it.
    harness.move_with_the_state_alone();
    let other = super::stores::store();
    s3(other.url(), "p").for_state(&mut harness, "");
    harness.write("copy.db", &copies[0]);
    harness.finish(&["state", "pipeline.yaml", "push", "copy.db"]).expect_exit(0);
    harness.finish(&["status", "pipeline.yaml"]).expect_exit(0).expect_answer("run-2");
    harness.move_with_the_state_alone();
    harness.write("copy.db", &copies[0]);
    // What is older than what is there goes over nothing, whatever its version.
    s3(store.url(), "p").for_state(&mut harness, "");
    harness
        .finish(&["state", "pipeline.yaml", "push", "copy.db"])
        .expect_exit(2)
        .expect_error("is newer than this file");
    harness.finish(&["state", "pipeline.yaml", "purge", "--runs-older-than", "1h"]).expect_exit(0);
    assert_eq!(objects(&store, "p/copies/").len(), 0, "of what was there before nothing is left");
}

#[test]
fn a_newer_state_is_left_as_it_is_by_whoever_does_not_know_it() {
    let store = store();
    let mut harness = harness(&store, "stage", "jira");
    harness.run().expect_exit(0);
    harness.move_with_the_state_alone();
    harness.run().expect_exit(0);
    harness.finish(&["state", "pipeline.yaml", "pull", "newer.db"]).expect_exit(0);
    let mut newer = std::fs::read(harness.path("newer.db")).expect("a file");
    newer[USER_VERSION].copy_from_slice(&1000_u32.to_be_bytes());
    harness.write("newer.db", &newer);
    // As whoever knows that version would have left it.
    let mut lease: serde_json::Value = serde_json::from_slice(&objects(&store, "p/lease")[0]).expect("JSON");
    let snapshot = lease["base"]["snapshot"].as_str().expect("a snapshot").to_owned();
    lease["base"]["bytes"] = newer.len().into();
    lease["base"]["digest"] = format!("b3:{}", blake3::hash(&newer).to_hex()).into();
    lease["tail"] = serde_json::Value::Null;
    store.put(&format!("p/{snapshot}"), newer.clone());
    store.put("p/lease", lease.to_string());
    for command in [
        &["run", "pipeline.yaml"][..],
        &["plan", "pipeline.yaml"],
        &["status", "pipeline.yaml"],
        &["state", "pipeline.yaml", "pull", "pulled.db"],
        &["state", "pipeline.yaml", "push", "newer.db"],
        &["state", "pipeline.yaml", "forget", "ada"],
    ] {
        harness.move_with_the_state_alone();
        harness.write("newer.db", &newer);
        harness.finish(command).expect_exit(2).expect_error("1000");
        assert_eq!(objects(&store, &format!("p/{snapshot}"))[0], newer, "{command:?}");
        let now: serde_json::Value = serde_json::from_slice(&objects(&store, "p/lease")[0]).expect("JSON");
        assert_eq!(
            (&now["holder"], &now["base"]),
            (&serde_json::Value::Null, &lease["base"]),
            "{command:?}: nobody waits"
        );
    }
}
