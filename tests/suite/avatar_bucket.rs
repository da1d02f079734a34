//! A folder in a bucket: who has a picture there, what of others stays, and kills before and after each write (P1, P4, P5).
//!
//! Owns: what a run makes of the bucket. Leaves to others: each write alone (`src/load/folder/bucket`), avatar servers
//! themselves (nobody asks one here).
//! A newcomer gets wrong: whose picture stands under a digest the test computes for itself.

use std::sync::Arc;

use avatarpipe_sandbox::s3::{ObjectStore, Then};
use sha2::{Digest as _, Sha256};

use super::harness::Harness;
use super::population::{address, face};
use super::stores::{KilledAt, Place, answered, azure, google, s3, store};
use super::truth::looks;

/// People whose pictures go to this store and nowhere else.
fn harness(store: &ObjectStore, people: &[&str]) -> Harness {
    harness_at(&s3(store.url(), "public"), people)
}

fn harness_at(place: &Place, people: &[&str]) -> Harness {
    let mut harness = Harness::with_people(people);
    place.for_pictures(&mut harness);
    harness
}

fn object(name: &str) -> String {
    let digest = Sha256::digest(address(name).as_bytes());
    format!("public/avatar/{}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// Whose face stands under whose digest, and nothing else of anybody.
#[track_caller]
fn expect_faces(store: &ObjectStore, faces: &[(&str, &str)]) {
    let objects = store.objects();
    for (name, of) in faces {
        let there = objects.get(&object(name)).unwrap_or_else(|| panic!("no picture of {name}"));
        assert!(looks(there).fits(&looks(&face(of))), "{name} shows another face than {of}");
    }
    let all = objects.keys().filter(|name| name.len() == object("ada").len()).count();
    assert_eq!(all, faces.len(), "{:?}", objects.keys());
}

#[test]
fn everybody_has_an_object_and_a_quiet_run_asks_once() {
    let store = store();
    store.put("public/avatar/notes.txt", "mine");
    store.put("elsewhere", "mine");
    let mut harness = harness(&store, &["ada", "grace"]);
    harness.finish(&["auth", "pipeline.yaml", "--probe"]).expect_exit(0).expect_answer("writer of s3://avatars/public");
    harness.plan_with(&[]).expect_exit(0);
    expect_faces(&store, &[]);
    let ended = harness.run().expect_exit(0);
    for line in ended.report()["requests"].as_array().expect("a list") {
        assert_eq!(line["sent"], line["forecast"], "{line}");
    }
    expect_faces(&store, &[("ada", "ada"), ("grace", "grace")]);
    assert_eq!(store.header(&object("ada"), "content-type").as_deref(), Some("image/png"));
    assert_eq!(store.header(&object("ada"), "cache-control").as_deref(), Some("public, max-age=3600"));
    store.reset_log();
    harness.run().expect_exit(0).expect_answer("nothing to do");
    assert_eq!(store.log(), ["LIST public/avatar/ 200"]);
    harness.new_photo("ada", "spare");
    harness.edit(|pipe| _ = pipe.source("entra").set("users", "{ opted_out: ['grace@*'] }"));
    harness.run().expect_exit(0);
    expect_faces(&store, &[("ada", "spare")]);
    harness.finish(&["explain", "pipeline.yaml", &address("ada")]).expect_exit(0).expect_answer("photo");
    let undone = harness.finish(&["undo", "pipeline.yaml", "--apply"]).expect_exit(3);
    undone.holds_no_answer("another name");
    let objects = store.objects();
    assert_eq!((&objects["public/avatar/notes.txt"][..], &objects["elsewhere"][..]), (&b"mine"[..], &b"mine"[..]));
    assert_eq!(objects["public/avatarpipe.json"], b"{\"format\":1,\"made_by\":\"avatarpipe\"}\n");
}

#[test]
fn what_somebody_else_put_under_a_name_is_theirs() {
    for (ownership, kept) in [("ours", true), ("provider", false)] {
        let store = store();
        store.put(&object("ada"), face("hand"));
        let mut harness = harness(&store, &["ada", "grace"]);
        harness.edit(|pipe| _ = pipe.target("folder").set("ownership", ownership));
        harness.run().expect_exit(0);
        expect_faces(&store, &[("ada", if kept { "hand" } else { "ada" }), ("grace", "grace")]);
        // What is not ours is not removed: neither what was there first, nor what came later.
        store.put(&object("grace"), face("hand"));
        harness.edit(|pipe| _ = pipe.source("entra").set("users", "{ opted_out: ['ada@*', 'grace@*'] }"));
        harness.run().expect_exit(0);
        let left: &[(&str, &str)] = if kept { &[("ada", "hand"), ("grace", "hand")] } else { &[("grace", "hand")] };
        expect_faces(&store, left);
    }
}

/// A digest leads back to nobody, and the rules for whoever is left out hold all the same.
#[test]
fn whoever_is_disabled_or_gone_loses_the_picture_by_the_rule() {
    let store = store();
    let mut harness = harness(&store, &["ada", "grace", "alan"]);
    harness.edit(|pipe| _ = pipe.top("transform", "{ fallback: { inactive: default, gone: default } }"));
    harness.run().expect_exit(0);
    harness.enabled("ada", false);
    harness.deleted("grace");
    harness.run().expect_exit(0);
    expect_faces(&store, &[("alan", "alan")]);
}

#[test]
fn what_was_kept_comes_back() {
    let store = store();
    store.put(&object("ada"), face("hand"));
    let mut harness = harness(&store, &["ada", "grace"]);
    harness.set("KEEP_KEY", "a-key-of-thirty-two-characters-or-more");
    harness.edit(|pipe| _ = pipe.top("state", "{ keep_replaced: { for: 30d, key: '${KEEP_KEY}' } }"));
    harness.run().expect_exit(0);
    expect_faces(&store, &[("ada", "ada"), ("grace", "grace")]);
    harness.finish(&["undo", "pipeline.yaml", "--apply"]).expect_exit(0);
    expect_faces(&store, &[("ada", "hand")]);
}

/// Somebody writes between the listing and the put.
#[test]
fn a_picture_that_came_amid_the_run_is_not_written_over() {
    let store = Arc::new(store());
    let mut harness = harness(&store, &["ada"]);
    let (there, name) = (Arc::downgrade(&store), object("ada"));
    store.judge(move |asked| {
        if asked == format!("PUT {name}") {
            there.upgrade().expect("the store").put(&name, face("hand"));
        }
        Then::Answer
    });
    let ended = harness.run().expect_exit(3);
    ended.expect_answer("changed");
    store.judge(|_| Then::Answer);
    expect_faces(&store, &[("ada", "hand")]);
    harness.edit(|pipe| _ = pipe.target("folder").set("ownership", "ours"));
    harness.run().expect_exit(0);
    expect_faces(&store, &[("ada", "hand")]);
}

/// What it does not show yet is found by the condition of the put: ours is known again, and anybody else's stays.
#[test]
fn a_listing_that_lags_costs_nobody_a_picture() {
    let store = store();
    let harness = harness(&store, &["ada", "grace"]);
    store.lag();
    store.put(&object("grace"), face("hand"));
    harness.run().expect_exit(3).expect_answer("changed");
    expect_faces(&store, &[("ada", "ada"), ("grace", "hand")]);
    // To this one, too, nothing stands there.
    store.reset_log();
    harness.run().expect_exit(3);
    expect_faces(&store, &[("ada", "ada"), ("grace", "hand")]);
    store.catch_up();
    harness.run().expect_exit(0);
    expect_faces(&store, &[("ada", "ada"), ("grace", "grace")]);
    harness.run().expect_exit(0).expect_answer("nothing to do");
}

#[test]
fn a_kill_at_any_write_leaves_nothing_behind() {
    let all = {
        let store = store();
        harness(&store, &["ada"]).run().expect_exit(0);
        answered(&store, "PUT")
    };
    for killed in KilledAt::each("PUT", all) {
        let store = store();
        let harness = harness(&store, &["ada"]);
        killed.run(&store, &harness);
        harness.run().expect_exit(0);
        expect_faces(&store, &[("ada", "ada")]);
        harness.run().expect_exit(0).expect_answer("nothing to do");
    }
}

#[test]
fn what_the_store_refuses_is_told_by_its_kind() {
    for (refused, status, code) in [("LIST", 403, 5), ("PUT public/avatar/", 403, 5), ("PUT public/avatar/", 503, 6)] {
        let store = store();
        let harness = harness(&store, &["ada"]);
        store.judge(move |asked| if asked.starts_with(refused) { Then::Refuse(status) } else { Then::Answer });
        harness.run().expect_exit(code);
        store.judge(|_| Then::Answer);
        harness.run().expect_exit(0);
        expect_faces(&store, &[("ada", "ada")]);
    }
    let store = store();
    store.judge(|_| Then::PassOver);
    harness(&store, &["ada"]).run().expect_exit(2).expect_answer("If-None-Match");
    expect_faces(&store, &[]);
}

/// In a sandbox the same names stand in a folder, and the bucket is not asked.
#[test]
fn a_sandbox_writes_files_of_the_same_names() {
    let store = store();
    let harness = harness(&store, &["ada"]);
    harness.run_with(&["--sandbox=tiny"]).expect_exit(0);
    assert_eq!(store.log(), [""; 0]);
    let folder = harness.path("state/sandbox/tiny/stage.folders/folder");
    let names = super::ended::files(&folder).into_iter().map(|(name, _)| name).filter(|name| name.ends_with(".png"));
    let names: Vec<_> = names.collect();
    assert!(
        !names.is_empty() && names.iter().all(|name| name.len() == "0".repeat(64).len() + ".png".len()),
        "{names:?}"
    );
}

/// Google compares numbers that no listing tells.
#[test]
fn a_store_of_google_is_asked_in_its_own_way() {
    let store = store();
    let mut harness = harness_at(&google(store.url(), "public"), &["ada", "grace"]);
    for (put, listed) in [("GET", "LIST public/avatar/ 200"), ("HEAD", "LIST public/avatar/ 200")] {
        store.reset_log();
        let ended = harness.run().expect_exit(0);
        for line in ended.report()["requests"].as_array().expect("a list") {
            assert_eq!(line["sent"], line["forecast"], "{line}");
        }
        let log = store.log();
        assert!(log[0] == listed && (put == "GET" || log.iter().any(|asked| asked.starts_with(put))), "{log:?}");
        harness.new_photo("ada", "spare");
    }
    expect_faces(&store, &[("ada", "spare"), ("grace", "grace")]);
    harness.run().expect_exit(0).expect_answer("nothing to do");
    harness.edit(|pipe| _ = pipe.source("entra").set("users", "{ opted_out: ['grace@*'] }"));
    harness.run().expect_exit(0);
    expect_faces(&store, &[("ada", "spare")]);
}

/// `.ci/run stores` starts some of other makers, and says where.
#[test]
fn a_store_of_another_maker_is_understood_as_a_folder() {
    let prefix = format!("f-{}", std::process::id());
    for (variable, place) in [("S3_ENDPOINT", s3 as fn(&str, &str) -> Place), ("AZURE_ENDPOINT", azure)] {
        let Ok(endpoint) = std::env::var(variable) else { continue };
        let mut harness = harness_at(&place(&endpoint, &prefix), &["ada", "grace"]);
        assert_eq!(harness.run().expect_exit(0).count("folder", "replaced"), 2);
        harness.run().expect_exit(0).expect_answer("nothing to do");
        harness.new_photo("ada", "spare");
        harness.edit(|pipe| _ = pipe.source("entra").set("users", "{ opted_out: ['grace@*'] }"));
        let ended = harness.run().expect_exit(0);
        assert_eq!((ended.count("folder", "replaced"), ended.count("folder", "removed")), (1, 1));
        for line in ended.report()["requests"].as_array().expect("a list") {
            assert_eq!(line["sent"], line["forecast"], "{line}");
        }
        harness.run().expect_exit(0).expect_answer("nothing to do");
    }
}
