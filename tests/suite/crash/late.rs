//! A server that does what it was asked later than the client waits: the program is gone, or has given up on the answer.
//!
//! Owns: writes that take effect while a run waits for `quiet` to pass.
//! Leaves to others: writes that take effect before the next run begins (`kills`, `Killed::Later`).
//! A newcomer gets wrong: `quiet` is the whole promise. A server that is slower than that cannot be told from one that
//! never did it.

use std::thread;
use std::time::Duration;

use avatarpipe_sandbox::faults::{Effect, Fault};

use super::elsewhere::go_elsewhere;
use super::kills::{Calm, Case, ENDPOINT, FIRST, MULTIPART, ONE_STEP, OVER_OURS, REVERT, SESSION, Way, XMLRPC};
use crate::suite::harness::Harness;

/// Every way, with writes that differ in their steps.
pub(super) const WRITES: [(Way, &Case); 8] = [
    (SESSION, &OVER_OURS),
    (SESSION, &REVERT),
    (ONE_STEP, &FIRST),
    (XMLRPC, &OVER_OURS),
    (XMLRPC, &REVERT),
    (ENDPOINT, &OVER_OURS),
    (MULTIPART, &OVER_OURS),
    (MULTIPART, &REVERT),
];

/// Waiting costs no work, so all the turns wait side by side.
fn at_every_write(writes: &[(Way, &Case)], turn: impl Fn(&Way, &Case, u32) -> Harness + Sync) {
    let turn = &turn;
    thread::scope(|scope| {
        for (way, case) in writes {
            scope.spawn(move || {
                let harness = way.harness(case.begins);
                (case.change)(&harness, way, 0);
                let calm = &Calm::of(&harness, way);
                thread::scope(|scope| {
                    for nth in calm.writes() {
                        scope.spawn(move || expect_as_undisturbed(&turn(way, case, nth), way, case, calm));
                    }
                });
            });
        }
    });
}

/// A harness before the write, whose server takes this long for the nth request.
fn slow(way: &Way, case: &Case, nth: u32, takes: Duration) -> Harness {
    let harness = way.harness(case.begins);
    (case.change)(&harness, way, 0);
    harness.sandbox.requests().reset();
    harness.sandbox.reset_writes();
    let ms = u64::try_from(takes.as_millis()).expect("seconds");
    harness.sandbox.fault(Fault::new(Effect::Delay { ms }).at(way.target).after(nth).times(1));
    harness
}

/// The server must stand as after an undisturbed run, by the same writes.
#[track_caller]
fn expect_as_undisturbed(harness: &Harness, way: &Way, case: &Case, calm: &Calm) {
    harness.expect_shown_in(way.target, &[("ada", (case.shows)(0))]);
    assert_eq!(way.done(harness), calm.done, "the same writes as undisturbed");
    harness.run().expect_exit(0).expect_answer("nothing to do");
}

#[test]
fn what_the_server_does_while_the_next_run_waits_is_found_and_not_done_again() {
    done_while_the_next_run_waits(&WRITES);
}

pub(super) fn done_while_the_next_run_waits(writes: &[(Way, &Case)]) {
    at_every_write(writes, |way, case, nth| {
        println!("{way:?}, {}: killed at request {nth}", case.name);
        let mut harness = slow(way, case, nth, Duration::from_millis(1500));
        harness.edit(|pipe| _ = pipe.target(way.target).set("quiet", "8s"));
        let mut child = harness.spawn(&["run", "pipeline.yaml"]);
        harness.until("the request arrives", |harness| harness.sandbox.requests().of(way.target) > u64::from(nth));
        child.kill().expect("SIGKILL");
        child.wait().expect("the program is gone");
        go_elsewhere(&mut harness);
        harness.run().expect_exit(0);
        harness
    });
}

#[test]
fn what_the_server_does_after_the_client_gave_up_is_found_by_the_same_run() {
    done_after_the_client_gave_up(&WRITES);
}

pub(super) fn done_after_the_client_gave_up(writes: &[(Way, &Case)]) {
    at_every_write(writes, |way, case, nth| {
        println!("{way:?}, {}: no answer to request {nth}", case.name);
        let mut harness = slow(way, case, nth, Duration::from_millis(3500));
        harness.edit(|pipe| {
            pipe.top("http", "{ default: { timeout: 2s } }");
            pipe.target(way.target).set("quiet", "9s");
        });
        harness.run().expect_exit(0);
        harness
    });
}
