//! What a run may be narrowed to: people, targets, a reviewed plan, or nothing at all.

use avatarpipe_sandbox::faults::{Effect, Fault};

use super::company::{Company, address, bought};
use super::stage::Stage;
use super::truth::Shows::{Default, Face, Start};

const PEOPLE: [&str; 3] = ["ada", "grace", "alan"];

#[test]
fn only_the_named_people_are_changed_by_whatever_name() {
    for only in ["ada", "ADA@contoso.example", "JIRAUSER10101", " Ada "] {
        let stage = Stage::company(&PEOPLE);
        let ended = stage.run_with(&["--only", only]);
        let ended = ended.expect_exit(0).expect_line("grace", "skip", "not_selected", "none");
        assert_eq!(ended.report()["sources"][0]["downloaded"], 1, "a pilot of one costs one photo");
        stage.expect_shown(&[("ada", Face("ada")), ("grace", Start), ("alan", Start)]);
    }
}

/// The words of people count as well as those of accounts, whichever source lists them.
#[test]
fn people_of_every_source_are_found_by_address_id_and_name() {
    let company = || Company::of(&["ada", "grace"]).with_google(&["leslie", "katherine"]);
    let world = company().world();
    let id = world.google[0].users.iter().find(|user| user.email == bought("leslie")).expect("a user").id.clone();
    // The account's own words say nothing of them: it is matched by a key of its own.
    for only in [bought("leslie"), id, "leslie fabrikam".to_owned()] {
        println!("{only}");
        let stage = Stage::connected(company().world());
        let ended = stage.run_with(&["--only", &only]).expect_exit(0);
        assert_eq!(ended.count("jira", "replaced"), 1, "{only}");
        stage.expect_shown(&[("leslie", Face("leslie")), ("katherine", Start), ("ada", Start)]);
    }
}

#[test]
fn a_name_that_selects_nobody_is_a_mistake_and_the_nearest_are_told() {
    let stage = Stage::of(Company::of(&PEOPLE).with_person("mary").world());
    for command in ["run", "plan"] {
        let typo = stage.finish(&[command, "pipeline.yaml", "--only", "ada", "--only", "grce@contoso.example"]);
        typo.expect_exit(2).expect_error("grce@contoso.example").expect_error(&address("grace"));
        // She is listed, and no account is hers.
        let none = stage.finish(&[command, "pipeline.yaml", "--only", "mary@contoso.example"]);
        none.expect_exit(2).expect_error("has no account");
    }
    assert_eq!(stage.writes(), [""; 0]);
    stage.expect_shown(&[("ada", Start)]);
}

#[test]
fn a_limit_holds_for_everybody_even_if_only_one_is_selected() {
    let stage = Stage::company(&PEOPLE).with(|pipe| {
        pipe.top("limits", "{ reverts: { count: 1 } }").top("transform", "{ fallback: { inactive: default } }");
    });
    stage.run().expect_exit(0);
    stage.enabled("ada", false);
    stage.enabled("grace", false);
    stage.run_with(&["--only", "ada"]).expect_exit(4).expect_answer("reverts");
    stage.expect_shown(&[("ada", Face("ada"))]);
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
    let stage = Stage::company(&["ada", "grace", "alan", "edsger", "barbara"]);
    stage.no_photo("edsger");
    stage.plan_with(&["--out", "plan.json"]).expect_exit(0);
    stage.new_photo("grace", "spare");
    stage.by_hand("alan", "hand");
    stage.new_photo("edsger", "edsger");
    stage.photo_fails("barbara", "store_error");
    let ended = stage.run_with(&["--plan", "plan.json"]).expect_exit(3);
    let ended = ended.expect_line("ada", "replace", "photo_new", "done");
    for stale in ["grace", "alan", "edsger"] {
        let line = ended.line("jira", stale);
        ended.holds(line["reason"] == "not_reviewed", &format!("{stale} was not reviewed, found {line}"));
    }
    // Each reviewed change that was not made is told by itself; what was never reviewed is no failure.
    for (name, told) in [("grace", true), ("alan", true), ("barbara", true), ("edsger", false)] {
        let line = ended.line("jira", name);
        let found = line["result"] == "not_done" && line["error"]["code"] == "stale";
        ended.holds(found == told, &format!("{name}: told is {told}, found {line}"));
    }
    assert_eq!(ended.count("jira", "replaced"), 1);
    stage.expect_shown(&[("ada", Face("ada")), ("grace", Start), ("alan", Face("hand")), ("edsger", Default)]);
}

/// A plan is reviewed on one machine and carried out on another, which has neither photos nor pictures yet.
#[test]
fn a_reviewed_plan_is_applied_on_another_machine() {
    let mut stage = Stage::company(&PEOPLE);
    stage.run().expect_exit(0);
    stage.new_photo("ada", "spare");
    stage.edit(|pipe| _ = pipe.top("transform", "{ resize: { size: 128 } }"));
    stage.plan_with(&["--out", "plan.json"]).expect_exit(0);
    let plan = std::fs::read(stage.path("plan.json")).expect("a plan");
    stage.move_with_the_state_alone();
    stage.write("plan.json", plan);
    let ended = stage.run_with(&["--plan", "plan.json"]).expect_exit(0);
    assert_eq!(ended.count("jira", "replaced"), 3);
    stage.expect_shown(&[("ada", Face("spare")), ("grace", Face("grace")), ("alan", Face("alan"))]);
}

#[test]
fn a_reviewed_plan_goes_on_where_a_part_is_done() {
    let stage = Stage::company(&PEOPLE).with(|pipe| _ = pipe.jira("quiet", "0s"));
    stage.plan_with(&["--out", "plan.json"]).expect_exit(0);
    stage.run_with(&["--only", "ada"]).expect_exit(0);
    // Killed while it shows the second picture.
    stage.sandbox.fault(Fault::new(Effect::Delay { ms: 600_000 }).at("jira").on("PUT", "*"));
    stage.sandbox.requests().reset();
    let arguments = ["run", "pipeline.yaml", "--plan", "plan.json"];
    let mut child = stage.spawn(&arguments);
    stage.until("a picture is to be shown", |stage| stage.calls("jira").iter().any(|call| call.contains("PUT ")));
    child.kill().expect("SIGKILL");
    stage.wait(child, &arguments);
    stage.sandbox.faults().clear();
    stage.run_with(&["--plan", "plan.json"]).expect_exit(0);
    stage.expect_shown(&PEOPLE.map(|name| (name, Face(name))));
    stage.run_with(&["--plan", "plan.json"]).expect_exit(0).expect_answer("nothing to do");
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

#[test]
fn a_plan_replaces_nothing_but_a_plan() {
    let stage = Stage::company(&["ada"]);
    stage.write("people.csv", "id,name\n1,Ada\n");
    for file in ["pipeline.yaml", "people.csv"] {
        let before = std::fs::read(stage.path(file)).unwrap_or_default();
        let ended = stage.plan_with(&["--out", file]).expect_exit(2).expect_error("is no plan");
        let after = std::fs::read(stage.path(file)).expect("the file");
        ended.holds(before.is_empty() || after == before, "the file as it was");
    }
    for _ in 0..2 {
        stage.plan_with(&["--out", "saved"]).expect_exit(0);
    }
}
