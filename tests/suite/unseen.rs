//! A Bitbucket that does not tell what accounts show: no link to a picture, or never a version in it.
//!
//! Owns: that people are served all the same, once for each change, or that it is said that they are not.
//! Leaves to others: versions as they should be (every other test).
//! A newcomer gets wrong: what nothing tells is decided by what was recorded; a picture is looked at before it goes.

use super::harness::Harness;
use super::slugs::harness;
use super::truth::Shows::{Default, Face, Start};

const BLIND: [&str; 2] = ["avatar_urls", "avatar_versions"];

fn blind(switch: &str) -> Harness {
    harness(&["ada", "grace"]).switch("bitbucket", switch, "off")
}

#[track_caller]
fn expect_quiet(harness: &Harness) {
    harness.sandbox.reset_writes();
    harness.run().expect_exit(0).expect_answer("nothing to do");
    assert_eq!(harness.sandbox.truth().writes, []);
}

#[test]
fn everybody_is_served_once_for_each_change() {
    for switch in BLIND {
        println!("{switch}");
        let harness = blind(switch);
        harness.run().expect_exit(0);
        harness.expect_shown_in("bitbucket", &[("ada", Face("ada")), ("grace", Face("grace"))]);
        expect_quiet(&harness);
        harness.new_photo("ada", "spare");
        harness.run().expect_exit(0);
        harness.expect_shown_in("bitbucket", &[("ada", Face("spare")), ("grace", Face("grace"))]);
        expect_quiet(&harness);
        harness.no_photo("ada");
        harness.run().expect_exit(0);
        harness.expect_shown_in("bitbucket", &[("ada", Default), ("grace", Face("grace"))]);
        expect_quiet(&harness);
    }
}

#[test]
fn what_the_person_uploaded_instead_is_not_deleted_as_ours() {
    for switch in BLIND {
        let harness = blind(switch);
        harness.run().expect_exit(0);
        harness.by_hand_in("bitbucket", "ada", "hand");
        harness.no_photo("ada");
        let line = harness.run().expect_exit(3).line("bitbucket", "ada");
        assert_eq!(line["error"]["code"], "not_ours", "{line}");
        harness.expect_shown_in("bitbucket", &[("ada", Face("hand"))]);
    }
}

#[test]
fn a_lost_answer_is_sent_again() {
    use avatarpipe_sandbox::faults::{Effect, Fault};
    for switch in BLIND {
        let harness = blind(switch);
        harness.sandbox.fault(Fault::new(Effect::HandleThenDrop {}).at("bitbucket").on("POST", "*/ada/*").times(1));
        harness.run().expect_exit(0);
        harness.expect_shown_in("bitbucket", &[("ada", Face("ada")), ("grace", Face("grace"))]);
        expect_quiet(&harness);
    }
}

#[test]
fn where_people_choose_nobody_is_served_and_that_is_told() {
    let harness = blind("avatar_urls").with(|pipe| _ = pipe.target("bitbucket").set("ownership", "ours"));
    let ended = harness.run().expect_exit(6).expect_answer("ownership: provider");
    let line = ended.line("bitbucket", "ada");
    assert_eq!((line["change"]["kind"].as_str(), line["reason"].as_str()), (Some("keep"), Some("unsure")), "{line}");
    harness.expect_shown_in("bitbucket", &[("ada", Start), ("grace", Start)]);
}
