//! Jira, by both of its ways.

use super::harness::{FIRST, ONE_STEP, OVER_A_CHOICE, OVER_OURS, REVERT, SESSION, kill_at_every_request};

#[test]
fn a_kill_at_any_request_of_the_first_picture_leaves_nothing_behind() {
    kill_at_every_request(&SESSION, &FIRST);
    kill_at_every_request(&ONE_STEP, &FIRST);
}

#[test]
fn a_kill_at_any_request_over_ours_leaves_nothing_behind() {
    kill_at_every_request(&SESSION, &OVER_OURS);
    kill_at_every_request(&ONE_STEP, &OVER_OURS);
}

#[test]
fn a_kill_at_any_request_over_a_choice_leaves_nothing_behind_and_deletes_nothing_foreign() {
    kill_at_every_request(&SESSION, &OVER_A_CHOICE);
}

#[test]
fn a_kill_at_any_request_of_a_revert_leaves_nothing_behind() {
    kill_at_every_request(&SESSION, &REVERT);
}
