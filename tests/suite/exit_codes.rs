//! Every exit code (docs/command-line.md, "Exit codes"), each brought about at the servers or in the folder.

use std::fs::File;
use std::net::TcpListener;
use std::process::Command;

use avatarpipe_sandbox::faults::{Effect, Fault};
use avatarpipe_sandbox::{Options, Sandbox};

use super::harness::Harness;
use super::population::Population;
use super::truth::Shows::{Default, Face, Start};

const PEOPLE: [&str; 3] = ["ada", "grace", "alan"];

/// An address at which nobody listens.
fn nobody_there() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("'http://{}'", listener.local_addr().expect("its address"))
}

#[test]
fn code_2_is_a_wrong_file_or_flag() {
    let mut harness = Harness::with_people(&["ada"]);
    harness.finish(&["run", "pipeline.yaml", "--frobnicate"]).expect_exit(2).expect_error("--frobnicate");
    harness.finish(&["run"]).expect_exit(2);
    harness.finish(&["run", "missing.yaml"]).expect_exit(2).expect_error("missing.yaml");
    harness.run_with(&["--target", "wiki"]).expect_exit(2).expect_error("it has jira");
    harness.run_with(&["--allow", "reverts"]).expect_exit(2).expect_error("reverts=412");
    harness.edit(|pipe| _ = pipe.top("limts", "{}").jira("ownrship", "ours"));
    let wrong = harness.run().expect_exit(2);
    wrong.expect_error("limts").expect_error("ownrship");
    assert!(harness.sandbox.requests().entries().is_empty(), "nothing is asked for a file that is wrong");
}

#[test]
fn code_2_is_an_unset_variable() {
    let harness = Harness::with_people(&["ada"]).with(|pipe| _ = pipe.jira("credential", "{ token: '${NOT_SET}' }"));
    harness.run().expect_exit(2).expect_error("NOT_SET");
    assert!(harness.sandbox.requests().entries().is_empty());
}

#[test]
fn code_2_is_another_server_under_the_same_name() {
    let mut harness = Harness::with_people(&["ada"]);
    harness.run().expect_exit(0);
    let other = Harness::of(Population::of(&["ada"]).jira(|jira| jira.title = "Another Jira".into()).world());
    let url = format!("'{}'", other.sandbox.endpoint("jira").expect("a Jira"));
    harness.edit(|pipe| _ = pipe.jira("base_url", &url));
    harness.run().expect_exit(2).expect_answer("the state belongs to");
    other.expect_shown(&[("ada", Default)]);
    assert_eq!(other.writes(), [""; 0]);
}

#[test]
fn code_2_is_a_state_that_does_not_belong_here() {
    let harness = Harness::with_people(&["ada"]);
    harness.write("state/stage.db", "these are the notes of another program, and no database at all\n".repeat(40));
    harness.run().expect_exit(2).expect_error("state/stage.db");
    let harness = Harness::with_people(&["ada"]);
    std::fs::create_dir_all(harness.path("state")).expect("a folder");
    let database = rusqlite::Connection::open(harness.path("state/stage.db")).expect("a database");
    database.execute_batch("CREATE TABLE notes (text); INSERT INTO notes VALUES ('keep me');").expect("a table");
    drop(database);
    harness.run().expect_exit(2).expect_error("state/stage.db");
    let database = rusqlite::Connection::open(harness.path("state/stage.db")).expect("a database");
    let kept: String = database.query_row("SELECT text FROM notes", [], |row| row.get(0)).expect("the note");
    assert_eq!(kept, "keep me");
    harness.expect_shown(&[("ada", Default)]);
}

#[test]
fn code_2_is_one_state_for_two_pipelines() {
    let mut harness = Harness::with_people(&["ada"]).with(|pipe| _ = pipe.top("state", "{ path: state/stage.db }"));
    harness.run().expect_exit(0);
    harness.edit(|pipe| _ = pipe.top("pipeline", "other"));
    harness.sandbox.requests().reset();
    for command in ["run", "plan", "auth"] {
        let refused = harness.finish(&[command, "pipeline.yaml"]).expect_exit(2);
        refused.expect_error("belongs to the pipeline `stage`").expect_error("a state of its own");
    }
    assert!(harness.sandbox.requests().entries().is_empty(), "nobody is asked anything");
}

