//! The state in a bucket: what a killed run announced is there for the next machine, after its lease.

use std::time::Duration;

use super::kills::{Begins, Calm, Killed, SESSION, kill_at, other_face};
use crate::suite::stores::{s3, store};
use crate::suite::truth::Shows::Face;

#[test]
fn a_kill_at_any_request_over_ours_is_mended_from_the_bucket() {
    let store = store();
    let mut harness = SESSION.harness(Begins::Afresh);
    s3(store.url(), "p").for_state(&mut harness, "");
    harness.run().expect_exit(0);
    harness.new_photo("ada", other_face(0));
    let calm = Calm::of(&harness, &SESSION);
    // That a request may be late is nothing to the store.
    let turns = calm.turns().into_iter().filter(|(_, killed)| *killed != Killed::Later);
    for (turn, (nth, killed)) in (1..).zip(turns) {
        println!("killed {killed:?} request {nth}");
        harness.new_photo("ada", other_face(turn));
        harness.sandbox.reset_writes();
        kill_at(&mut harness, &SESSION, nth, killed);
        store.pass(Duration::from_secs(15 * 60 + 1));
        harness.run().expect_exit(0);
        harness.expect_shown(&[("ada", Face(other_face(turn)))]);
        assert_eq!(SESSION.done(&harness), calm.done, "the same writes as undisturbed");
        harness.run().expect_exit(0).expect_answer("nothing to do");
    }
}
