//! `undo`, and whose the accounts are by now: a picture that stood there comes back to nobody else.
//!
//! Owns: what the directory says between a run and its undoing. Leaves to others: what the products say (`undo`).
//! A newcomer gets wrong: the products say the same of every account as before; only the directory knows.

use avatarpipe_sandbox::faults::{Effect, Fault};
use serde_json::json;

use super::ended::Ended;
use super::harness::Harness;
use super::population::{Population, address, face_of};

const PEOPLE: [&str; 3] = ["ada", "grace", "alan"];
const TARGETS: [&str; 3] = ["jira", "confluence", "bitbucket"];
const UNDO: [&str; 5] = ["undo", "pipeline.yaml", "--apply", "--report", "report"];

/// Three people in every product; Grace has chosen a picture in each, which all of them keep or have kept. Hilda is in the
/// directory alone.
fn harness() -> Harness {
    let hand = face_of("hand", 512);
    let population = Population::of(&PEOPLE).picture("hand", hand.clone()).with_person("hilda").everywhere();
    let mut harness = Harness::connected(population.world());
    harness.edit(|pipe| {
        pipe.target("folder").set("path", "out");
        pipe.top("state", "{ keep_replaced: { for: 30d, key: '${KEPT_KEY}' } }");
        pipe.top("limits", "{ reverts: { count: 30 }, replacements: { count: 30 } }");
    });
    harness.set("KEPT_KEY", "canary-kept-0123456789abcdefghij");
    TARGETS.iter().for_each(|target| _ = harness.by_hand_in(target, "grace", "hand"));
    harness.write("out/grace.png", hand);
    harness
}

fn reason(ended: &Ended, target: &str, account: &str) -> String {
    ended.line(target, account)["reason"].as_str().unwrap_or_default().to_owned()
}

/// What Grace's accounts show.
fn graces(harness: &Harness) -> Vec<Vec<u8>> {
    let file = std::fs::read(harness.path("out/grace.png")).expect("a file");
    let served = TARGETS.map(|target| harness.account_in(target, "grace").now.bytes.to_vec());
    served.into_iter().chain([file]).collect()
}

fn expect_left(harness: &Harness, ended: &Ended, now: &[Vec<u8>], expected: &[&str]) {
    for target in TARGETS.into_iter().chain(["folder"]) {
        let reason_of = reason(ended, target, "grace");
        assert!(expected.contains(&&*reason_of), "{target}: {reason_of}, not {expected:?}");
        assert_eq!(reason(ended, target, "ada"), "undone", "{target}: the default is nobody's face");
    }
    assert!(graces(harness) == now, "{expected:?}");
}

/// Name, address and display name of the account stay; the directory gives the address to somebody else (P1).
#[test]
fn a_face_comes_back_to_nobody_to_whom_the_directory_gave_the_account() {
    let gave_to = |harness: &Harness, name: &str| {
        harness.deleted("grace");
        harness.directory(&json!({ "rename": { "person": address(name), "to": address("grace") } }));
    };
    type Happens<'a> = &'a dyn Fn(&Harness);
    let happens: [(&[&str], Happens<'_>); 3] = [
        (&["undo_passed_on"], &|harness| gave_to(harness, "hilda")),
        // Alan has an account under his old address, too.
        (&["ambiguous", "conflict", "undo_passed_on"], &|harness| gave_to(harness, "alan")),
        (&["undo_passed_on"], &|harness| harness.deleted("grace")),
    ];
    for (expected, happens) in happens {
        let harness = harness();
        let before = graces(&harness);
        harness.run().expect_exit(0);
        let now = graces(&harness);
        assert!(now != before);
        happens(&harness);
        let (done, requests) = harness.counted(|harness| harness.finish(&UNDO));
        assert!(requests["entra"] > 0);
        expect_left(&harness, &done.expect_exit(0), &now, expected);
        harness.expect_promises();
    }
}

#[test]
fn without_an_answer_of_the_directory_no_face_comes_back() {
    let harness = harness();
    let before = graces(&harness);
    harness.run().expect_exit(0);
    let now = graces(&harness);
    harness.sandbox.fault(Fault::new(Effect::LoginPage {}).at("graph"));
    let done = harness.finish(&UNDO).expect_exit(6).expect_answer("entra (failed)");
    expect_left(&harness, &done, &now, &["source_unreachable"]);
    harness.sandbox.faults().clear();
    harness.finish(&UNDO).expect_exit(0);
    assert!(graces(&harness) == before, "the rest comes back once it answers");
}

#[test]
fn nobody_is_listed_where_no_face_would_come_back() {
    let mut harness = Harness::with_people(&PEOPLE);
    harness.run().expect_exit(0);
    let (done, requests) = harness.counted(|harness| harness.finish(&UNDO));
    done.expect_exit(0).expect_answer("reverted (3)");
    assert_eq!(requests["entra"], 0);
    // But for whom the file may have left alone.
    harness.run().expect_exit(0);
    harness.edit(|pipe| _ = pipe.entra("users", "{ freeze: ['grace@*'] }").top("limits", "{ reverts: { count: 9 } }"));
    let (done, requests) = harness.counted(|harness| harness.finish(&UNDO));
    assert_eq!(PEOPLE.map(|name| reason(&done, "jira", name)), ["undone", "frozen", "undone"]);
    assert!(requests["entra"] > 0);
}

/// As a run has it: who is frozen keeps what is shown, who is out of scope is left alone, and of who opted out our picture
/// goes.
#[test]
fn whom_the_file_leaves_alone_is_left_alone() {
    let mut harness = Harness::with_people(&PEOPLE);
    PEOPLE.iter().for_each(|name| _ = harness.by_hand(name, "hand"));
    harness.run().expect_exit(0);
    harness.edit(|pipe| {
        pipe.entra("users", "{ freeze: ['ada@*'], exclude: ['grace@*'], opted_out: ['alan@*'] }");
        pipe.top("limits", "{ reverts: { count: 9 } }");
    });
    let now = harness.account("grace").now;
    let done = harness.finish(&UNDO).expect_exit(0);
    let reasons = PEOPLE.map(|name| reason(&done, "jira", name));
    assert_eq!(reasons, ["frozen", "out_of_scope", "undone"]);
    assert_eq!(harness.account("grace").now, now);
    harness.sandbox.fault(Fault::new(Effect::LoginPage {}).at("graph"));
    let done = harness.finish(&UNDO).expect_exit(6);
    assert_eq!(reason(&done, "jira", "ada"), "source_unreachable");
}
