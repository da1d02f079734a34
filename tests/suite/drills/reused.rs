//! A Jira that was put back from a backup gives the ids of our pictures out again, to what people upload now.
//!
//! Owns: such ids on other accounts than before. Leaves to others: pictures that are simply gone, or old ones that are
//! back (`targets`).
//! A newcomer gets wrong: an id alone proves nothing. It counts only on the account that we made it for.

use avatarpipe_sandbox::truth::ShownKind;

use super::super::harness::Harness;
use super::super::population::{Population, face};
use super::super::truth::looks;
use super::{LIMITS, ONE_BY_ONE, PEOPLE};

/// Everybody was served, the server was put back to before that, and people uploaded pictures of their own, which got the
/// ids that ours had: who comes at `turn` places after the first owner begins.
fn given_out_again(turn: usize) -> (Harness, Vec<(&'static str, String)>) {
    let population = Population::of(&PEOPLE).jira(|jira| jira.next_avatar = Some(20_000));
    let harness = Harness::connected(population.world()).with(|pipe| {
        pipe.top("limits", LIMITS).top("rates", ONE_BY_ONE).jira("quiet", "0s");
    });
    let before = harness.sandbox.backup("jira").expect("a backup");
    harness.run().expect_exit(0);
    let mut ours = PEOPLE.map(|name| (harness.account(name).now.id, name));
    ours.sort();
    harness.sandbox.restore("jira", &before).expect("the backup");
    harness.sandbox.reset_writes();
    let uploads = ours.iter().enumerate().map(|(nth, (id, _))| {
        let (_, owner) = ours[(nth + turn) % ours.len()];
        assert_eq!(harness.by_hand(owner, "hand").to_string(), *id, "the id is given out again");
        (owner, id.clone())
    });
    let uploads = uploads.collect();
    (harness, uploads)
}

/// All uploads are still there, and no rule was broken.
#[track_caller]
fn expect_there(harness: &Harness, uploads: &[(&str, String)]) {
    let truth = harness.sandbox.truth();
    for (owner, id) in uploads {
        let lies = truth.avatars.iter().any(|avatar| avatar.id == *id && avatar.owner == harness.account(owner).key);
        assert!(lies, "the upload {id} of {owner} was deleted");
    }
    harness.expect_promises();
}

#[test]
fn ids_of_ours_that_name_uploads_of_others_are_not_ours_to_delete() {
    for turn in [1, 2] {
        let (harness, uploads) = given_out_again(turn);
        harness.new_photo("ada", "spare");
        harness.no_photo("grace");
        harness
            .run()
            .expect_exit(4)
            .expect_answer("target_drift of jira: found 3 of 3 pictures of ours on record, allowed 1");
        assert_eq!(harness.sandbox.truth().writes, []);
        harness.run_with(&["--allow", "target_drift=3"]).expect_exit(0);
        expect_there(&harness, &uploads);
        // With `ownership: provider` a picture of one's own is taken off, and deleted by nobody, where the directory has none.
        assert_eq!(harness.account("grace").now.kind, ShownKind::Default, "grace");
        for (name, shown) in [("ada", "spare"), ("alan", "alan")] {
            let now = looks(&harness.account(name).now.bytes);
            assert!(now.fits(&looks(&face(shown))), "{name} is to show {shown}");
        }
        harness.run().expect_exit(0).expect_answer("nothing to do");
        expect_there(&harness, &uploads);
    }
}

#[test]
fn ids_of_ours_that_name_the_persons_own_upload_are_not_ours_to_delete() {
    for ownership in ["provider", "ours"] {
        let (mut harness, uploads) = given_out_again(0);
        harness.edit(|pipe| _ = pipe.jira("ownership", ownership));
        harness.new_photo("ada", "spare");
        harness.no_photo("grace");
        let exit = if ownership == "ours" { 3 } else { 0 };
        harness.run().expect_exit(exit);
        expect_there(&harness, &uploads);
        harness.run().expect_exit(0).expect_answer("nothing to do");
        expect_there(&harness, &uploads);
        let faces = match ownership {
            "ours" => [("ada", Some("hand")), ("grace", Some("hand"))],
            _ => [("ada", Some("spare")), ("grace", None)],
        };
        for (name, shown) in faces {
            let now = harness.account(name).now;
            match shown {
                Some(shown) => assert!(looks(&now.bytes).fits(&looks(&face(shown))), "{name} is to show {shown}"),
                None => assert_eq!(now.kind, ShownKind::Default, "{name}"),
            }
        }
    }
}