#[test]
fn code_2_is_one_server_under_two_names() {
    let mut harness = Harness::with_people(&["ada"]).with(|pipe| _ = pipe.jira_again("again"));
    for command in ["check", "run"] {
        harness.finish(&[command, "pipeline.yaml"]).expect_exit(2).expect_error("two targets write to one server");
    }
    assert!(harness.sandbox.requests().entries().is_empty(), "nobody is asked anything");
    // Under another address only the server's own id tells.
    let url = harness.sandbox.endpoint("jira").expect("a Jira").replace("127.0.0.1", "localhost");
    harness.edit(|pipe| _ = pipe.last_target().set("base_url", &format!("'{url}'")));
    for _ in 0..2 {
        let ended = harness.finish(&["run", "pipeline.yaml"]).expect_exit(2);
        let told = ended.stdout.clone() + &ended.stderr;
        ended
            .holds(told.contains("again") && told.contains("one element for each server"), "which two, and what to do");
    }
    assert_eq!(harness.writes(), [""; 0]);
    harness.expect_shown(&[("ada", Default)]);
}

#[test]
fn code_3_is_one_person_who_failed_and_nobody_else_did() {
    let refused = Effect::status(413);
    let harness =
        Harness::with_people(&PEOPLE).fault(Fault::new(refused).at("jira").on("POST", "*/temporary").about("grace"));
    let ended = harness.run().expect_exit(3).expect_line("grace", "replace", "photo_new", "failed");
    assert_eq!((ended.count("jira", "replaced"), ended.count("jira", "failed")), (2, 1));
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Default), ("alan", Face("alan"))]);
    harness.sandbox.faults().clear();
    harness.run().expect_exit(0);
    harness.expect_shown(&[("grace", Face("grace"))]);
}

#[test]
fn code_4_is_a_limit_and_exactly_the_number_found_passes() {
    let harness = Harness::with_people(&PEOPLE).with(|pipe| _ = pipe.top("limits", "{ reverts: { count: 1 } }"));
    harness.run().expect_exit(0);
    harness.no_photo("ada");
    harness.no_photo("grace");
    harness.sandbox.requests().reset();
    for flags in [&[][..], &["--allow", "reverts=1"], &["--allow", "reverts=3"], &["--allow", "foreign=2"]] {
        harness.run_with(flags).expect_exit(4).expect_answer("--allow jira.reverts=2");
        harness.plan_with(flags).expect_exit(4).expect_answer("--allow jira.reverts=2");
    }
    assert_eq!(harness.writes(), [""; 0], "a limit stops before anything is written");
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
    harness.run_with(&["--allow", "reverts=2"]).expect_exit(0);
    harness.expect_shown(&[("ada", Default), ("grace", Default), ("alan", Face("alan"))]);
}

#[test]
fn code_5_is_a_refused_sign_in_at_the_source() {
    let mut harness = Harness::with_people(&PEOPLE);
    harness.run().expect_exit(0);
    harness.no_photo("ada");
    harness.set("ENTRA_SECRET", "canary~not/the+secret");
    harness.sandbox.requests().reset();
    harness.run().expect_exit(5).expect_answer("AADSTS7000215");
    assert_eq!(harness.writes(), [""; 0]);
    harness.expect_shown(&[("ada", Face("ada"))]);
}

#[test]
fn code_5_is_a_refused_sign_in_at_the_target() {
    for (credential, variable) in [
        ("{ username: svc-avatars, password: '${JIRA_PASSWORD}' }", "JIRA_PASSWORD"),
        ("{ token: '${JIRA_TOKEN}' }", "JIRA_TOKEN"),
    ] {
        let mut harness = Harness::with_people(&PEOPLE).with(|pipe| _ = pipe.jira("credential", credential));
        harness.set(variable, "canaryNotTheSecret0");
        harness.run().expect_exit(5);
        let refused = harness.sandbox.requests().of("jira");
        assert!(refused <= 2, "a refused login is not tried again and again: {refused} requests");
        assert_eq!(harness.writes(), [""; 0]);
        harness.expect_shown(&[("ada", Default)]);
    }
}

#[test]
fn code_5_is_a_plan_without_the_right_to_carry_it_out() {
    let harness = Harness::of(
        Population::of(&["ada"]).jira(|jira| jira.accounts[0].role = std::default::Default::default()).world(),
    );
    let ended = harness.plan_with(&[]).expect_exit(5).expect_answer("Jira Administrators (ADMINISTER)");
    ended.expect_answer("jira (failed)");
    // A dry run is never carried out.
    let harness = harness.with(|pipe| _ = pipe.jira("dry_run", "true"));
    harness.plan_with(&[]).expect_exit(0);
}

