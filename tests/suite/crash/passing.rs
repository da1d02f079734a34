//! The name passes to somebody else while the program is at the write, and on top of that the program is killed: whoever
//! has the name now keeps what they had, and nothing of ours (promises P1, P4).

use avatarpipe_sandbox::faults::{Effect, Fault};
use avatarpipe_sandbox::s3::ObjectStore;

use super::elsewhere::{asked_of_the_store, kill_at_the_store};
use super::kills::{Begins, Calm, FIRST, Killed, ONE_STEP, RUN, SESSION, Way, kill_at};
use crate::suite::harness::Harness;
use crate::suite::stores::KilledAt;
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

/// At the requests whose number is chosen: those to the product first, then those to the store of the state.
pub(super) fn kill_at_each(way: &Way, chosen: impl Fn(usize) -> bool) {
    let expect_mended = |harness: &Harness| {
        harness.run().expect_exit(0);
        expect_untouched(harness);
        harness.expect_shown(&[("ada.former", Face("ada"))]);
        harness.run().expect_exit(0).expect_answer("nothing to do");
    };
    let mut number = 0;
    let mut is_chosen = || {
        number += 1;
        chosen(number - 1)
    };
    for before in moments(way) {
        let harness = passing(way, before);
        harness.sandbox.requests().reset();
        harness.store().into_iter().for_each(ObjectStore::reset_log);
        harness.run().expect_exit(3);
        let entries = harness.sandbox.requests().entries().into_iter().filter(|entry| entry.simulator == "jira");
        let methods: Vec<_> = entries.map(|entry| entry.method).collect();
        for (nth, method) in (0..).zip(&methods).skip(before as usize + 1) {
            let killed = if method == "GET" { &[Killed::Before][..] } else { &[Killed::Before, Killed::After] };
            for killed in killed.iter().filter(|_| is_chosen()) {
                println!("{way:?}: the name passes before request {before}, killed {killed:?} request {nth}");
                let mut harness = passing(way, before);
                kill_at(&mut harness, way, nth, *killed);
                expect_mended(&harness);
            }
        }
        for killed in KilledAt::each("", asked_of_the_store(&harness)).filter(|_| is_chosen()) {
            println!("{way:?}: the name passes before request {before}, {killed:?}");
            let mut harness = passing(way, before);
            harness.sandbox.requests().reset();
            kill_at_the_store(&mut harness, &RUN, killed);
            // It passes in the next run else, and the same in peace is tried above.
            if harness.sandbox.requests().of("jira") > u64::from(before) {
                harness.sandbox.faults().clear();
                expect_mended(&harness);
            }
        }
    }
}

#[test]
fn a_kill_at_any_request_leaves_the_newcomer_nothing() {
    for way in [&SESSION, &ONE_STEP] {
        kill_at_each(way, |_| true);
    }
}
