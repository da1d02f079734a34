//! Bitbucket: one picture an account, and a mark that only a later listing tells.

use super::kills::{FIRST, MULTIPART, OVER_A_CHOICE, OVER_OURS, REVERT, kill_at_every_request};

#[test]
fn a_kill_at_any_request_of_a_replacement_leaves_nothing_behind() {
    kill_at_every_request(&MULTIPART, &FIRST);
    kill_at_every_request(&MULTIPART, &OVER_OURS);
    kill_at_every_request(&MULTIPART, &OVER_A_CHOICE);
}

#[test]
fn a_kill_at_any_request_of_a_revert_leaves_nothing_behind() {
    kill_at_every_request(&MULTIPART, &REVERT);
}
