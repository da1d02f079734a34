//! What a run may be narrowed to: people, targets, a reviewed plan, or nothing at all.

use avatarpipe_sandbox::faults::{Effect, Fault};

use super::harness::Harness;
use super::population::{Population, address, bought};
use super::truth::Shows::{Default, Face, Start};

const PEOPLE: [&str; 3] = ["ada", "grace", "alan"];

#[test]
fn only_the_named_people_are_changed_by_whatever_name() {
    for only in ["ada", "ADA@contoso.example", "JIRAUSER10101", " Ada ", "jira/ada", "jira/JIRAUSER10101"] {
        let harness = Harness::with_people(&PEOPLE);
        let ended = harness.run_with(&["--only", only]);
        let ended = ended.expect_exit(0).expect_line("grace", "skip", "not_selected", "none");
        assert_eq!(ended.report()["sources"][0]["downloaded"], 1, "a pilot of one costs one photo");
        harness.expect_shown(&[("ada", Face("ada")), ("grace", Start), ("alan", Start)]);
    }
}

/// Two of one name, one of whom is served already: what was chosen is told before anything is written, and nobody else.
#[test]
fn whom_a_name_means_is_told_and_others_are_counted() {
    let population =
        ["ada", "grace"].iter().fold(Population::of(&["ada", "grace", "alan", "edsger"]), |population, name| {
            population.person(name, |person| person.name = "John Doe".into())
        });
    let harness = Harness::of(population.world());
    let first = harness.run_with(&["--only", "ada"]).expect_exit(0);
    first.holds_no_error("means ");
    let ended = harness.run_with(&["--only", "john doe"]).expect_exit(0);
    let ended = ended.expect_error("note: jira: --only john doe: means 2 accounts: ada (JIRAUSER");
    let ended = ended.expect_answer("jira: --only john doe: means 2 accounts: ada (JIRAUSER");
    let ended = ended.expect_answer("jira: shows what it should already: ada\n");
    ended.expect_answer("left out by --only or --target (3)").holds_no_answer("jira/alan");
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("alan", Start)]);
}

/// The words of people count as well as those of accounts, whichever source lists them.
#[test]
fn people_of_every_source_are_found_by_address_id_and_name() {
    let population = || Population::of(&["ada", "grace"]).with_google(&["leslie", "katherine"]);
    let world = population().world();
    let id = world.google[0].users.iter().find(|user| user.email == bought("leslie")).expect("a user").id.clone();
    // The account's own words say nothing of them: it is matched by a key of its own.
    for only in [bought("leslie"), id, "leslie fabrikam".to_owned()] {
        println!("{only}");
        let harness = Harness::connected(population().world());
        let ended = harness.run_with(&["--only", &only]).expect_exit(0);
        assert_eq!(ended.count("jira", "replaced"), 1, "{only}");
        harness.expect_shown(&[("leslie", Face("leslie")), ("katherine", Start), ("ada", Start)]);
    }
}

#[test]
fn a_name_that_selects_nobody_is_a_mistake_and_the_nearest_are_told() {
    let harness = Harness::of(Population::of(&PEOPLE).with_person("mary").world());
    for command in ["run", "plan"] {
        let typo = harness.finish(&[command, "pipeline.yaml", "--only", "ada", "--only", "grce@contoso.example"]);
        typo.expect_exit(2).expect_error("grce@contoso.example").expect_error(&address("grace"));
        // She is listed, and no account is hers.
        let none = harness.finish(&[command, "pipeline.yaml", "--only", "mary@contoso.example"]);
        none.expect_exit(2).expect_error("has no account");
    }
    assert_eq!(harness.writes(), [""; 0]);
    harness.expect_shown(&[("ada", Start)]);
}

/// Who mistypes a name may look at once why, and finds what was known before.
#[test]
fn a_name_that_selects_nobody_leaves_what_explain_knows() {
    let harness = Harness::with_people(&PEOPLE);
    harness.plan_with(&[]).expect_exit(0);
    let knows = || harness.finish(&["explain", "pipeline.yaml", "ada"]).expect_exit(0).stdout;
    let before = knows();
    for (command, only) in [("plan", "grce"), ("run", "grce"), ("undo", "grce"), ("plan", "wiki/ada")] {
        harness.finish(&[command, "pipeline.yaml", "--only", only]).expect_exit(2);
        assert_eq!(knows(), before, "{command} --only {only}");
    }
    for empty in ["", " "] {
        harness.plan_with(&["--only", empty]).expect_exit(2).expect_error("--only names nobody: write a name");
    }
    harness.plan_with(&["--only", "ada"]).expect_exit(0);
    assert!(!harness.path("state/stage.cache/facts.db.last").exists());
}

