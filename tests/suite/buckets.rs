//! The state in a bucket: every runner goes on from it, one of them writes at a time, and a kill at any request to the
//! store is mended like any other (P4).
//!
//! Owns: what a run makes of the bucket. Leaves to others: the lease and the chain alone (`src/bucket`), kills at requests
//! to the products (`crash`).
//! A newcomer gets wrong: every command here runs on another machine, in an empty folder.

use std::process::Command;
use std::time::Duration;

use avatarpipe_sandbox::faults::{Effect, Fault};
use avatarpipe_sandbox::s3::{ObjectStore, Then};

use super::ended::Ended;
use super::harness::Harness;
use super::pipe::Pipe;
use super::stopping;
use super::stores::{KilledAt, Place, answered, azure, s3, store};
use super::truth::Shows::{Default, Face};

const LEASE: Duration = Duration::from_secs(15 * 60);

/// Ada, whose state stands in this store.
fn harness(store: &ObjectStore) -> Harness {
    harness_at(&s3(store.url(), "p"))
}

fn harness_at(place: &Place) -> Harness {
    let mut harness = Harness::with_people(&["ada"]);
    harness.edit(|pipe| _ = pipe.jira("quiet", "0s").jira("upload", "session"));
    place.for_state(&mut harness, "");
    harness
}

fn run(harness: &mut Harness) -> Ended {
    harness.move_with_the_state_alone();
    harness.run()
}

/// What was done at Jira, in order and without ids.
fn done(harness: &Harness) -> Vec<String> {
    let writes = harness.sandbox.truth().writes.into_iter();
    let mut words: Vec<_> = writes.filter_map(|write| Some(write.what.split(' ').next()?.to_owned())).collect();
    words.sort();
    words
}

#[test]
fn the_next_runner_goes_on_from_the_bucket_and_every_command_reads_it() {
    let store = store();
    let mut harness = harness(&store);
    run(&mut harness).expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada"))]);
    // The second makes the snapshot that the first was worth.
    run(&mut harness).expect_exit(0).expect_answer("nothing to do");
    store.reset_log();
    run(&mut harness).expect_exit(0).expect_answer("nothing to do");
    let log = store.log();
    let plain: Vec<_> = log.iter().map(|asked| asked.split(['0', '-']).next().unwrap_or_default()).collect();
    assert_eq!(plain, ["GET p/lease 2", "PUT p/lease 2", "GET p/snapshots/", "PUT p/lease 2"], "{log:#?}");
    harness.move_with_the_state_alone();
    harness.finish(&["plan", "pipeline.yaml"]).expect_exit(0);
    harness.finish(&["status", "pipeline.yaml"]).expect_exit(0);
    harness.finish(&["state", "pipeline.yaml", "verify"]).expect_exit(0).expect_answer("are right");
    harness.finish(&["state", "pipeline.yaml", "backup", "copy.db"]).expect_exit(0);
    harness.finish(&["state", "pipeline.yaml", "break-lease"]).expect_exit(0).expect_answer("nobody has the lease");
    assert!(store.objects().into_keys().all(|name| name.starts_with("p/")), "{:?}", store.objects().keys());
}

#[test]
fn a_state_that_stood_in_a_file_goes_on_in_the_bucket_and_none_goes_over_a_newer_one() {
    let store = store();
    let mut harness = Harness::with_people(&["ada"]).with(|pipe| _ = pipe.jira("quiet", "0s"));
    harness.run().expect_exit(0);
    std::fs::copy(harness.path("state/stage.db"), harness.path("old.db")).expect("a copy");
    s3(store.url(), "p").for_state(&mut harness, "");
    let push = ["state", "pipeline.yaml", "push", "old.db"];
    harness.finish(&push).expect_exit(0).expect_answer("goes on from old.db");
    harness.run().expect_exit(0).expect_answer("nothing to do");
    harness.finish(&push).expect_exit(2).expect_error("is newer than this file");
    harness.no_photo("ada");
    run(&mut harness).expect_exit(0);
    harness.expect_shown(&[("ada", Default)]);
}

#[test]
fn a_state_goes_between_file_and_bucket_and_loses_whoever_is_forgotten() {
    let store = store();
    let mut harness = harness(&store);
    run(&mut harness).expect_exit(0);
    let before: Vec<_> = store.objects().into_keys().filter(|name| name != "p/lease").collect();
    let pull = ["state", "pipeline.yaml", "pull", "pulled.db"];
    harness.finish(&pull).expect_exit(0).expect_answer("copied whole to pulled.db");
    std::fs::copy(harness.path("pulled.db"), harness.path("old.db")).expect("a copy");
    run(&mut harness).expect_exit(0);
    harness.finish(&pull).expect_exit(0);
    harness.finish(&["state", "pipeline.yaml", "push", "old.db"]).expect_exit(2);
    let forget = ["state", "pipeline.yaml", "forget", "ada"];
    harness.finish(&forget).expect_exit(0).expect_answer("1 placement, ").expect_answer("earlier versions of objects");
    let left = store.objects();
    assert!(before.iter().all(|name| !left.contains_key(name)), "{before:?} {:?}", left.keys());
    assert_eq!(left.len(), 2, "the lease and one snapshot: {:?}", left.keys());
    harness.finish(&["state", "pipeline.yaml", "purge", "--runs-older-than", "1h"]).expect_exit(0);
    // What was forgotten is like new: it looks alike, and is adopted.
    run(&mut harness).expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada"))]);
}

