//! What people upload to Bitbucket within moments of our write: it has the time of our sending, and is theirs all the same
//! (promise P1).
//!
//! Owns: uploads between our write and the listing that tells its version.
//! Leaves to others: kills in between (`crash::person`), uploads before the write (`slugs`).
//! A newcomer gets wrong: with `ownership: provider` such an upload may pass for ours until it would be deleted; only
//! then somebody looks at it.

use super::slugs::{meanwhile_after, stage};
use super::stage::Stage;
use super::truth::Shows::{Default, Face};

/// Listings: the survey, and the confirming one after it.
const LISTING: &str = "*/api/latest/users";
/// Listings before the confirming one.
const CONFIRMING: u32 = 1;

fn uploads(stage: &Stage) {
    stage.by_hand_in("bitbucket", "ada", "hand");
}

#[test]
fn what_passed_for_ours_is_looked_at_before_it_is_deleted() {
    let stage = stage(&["ada", "grace"]);
    meanwhile_after(&stage, CONFIRMING, "GET", LISTING, uploads).expect_exit(0);
    stage.no_photo("ada");
    stage.no_photo("grace");
    let line = stage.run().expect_exit(3).line("bitbucket", "ada");
    assert_eq!(line["error"]["code"], "not_ours", "{line}");
    stage.expect_shown_in("bitbucket", &[("ada", Face("hand")), ("grace", Default)]);
}

#[test]
fn a_picture_that_cannot_be_looked_at_is_not_deleted() {
    use avatarpipe_sandbox::faults::{Effect, Fault};
    let stage = stage(&["ada"]);
    stage.run().expect_exit(0);
    stage.no_photo("ada");
    stage.sandbox.fault(Fault::new(Effect::LoginPage {}).at("bitbucket").on("GET", "*/avatar.png"));
    let line = stage.run().expect_exit(3).line("bitbucket", "ada");
    assert_eq!(line["error"]["code"], "not_looked_at", "{line}");
    stage.expect_shown_in("bitbucket", &[("ada", Face("ada"))]);
    stage.sandbox.faults().clear();
    stage.run().expect_exit(0);
    stage.expect_shown_in("bitbucket", &[("ada", Default)]);
}

#[test]
fn where_people_choose_what_is_shown_is_looked_at_before_it_counts_as_ours() {
    let stage = stage(&["ada", "grace"]).with(|pipe| _ = pipe.target("bitbucket").set("ownership", "ours"));
    meanwhile_after(&stage, CONFIRMING, "GET", LISTING, uploads).expect_exit(3);
    stage.new_photo("ada", "spare");
    stage.run().expect_exit(0);
    stage.no_photo("ada");
    stage.run().expect_exit(0).expect_answer("nothing to do");
    stage.expect_shown_in("bitbucket", &[("ada", Face("hand")), ("grace", Face("grace"))]);
    // One look for each picture that was written, and the forecast knows it.
    stage.new_photo("grace", "spare");
    stage.counted(Stage::run).0.expect_exit(0);
    stage.expect_shown_in("bitbucket", &[("grace", Face("spare"))]);
}