/// As spreadsheets save it: with a mark at the beginning, and two signs at the end of each line.
#[test]
fn a_list_names_people_as_only_does_and_tells_its_lines() {
    let harness = Harness::with_people(&PEOPLE);
    harness.write("pilot.txt", "\u{FEFF}ada@contoso.example\r\n\r\n# and\r\nGRACE\r\n");
    harness.run_with(&["--only-file", "pilot.txt"]).expect_exit(0).expect_line("alan", "skip", "not_selected", "none");
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("alan", Start)]);
    let status = harness.finish(&["status", "pipeline.yaml", "--max-age", "26h"]).expect_exit(3);
    status.expect_answer("--only-file (2)");
    harness.write("pilot.txt", "alan\n# and\ngrce\nadda\n");
    let typo = harness.finish(&["undo", "pipeline.yaml", "--apply", "--only-file", "pilot.txt"]).expect_exit(2);
    typo.expect_error("pilot.txt:3: grce: no person").expect_error("pilot.txt:4: adda: no person");
    harness.write("pilot.txt", "# nobody\n");
    let none = harness.finish(&["run", "pipeline.yaml", "--only-file", "pilot.txt", "--only-file", "-"]);
    none.expect_exit(2).expect_error("pilot.txt: it names nobody");
    harness.expect_shown(&[("ada", Face("ada")), ("alan", Start)]);
}

#[test]
fn a_limit_holds_for_everybody_even_if_only_one_is_selected() {
    let harness = Harness::with_people(&PEOPLE).with(|pipe| {
        pipe.top("limits", "{ reverts: { count: 1 } }").top("transform", "{ fallback: { inactive: default } }");
    });
    harness.run().expect_exit(0);
    harness.enabled("ada", false);
    harness.enabled("grace", false);
    harness.run_with(&["--only", "ada"]).expect_exit(4).expect_answer("reverts");
    harness.expect_shown(&[("ada", Face("ada"))]);
}

#[test]
fn only_the_named_target_is_changed() {
    let harness = Harness::with_people(&PEOPLE).with(|pipe| {
        pipe.target("folder").set("path", "out");
    });
    harness.run_with(&["--target", "folder"]).expect_exit(0);
    harness.expect_shown(&[("ada", Start)]);
    assert!(harness.path("out/ada.png").exists());
    harness.run_with(&["--target", "jira"]).expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada"))]);
}

#[test]
fn a_dry_run_writes_nothing_and_says_what_it_would() {
    let harness = Harness::with_people(&PEOPLE).with(|pipe| _ = pipe.jira("dry_run", "true"));
    let (ended, _) = harness.counted(Harness::run);
    ended.expect_exit(0).expect_line("ada", "replace", "photo_new", "planned").expect_answer("dry_run");
    assert_eq!(harness.writes(), [""; 0]);
    harness.expect_shown(&[("ada", Start)]);
}

#[test]
fn a_plan_writes_nothing_anywhere() {
    let harness = Harness::with_people(&PEOPLE).with(|pipe| _ = pipe.by_token());
    harness.plan_with(&["--out", "plan.json"]).expect_exit(0).expect_answer("to replace");
    assert_eq!(harness.writes(), [""; 0], "not even a probe");
    harness.expect_shown(&[("ada", Start)]);
}