/// Killed before each request to the store is done, and after.
#[test]
fn a_kill_at_any_request_to_the_store_leaves_nothing_behind() {
    let calm = {
        let store = store();
        let mut harness = harness(&store);
        run(&mut harness).expect_exit(0);
        (done(&harness), answered(&store, ""))
    };
    for killed in KilledAt::each("", calm.1) {
        let store = store();
        let mut harness = harness(&store);
        killed.run(&store, &harness);
        store.pass(LEASE + Duration::from_secs(1));
        run(&mut harness).expect_exit(0);
        harness.expect_shown(&[("ada", Face("ada"))]);
        assert_eq!(done(&harness), calm.0, "the same writes as undisturbed");
        run(&mut harness).expect_exit(0).expect_answer("nothing to do");
    }
}

#[test]
fn a_second_runner_is_told_who_has_the_lease_and_a_broken_one_ends_its_holder() {
    let store = store();
    let mut harness = harness(&store);
    s3(store.url(), "r").for_reports(&mut harness, "");
    harness.sandbox.fault(Fault::new(Effect::HandleOnRelease {}).at("jira").on("POST", "*/temporary"));
    let arguments = ["run", "pipeline.yaml", "--report", "report"];
    let first = harness.spawn(&arguments);
    harness.until("an upload arrives", |harness| !harness.writes().is_empty());
    // On the same machine the lock beside the copy says so; elsewhere the lease does.
    harness.finish(&["run", "pipeline.yaml"]).expect_exit(7).expect_error("is locked by run");
    elsewhere(&harness, &["run", "../pipeline.yaml"]).expect_exit(7).expect_error("is leased to run");
    let status = elsewhere(&harness, &["status", "../pipeline.yaml", "--format", "json"]).expect_exit(0);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).expect("JSON");
    assert_eq!((&status["runs"][0]["under_way"], &status["runs"][0]["run"]), (&true.into(), &status["lease"]["run"]));
    assert_eq!(status["lease"]["process"], first.id());
    let broken = elsewhere(&harness, &["state", "../pipeline.yaml", "break-lease"]).expect_exit(0);
    broken.expect_answer("the lease was taken away from run");
    harness.sandbox.faults().clear();
    harness.sandbox.faults().release();
    harness.wait(first, &arguments).expect_exit(7).expect_error("the lease on the state in s3://avatars/p is lost");
    let put = |name: &str| store.objects().into_keys().any(|object| object.starts_with(name));
    assert!(!put("r/"), "a report that was put over that of whoever came next: {:?}", store.objects().keys());
    run(&mut harness).expect_exit(0);
    assert!(put("r/stage/index.html"));
    harness.expect_shown(&[("ada", Face("ada"))]);
    run(&mut harness).expect_exit(0).expect_answer("nothing to do");
}

/// Before the first intent the lease alone knows of a run.
#[test]
fn status_says_who_has_the_lease_and_whether_it_ran_out() {
    let store = store();
    let mut harness = harness(&store);
    run(&mut harness).expect_exit(0);
    let status = |harness: &Harness| harness.finish(&["status", "pipeline.yaml"]).expect_exit(0);
    status(&harness).holds_no_answer("lease: ");
    harness.tell("GITHUB_ACTIONS", "true");
    harness.tell("GITHUB_ACTOR", "octocat");
    harness.sandbox.fault(Fault::new(Effect::HandleOnRelease {}).at("jira").on("GET", "*/user/search").times(1));
    let mut child = harness.spawn(&["run", "pipeline.yaml"]);
    harness.until("Jira is asked who is there", |harness| {
        harness.calls("jira").iter().filter(|call| call.contains("/user/search")).count() > 0
    });
    let who = format!("(process {} on ", child.id());
    let told = elsewhere(&harness, &["status", "../pipeline.yaml"]).expect_exit(0);
    told.expect_answer("\nlease: run ")
        .expect_answer(&who)
        .expect_answer(", begun by octocat")
        .expect_answer(" yet unless");
    child.kill().expect("SIGKILL");
    child.wait().expect("it ends");
    harness.sandbox.faults().clear();
    harness.sandbox.faults().release();
    harness.move_with_the_state_alone();
    // It cannot be seen from here that it is dead.
    status(&harness).expect_answer(" yet unless it is renewed");
    store.pass(LEASE + Duration::from_secs(90));
    let told = status(&harness).expect_answer(&who).expect_answer("not given back; it ran out 1m 3");
    told.expect_answer("by the store's clock, and the next run takes it over");
    run(&mut harness).expect_exit(0);
    status(&harness).holds_no_answer("lease: ");
}

