//! Confluence, over its remote API and through the endpoint that we ship.

use super::kills::{ENDPOINT, FIRST, OVER_A_CHOICE, OVER_OURS, REVERT, XMLRPC, kill_at_every_request};

#[test]
fn over_the_remote_api_a_kill_at_any_request_of_a_replacement_leaves_nothing_behind() {
    kill_at_every_request(&XMLRPC, &FIRST);
    kill_at_every_request(&XMLRPC, &OVER_OURS);
    kill_at_every_request(&XMLRPC, &OVER_A_CHOICE);
}

#[test]
fn over_the_remote_api_a_kill_at_any_request_of_a_revert_leaves_nothing_behind() {
    kill_at_every_request(&XMLRPC, &REVERT);
}

#[test]
fn through_the_endpoint_a_kill_at_any_request_of_a_replacement_leaves_nothing_behind() {
    kill_at_every_request(&ENDPOINT, &FIRST);
    kill_at_every_request(&ENDPOINT, &OVER_OURS);
    kill_at_every_request(&ENDPOINT, &OVER_A_CHOICE);
}

#[test]
fn through_the_endpoint_a_kill_at_any_request_of_a_revert_leaves_nothing_behind() {
    kill_at_every_request(&ENDPOINT, &REVERT);
}
