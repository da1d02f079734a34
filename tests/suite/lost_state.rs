//! A lost or old state is survivable: pictures that look alike are adopted without a write, and never deleted.

use super::stage::Stage;
use super::truth::Shows::{Default, Face};

const PEOPLE: [&str; 3] = ["ada", "grace", "alan"];

fn without_state() -> Stage {
    let stage = Stage::company(&PEOPLE).with(|pipe| {
        pipe.top("limits", "{ reverts: { count: 10 } }");
    });
    stage.run().expect_exit(0);
    std::fs::remove_dir_all(stage.path("state")).expect("the state is lost");
    stage.sandbox.requests().reset();
    stage
}

#[test]
fn pictures_that_look_alike_are_adopted_without_a_write() {
    let stage = without_state();
    let (ended, _) = stage.counted(Stage::run);
    assert_eq!(ended.expect_exit(0).count("jira", "adopted"), 3);
    assert_eq!(stage.writes(), [""; 0]);
    stage.run().expect_exit(0).expect_answer("nothing to do");
    assert_eq!(stage.writes(), [""; 0]);
    stage.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("alan", Face("alan"))]);
}

#[test]
fn adopted_pictures_are_replaced_and_reverted_and_never_deleted() {
    let stage = without_state();
    stage.run().expect_exit(0);
    let adopted: Vec<_> = ["ada", "grace"].map(|name| stage.account(name).now.id).into();
    stage.new_photo("ada", "spare");
    stage.no_photo("grace");
    stage.run().expect_exit(0);
    let truth = stage.sandbox.truth();
    for id in adopted {
        assert!(truth.avatars.iter().any(|avatar| avatar.id == id), "the adopted avatar {id} was deleted");
    }
    assert_eq!(truth.violations, [""; 0]);
    assert_eq!(stage.account("grace").now.kind, avatarpipe::sandbox::truth::ShownKind::Default);
    let spare = super::truth::looks(&super::company::face("spare"));
    assert!(super::truth::looks(&stage.account("ada").now.bytes).fits(&spare));
}

#[test]
fn a_picture_that_differs_is_replaced_after_a_look() {
    let stage = without_state();
    stage.new_photo("ada", "spare");
    let ended = stage.run().expect_exit(0).expect_line("ada", "replace", "photo_new", "done");
    assert_eq!((ended.count("jira", "adopted"), ended.count("jira", "replaced")), (2, 1));
}

#[test]
fn an_old_state_does_not_bring_old_pictures_back() {
    let stage = Stage::company(&PEOPLE).with(|pipe| {
        pipe.top("limits", "{ reverts: { count: 10 }, target_drift: { count: 10 } }");
    });
    stage.run().expect_exit(0);
    std::fs::copy(stage.path("state/stage.db"), stage.path("old.db")).expect("a copy");
    stage.new_photo("ada", "spare");
    stage.no_photo("grace");
    stage.run().expect_exit(0);
    std::fs::rename(stage.path("old.db"), stage.path("state/stage.db")).expect("the old state");
    stage.run().expect_exit(0);
    stage.expect_shown(&[("ada", Face("spare")), ("grace", Default), ("alan", Face("alan"))]);
}
