//! `status`: what monitoring asks, and what the last run left.

use avatarpipe_sandbox::entra::world::{NoPhoto, Photo, PhotoFailure};
use avatarpipe_sandbox::faults::{Effect, Fault};
use serde_json::{Value, json};

use super::harness::Harness;
use super::population::{Population, face};

#[test]
fn a_success_that_is_too_old_or_missing_ends_in_3() {
    let harness = Harness::with_people(&["ada", "grace"]);
    let status = |age: &str| harness.finish(&["-q", "status", "pipeline.yaml", "--max-age", age]);
    status("26h").expect_exit(3).expect_error("no whole run ended in 0 yet; one was to be at most 26h old");
    harness.run_with(&["--only", "ada"]).expect_exit(0);
    status("26h").expect_exit(3).expect_answer("last success: none");
    harness.run().expect_exit(0);
    let young = status("26h").expect_exit(0);
    young.holds(young.stderr.is_empty(), "nothing on standard error");
    let old = status("0s").expect_exit(3).expect_error("the last whole run that ended in 0 began ");
    old.holds(old.stderr.lines().count() == 1, "one sentence");
    harness.finish(&["status", "pipeline.yaml"]).expect_exit(0);
    status("tomorrow").expect_exit(2);
}

/// What is told of its runs, and a success of theirs, would be taken for this one's.
#[test]
fn a_state_of_another_pipeline_is_told_as_that() {
    let harness = Harness::with_people(&["ada"]);
    harness.run().expect_exit(0);
    let other = harness.pipe().text().replace("pipeline: stage", "pipeline: another");
    assert!(other.contains("pipeline: another"));
    harness.write("another.yaml", format!("{other}state: {{ path: state/stage.db }}\n"));
    for command in [
        &["status", "another.yaml", "--max-age", "26h"][..],
        &["report", "another.yaml"],
        &["explain", "another.yaml", "ada"],
        &["state", "another.yaml", "show"],
        &["state", "another.yaml", "verify"],
        &["state", "another.yaml", "backup", "copy.db"],
    ] {
        harness.finish(command).expect_exit(2).expect_error("the pipeline `stage`, and this is `another`");
    }
    assert!(!harness.path("copy.db").exists());
}

#[test]
fn what_the_last_whole_run_left_is_told() {
    let population = Population::of(&["ada", "grace", "barbara", "donald", "edsger"])
        .photo("edsger", Photo::Failure(PhotoFailure::NoMailbox))
        .person("barbara", |person| person.proxy_addresses.push("smtp:donald@contoso.example".into()));
    let harness = Harness::of(population.world()).with(|pipe| _ = pipe.top("limits", "{ replacements: { count: 1 } }"));
    let left = || -> Value {
        let ended = harness.finish(&["status", "pipeline.yaml", "--format", "json"]).expect_exit(0);
        serde_json::from_str::<Value>(&ended.stdout).expect("JSON")["left"].clone()
    };
    assert_eq!(left(), json!({ "run": null, "targets": [], "sources": [], "open_writes": 0 }));
    let stopped = harness.run().expect_exit(4);
    let targets = json!([{
        "id": "jira", "state": "limit", "since": null, "not_done": 3, "failed": 0, "not_shown": 0, "not_made": 0, "not_asked": 0, "still_shown": 0, "conflicts": 1,
    }]);
    let sources = json!([{ "id": "entra", "state": "ok", "since": null, "unknown": 1, "unusable": 0 }]);
    let expected = json!({ "run": stopped.report()["run"], "targets": targets, "sources": sources, "open_writes": 0 });
    assert_eq!(left(), expected);
    harness.run_with(&["--only", "ada"]).expect_exit(0);
    assert_eq!(left(), expected, "a part is not the whole");
    let status = harness.finish(&["status", "pipeline.yaml"]).expect_exit(0);
    let status = status
        .expect_answer("\n  jira: 3 changes not begun, 1 account in conflict\n  entra: 1 photo unknown\n")
        .expect_answer("\n  stopped by replacements of jira: found 3 of 4 ");
    status.holds(status.stdout.starts_with("state: state/stage.db\n"), "where it looked");
}

