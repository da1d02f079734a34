//! The state in a bucket: what a killed command announced is there for the next machine, after its lease.
//!
//! Owns: every write of every way with the state there, killed at the requests to the product and at those to the store; and
//! each other story of this folder, likewise.
//! Leaves to others: the stories, and what holds after them (the products, `undo`, `person`, `passing`, `late`, `broken`).
//! A newcomer gets wrong: all of it takes minutes, so each test run plays a fixed few of each.

use super::kills::{Case, ONE_STEP, OVER_OURS, SESSION, WRITES, Way, kill_at_each, kill_at_every_request};
use super::{broken, late, passing, person, undo};

/// One in so many.
const FEW: usize = 13;

/// The same of stories that take several runs for each turn.
const FEWER: usize = 61;

/// At which of the requests of a story the command is killed: by which one of its stories it is, and the number of the request.
type Chosen = fn(usize, usize) -> bool;

/// Others of each.
const SOME: Chosen = |story, number| number % FEWER == story * 11 % FEWER;

/// All of them, or one in so many.
const EACH: Chosen = |story, number| {
    let every = std::env::var("AVATARPIPE_EVERY").ok().and_then(|every| every.parse().ok()).unwrap_or(1_usize);
    number % every == story % every
};

fn undoings(chosen: Chosen) {
    for (story, (way, before)) in undo::WITHOUT_KEPT.iter().enumerate() {
        undo::kill_at_each(&way.in_a_bucket(), *before, |number| chosen(story, number));
    }
}

fn names_that_pass(chosen: Chosen) {
    for (story, way) in [SESSION, ONE_STEP].iter().enumerate() {
        passing::kill_at_each(&way.in_a_bucket(), |number| chosen(story, number));
    }
}

fn uploads_of_the_person(chosen: Chosen) {
    for (story, (way, case)) in person::INTERFERED.iter().enumerate() {
        person::interfere_at_each(&way.in_a_bucket(), case, |number| chosen(story, number));
    }
}

fn lost_answers(writes: &[(Way, &Case)], chosen: Chosen) {
    for (story, (way, case)) in in_a_bucket(writes).iter().enumerate() {
        broken::kill_at_each_after_a_lost_answer(way, case, |number| chosen(story, number));
    }
}

fn in_a_bucket<'a>(writes: &[(Way, &'a Case)]) -> Vec<(Way, &'a Case)> {
    writes.iter().map(|(way, case)| (way.in_a_bucket(), *case)).collect()
}

#[test]
fn a_kill_at_any_request_over_ours_is_mended_from_the_bucket() {
    kill_at_every_request(&SESSION.in_a_bucket(), &OVER_OURS);
}

#[test]
fn a_kill_at_some_request_of_each_write_is_mended_from_the_bucket() {
    let all = WRITES.iter().flat_map(|(way, cases)| cases.iter().map(move |case| (way.in_a_bucket(), *case)));
    for (nth, (way, case)) in all.enumerate() {
        // Others of each.
        kill_at_each(&way, case, |number| number % FEW == nth * 5 % FEW);
    }
}

#[test]
fn a_kill_at_some_request_of_an_undoing_or_while_a_name_passes_is_mended_from_the_bucket() {
    undoings(SOME);
    names_that_pass(SOME);
}

#[test]
fn a_kill_at_some_request_around_what_others_do_is_mended_from_the_bucket() {
    uploads_of_the_person(SOME);
    lost_answers(&broken::WRITES[5..], SOME);
    late::done_while_the_next_run_waits(&in_a_bucket(&late::WRITES[1..2]));
}

#[test]
#[ignore = "minutes: `cargo test --test tests crash::bucket -- --ignored --nocapture`"]
fn a_kill_at_any_request_of_every_write_is_mended_from_the_bucket() {
    for (way, cases) in &WRITES {
        cases.iter().for_each(|case| kill_at_every_request(&way.in_a_bucket(), case));
    }
}

/// `AVATARPIPE_EVERY=7`: one turn in seven.
mod every_story {
    use super::*;

    #[test]
    #[ignore = "minutes: as above"]
    fn undone() {
        undoings(EACH);
    }

    #[test]
    #[ignore = "minutes: as above"]
    fn a_name_that_passes() {
        names_that_pass(EACH);
    }

    #[test]
    #[ignore = "a quarter of an hour: as above"]
    fn what_the_person_uploads() {
        uploads_of_the_person(EACH);
    }

    #[test]
    #[ignore = "a quarter of an hour: as above"]
    fn a_lost_answer() {
        lost_answers(&broken::WRITES, EACH);
        in_a_bucket(&broken::WRITES).iter().for_each(|(way, case)| broken::break_at_every_write(way, case));
    }

    #[test]
    #[ignore = "minutes: as above"]
    fn a_slow_server() {
        late::done_while_the_next_run_waits(&in_a_bucket(&late::WRITES));
        late::done_after_the_client_gave_up(&in_a_bucket(&late::WRITES));
    }
}
