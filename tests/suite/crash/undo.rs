//! A run that is undone, and the program killed in the midst of that.
//!
//! A newcomer gets wrong: each turn begins with what stood before, since the last one gave it back; the run puts the photo
//! there again.

use super::kills::{
    Begins, Calm, ENDPOINT, Killed, MULTIPART, ONE_STEP, SESSION, Way, XMLRPC, kill_at, kill_command_at,
};
use crate::suite::population::{Population, face_of};

const UNDO: [&str; 3] = ["undo", "pipeline.yaml", "--apply"];

/// The picture that stood there before the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Default,
    Choice,
    /// A picture of ours of an earlier run.
    Ours,
}

fn kill_at_every_request(way: &Way, before: Before) {
    let pictures = ["hand", "ada", "spare"].into_iter();
    let population =
        pictures.fold(Population::of(&["ada"]), |population, name| population.picture(name, face_of(name, 512)));
    let mut harness = way.harness_of(population, Begins::Afresh);
    harness.edit(|pipe| _ = pipe.top("state", "{ keep_replaced: { for: 30d, key: '${KEPT_KEY}' } }"));
    harness.set("KEPT_KEY", "canary-kept-0123456789abcdefghij");
    if before == Before::Choice {
        harness.by_hand_in(way.target, "ada", "hand");
    }
    if before == Before::Ours {
        harness.run().expect_exit(0);
        harness.new_photo("ada", "spare");
    }
    let stood = harness.account_in(way.target, "ada").now.bytes;
    harness.run().expect_exit(0);
    let calm = Calm::of_command(&harness, way, &UNDO);
    assert_eq!(harness.account_in(way.target, "ada").now.bytes, stood);
    for (nth, killed) in calm.turns() {
        println!("{way:?}, {before:?}: killed {killed:?} request {nth}");
        harness.run().expect_exit(0);
        kill_command_at(&mut harness, way, &UNDO, nth, killed);
        harness.finish(&UNDO).expect_exit(0);
        assert_eq!(harness.account_in(way.target, "ada").now.bytes, stood);
        harness.expect_promises();
        harness.finish(&UNDO).expect_exit(0).expect_answer("nothing to do");
    }
}

#[test]
fn a_kill_at_any_request_of_an_undoing_leaves_what_stood_before() {
    kill_at_every_request(&SESSION, Before::Default);
    kill_at_every_request(&SESSION, Before::Choice);
    kill_at_every_request(&XMLRPC, Before::Choice);
    kill_at_every_request(&MULTIPART, Before::Default);
    kill_at_every_request(&MULTIPART, Before::Choice);
}

#[test]
fn a_kill_at_any_request_leaves_our_earlier_picture() {
    kill_at_every_request(&SESSION, Before::Ours);
    kill_at_every_request(&XMLRPC, Before::Ours);
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