/// Its open writes are no damage.
#[test]
fn a_run_under_way_is_told_apart_from_one_that_was_killed() {
    let harness =
        Harness::with_people(&["ada"]).fault(Fault::new(Effect::Delay { ms: 600_000 }).at("jira").on("POST", "*"));
    let mut run = harness.spawn(&["run", "pipeline.yaml"]);
    harness.until("the upload arrives", |harness| !harness.writes().is_empty());
    let status = |format: &str| harness.finish(&["status", "pipeline.yaml", "--format", format]).expect_exit(0);
    let under_way =
        || serde_json::from_str::<Value>(&status("json").stdout).expect("JSON")["runs"][0]["under_way"].clone();
    status("human")
        .expect_answer("\nopen writes: 1, of the run that is under way\n")
        .expect_answer("  under way since ");
    assert_eq!(under_way(), json!(true));
    run.kill().expect("the run ends");
    run.wait().expect("the run ends");
    status("human").expect_answer("\nopen writes: 1; the next run looks what became of them\n");
    assert_eq!(under_way(), json!(false));
    let plan = harness.plan_with(&[]);
    plan.expect_answer(
        "1 write of an earlier run is open on record, whatever there is to do: the next `run` looks first",
    );
}

/// The state of a run that was killed, put back after later runs did all there was to do.
#[test]
fn open_writes_of_an_older_state_are_not_nothing() {
    let harness = Harness::with_people(&["ada"]);
    harness.run().expect_exit(0);
    harness.new_photo("ada", "spare");
    harness.sandbox.requests().reset();
    harness.sandbox.fault(Fault::new(Effect::Delay { ms: 600_000 }).at("jira").on("POST", "*"));
    let mut run = harness.spawn(&["run", "pipeline.yaml"]);
    harness.until("the upload arrives", |harness| !harness.writes().is_empty());
    run.kill().expect("the run ends");
    run.wait().expect("the run ends");
    let status = harness.finish(&["status", "pipeline.yaml"]).expect_exit(0);
    status
        .expect_answer(": nothing but the open writes below\nopen writes: 1; the next run looks what became of them\n");
}

/// A line of the file that somebody forgot to take out again.
#[test]
fn a_run_that_can_serve_nobody_is_no_success_and_says_so_since_when() {
    for (key, told) in [
        ("freeze", "  jira: frozen since the run of "),
        ("dry_run", "  jira: on dry run since the run of "),
        ("enabled", "  entra: switched off since the run of "),
    ] {
        let mut harness = Harness::with_people(&["ada"]);
        harness.edit(|pipe| {
            _ = match key {
                "enabled" => pipe.entra("enabled", "false"),
                key => pipe.jira(key, "true"),
            }
        });
        let status = || harness.finish(&["-q", "status", "pipeline.yaml", "--max-age", "26h"]);
        let why = if key == "enabled" { "every source has `enabled: false`" } else { "every target is on `freeze`" };
        let ran = harness.run().expect_exit(0).expect_answer(&format!("nobody was served: {why}"));
        assert_eq!((&ran.report()["served"], &ran.report()["last_success"]), (&false.into(), &Value::Null), "{key}");
        harness.run().expect_exit(0);
        let idle = status().expect_exit(3).expect_error("no whole run ended in 0 yet").expect_answer(told);
        idle.holds(idle.stdout.contains(ran.report()["started"].as_str().expect("a time")), "since the first of them");
        harness.edit(|pipe| _ = pipe.jira("freeze", "false").jira("dry_run", "false").entra("enabled", "true"));
        harness.run().expect_exit(0);
        harness.finish(&["status", "pipeline.yaml", "--max-age", "26h"]).expect_exit(0).expect_answer(": nothing\n");
    }
}

