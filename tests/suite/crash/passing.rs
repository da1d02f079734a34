//! The name passes to somebody else while the program is at the write, and on top of that the program is killed: whoever
//! has the name now keeps what they had, and nothing of ours (promises P1, P4).

use avatarpipe_sandbox::faults::{Effect, Fault};

use super::kills::{Begins, Calm, FIRST, Killed, ONE_STEP, SESSION, Way, kill_at};
use crate::suite::harness::Harness;
use crate::suite::truth::Shows::{Default, Face};

/// A harness in which the name passes right before the nth request.
fn passing(way: &Way, before: u32) -> Harness {
    let harness = way.harness(FIRST.begins);
    let passes = Fault::new(Effect::Special("name_passes".to_owned())).at("jira").after(before).times(1);
    harness.sandbox.fault(passes);
    harness
}

#[track_caller]
fn expect_untouched(harness: &Harness) {
    harness.expect_promises();
    harness.expect_shown(&[("ada", Default)]);
}

/// The request that reads before the write, and the one that uploads.
fn moments(way: &Way) -> [u32; 2] {
    let first = Calm::of(&way.harness(Begins::Afresh), way).turns()[0].0;
    [first, first + 1]
}

#[test]
fn a_newcomer_with_the_name_of_another_gets_no_face() {
    for way in [&SESSION, &ONE_STEP] {
        for before in moments(way) {
            println!("{way:?}: the name passes before request {before}");
            let harness = passing(way, before);
            harness.run().expect_exit(3).expect_line("ada", "replace", "photo_new", "not_done");
            expect_untouched(&harness);
            harness.sandbox.faults().clear();
            harness.run().expect_exit(0);
            expect_untouched(&harness);
            harness.expect_shown(&[("ada.former", Face("ada"))]);
            harness.run().expect_exit(0).expect_answer("nothing to do");
        }
    }
}

#[test]
fn a_kill_at_any_request_leaves_the_newcomer_nothing() {
    for way in [&SESSION, &ONE_STEP] {
        for before in moments(way) {
            let harness = passing(way, before);
            harness.sandbox.requests().reset();
            harness.run().expect_exit(3);
            let entries = harness.sandbox.requests().entries().into_iter().filter(|entry| entry.simulator == "jira");
            let methods: Vec<_> = entries.map(|entry| entry.method).collect();
            for (nth, method) in (0..).zip(&methods).skip(before as usize + 1) {
                let killed = if method == "GET" { &[Killed::Before][..] } else { &[Killed::Before, Killed::After] };
                for killed in killed {
                    println!("{way:?}: the name passes before request {before}, killed {killed:?} request {nth}");
                    let mut harness = passing(way, before);
                    kill_at(&mut harness, way, nth, *killed);
                    harness.run().expect_exit(0);
                    expect_untouched(&harness);
                    harness.expect_shown(&[("ada.former", Face("ada"))]);
                    harness.run().expect_exit(0).expect_answer("nothing to do");
                }
            }
        }
    }
}