#[test]
fn code_5_is_a_captcha() {
    let mut harness = Harness::with_people(&["ada"]).switch("jira", "captcha_after", "1");
    let right = "canary+password/1";
    harness.set("JIRA_PASSWORD", "canaryNotTheSecret0");
    harness.run().expect_exit(5);
    harness.set("JIRA_PASSWORD", right);
    harness.run().expect_exit(5).expect_answer("CAPTCHA");
    harness.jira(&serde_json::json!({ "clear_captcha": { "name": "svc-avatars" } }));
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada"))]);
}

#[test]
fn code_5_is_an_answer_as_nobody() {
    let harness = Harness::with_people(&PEOPLE).switch("jira", "anonymous_search", "anonymous");
    let harness = harness.with(|pipe| _ = pipe.jira("quiet", "0s"));
    harness.run().expect_exit(0);
    harness.new_photo("ada", "spare");
    for path in ["*/user/search", "*/user/avatars", "*/avatar/temporary", "*/user/avatar"] {
        harness.sandbox.faults().clear();
        let nobody = Fault::new(Effect::Special("login_refused".into())).at("jira");
        harness
            .sandbox
            .fault(Fault { on: avatarpipe_sandbox::faults::Match { path: Some(path.into()), ..nobody.on }, ..nobody });
        harness.run().expect_exit(5);
    }
    harness.sandbox.faults().clear();
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Face("spare")), ("grace", Face("grace"))]);
}

#[test]
fn code_6_is_a_server_that_is_not_there() {
    // A connection that is refused is tried for half a minute, so both runs are under way at once.
    let mut source = Harness::with_people(&PEOPLE);
    source.run().expect_exit(0);
    source.sandbox.requests().reset();
    let nobody = nobody_there();
    source.edit(|pipe| _ = pipe.entra("endpoints", &format!("{{ login: {nobody}, graph: {nobody} }}")));
    let target = Harness::with_people(&PEOPLE).with(|pipe| {
        pipe.jira_again("away").jira("base_url", &nobody).jira("id", "down");
    });
    let arguments = ["run", "pipeline.yaml", "--report", "report"];
    let children = [source.spawn(&arguments), target.spawn(&arguments)];
    let [source_down, target_down] = children;
    source.wait(source_down, &arguments).expect_exit(6).expect_answer("entra (failed)");
    assert_eq!(source.writes(), [""; 0]);
    source.expect_shown(&[("ada", Face("ada"))]);
    // Promise P8: the other target is served.
    target.wait(target_down, &arguments).expect_exit(6).expect_answer("down (failed)");
    target.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("alan", Face("alan"))]);
}

#[test]
fn code_7_is_a_second_run() {
    let harness = Harness::with_people(&["ada"]);
    std::fs::create_dir_all(harness.path("state")).expect("a folder");
    let held = File::create(harness.path("state/stage.db.lock")).expect("the lock file");
    held.lock().expect("the lock");
    for command in ["run", "plan"] {
        harness.finish(&[command, "pipeline.yaml"]).expect_exit(7).expect_error("state/stage.db.lock");
    }
    assert!(harness.sandbox.requests().entries().is_empty());
    drop(held);
    harness.run().expect_exit(0);
}

#[test]
fn code_7_is_a_second_sandbox_on_one_world() {
    let harness = Harness::tiny();
    let options = Options { state: Some(harness.path("state/sandbox/tiny/world")), ..Options::default() };
    let page = Sandbox::start(harness.world.clone(), options).unwrap_or_else(|fault| panic!("{fault}"));
    let before = page.truth().avatars.len();
    for command in ["run", "plan", "auth"] {
        let ended = harness.finish(&[command, "pipeline.yaml", "--sandbox=tiny"]).expect_exit(7);
        let whose = format!("(process {})", std::process::id());
        ended.expect_error(&format!("another sandbox has the world in state/sandbox/tiny/world {whose}"));
    }
    assert_eq!(page.truth().avatars.len(), before);
    drop(page);
    harness.finish(&["run", "pipeline.yaml", "--sandbox=tiny"]).expect_exit(0);
}

