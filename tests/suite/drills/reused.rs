//! A Jira that was put back from a backup gives the ids of our pictures out again, to what people upload now.
//!
//! Owns: such ids on other accounts than before. Leaves to others: pictures that are simply gone, or old ones that are
//! back (`targets`).
//! A newcomer gets wrong: an id alone proves nothing. It counts only on the account that we made it for.

use avatarpipe_sandbox::truth::ShownKind;

use super::super::company::{Company, face};
use super::super::stage::Stage;
use super::super::truth::looks;
use super::{LIMITS, ONE_BY_ONE, PEOPLE};

/// Everybody was served, the server was put back to before that, and people uploaded pictures of their own, which got the
/// ids that ours had: who comes at `turn` places after the first owner begins.
fn given_out_again(turn: usize) -> (Stage, Vec<(&'static str, String)>) {
    let company = Company::of(&PEOPLE).jira(|jira| jira.next_avatar = Some(20_000));
    let stage = Stage::connected(company.world()).with(|pipe| {
        pipe.top("limits", LIMITS).top("rates", ONE_BY_ONE).jira("quiet", "0s");
    });
    let before = stage.sandbox.backup("jira").expect("a backup");
    stage.run().expect_exit(0);
    let mut ours = PEOPLE.map(|name| (stage.account(name).now.id, name));
    ours.sort();
    stage.sandbox.restore("jira", &before).expect("the backup");
    stage.sandbox.reset_writes();
    let uploads = ours.iter().enumerate().map(|(nth, (id, _))| {
        let (_, owner) = ours[(nth + turn) % ours.len()];
        assert_eq!(stage.by_hand(owner, "hand").to_string(), *id, "the id is given out again");
        (owner, id.clone())
    });
    let uploads = uploads.collect();
    (stage, uploads)
}

/// All uploads are still there, and no rule was broken.
#[track_caller]
fn expect_there(stage: &Stage, uploads: &[(&str, String)]) {
    let truth = stage.sandbox.truth();
    for (owner, id) in uploads {
        let lies = truth.avatars.iter().any(|avatar| avatar.id == *id && avatar.owner == stage.account(owner).key);
        assert!(lies, "the upload {id} of {owner} was deleted");
    }
    stage.expect_promises();
}

#[test]
fn ids_of_ours_that_name_uploads_of_others_are_not_ours_to_delete() {
    for turn in [1, 2] {
        let (stage, uploads) = given_out_again(turn);
        stage.new_photo("ada", "spare");
        stage.no_photo("grace");
        stage.run().expect_exit(4).expect_answer("target_drift of jira: found 3 of 3, allowed 1");
        assert_eq!(stage.sandbox.truth().writes, []);
        stage.run_with(&["--allow", "target_drift=3"]).expect_exit(0);
        expect_there(&stage, &uploads);
        // With `ownership: provider` a picture of one's own is taken off, and deleted by nobody, where the directory has none.
        assert_eq!(stage.account("grace").now.kind, ShownKind::Default, "grace");
        for (name, shown) in [("ada", "spare"), ("alan", "alan")] {
            let now = looks(&stage.account(name).now.bytes);
            assert!(now.fits(&looks(&face(shown))), "{name} is to show {shown}");
        }
        stage.run().expect_exit(0).expect_answer("nothing to do");
        expect_there(&stage, &uploads);
    }
}

#[test]
fn ids_of_ours_that_name_the_persons_own_upload_are_not_ours_to_delete() {
    for ownership in ["provider", "ours"] {
        let (mut stage, uploads) = given_out_again(0);
        stage.edit(|pipe| _ = pipe.jira("ownership", ownership));
        stage.new_photo("ada", "spare");
        stage.no_photo("grace");
        let exit = if ownership == "ours" { 3 } else { 0 };
        stage.run().expect_exit(exit);
        expect_there(&stage, &uploads);
        stage.run().expect_exit(0).expect_answer("nothing to do");
        expect_there(&stage, &uploads);
        let faces = match ownership {
            "ours" => [("ada", Some("hand")), ("grace", Some("hand"))],
            _ => [("ada", Some("spare")), ("grace", None)],
        };
        for (name, shown) in faces {
            let now = stage.account(name).now;
            match shown {
                Some(shown) => assert!(looks(&now.bytes).fits(&looks(&face(shown))), "{name} is to show {shown}"),
                None => assert_eq!(now.kind, ShownKind::Default, "{name}"),
            }
        }
    }
}
