//! `report`: whatever a run told is told again, from the state alone, and nobody is named there who was not to be.

use avatarpipe_sandbox::entra::world::{NoPhoto, Photo};
use avatarpipe_sandbox::faults::{Effect, Fault};
use serde_json::Value;

use super::ended::Ended;
use super::harness::Harness;
use super::population::Population;

fn harness() -> Harness {
    let population = Population::of(&["ada", "grace", "alan", "barbara", "donald"])
        .photo("alan", Photo::None(NoPhoto::ImageNotFound))
        .person("barbara", |person| person.proxy_addresses.push("smtp:donald@contoso.example".into()));
    let harness = Harness::of(population.world());
    harness.sandbox.fault(Fault::new(Effect::status(413)).at("jira").on("POST", "*/temporary").about("ada"));
    harness
}

fn again(harness: &Harness, arguments: &[&str]) -> Ended {
    harness.finish(&[&["report", "pipeline.yaml"], arguments].concat()).expect_exit(0)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn every_form_of_an_earlier_run_is_made_again_with_everybody_in_it() {
    let harness = harness();
    let first = harness.run().expect_exit(3);
    let read = |folder: &str, name: &str| std::fs::read_to_string(harness.path(folder).join(name)).expect(name);
    let told = ["junit.xml", "metrics.prom"].map(|name| read("report", name));
    let report = first.report().clone();
    let id = report["run"].as_str().expect("an id").to_owned();
    harness.sandbox.faults().clear();
    harness.run().expect_exit(0);
    harness.run_with(&["--only", "grace"]).expect_exit(0);

    let made = again(&harness, &[&id, "--format", "json", "--report", "again"]);
    assert_eq!(json(&made.stdout), report);
    assert_eq!(read("again", "run.json"), made.stdout);
    assert_eq!(["junit.xml", "metrics.prom"].map(|name| read("again", name)), told);
    assert_eq!(again(&harness, &[&id, "--format", "metrics"]).stdout, told[1]);
    let summary = read("again", "summary.md");
    assert!(summary.contains("\n## failed (1)\n") && summary.contains("| jira/ada |"), "{summary}");
    assert!(read("again", "pictures.html").contains("what is on record, which holds no pictures"));

    // Of the last run, the one with `--only`, whom it left out is counted alone.
    let part = json(&again(&harness, &["--format", "json"]).stdout);
    let reasons = part["people"].as_array().into_iter().flatten().map(|line| line["reason"].clone());
    assert_eq!(reasons.collect::<Vec<_>>(), ["unmatched", "ambiguous"], "{part}");

    // The state is enough; then there are ids in place of names.
    std::fs::remove_dir_all(harness.path("state/stage.cache")).expect("the cache");
    let bare = again(&harness, &[&id, "--format", "json"]);
    let lines = json(&bare.stdout)["people"].as_array().cloned().expect("people");
    assert_eq!(lines.len(), 6, "{}", bare.stdout);
    assert!(lines.iter().all(|line| line["account"]["name"] == line["account"]["id"]), "{}", bare.stdout);
    let bare = bare.expect_answer("which holds no names");
    ["username=ada", "barbara", "donald"].iter().for_each(|name| bare.holds_no_answer(name));
}

#[test]
fn who_was_promised_a_pseudonym_keeps_it() {
    let mut harness = harness();
    harness.edit(|pipe| _ = pipe.top("report", "{ names: pseudonym }"));
    let first = harness.run().expect_exit(3);
    let report = first.report().clone();
    assert_eq!(json(&again(&harness, &["--format", "json"]).stdout), report.clone());
    harness.edit(|pipe| _ = pipe.top("report", "{ names: full }"));
    assert_eq!(json(&again(&harness, &["--format", "json"]).stdout), report);
    harness.sandbox.faults().clear();
    let named = harness.run().expect_exit(0);
    assert!(named.stdout.contains("jira/ada"));
    harness.edit(|pipe| _ = pipe.top("report", "{ names: pseudonym }"));
    again(&harness, &[]).holds_no_answer("jira/ada");
}