#[test]
fn code_7_says_who_holds_the_lock() {
    let harness = Harness::with_people(&["ada"]).fault(Fault::new(Effect::Delay { ms: 600_000 }).at("graph"));
    let first = harness.spawn(&["run", "pipeline.yaml"]);
    harness.until("the first run asks Graph", |harness| harness.sandbox.requests().of("graph") > 0);
    let second = harness.run().expect_exit(7);
    second.expect_error(&format!("process {}", first.id()));
    let status = || harness.finish(&["status", "pipeline.yaml"]).expect_exit(0);
    status().expect_answer("  under way since 20").expect_answer(&format!(" (process {} on ", first.id()));
    let mut first = first;
    first.kill().expect("the first run ends");
    first.wait().expect("the first run ends");
    status().expect_answer("  did not end: it was killed, or could not write its end\n");
}

#[test]
fn code_8_is_a_time_budget_and_the_next_run_goes_on() {
    let harness = Harness::with_people(&PEOPLE).fault(Fault::new(Effect::Delay { ms: 50 }).at("graph"));
    harness.run_with(&["--max-duration", "1ms"]).expect_exit(8).expect_answer("since its time (--max-duration) was up");
    harness.expect_shown(&[("ada", Start)]);
    harness.sandbox.faults().clear();
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("alan", Face("alan"))]);
}

#[test]
fn code_8_is_a_signal_and_what_was_begun_is_finished() {
    let harness = Harness::with_people(&PEOPLE).fault(Fault::new(Effect::Delay { ms: 200 }).at("jira").on("POST", "*"));
    let harness = harness.with(|pipe| {
        pipe.top("rates", "{ fast: { units: 100000, per: 1s, burst: 100000, concurrency: 1 } }");
    });
    let arguments = ["run", "pipeline.yaml", "--report", "report"];
    let child = harness.spawn(&arguments);
    harness.until("the first upload arrives", |harness| !harness.writes().is_empty());
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill runs");
    assert!(killed.success());
    let ended = harness.wait(child, &arguments).expect_exit(8);
    assert_eq!(ended.count("jira", "replaced"), 1, "the one that was under way");
    harness.expect_promises();
    harness.sandbox.faults().clear();
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("alan", Face("alan"))]);
}

#[test]
fn code_10_is_a_plan_with_changes() {
    let harness = Harness::with_people(&["ada"]);
    harness.plan_with(&[]).expect_exit(0);
    harness.plan_with(&["--detailed-exitcode"]).expect_exit(10).expect_line("ada", "replace", "photo_new", "planned");
    harness.expect_shown(&[("ada", Start)]);
    assert_eq!(harness.writes(), [""; 0]);
    assert!(!harness.path("state/stage.db").exists(), "a plan leaves no durable state");
    harness.run().expect_exit(0);
    harness.plan_with(&["--detailed-exitcode"]).expect_exit(0).expect_answer("nothing to do");
}

#[test]
fn code_3_is_an_expectation_that_does_not_hold() {
    let harness = Harness::with_people(&["ada"]);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines");
    let kept = format!("{folder}/corporate.test.yaml");
    harness.finish(&["test", &kept]).expect_exit(0).expect_answer("9 accounts as expected");
    let pipeline = std::fs::read_to_string(format!("{folder}/corporate.yaml")).expect("the pipeline");
    harness.write("corporate.yaml", pipeline.replace("absent:       default", "absent:       keep"));
    harness.write("corporate.test.yaml", std::fs::read_to_string(kept).expect("the test"));
    let ended = harness.finish(&["test", "corporate.test.yaml"]).expect_exit(3);
    ended
        .expect_answer("corporate.test.yaml:22: jira/ellen\n  - expected revert, absent\n  + found    keep, absent")
        .expect_answer("1 of 9 accounts not as expected");
    assert!(harness.sandbox.requests().entries().is_empty(), "nothing is asked");
    let person = |id: u32| format!("  - {{ id: p{id}, email: [p{id}@x], same_as: p0 }}\n");
    let shared = |people: u32, expected: &str| {
        let people: String = (0..people).map(person).collect();
        format!(
            "version: 1\npipeline: corporate.yaml\npeople:\n{people}accounts:\n  jira:\n    - {{ name: a, email: p1@x, expect: {expected} }}\n"
        )
    };
    for (people, expected) in [(5, "replace, reason: photo_new"), (6, "keep, reason: same_picture")] {
        harness.write("corporate.test.yaml", shared(people, expected));
        harness.finish(&["test", "corporate.test.yaml"]).expect_exit(0).expect_answer("1 account as expected");
    }
    harness.write("corporate.test.yaml", "version: 1\npipelin: corporate.yaml\n");
    harness.finish(&["test", "corporate.test.yaml"]).expect_exit(2).expect_error("write `pipeline`");
}

