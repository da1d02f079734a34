//! A connection that breaks at a write, before the server has done it or after: the same run mends it.
//!
//! A newcomer gets wrong: nobody is killed here. The run looks again by itself, and what it cannot mend it leaves to the
//! next one.

use avatarpipe_sandbox::faults::{Effect, Fault};
use avatarpipe_sandbox::s3::ObjectStore;

use super::elsewhere::{asked_of_the_store, kill_at_the_store};
use super::kills::{
    Begins, Calm, Case, ENDPOINT, FIRST, MULTIPART, ONE_STEP, OVER_OURS, REVERT, RUN, SESSION, Way, XMLRPC,
};
use crate::suite::harness::Harness;
use crate::suite::population::Population;
use crate::suite::stores::KilledAt;
use crate::suite::truth::Shows::Face;

/// Every way, with writes that differ in their steps.
pub(super) const WRITES: [(Way, &Case); 9] = [
    (SESSION, &OVER_OURS),
    (SESSION, &REVERT),
    (ONE_STEP, &FIRST),
    (XMLRPC, &OVER_OURS),
    (XMLRPC, &REVERT),
    (ENDPOINT, &OVER_OURS),
    (MULTIPART, &FIRST),
    (MULTIPART, &OVER_OURS),
    (MULTIPART, &REVERT),
];

/// The answer to each write is lost, and then the program is killed at a request to the store of the state: at those whose
/// number is chosen. The next run, somewhere else, mends it.
pub(super) fn kill_at_each_after_a_lost_answer(way: &Way, case: &Case, chosen: impl Fn(usize) -> bool) {
    let begun = |nth: Option<u32>| {
        let harness = way.harness(case.begins);
        (case.change)(&harness, way, 0);
        harness.sandbox.requests().reset();
        harness.sandbox.reset_writes();
        harness.store().into_iter().for_each(ObjectStore::reset_log);
        if let Some(nth) = nth {
            harness.sandbox.fault(Fault::new(Effect::HandleThenDrop {}).at(way.target).after(nth).times(1));
        }
        harness
    };
    let calm = Calm::of(&begun(None), way);
    let mut number = 0;
    for nth in calm.writes() {
        let harness = begun(Some(nth));
        harness.run().expect_exit(0);
        for killed in KilledAt::each("", asked_of_the_store(&harness)) {
            number += 1;
            if chosen(number - 1) {
                println!("{way:?}, {}: no answer to request {nth}, {killed:?}", case.name);
                let mut harness = begun(Some(nth));
                kill_at_the_store(&mut harness, &RUN, killed);
                harness.sandbox.faults().clear();
                expect_as_undisturbed(&harness, way, case, &calm);
            }
        }
    }
}

#[track_caller]
fn expect_as_undisturbed(harness: &Harness, way: &Way, case: &Case, calm: &Calm) {
    harness.run().expect_exit(0);
    harness.expect_shown_in(way.target, &[("ada", (case.shows)(0))]);
    assert_eq!(way.done(harness), calm.done, "the same writes as undisturbed");
    harness.run().expect_exit(0).expect_answer("nothing to do");
}

pub(super) fn break_at_every_write(way: &Way, case: &Case) {
    let mut harness = way.harness(case.begins);
    (case.change)(&harness, way, 0);
    let calm = Calm::of(&harness, way);
    let writes = calm.writes();
    let breaks = writes.iter().flat_map(|nth| [(*nth, Effect::Drop {}), (*nth, Effect::HandleThenDrop {})]);
    for (turn, (nth, effect)) in (1..).zip(breaks) {
        println!("{way:?}, {}: {effect:?} at request {nth}", case.name);
        if case.begins == Begins::Afresh {
            harness = way.harness(case.begins);
        }
        (case.change)(&harness, way, turn);
        harness.sandbox.reset_writes();
        // A revert is sent once; what did not happen is decided afresh by the next run.
        let undone = case.name == REVERT.name && nth == writes[0] && effect == (Effect::Drop {});
        harness.sandbox.fault(Fault::new(effect).at(way.target).after(nth).times(1));
        harness.run().expect_exit(if undone { 3 } else { 0 });
        harness.sandbox.faults().clear();
        if undone {
            harness.run().expect_exit(0);
        }
        harness.expect_shown_in(way.target, &[("ada", (case.shows)(turn))]);
        assert_eq!(way.done(&harness), calm.done, "the same writes as undisturbed");
        harness.run().expect_exit(0).expect_answer("nothing to do");
    }
}

fn break_at_every_write_to(target: &str) {
    let there = WRITES.iter().filter(|(way, _)| way.target == target);
    there.for_each(|(way, case)| break_at_every_write(way, case));
}

#[test]
fn a_connection_that_breaks_at_any_write_to_jira_is_mended_in_the_same_run() {
    break_at_every_write_to("jira");
}

#[test]
fn a_connection_that_breaks_at_any_write_to_confluence_is_mended_in_the_same_run() {
    break_at_every_write_to("confluence");
}

#[test]
fn a_connection_that_breaks_at_any_write_to_bitbucket_is_mended_in_the_same_run() {
    break_at_every_write_to("bitbucket");
}

#[test]
fn after_a_lost_answer_nobody_else_goes_through_the_same_session() {
    // The upload of the first lies in the session, unconfirmed.
    let harness = SESSION.harness_of(Population::of(&["ada", "grace", "alan"]), Begins::Afresh);
    let upload = Fault::new(Effect::HandleThenDrop {}).at("jira").on("POST", "*/user/avatar/temporary").times(1);
    let harness = harness.fault(upload);
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("alan", Face("alan"))]);
}

#[test]
fn one_404_of_a_gateway_is_no_proof_that_a_picture_or_an_account_is_gone() {
    // The answer to taking the old picture away is lost before it is done, and so is every look at it in that run; the
    // first look of the next run meets a gateway.
    for (way, write, look) in
        [(&XMLRPC, "removeAttachment", "*/download/attachments/*"), (&SESSION, "/user/avatar/", "*/user/avatars")]
    {
        let harness = way.harness(Begins::WithOurs);
        harness.new_photo("ada", "spare");
        let lost = Fault::new(Effect::Drop {}).at(way.target);
        harness.sandbox.fault(if way.target == "jira" {
            lost.on("DELETE", "*")
        } else {
            lost.on("POST", "*").about(write)
        });
        harness.run();
        harness.sandbox.faults().clear();
        harness.sandbox.fault(Fault::new(Effect::status(404)).at(way.target).on("GET", look).times(1));
        harness.run();
        harness.sandbox.faults().clear();
        harness.run().expect_exit(0);
        harness.expect_shown_in(way.target, &[("ada", Face("spare"))]);
    }
}
