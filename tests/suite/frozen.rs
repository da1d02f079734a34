//! `freeze`: one person, or one target, keeps what is shown, and it is told.
//!
//! Owns: the real program. Leaves to others: the rule (`plan`), who is named (`extract`).
//! A newcomer gets wrong: frozen is left alone, not out of scope: an earlier picture of ours stays, too.

use super::harness::Harness;
use super::truth::Shows::Face;

#[test]
fn a_frozen_person_keeps_the_picture_until_the_line_goes() {
    let mut harness = Harness::with_people(&["ada", "grace"]);
    harness.run().expect_exit(0);
    harness.edit(|pipe| _ = pipe.entra("users", "{ freeze: ['ada@*'], opted_out: ['ada@*'] }"));
    harness.new_photo("grace", "spare");
    let ended = harness.run().expect_exit(0).expect_line("ada", "keep", "frozen", "none");
    assert_eq!(ended.report()["sources"][0]["downloaded"], 1, "nobody asks for the photo of who is frozen");
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("spare"))]);
    let told = harness.finish(&["explain", "pipeline.yaml", "ada"]).expect_exit(0);
    told.expect_answer("frozen: the accounts keep").expect_answer("take the person out of `users.freeze`");
    harness.edit(|pipe| _ = pipe.entra("users", "{}"));
    harness.new_photo("ada", "spare");
    harness.run().expect_exit(0).expect_line("ada", "replace", "photo_changed", "done");
}

#[test]
fn a_frozen_target_is_read_and_nothing_is_planned_for_it() {
    let mut harness = Harness::with_people(&["ada", "grace"]);
    harness.run().expect_exit(0);
    harness.sandbox.reset_writes();
    harness.edit(|pipe| _ = pipe.jira("freeze", "true").top("limits", "{ reverts: { count: 0 } }"));
    harness.new_photo("grace", "spare");
    harness.no_photo("ada");
    let ended = harness
        .run()
        .expect_exit(0)
        .expect_line("ada", "keep", "target_frozen", "none")
        .expect_answer("since the target is frozen (3)");
    assert_eq!(ended.report()["sources"][0]["downloaded"], 0);
    assert_eq!(ended.report()["targets"][0]["state"], "frozen");
    let undone = harness.finish(&["undo", "pipeline.yaml", "--apply"]).expect_exit(0);
    undone.expect_answer("nothing can be given back: 2;").expect_answer("`freeze` (pipeline.yaml:");
    assert_eq!(harness.sandbox.truth().writes, []);
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
}
