//! The state in a bucket: what a killed run announced is there for the next machine, after its lease.
//!
//! Owns: every write of every way with the state there, killed at the requests to the product and at those to the store.
//! Leaves to others: the same with the state in a file (the products).
//! A newcomer gets wrong: all of it takes minutes, so each test run plays a fixed few of each write.

use super::kills::{OVER_OURS, SESSION, WRITES, kill_at_each, kill_at_every_request};

/// One in so many.
const FEW: usize = 13;

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
#[ignore = "minutes: `cargo test --test tests crash::bucket -- --ignored --nocapture`"]
fn a_kill_at_any_request_of_every_write_is_mended_from_the_bucket() {
    for (way, cases) in &WRITES {
        cases.iter().for_each(|case| kill_at_every_request(&way.in_a_bucket(), case));
    }
}