/// What is unusable is no photo that nobody knows of.
#[test]
fn a_photo_that_is_unusable_is_counted_once() {
    let harness =
        Harness::of(Population::of(&["ada", "grace"]).picture("grace", face("grace")[..900].to_vec()).world());
    harness.run().expect_exit(0);
    let ended = harness.finish(&["status", "pipeline.yaml", "--format", "json"]).expect_exit(0);
    let left = &serde_json::from_str::<Value>(&ended.stdout).expect("JSON")["left"]["sources"][0];
    assert_eq!((&left["unknown"], &left["unusable"]), (&json!(0), &json!(1)));
}

/// What was left is of the last whole run; an undoing since is told beside it.
#[test]
fn what_an_undoing_gave_back_is_told() {
    let harness = Harness::with_people(&["ada", "grace"]);
    harness.run().expect_exit(0);
    harness.finish(&["undo", "pipeline.yaml", "--apply"]).expect_exit(0);
    let status = harness.finish(&["status", "pipeline.yaml"]).expect_exit(0);
    let status = status.expect_answer("  jira: 2 given back, 0 failed\n  undo --apply 2026-").expect_answer(
        " (undo --apply) gave back what stood on 2 accounts before; the next `run` puts the photos there again\n",
    );
    status.holds_no_answer("0 replaced, 2 reverted");
    let explained = harness.finish(&["explain", "pipeline.yaml", "ada"]).expect_exit(0);
    explained.expect_answer("    rule       no line of the file: `undo` goes by what is on record of the run\n");
}

#[test]
fn what_failed_as_a_whole_is_left() {
    let harness = Harness::with_people(&["ada"]);
    harness.sandbox.fault(Fault::new(Effect::status(503)).at("jira"));
    harness.run().expect_exit(6);
    let status = harness.finish(&["status", "pipeline.yaml"]).expect_exit(0);
    status.expect_answer("\n  jira: failed since the run of ").holds_no_answer(": nothing");
}

#[test]
fn why_a_run_came_to_no_report_is_told() {
    let harness = Harness::with_people(&["ada"]);
    std::fs::create_dir_all(harness.path("state/stage.audit.jsonl")).expect("a folder in the place of the trail");
    harness.run().expect_exit(1);
    harness
        .finish(&["status", "pipeline.yaml"])
        .expect_exit(0)
        .expect_answer("\n  could not write to the audit trail ");
}

#[test]
fn a_success_of_the_future_does_not_count() {
    let harness = Harness::with_people(&["ada"]);
    let status = || harness.finish(&["-q", "status", "pipeline.yaml", "--max-age", "26h"]);
    harness.run().expect_exit(0);
    let moved = |which: &str, seconds: i64| {
        let state = rusqlite::Connection::open(harness.path("state/stage.db")).expect("the state");
        let sql = format!("UPDATE run SET started = started + ? WHERE seq = (SELECT {which}(seq) FROM run)");
        state.execute(&sql, [seconds]).expect("another time");
    };
    moved("max", 86_400);
    status().expect_exit(3).expect_error("no whole run ended in 0 yet").expect_error("began in the future");
    harness.run().expect_exit(0);
    status().expect_exit(0);
    // The one of today is the older one by its number.
    moved("max", 86_400);
    moved("min", -86_400);
    status().expect_exit(0).expect_answer("by a clock that is or was wrong, and does not count");
}

#[test]
fn each_run_stands_with_its_options_and_who_began_it() {
    let mut harness = Harness::with_people(&["ada", "grace"]);
    for (name, value) in [("GITHUB_ACTIONS", "true"), ("GITHUB_ACTOR", "octocat"), ("GITHUB_REPOSITORY", "o/r")] {
        harness.tell(name, value);
    }
    harness.tell("GITHUB_RUN_ID", "17");
    let options = ["--only", "ada@contoso.example", "--only", "grace", "--target", "jira", "--allow", "reverts=1"];
    harness.run_with(&[&options[..], &["--rerender", "--max-duration", "50m"]].concat()).expect_exit(0);
    let status = harness.finish(&["status", "pipeline.yaml"]).expect_exit(0);
    let line = "\n  run --only (2) --target jira --allow reverts=1 --rerender --max-duration 50m, by octocat \
                (https://github.com/o/r/actions/runs/17)\n";
    let status = status.expect_answer(line);
    let state = std::fs::read(harness.path("state/stage.db")).expect("the state");
    let text = String::from_utf8_lossy(&state);
    status.holds(!text.contains("contoso.example") && !text.contains("grace"), "no name in the state");
    let json = harness.finish(&["status", "pipeline.yaml", "--format", "json"]).expect_exit(0);
    let run = &serde_json::from_str::<Value>(&json.stdout).expect("JSON")["runs"][0];
    json.holds(run["options"][1] == "--target jira" && run["command"] == "run (a part)", "the options");
    json.holds(run["pipeline_digest"].as_str().is_some_and(|digest| digest.starts_with("b3:")), "the digest");
}

