//! What somebody reads who sees standard error alone, and what is said while there is nothing to see.
//!
//! Owns: that no end but a good one is without a word there, notes at the beginning, outages while they last.
//! Leaves to others: whole outputs (`printed`), the form of each line (`traces`).
//! A newcomer gets wrong: the answer says the same; but a job's log may hold one of the two.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;

use avatarpipe_sandbox::faults::{Answer, Effect, Fault};

use super::harness::Harness;
use super::population::address;

const PEOPLE: [&str; 2] = ["ada", "grace"];

#[test]
fn a_target_that_fails_is_told_on_standard_error_too() {
    let not_there = || Effect::Answer(Answer { status: 404, ..Answer::default() });
    let harness = Harness::with_people(&PEOPLE).fault(Fault::new(not_there()).at("jira"));
    for flags in [&["plan", "pipeline.yaml"][..], &["auth", "pipeline.yaml"], &["plan", "pipeline.yaml", "-q"]] {
        let ended = harness.finish(flags);
        let told = ended.stderr.matches("error: jira: GET ").count();
        ended.holds(!ended.succeeded() && told == 1, "one line about the target");
    }
    harness.sandbox.faults().clear();
    harness.plan_with(&[]).expect_exit(0).holds_no_error("error: ");
}

/// Photos from a folder.
fn folder(table: &str) -> Harness {
    let harness = Harness::with_people(&PEOPLE)
        .with(|pipe| _ = pipe.without_source("entra").source("folder").set("path", "people"));
    harness.write("people/people.csv", table);
    harness
}

#[test]
fn a_folder_is_no_cloud() {
    let row = |id: u8, name: &str| format!("{id},{},photos/{name}.png\n", address(name));
    let harness = folder(&format!("id,email,photo\n{}{}", row(1, "ada"), row(2, "grace")));
    let ended = harness.plan_with(&[]).expect_exit(6).expect_error("error: folder: learn the photos of 2 people");
    ended.expect_error("see the column `photo` of people.csv").expect_answer("photo").holds_no_error("service health");
    let harness = folder("id,email,photo\n");
    let ended = harness.plan_with(&[]).expect_exit(6).expect_error("whether people.csv has a row for each person");
    ended.holds_no_error("credential");
}

#[test]
fn a_state_that_is_not_there_is_told() {
    let harness = Harness::with_people(&PEOPLE);
    let planned = harness.plan_with(&[]).expect_error("note: no state at state/stage.db");
    planned.expect_error("planned as a first run");
    harness.run().expect_error("note: no state at state/stage.db").expect_error("a new one is begun");
    harness.run().holds_no_error("no state at");
    let sandbox = harness.finish(&["plan", "pipeline.yaml", "--sandbox=tiny"]);
    sandbox.holds_no_error("no state at");
}

/// A refused connection is tried again for most of a minute.
#[test]
fn an_outage_is_told_while_it_lasts() {
    let mut harness = Harness::with_people(&PEOPLE);
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("a port").port();
    harness.edit(|pipe| _ = pipe.jira("base_url", &format!("http://127.0.0.1:{nobody}")));
    for command in ["plan", "auth"] {
        let mut child = harness.spawn(&[command, "pipeline.yaml"]);
        let stderr = BufReader::new(child.stderr.take().expect("standard error"));
        let told = stderr.lines().map_while(Result::ok).find(|line| line.contains("asked again until about "));
        child.kill().expect("SIGKILL");
        child.wait().expect("it ends");
        let told = told.unwrap_or_else(|| panic!("{command}: not a word"));
        assert!(told.contains(&format!("jira at http://127.0.0.1:{nobody}: no connection")), "{told}");
    }
}