#[test]
fn a_reviewed_plan_is_applied_where_it_still_holds_and_nothing_is_added() {
    let harness = Harness::with_people(&["ada", "grace", "alan", "edsger", "barbara"]);
    harness.no_photo("edsger");
    harness.plan_with(&["--out", "plan.json"]).expect_exit(0);
    harness.new_photo("grace", "spare");
    harness.by_hand("alan", "hand");
    harness.new_photo("edsger", "edsger");
    harness.photo_fails("barbara", "store_error");
    let ended = harness.run_with(&["--plan", "plan.json"]).expect_exit(3);
    let ended = ended.expect_line("ada", "replace", "photo_new", "done");
    let ended = ended.expect_answer("3 reviewed and not made").expect_answer("\nreviewed, but not made (3)\n");
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
    for (name, words) in
        [("grace", "now the photo is another than was reviewed"), ("alan", "what stands there counts as")]
    {
        let line = ended.line("jira", name);
        let told = line["error"]["message"].as_str().is_some_and(|message| message.contains(words));
        ended.holds(told, &format!("{name}: {words}, found {line}"));
    }
    assert_eq!(ended.count("jira", "replaced"), 1);
    let status = harness.finish(&["status", "pipeline.yaml"]).expect_exit(0);
    status.expect_answer("3 reviewed changes not made");
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Start), ("alan", Face("hand")), ("edsger", Default)]);
}

/// A plan is reviewed on one machine and carried out on another, which has neither photos nor pictures yet.
#[test]
fn a_reviewed_plan_is_applied_on_another_machine() {
    let mut harness = Harness::with_people(&PEOPLE);
    harness.run().expect_exit(0);
    harness.new_photo("ada", "spare");
    harness.edit(|pipe| _ = pipe.top("transform", "{ resize: { size: 64 } }"));
    harness.plan_with(&["--out", "plan.json"]).expect_exit(0);
    let plan = std::fs::read(harness.path("plan.json")).expect("a plan");
    harness.move_with_the_state_alone();
    harness.write("plan.json", plan);
    let ended = harness.run_with(&["--plan", "plan.json"]).expect_exit(0);
    assert_eq!(ended.count("jira", "replaced"), 3);
    harness.expect_shown(&[("ada", Face("spare")), ("grace", Face("grace")), ("alan", Face("alan"))]);
}

/// What is signed names the plan, and so does the run that was made of it.
#[test]
fn a_plan_is_known_by_its_digest_on_every_paper() {
    let harness = Harness::with_people(&["ada"]);
    let planned = harness.plan_with(&["--out", "plan.json"]).expect_exit(0);
    let digest = planned.report()["plan_digest"].as_str().expect("a digest").to_owned();
    let short = &digest[..11];
    let planned = planned.expect_error(&format!("plan {short} saved to plan.json"));
    for page in ["report/summary.md", "report/pictures.html"] {
        let page = std::fs::read_to_string(harness.path(page)).expect("a page");
        planned.holds(page.contains(short), &format!("{short} stands in {page}"));
    }
    let plan = std::fs::read_to_string(harness.path("plan.json")).expect("a plan");
    planned.holds(plan.contains(planned.report()["run"].as_str().expect("an id")), "the plan names its run");
    let ran = harness.run_with(&["--plan", "plan.json"]).expect_exit(0);
    assert_eq!(ran.report()["reviewed_plan"], digest.as_str());
    let trail = std::fs::read_to_string(harness.path("state/stage.audit.jsonl")).expect("a trail");
    ran.holds(trail.contains(&format!("--plan {short}")), &format!("{short} stands in {trail}"));
}