/// The limits of a file, and the files of a folder, without a network.
#[test]
fn a_test_says_which_limits_must_stop_and_what_becomes_of_files() {
    let harness = Harness::with_people(&["ada"]);
    harness.write(
        "p.yaml",
        "version: 1\npipeline: p\nextract: [{ folder: { id: people, path: people } }]\nload: [{ folder: { id: out, path: out, match: [email] } }]\n\
         limits: { replacements: { count: 1 }, unknown: { count: 0 } }\n",
    );
    let test = |limits: &str, photo: &str| {
        let account = |name: &str, shows: &str, expect: &str| format!("{{ name: {name}@x, {shows}expect: {expect} }}");
        let accounts =
            [account("a", "", "replace"), account("b", "", "replace"), account("c", "shows: ours, of: c, ", "keep")];
        harness.write("p.test.yaml", format!(
            "version: 1\npipeline: p.yaml\nlimits: [{limits}]\npeople:\n  - {{ id: a, email: [a@x] }}\n  - {{ id: b, email: [b@x] }}\n  \
             - {{ id: c, email: [c@x], photo: {photo} }}\naccounts:\n  out: [{}]\n",
            accounts.join(", ")
        ));
        harness.finish(&["test", "p.test.yaml"])
    };
    test("out.replacements, people.unknown", "unknown")
        .expect_exit(0)
        .expect_answer("3 accounts as expected, limits too");
    let found = "p.test.yaml:3: out.replacements\n  - expected that it lets pass\n  + found    replacements of out: found 2 of 3 matched accounts, allowed 1";
    test("people.unknown", "unknown").expect_exit(3).expect_answer(found).expect_answer("; 1 limit not as expected");
    test("out.replacements, out.reverts, people.unknown", "unknown")
        .expect_exit(3)
        .expect_answer("expected that it stops");
    test("replacements", "unknown").expect_exit(2).expect_error("`replacements` is no limit of p.yaml");
    test("people.group_shrink", "unknown").expect_exit(2).expect_error("compares with an earlier run");
    test("people.source_shrink", "unknown").expect_exit(2).expect_error("compares with an earlier run");
}

/// What is wrong with a test is told at its line, with what to write.
#[test]
fn code_2_is_a_test_that_cannot_be_held_against_anything() {
    let harness = Harness::with_people(&["ada"]);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines");
    let read = |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).expect("a file of the project");
    let (pipeline, test) = (read("corporate.yaml"), read("corporate.test.yaml"));
    let refused = |test: &str, told: &str| {
        harness.write("corporate.test.yaml", test);
        harness.finish(&["test", "corporate.test.yaml"]).expect_exit(2).expect_error(told);
    };
    harness.write("corporate.yaml", &pipeline);
    refused(
        &test.replace("pipeline: corporate", "pipeline: corporat"),
        "corporate.test.yaml:6: could not read `corporat",
    );
    refused(&test.replace("reason: photo_new }", "reason: photo_nw }"), "write `photo_new`");
    refused(&test.replace("- { name: build-bot", "- { name: \"${BOT}\""), "corporate.test.yaml:28:");
    refused(&pipeline, "`avatarpipe check FILE` reads it");
    harness.write("corporate.test.yaml", &test);
    let checked = harness.finish(&["check", "corporate.test.yaml"]).expect_exit(2);
    checked.expect_error("`avatarpipe test FILE` reads it");
    // Whoever is told of runs is told nothing of a test, so no variable is missing for it.
    harness.write("corporate.yaml", format!("{pipeline}\nnotify: {{ heartbeat: \"${{BEAT}}\" }}\n"));
    harness.finish(&["test", "corporate.test.yaml"]).expect_exit(0);
}

#[test]
fn code_6_is_a_server_that_speaks_no_tls() {
    let harness = Harness::with_people(&["ada"]);
    let url = harness.sandbox.endpoint("jira").expect("a Jira").to_string().replace("http:", "https:");
    let harness = harness.with(|pipe| _ = pipe.jira("base_url", &format!("'{url}'")));
    harness.run().expect_exit(6).expect_answer("does not speak TLS");
}
