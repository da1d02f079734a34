//! `status`: what monitoring asks, and what the last run left.

use avatarpipe_sandbox::entra::world::{Photo, PhotoFailure};
use serde_json::{Value, json};

use super::harness::Harness;
use super::population::Population;

#[test]
fn a_success_that_is_too_old_or_missing_ends_in_3() {
    let harness = Harness::with_people(&["ada", "grace"]);
    let status = |age: &str| harness.finish(&["-q", "status", "pipeline.yaml", "--max-age", age]);
    status("26h").expect_exit(3).expect_error("no whole run ended in 0 yet; one was to be at most 1day 2h old");
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
    let targets = json!([{ "id": "jira", "not_done": 3, "failed": 0, "conflicts": 1 }]);
    let expected = json!({
        "run": stopped.report()["run"], "targets": targets, "sources": [{ "id": "entra", "unknown": 1 }], "open_writes": 0,
    });
    assert_eq!(left(), expected);
    harness.run_with(&["--only", "ada"]).expect_exit(0);
    assert_eq!(left(), expected, "a part is not the whole");
    let status = harness.finish(&["status", "pipeline.yaml"]).expect_exit(0);
    status.expect_answer("\n  jira: 3 changes not begun, 1 conflict\n  entra: 1 photo unknown\n");
}
