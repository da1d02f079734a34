//! The audit trail: who began each run, and every change, for good.

use serde_json::Value;

use super::harness::Harness;
use super::population::address;

const TRAIL: &str = "state/stage.audit.jsonl";

fn lines(harness: &Harness) -> Vec<Value> {
    let text = std::fs::read_to_string(harness.path(TRAIL)).expect("a trail");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn every_change_is_on_the_trail_and_no_name() {
    use std::os::unix::fs::PermissionsExt as _;

    let mut harness = Harness::with_people(&["ada", "grace"]);
    harness.tell("USER", "the-chief");
    harness.plan_with(&[]).expect_exit(0);
    assert!(!harness.path(TRAIL).exists(), "a plan is on no trail");
    let first = harness.run_with(&["--allow", "reverts=1"]).expect_exit(0);
    let trail = lines(&harness);
    let events: Vec<_> = trail.iter().map(|line| line["event"].as_str().expect("an event")).collect();
    assert_eq!(events, ["begun", "change", "change", "ended"]);
    for line in &trail {
        assert_eq!(
            (&line["run"], &line["options"][0]),
            (&first.report()["run"], &"--allow reverts=1".into()),
            "{line}"
        );
        // Whoever the process belongs to, whatever the environment says.
        assert!(line["started_by"].as_str().is_some_and(|who| !who.starts_with("the-chief@")), "{line}");
        assert_eq!(line["pipeline_digest"], first.report()["pipeline_digest"]);
    }
    let ada = first.line("jira", "ada");
    let of_ada: Vec<_> = trail.iter().filter(|line| line["account"] == ada["account"]["id"]).collect();
    assert_eq!(of_ada.len(), 1);
    assert_eq!((&of_ada[0]["from"], &of_ada[0]["to"]), (&ada["change"]["from"], &ada["change"]["to"]));
    assert!(of_ada[0]["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{}", of_ada[0]);
    assert_eq!((&of_ada[0]["change"], &of_ada[0]["result"]), (&"replace".into(), &"done".into()));
    let before = std::fs::read_to_string(harness.path(TRAIL)).expect("a trail");
    assert!(![address("ada"), "grace".to_owned()].iter().any(|name| before.contains(name)), "{before}");
    harness.run().expect_exit(0);
    let after = std::fs::read_to_string(harness.path(TRAIL)).expect("a trail");
    assert!(after.starts_with(&before), "only appended to");
    assert_eq!(lines(&harness).len(), 6, "a quiet run has a beginning and an end");
    let mode = std::fs::metadata(harness.path(TRAIL)).expect("a trail").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn without_a_trail_nothing_is_sent() {
    let harness = Harness::with_people(&["ada"]);
    std::fs::create_dir_all(harness.path(TRAIL)).expect("a folder in its place");
    harness.run().expect_exit(1).expect_error("the audit trail state/stage.audit.jsonl");
    assert!(harness.sandbox.requests().entries().is_empty(), "nobody is asked anything");
}