/// What was reviewed is what its digest is of.
#[test]
fn a_plan_that_was_edited_is_refused_and_nothing_is_done() {
    let harness = Harness::with_people(&["ada", "grace"]);
    harness.plan_with(&["--out", "plan.json"]).expect_exit(0);
    let read =
        || serde_json::from_slice::<serde_json::Value>(&std::fs::read(harness.path("plan.json")).expect("a plan"));
    let whole = read().expect("JSON");
    harness.plan_with(&["--only", "ada", "--out", "plan.json"]).expect_exit(0);
    let part = read().expect("JSON");
    let with = |edit: &dyn Fn(&mut serde_json::Value)| {
        let mut plan = part.clone();
        edit(&mut plan["changes"]);
        plan
    };
    for edited in [
        with(&|changes| *changes = whole["changes"].clone()),
        with(&|changes| *changes = serde_json::json!([])),
        with(&|changes| changes[0]["account"] = "another".into()),
        with(&|changes| changes[0]["change"] = "revert".into()),
        with(&|changes| changes[0]["photo"] = whole["changes"][1]["photo"].clone()),
        with(&|changes| changes[0]["photo"] = serde_json::Value::Null),
        with(&|changes| changes[0]["recipe"] = "another".into()),
        with(&|changes| changes[0]["picture"] = "15001".into()),
        with(&|changes| changes[0]["told"]["account_name"] = "another".into()),
        with(&|changes| changes[0]["told"]["person"]["name"] = "another".into()),
        with(&|changes| changes[0]["told"]["person"] = serde_json::Value::Null),
        with(&|changes| changes[0]["told"]["why"] = "another".into()),
        with(&|changes| changes[0]["told"]["rule"] = "another".into()),
        with(&|changes| _ = changes[0].as_object_mut().expect("a change").remove("told")),
        with(&|changes| *changes = serde_json::json!([changes[0], changes[0]])),
        {
            let mut plan = part.clone();
            plan["servers"]["jira"] = "another".into();
            plan
        },
    ] {
        harness.write("plan.json", edited.to_string());
        let ended = harness.run_with(&["--plan", "plan.json"]).expect_exit(2);
        ended.expect_error("it was edited since it was made");
    }
    harness.expect_shown(&[("ada", Start), ("grace", Start)]);
    harness.write("plan.json", part.to_string());
    harness.run_with(&["--plan", "plan.json"]).expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Start)]);
}

/// Where the state did not come along nothing of ours is known.
#[test]
fn a_plan_of_another_state_says_so() {
    let mut harness = Harness::with_people(&["ada"]);
    harness.run().expect_exit(0);
    harness.new_photo("ada", "spare");
    harness.plan_with(&["--out", "plan.json"]).expect_exit(0);
    let plan = std::fs::read(harness.path("plan.json")).expect("a plan");
    harness.move_with_the_state_alone();
    std::fs::remove_file(harness.path("state/stage.db")).expect("the state");
    harness.write("plan.json", plan);
    let ended = harness.run_with(&["--plan", "plan.json"]).expect_exit(3);
    ended.expect_answer("which the state here does not know").expect_answer("what stands there counts as");
}

#[test]
fn a_reviewed_plan_goes_on_where_a_part_is_done() {
    let harness = Harness::with_people(&PEOPLE).with(|pipe| _ = pipe.jira("quiet", "0s"));
    harness.plan_with(&["--out", "plan.json"]).expect_exit(0);
    harness.run_with(&["--only", "ada"]).expect_exit(0);
    // Killed while it shows the second picture.
    harness.sandbox.fault(Fault::new(Effect::Delay { ms: 600_000 }).at("jira").on("PUT", "*"));
    harness.sandbox.requests().reset();
    let arguments = ["run", "pipeline.yaml", "--plan", "plan.json"];
    let mut child = harness.spawn(&arguments);
    harness.until("a picture is to be shown", |harness| harness.calls("jira").iter().any(|call| call.contains("PUT ")));
    child.kill().expect("SIGKILL");
    harness.wait(child, &arguments);
    harness.sandbox.faults().clear();
    harness.run_with(&["--plan", "plan.json"]).expect_exit(0);
    harness.expect_shown(&PEOPLE.map(|name| (name, Face(name))));
    harness.run_with(&["--plan", "plan.json"]).expect_exit(0).expect_answer("nothing to do");
}

#[test]
fn a_reviewed_plan_that_still_holds_is_applied_as_a_whole_and_only_once() {
    let harness = Harness::with_people(&PEOPLE);
    harness.plan_with(&["--out", "plan.json"]).expect_exit(0);
    let (ended, _) = harness.counted(|harness| harness.run_with(&["--plan", "plan.json"]));
    assert_eq!(ended.expect_exit(0).count("jira", "replaced"), 3);
    harness.run_with(&["--plan", "plan.json"]).expect_exit(0).expect_answer("nothing to do");
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("alan", Face("alan"))]);
}