#[test]
fn the_report_of_every_recorded_run_is_made_again() {
    let harness = Harness::with_people(&["ada", "grace"]);
    let report = |arguments: &[&str]| harness.finish(&[&["report", "pipeline.yaml"], arguments].concat());
    report(&[]).expect_exit(2).expect_error("no run that came to a report is recorded yet");
    let first = harness.run().expect_exit(0);
    harness.run().expect_exit(0);
    let id = first.report()["run"].as_str().expect("an id");
    let again = report(&[id, "--format", "json"]).expect_exit(0);
    let again: Value = serde_json::from_str(&again.stdout).expect("JSON");
    assert_eq!(again["targets"], first.report()["targets"]);
    assert_eq!(&again, first.report(), "all of it, people and names");
    let told = report(&[id]).expect_exit(0).expect_answer(&format!("stage run {id}: done\n"));
    told.expect_answer("jira/ada    default → photo").holds_no_answer("nothing to do");
    let last = report(&["--format", "json"]).expect_exit(0);
    last.expect_answer("\"replaced\": 0");
    report(&["run-9"]).expect_exit(2).expect_error("no run `run-9` is recorded");
}

/// The state keeps what a reason says besides, and no name in it.
#[test]
fn the_reasons_of_an_older_run_are_whole() {
    let population = Population::of(&["ada", "grace", "barbara", "donald", "edsger"])
        .photo("edsger", Photo::Failure(PhotoFailure::NoMailbox))
        .chose_by_hand("grace")
        .photo("grace", Photo::None(NoPhoto::ImageNotFound))
        .person("barbara", |person| person.proxy_addresses.push("smtp:donald@contoso.example".into()));
    let harness = Harness::of(population.world());
    let first = harness.run().expect_exit(0);
    harness.run().expect_exit(0);
    let id = first.report()["run"].as_str().expect("an id");
    let again = harness.finish(&["report", "pipeline.yaml", id, "--format", "json"]).expect_exit(0);
    let again: Value = serde_json::from_str(&again.stdout).expect("JSON");
    let details = |report: &Value| {
        let lines = report["people"].as_array().expect("people").iter();
        let told = |line: &Value| line["detail"].as_str().map(|it| it.split(" (request id ").next().map(str::to_owned));
        lines.map(|line| (line["account"]["name"].to_string(), told(line))).collect::<Vec<_>>()
    };
    assert_eq!(details(&again), details(first.report()));
    assert!(details(&again).iter().filter(|(_, told)| told.is_some()).count() >= 3, "{again:#}");
    let state = std::fs::read(harness.path("state/stage.db")).expect("the state");
    let text = String::from_utf8_lossy(&state).to_lowercase();
    for name in ["grace", "barbara", "donald", "edsger", "contoso"] {
        assert!(!text.contains(name), "{name} in the state");
    }
    // A line that holds from run to run is kept once, though each request has an id of its own.
    let rows = |state: &rusqlite::Connection| {
        state.query_row("SELECT count(*) FROM line", [], |row| row.get::<_, i64>(0)).expect("lines")
    };
    let before = rows(&rusqlite::Connection::open(harness.path("state/stage.db")).expect("the state"));
    harness.run().expect_exit(0);
    assert_eq!(rows(&rusqlite::Connection::open(harness.path("state/stage.db")).expect("the state")), before);
}
