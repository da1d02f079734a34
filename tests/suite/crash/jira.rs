//! Jira, by both of its ways.

use super::kills::{
    Begins, Calm, FIRST, Killed, ONE_STEP, OVER_A_CHOICE, OVER_OURS, PROBED, REVERT, REVERT_OF_A_CHOICE, SESSION,
    kill_at, kill_at_every_request,
};
use crate::suite::truth::Shows::{Face, Start};

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

#[test]
fn a_kill_at_any_request_of_a_revert_of_a_choice_deletes_nothing() {
    for way in [&SESSION, &ONE_STEP] {
        kill_at_every_request(way, &REVERT_OF_A_CHOICE);
    }
}

#[test]
fn a_kill_at_any_write_of_the_probe_leaves_no_throw_away_picture() {
    // Made, confirmed and deleted; or lost between two requests, which is what the probe is to find out.
    for (session, writes) in [("stays", 3), ("ends", 2)] {
        let harness = || PROBED.harness(Begins::Afresh).switch("jira", "token_session", session);
        let probe = Calm::of(&harness(), &PROBED).writes().into_iter().take(writes);
        let turns = probe.flat_map(|nth| [(nth, Killed::Before), (nth, Killed::After), (nth, Killed::Later)]);
        for (nth, killed) in turns {
            println!("a session that {session}: killed {killed:?} request {nth}");
            let mut harness = harness();
            kill_at(&mut harness, &PROBED, nth, killed);
            harness.run().expect_exit(0);
            harness.expect_shown(&[("ada", Face("ada")), ("svc-avatars", Start)]);
            harness.run().expect_exit(0).expect_answer("nothing to do");
        }
    }
}

#[test]
fn a_choice_after_a_kill_leaves_none_of_ours_where_people_keep_their_own() {
    for way in [&SESSION, &ONE_STEP] {
        let ours = || {
            let mut harness = way.harness(OVER_OURS.begins);
            (OVER_OURS.change)(&harness, way, 0);
            harness.edit(|pipe| _ = pipe.jira("ownership", "ours"));
            harness
        };
        let writes = Calm::of(&ours(), way).writes();
        // Selected, and the answer lost; the last one is the deletion.
        let select = writes[writes.len() - 2];
        let mut harness = ours();
        kill_at(&mut harness, way, select, Killed::After);
        let own = harness.by_hand("ada", "hand").to_string();
        harness.run().expect_exit(0);
        assert_eq!(harness.account("ada").now.id, own, "the choice stands");
        let ours = harness.sandbox.truth().avatars.into_iter().filter(|avatar| avatar.creator != "world");
        assert_eq!(ours.map(|avatar| avatar.id).collect::<Vec<_>>(), [""; 0], "{way:?}: pictures of ours");
        harness.run().expect_exit(0).expect_answer("nothing to do");
    }
}
