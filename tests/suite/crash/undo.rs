//! A run that is undone, and the program killed in the midst of that.
//!
//! A newcomer gets wrong: each turn begins with what stood before, since the last one gave it back; the run puts the photo
//! there again.

use bytes::Bytes;

use super::elsewhere::kill_at_the_store;
use super::kills::{
    Begins, Calm, ENDPOINT, Killed, MULTIPART, ONE_STEP, SESSION, Way, XMLRPC, kill_at, kill_command_at,
};
use crate::suite::harness::Harness;
use crate::suite::population::{Population, face_of};

const UNDO: [&str; 3] = ["undo", "pipeline.yaml", "--apply"];

/// The picture that stood there before the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Default,
    Choice,
    /// A picture of ours of an earlier run.
    Ours,
}

/// Every way and what stood before, of which each request of the undoing is cut off.
pub(super) const UNDOINGS: [(Way, Before); 7] = [
    (SESSION, Before::Default),
    (SESSION, Before::Choice),
    (SESSION, Before::Ours),
    (XMLRPC, Before::Choice),
    (XMLRPC, Before::Ours),
    (MULTIPART, Before::Default),
    (MULTIPART, Before::Choice),
];

/// What comes back without a picture that was kept: the default, and what the product has yet.
pub(super) const WITHOUT_KEPT: [(Way, Before); 7] = [
    (SESSION, Before::Default),
    (SESSION, Before::Choice),
    (ONE_STEP, Before::Default),
    (XMLRPC, Before::Default),
    (XMLRPC, Before::Choice),
    (ENDPOINT, Before::Default),
    (MULTIPART, Before::Default),
];

/// A run that replaced what stood, and that.
fn ran(way: &Way, before: Before) -> (Harness, Bytes) {
    let pictures = ["hand", "ada", "spare"].into_iter();
    let population =
        pictures.fold(Population::of(&["ada"]), |population, name| population.picture(name, face_of(name, 512)));
    let mut harness = way.harness_of(population, Begins::Afresh);
    // Beside a bucket no picture is kept.
    if harness.store().is_none() {
        harness.edit(|pipe| _ = pipe.top("state", "{ keep_replaced: { for: 30d, key: '${KEPT_KEY}' } }"));
        harness.set("KEPT_KEY", "canary-kept-0123456789abcdefghij");
    }
    if before == Before::Choice {
        harness.by_hand_in(way.target, "ada", "hand");
    }
    if before == Before::Ours {
        harness.run().expect_exit(0);
        harness.new_photo("ada", "spare");
    }
    let stood = harness.account_in(way.target, "ada").now.bytes;
    harness.run().expect_exit(0);
    (harness, stood)
}

#[track_caller]
fn expect_stood(harness: &Harness, way: &Way, stood: &[u8]) {
    assert!(harness.account_in(way.target, "ada").now.bytes == stood, "what stood before the run stands again");
}

/// At the requests whose number is chosen: those to the product first, then those to the store of the state.
pub(super) fn kill_at_each(way: &Way, before: Before, chosen: impl Fn(usize) -> bool) {
    let (mut harness, stood) = ran(way, before);
    let calm = Calm::of_command(&harness, way, &UNDO);
    expect_stood(&harness, way, &stood);
    let expect_undone = |harness: &Harness, stood: &[u8]| {
        harness.finish(&UNDO).expect_exit(0);
        expect_stood(harness, way, stood);
        harness.expect_promises();
        harness.finish(&UNDO).expect_exit(0).expect_answer("nothing to do");
    };
    let turns = calm.turns();
    let behind = turns.len();
    for (_, (nth, killed)) in (0..).zip(turns).filter(|(number, _)| chosen(*number)) {
        println!("{way:?}, {before:?}: killed {killed:?} request {nth}");
        harness.run().expect_exit(0);
        kill_command_at(&mut harness, way, &UNDO, nth, killed);
        expect_undone(&harness, &stood);
    }
    for (_, killed) in (behind..).zip(calm.turns_at_the_store()).filter(|(number, _)| chosen(*number)) {
        println!("{way:?}, {before:?}: {killed:?}");
        let (mut harness, stood) = ran(way, before);
        kill_at_the_store(&mut harness, &UNDO, killed);
        expect_undone(&harness, &stood);
    }
}

#[test]
fn a_kill_at_any_request_of_an_undoing_leaves_what_stood_before() {
    let others = UNDOINGS.iter().filter(|(_, before)| *before != Before::Ours);
    others.for_each(|(way, before)| kill_at_each(way, *before, |_| true));
}

#[test]
fn a_kill_at_any_request_leaves_our_earlier_picture() {
    let ours = UNDOINGS.iter().filter(|(_, before)| *before == Before::Ours);
    ours.for_each(|(way, before)| kill_at_each(way, *before, |_| true));
}

/// Each way that pictures go, undone once in peace; then a run is killed behind its last write, and undone without another
/// one in between.
#[test]
fn a_run_that_was_killed_is_undone() {
    for way in [&SESSION, &ONE_STEP, &XMLRPC, &ENDPOINT, &MULTIPART] {
        println!("{way:?}");
        let mut harness = way.harness(Begins::Afresh);
        let stood = harness.account_in(way.target, "ada").now.bytes;
        let expect_undone = |harness: &crate::suite::harness::Harness| {
            harness.finish(&UNDO).expect_exit(0).expect_answer("1 reverted");
            assert_eq!(harness.account_in(way.target, "ada").now.bytes, stood);
            harness.expect_promises();
        };
        harness.run().expect_exit(0);
        expect_undone(&harness);
        let calm = Calm::of(&harness, way);
        expect_undone(&harness);
        let last = *calm.writes().last().expect("a write");
        kill_at(&mut harness, way, last, Killed::After);
        expect_undone(&harness);
        harness.finish(&UNDO).expect_exit(0).expect_answer("nothing to do");
    }
}