/// Another machine, while a command of this one is at work.
fn elsewhere(harness: &Harness, arguments: &[&str]) -> Ended {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "mkdir -p elsewhere; cd elsewhere; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_avatarpipe")]);
    harness.wait(harness.spawn_by(shell, arguments), arguments)
}

#[test]
fn a_store_that_goes_away_ends_the_run_in_6_and_the_next_one_goes_on() {
    let store = store();
    let mut harness = harness(&store);
    let mut intents = 0;
    store.judge(move |asked| {
        intents += usize::from(asked.starts_with("PUT p/log/"));
        if intents > 1 { Then::Refuse(503) } else { Then::Answer }
    });
    run(&mut harness).expect_exit(6);
    store.judge(|_| Then::Answer);
    run(&mut harness).expect_exit(7).expect_error("unless it is renewed");
    store.pass(LEASE);
    run(&mut harness).expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada"))]);
    run(&mut harness).expect_exit(0).expect_answer("nothing to do");
}

/// The first pause before a repetition is a minute; a state is waited for some seconds of it, a picture not at all.
#[test]
fn a_store_that_asks_for_time_is_not_waited_for() {
    let refuses = |begins: &'static str| {
        move |asked: &str| match asked.starts_with(begins) {
            true => Then::Refuse(503),
            false => Then::Answer,
        }
    };
    let patient = |pipe: &mut Pipe| _ = pipe.top("http", "{ default: { retry_pause: 1m } }");
    type Stands = fn(&Place, &mut Harness);
    let table: [(&str, Stands); 3] = [
        ("PUT p/log/", |place, harness| place.for_state(harness, "")),
        ("PUT p/lease", |place, harness| place.for_state(harness, "")),
        ("PUT p/avatar/", |place, harness| place.for_pictures(harness)),
    ];
    let turns = table.into_iter().map(|(begins, stands)| {
        move || {
            println!("{begins}");
            let store = store();
            let mut harness = Harness::with_people(&["ada"]).with(|pipe| _ = pipe.jira("quiet", "0s"));
            stands(&s3(store.url(), "p"), &mut harness);
            harness.edit(patient);
            store.judge(refuses(begins));
            let child = harness.spawn(&stopping::RUN);
            harness.until(begins, |_| answered(&store, begins) > 0);
            stopping::signal(&child, "TERM");
            stopping::ended(&harness, child).expect_exit(8);
            store.judge(|_| Then::Answer);
            store.pass(Duration::from_secs(15 * 60));
            harness.run().expect_exit(0);
            harness.run().expect_exit(0).expect_answer("nothing to do");
        }
    });
    // They wait side by side.
    std::thread::scope(|scope| turns.for_each(|turn| _ = scope.spawn(turn)));
}

/// `.ci/run stores` starts some of other makers, and says where.
#[test]
fn a_store_of_another_maker_is_understood() {
    let prefix = format!("p-{}", std::process::id());
    for (variable, place) in [("S3_ENDPOINT", s3 as fn(&str, &str) -> Place), ("AZURE_ENDPOINT", azure)] {
        if let Ok(endpoint) = std::env::var(variable) {
            a_store_is_understood(harness_at(&place(&endpoint, &prefix)));
        }
    }
}

fn a_store_is_understood(mut harness: Harness) {
    run(&mut harness).expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada"))]);
    run(&mut harness).expect_exit(0).expect_answer("nothing to do");
    harness.new_photo("ada", "spare");
    harness.sandbox.fault(Fault::new(Effect::Delay { ms: 600_000 }).at("jira").on("POST", "*/temporary"));
    harness.sandbox.requests().reset();
    harness.move_with_the_state_alone();
    let mut child = harness.spawn(&["run", "pipeline.yaml"]);
    harness.until("an upload arrives", |harness| !harness.writes().is_empty());
    child.kill().expect("SIGKILL");
    child.wait().expect("it ends");
    harness.sandbox.faults().clear();
    run(&mut harness).expect_exit(7).expect_error("is leased to run");
    harness.finish(&["state", "pipeline.yaml", "break-lease"]).expect_exit(0).expect_answer("was taken away from");
    run(&mut harness).expect_exit(0);
    harness.expect_shown(&[("ada", Face("spare"))]);
    run(&mut harness).expect_exit(0).expect_answer("nothing to do");
}