#[test]
fn a_plan_names_people_and_one_of_another_format_is_refused() {
    let harness = Harness::with_people(&PEOPLE);
    harness.plan_with(&["--out", "plan.json"]).expect_exit(0);
    let text = std::fs::read_to_string(harness.path("plan.json")).expect("a plan");
    let mut plan: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let told = &plan["changes"][0]["told"];
    assert_eq!((&told["account_name"], &told["person"]["name"]), (&"ada".into(), &"ada".into()));
    assert_eq!((&told["reason"], &told["why"]), (&"photo_new".into(), &"has a photo that is not shown yet".into()));
    assert!(told["rule"].as_str().is_some_and(|rule| rule.starts_with("pipeline.yaml:")), "{told}");
    for (format, words) in [
        (2, "it has format 2, of an older avatarpipe"),
        (4, "it has format 4, of an older avatarpipe, whose digests do not cover all that is done and told"),
        (7, "it has format 7, of a newer avatarpipe"),
    ] {
        plan["format"] = format.into();
        harness.write("plan.json", plan.to_string());
        let ended = harness.run_with(&["--plan", "plan.json"]).expect_exit(2);
        ended.expect_error(words).expect_error("make and review it again with `avatarpipe plan FILE --out PLAN`");
    }
    harness.expect_shown(&[("ada", Start), ("grace", Start)]);
    plan["format"] = 6.into();
    harness.write("plan.json", plan.to_string());
    harness.run_with(&["--plan", "plan.json"]).expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
}

#[test]
fn a_plan_of_another_pipeline_is_refused() {
    let mut harness = Harness::with_people(&PEOPLE);
    harness.plan_with(&["--out", "plan.json"]).expect_exit(0);
    harness.edit(|pipe| _ = pipe.top("pipeline", "other"));
    harness.run_with(&["--plan", "plan.json"]).expect_exit(2).expect_error("`stage`");
    harness.write("plan.json", "{}");
    harness.run_with(&["--plan", "plan.json"]).expect_exit(2).expect_error("plan.json");
}

#[test]
fn a_plan_replaces_nothing_but_a_plan() {
    let harness = Harness::with_people(&["ada"]);
    harness.write("people.csv", "id,name\n1,Ada\n");
    for file in ["pipeline.yaml", "people.csv"] {
        let before = std::fs::read(harness.path(file)).unwrap_or_default();
        let ended = harness.plan_with(&["--out", file]).expect_exit(2).expect_error("is no plan");
        let after = std::fs::read(harness.path(file)).expect("the file");
        ended.holds(before.is_empty() || after == before, "the file as it was");
    }
    for _ in 0..2 {
        harness.plan_with(&["--out", "saved"]).expect_exit(0);
    }
}

/// Whoever is served one by one is counted one by one.
#[test]
fn who_loses_a_picture_alone_is_told_beside_the_limits() {
    let harness = Harness::with_people(&PEOPLE).with(|pipe| _ = pipe.top("limits", "{ reverts: { count: 1 } }"));
    harness.run().expect_exit(0);
    harness.no_photo("ada");
    harness.no_photo("grace");
    harness.run().expect_exit(4);
    let ended = harness.run_with(&["--only", "ada"]).expect_exit(0);
    ended.expect_answer("`reverts` counted 1: everybody whose picture goes");
    harness.run_with(&["--only", "alan"]).expect_exit(0).holds_no_answer("`reverts` counted");
}

/// What needs no photo is counted of everybody: the number that passes the limit serves one person all the same.
#[test]
fn one_of_many_who_opted_out_is_served_alone() {
    let mut harness = Harness::with_people(&PEOPLE).with(|pipe| _ = pipe.top("limits", "{ reverts: { count: 1 } }"));
    harness.run().expect_exit(0);
    harness
        .edit(|pipe| _ = pipe.entra("users", &format!("{{ opted_out: [{}, {}] }}", address("ada"), address("grace"))));
    harness.run_with(&["--only", "ada"]).expect_exit(4).expect_answer("`reverts` counted 2").expect_answer("reverts=2");
    harness.run_with(&["--only", "ada", "--allow", "reverts=2"]).expect_exit(0);
    harness.expect_shown(&[("ada", Default), ("grace", Face("grace"))]);
}

/// The next run would say that there is nothing to do.
#[test]
fn pictures_that_were_not_made_again_are_asked_for_again() {
    let harness = Harness::with_people(&PEOPLE);
    harness.run().expect_exit(0);
    harness.sandbox.fault(Fault::new(Effect::status(400)).at("jira").on("POST", "*").times(1));
    harness.run_with(&["--rerender"]).expect_answer("no later run does it unless it is told --rerender");
    harness.run().expect_exit(0);
}
