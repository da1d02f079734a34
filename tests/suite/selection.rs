//! What a run may be narrowed to: people, targets, a reviewed plan, or nothing at all.

use super::stage::Stage;
use super::truth::Shows::{Default, Face, Start};

const PEOPLE: [&str; 3] = ["ada", "grace", "alan"];

#[test]
fn only_the_named_people_are_changed_by_whatever_name() {
    for only in ["ada", "ADA@contoso.example", "JIRAUSER10101"] {
        let stage = Stage::company(&PEOPLE);
        stage.run_with(&["--only", only]).expect_exit(0).expect_line("grace", "skip", "not_selected", "none");
        stage.expect_shown(&[("ada", Face("ada")), ("grace", Start), ("alan", Start)]);
    }
}

#[test]
fn a_limit_holds_for_everybody_even_if_only_one_is_selected() {
    let stage = Stage::company(&PEOPLE).with(|pipe| _ = pipe.top("limits", "{ replacements: { count: 2 } }"));
    stage.run_with(&["--only", "ada"]).expect_exit(4).expect_answer("replacements");
    stage.expect_shown(&[("ada", Start)]);
}

#[test]
fn only_the_named_target_is_changed() {
    let stage = Stage::company(&PEOPLE).with(|pipe| {
        pipe.target("folder").set("path", "out");
    });
    stage.run_with(&["--target", "folder"]).expect_exit(0);
    stage.expect_shown(&[("ada", Start)]);
    assert!(stage.path("out/ada.png").exists());
    stage.run_with(&["--target", "jira"]).expect_exit(0);
    stage.expect_shown(&[("ada", Face("ada"))]);
}

#[test]
fn a_dry_run_writes_nothing_and_says_what_it_would() {
    let stage = Stage::company(&PEOPLE).with(|pipe| _ = pipe.jira("dry_run", "true"));
    let (ended, _) = stage.counted(Stage::run);
    ended.expect_exit(0).expect_line("ada", "replace", "photo_new", "planned").expect_answer("dry_run");
    assert_eq!(stage.writes(), [""; 0]);
    stage.expect_shown(&[("ada", Start)]);
}

#[test]
fn a_plan_writes_nothing_anywhere() {
    let stage = Stage::company(&PEOPLE).with(|pipe| _ = pipe.by_token());
    stage.plan_with(&["--out", "plan.json"]).expect_exit(0).expect_answer("to replace");
    assert_eq!(stage.writes(), [""; 0], "not even a probe");
    stage.expect_shown(&[("ada", Start)]);
}

#[test]
fn a_reviewed_plan_is_applied_where_it_still_holds_and_nothing_is_added() {
    let stage = Stage::company(&["ada", "grace", "alan", "edsger"]);
    stage.no_photo("edsger");
    stage.plan_with(&["--out", "plan.json"]).expect_exit(0);
    stage.new_photo("grace", "spare");
    stage.by_hand("alan", "hand");
    stage.new_photo("edsger", "edsger");
    let ended =
        stage.run_with(&["--plan", "plan.json"]).expect_exit(0).expect_line("ada", "replace", "photo_new", "done");
    for stale in ["grace", "alan", "edsger"] {
        let line = ended.line("jira", stale);
        ended.holds(line["reason"] == "not_reviewed", &format!("{stale} was not reviewed, found {line}"));
    }
    assert_eq!(ended.count("jira", "replaced"), 1);
    stage.expect_shown(&[("ada", Face("ada")), ("grace", Start), ("alan", Face("hand")), ("edsger", Default)]);
}

#[test]
fn a_reviewed_plan_that_still_holds_is_applied_as_a_whole_and_only_once() {
    let stage = Stage::company(&PEOPLE);
    stage.plan_with(&["--out", "plan.json"]).expect_exit(0);
    let (ended, _) = stage.counted(|stage| stage.run_with(&["--plan", "plan.json"]));
    assert_eq!(ended.expect_exit(0).count("jira", "replaced"), 3);
    stage.run_with(&["--plan", "plan.json"]).expect_exit(0).expect_answer("nothing to do");
    stage.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("alan", Face("alan"))]);
}

#[test]
fn a_plan_of_another_pipeline_is_refused() {
    let mut stage = Stage::company(&PEOPLE);
    stage.plan_with(&["--out", "plan.json"]).expect_exit(0);
    stage.edit(|pipe| _ = pipe.top("pipeline", "other"));
    stage.run_with(&["--plan", "plan.json"]).expect_exit(2).expect_error("`stage`");
    stage.write("plan.json", "{}");
    stage.run_with(&["--plan", "plan.json"]).expect_exit(2).expect_error("plan.json");
}
