//! What people upload to Bitbucket within moments of our write: it has the time of our sending, and is theirs all the same
//! (promise P1).
//!
//! Owns: uploads between our write and the listing that tells its version.
//! Leaves to others: kills in between (`crash::person`), uploads before the write (`slugs`).
//! A newcomer gets wrong: with `ownership: provider` such an upload may pass for ours until it would be deleted; only
//! then somebody looks at it.

use super::harness::Harness;
use super::slugs::{harness, meanwhile_after};
use super::truth::Shows::{Default, Face};

/// Listings: the survey, and the confirming one after it.
const LISTING: &str = "*/api/latest/users";
/// Requests for users before the confirming listing: the survey's, and who we are.
const CONFIRMING: u32 = 2;

fn uploads(harness: &Harness) {
    harness.by_hand_in("bitbucket", "ada", "hand");
}

#[test]
fn what_passed_for_ours_is_looked_at_before_it_is_deleted() {
    let harness = harness(&["ada", "grace"]);
    meanwhile_after(&harness, CONFIRMING, "GET", LISTING, uploads).expect_exit(0);
    harness.no_photo("ada");
    harness.no_photo("grace");
    let line = harness.run().expect_exit(3).line("bitbucket", "ada");
    assert_eq!(line["error"]["code"], "not_ours", "{line}");
    harness.expect_shown_in("bitbucket", &[("ada", Face("hand")), ("grace", Default)]);
}

#[test]
fn a_picture_that_cannot_be_looked_at_is_not_deleted() {
    use avatarpipe_sandbox::faults::{Effect, Fault};
    let harness = harness(&["ada"]);
    harness.run().expect_exit(0);
    harness.no_photo("ada");
    harness.sandbox.fault(Fault::new(Effect::LoginPage {}).at("bitbucket").on("GET", "*/avatar.png"));
    let line = harness.run().expect_exit(3).line("bitbucket", "ada");
    assert_eq!(line["error"]["code"], "not_looked_at", "{line}");
    harness.expect_shown_in("bitbucket", &[("ada", Face("ada"))]);
    harness.sandbox.faults().clear();
    harness.run().expect_exit(0);
    harness.expect_shown_in("bitbucket", &[("ada", Default)]);
}

#[test]
fn where_people_choose_what_is_shown_is_looked_at_before_it_counts_as_ours() {
    let harness = harness(&["ada", "grace"]).with(|pipe| _ = pipe.target("bitbucket").set("ownership", "ours"));
    meanwhile_after(&harness, CONFIRMING, "GET", LISTING, uploads).expect_exit(3);
    harness.new_photo("ada", "spare");
    harness.run().expect_exit(0);
    harness.no_photo("ada");
    harness.run().expect_exit(0).expect_answer("nothing to do");
    harness.expect_shown_in("bitbucket", &[("ada", Face("hand")), ("grace", Face("grace"))]);
    // One look for each picture that was written, and the forecast knows it.
    harness.new_photo("grace", "spare");
    harness.counted(Harness::run).0.expect_exit(0);
    harness.expect_shown_in("bitbucket", &[("grace", Face("spare"))]);
}
