//! What stands in the folder after a command, and files that cannot be written.
//!
//! Owns: the cache beside the state, reports and saved plans. Leaves to others: the state itself (`state_damage`).
//! A newcomer gets wrong: an answer that cannot be written to a file is printed all the same, and the record stays.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use avatarpipe_sandbox::faults::{Effect, Fault};

use super::ended::files;
use super::harness::Harness;
use super::truth::Shows::Face;

const PEOPLE: [&str; 3] = ["ada", "grace", "alan"];
const PICTURES: &str = "state/stage.cache/pictures";

fn mode(harness: &Harness, name: &str) -> u32 {
    std::fs::symlink_metadata(harness.path(name)).expect("it is there").permissions().mode() & 0o777
}

/// A command under a careless umask.
fn careless(harness: &Harness, arguments: &[&str]) -> super::ended::Ended {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "umask 000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_avatarpipe")]);
    harness.wait(harness.spawn_by(shell, arguments), arguments)
}

#[test]
fn what_came_to_its_end_leaves_no_face_and_nothing_that_others_may_read() {
    let harness = Harness::with_people(&PEOPLE);
    // What earlier versions kept beside the state.
    harness.write("state/stage.facts.db", "names");
    harness.write("state/stage.spool/a-face", "a face");
    careless(&harness, &["plan", "pipeline.yaml", "--out", "plan.json", "--report", "report"]).expect_exit(0);
    assert_eq!(files(&harness.path(PICTURES)), []);
    careless(&harness, &["run", "pipeline.yaml", "--report", "report"]).expect_exit(0);
    assert_eq!(files(&harness.path(PICTURES)), []);
    assert_eq!((mode(&harness, "state/stage.cache"), mode(&harness, PICTURES)), (0o700, 0o700));
    for name in ["state/stage.db", "state/stage.cache/facts.db", "plan.json", "report/run.json", "report/summary.md"] {
        assert_eq!(mode(&harness, name), 0o600, "{name}");
    }
    for former in ["state/stage.facts.db", "state/stage.spool"] {
        assert!(!harness.path(former).exists(), "{former} is still there");
    }
}

#[test]
fn what_was_stopped_leaves_its_pictures_to_the_next_run_and_says_so() {
    let harness = Harness::with_people(&PEOPLE);
    harness.sandbox.fault(Fault::new(Effect::Delay { ms: 300 }).at("jira").on("POST", "*/temporary"));
    let arguments = ["run", "pipeline.yaml", "--report", "report"];
    let child = harness.spawn(&arguments);
    harness.until("an upload arrives", |harness| !harness.writes().is_empty());
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill runs");
    assert!(killed.success());
    harness.wait(child, &arguments).expect_exit(8).expect_answer("pictures are kept in state/stage.cache");
    assert_eq!(files(&harness.path(PICTURES)).len(), 3);
    harness.sandbox.faults().clear();
    let ended = harness.run().expect_exit(0);
    assert_eq!(ended.report()["sources"][0]["downloaded"], 0, "they were there");
    assert_eq!(files(&harness.path(PICTURES)), []);
    harness.expect_shown(&PEOPLE.map(|name| (name, Face(name))));
}

/// A second run is certain then; a plan that a limit stopped remembers no photo.
#[test]
fn what_a_limit_stopped_leaves_its_pictures_to_the_run_that_is_let_pass() {
    let harness = Harness::with_people(&PEOPLE).with(|pipe| _ = pipe.top("limits", "{ replacements: { count: 1 } }"));
    harness.plan_with(&[]).expect_exit(4);
    assert_eq!(files(&harness.path(PICTURES)), []);
    harness.run().expect_exit(4).expect_answer("3 pictures are kept in state/stage.cache");
    assert_eq!(files(&harness.path(PICTURES)).len(), 3);
    let ended = harness.run_with(&["--allow", "replacements=3"]).expect_exit(0);
    assert_eq!(ended.report()["sources"][0]["downloaded"], 0, "they were there");
    assert_eq!(files(&harness.path(PICTURES)), []);
    harness.expect_shown(&PEOPLE.map(|name| (name, Face(name))));
}

/// Promise P1: whoever can write to the cache puts no face on an account.
#[test]
fn swapped_pictures_in_the_cache_are_made_again() {
    let harness = Harness::with_people(&PEOPLE).with(|pipe| _ = pipe.jira("quiet", "0s"));
    harness.sandbox.fault(Fault::new(Effect::Delay { ms: 600_000 }).at("jira").on("POST", "*/temporary"));
    let mut child = harness.spawn(&["run", "pipeline.yaml"]);
    harness.until("an upload arrives", |harness| !harness.writes().is_empty());
    child.kill().expect("SIGKILL");
    child.wait().expect("it ends");
    harness.sandbox.faults().clear();
    let pictures = files(&harness.path(PICTURES));
    assert_eq!(pictures.len(), 3, "a kill leaves them");
    for ((name, _), (_, bytes)) in pictures.iter().zip(pictures.iter().cycle().skip(1)) {
        std::fs::write(harness.path(PICTURES).join(name), bytes).expect("another face under this name");
    }
    harness.run().expect_exit(0);
    harness.expect_shown(&PEOPLE.map(|name| (name, Face(name))));
    harness.run().expect_exit(0).expect_answer("nothing to do");
}

#[test]
fn a_report_that_cannot_be_written_is_told_before_anything_is_asked() {
    let harness = Harness::with_people(&PEOPLE);
    harness.write("a-file", "not a folder");
    std::fs::create_dir_all(harness.path("taken/run.json")).expect("a folder in the place of a file");
    for (flags, named) in [
        (["run", "pipeline.yaml", "--report", "a-file"], "a-file"),
        (["run", "pipeline.yaml", "--report", "/proc/avatarpipe"], "/proc/avatarpipe"),
        (["plan", "pipeline.yaml", "--report", "taken"], "taken"),
        (["plan", "pipeline.yaml", "--out", "a-file/plan.json"], "a-file/plan.json"),
    ] {
        harness.finish(&flags).expect_exit(1).expect_error(named).expect_error("could not write");
    }
    assert!(harness.sandbox.requests().entries().is_empty(), "nobody is asked anything");
}

#[test]
fn a_report_that_is_lost_on_the_way_loses_neither_answer_nor_record() {
    let harness = Harness::with_people(&PEOPLE);
    harness.sandbox.fault(Fault::new(Effect::Delay { ms: 500 }).at("jira").on("GET", "*/user/search").after(1));
    let arguments = ["run", "pipeline.yaml", "--report", "report"];
    let child = harness.spawn(&arguments);
    harness.until("the confirming survey", |harness| {
        harness.calls("jira").iter().filter(|call| call.contains("/user/search")).count() >= 2
    });
    std::fs::remove_dir_all(harness.path("report")).expect("the folder is gone");
    harness.write("report", "somebody's file");
    let ended = harness.wait(child, &arguments).expect_exit(1).expect_error("could not write");
    ended.expect_answer("replaced (3)");
    harness.finish(&["status", "pipeline.yaml"]).expect_exit(0).expect_answer("jira: 3 replaced");
}
