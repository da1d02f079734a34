//! Standard error: each line whose it is, in the form and as much as was asked for (docs/command-line.md, "Streams").

use avatarpipe_sandbox::faults::{Effect, Fault};
use serde_json::Value;

use super::ended::Ended;
use super::harness::Harness;
use super::population::Population;

const JSON: [&str; 2] = ["--log-format", "json"];

/// The lines of standard error, each of which is an object.
fn objects(ended: &Ended) -> Vec<Value> {
    let object = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap_or_default();
        ended.holds(value.is_object(), &format!("an object instead of `{line}`"));
        value
    };
    ended.stderr.lines().map(object).collect()
}

/// Of the spans that a line stands in: `run`, `target=jira`, `phase=survey`, `request=jira`.
fn spans(line: &Value) -> Vec<String> {
    let name = |span: &Value| {
        let said = ["id", "phase", "endpoint"].iter().find_map(|field| span[*field].as_str());
        match (span["name"].as_str().unwrap_or_default(), said) {
            ("run", _) | (_, None) => span["name"].as_str().unwrap_or_default().to_owned(),
            (kind, Some(said)) => format!("{kind}={said}"),
        }
    };
    line["spans"].as_array().into_iter().flatten().map(name).collect()
}

#[test]
fn every_line_is_an_object_whatever_happens() {
    let harness = Harness::with_people(&["ada", "grace"]);
    let ended = harness.plan_with(&[&JSON[..], &["--out", "saved.json"]].concat()).expect_exit(0);
    ended.holds(objects(&ended).iter().any(|line| line["work"] == "survey jira"), "progress");
    let ended = harness.run_with(&[&JSON[..], &["-vv"]].concat()).expect_exit(0);
    ended.holds(objects(&ended).len() > 10, "a loud log");
    for (arguments, code) in [
        (vec!["run", "nowhere.yaml", "--log-format", "json"], 2),
        (vec!["run", "pipeline.yaml", "--log-format=json", "--no-such-flag"], 2),
        (vec!["check", "nowhere.yaml", "--log-format", "json"], 2),
        (vec!["run", "pipeline.yaml", "--target", "nobody", "--log-format", "json"], 2),
    ] {
        let ended = harness.finish(&arguments).expect_exit(code);
        let lines = objects(&ended);
        ended.holds(lines.iter().any(|line| line["level"] == "ERROR"), "what is wrong");
    }
    harness.sandbox.fault(Fault::new(Effect::status(503)).at("graph"));
    let ended = harness.run_with(&JSON).expect_exit(6);
    ended.holds(objects(&ended).iter().any(|line| line["level"] == "ERROR"), "what failed");
}

#[test]
fn quiet_says_failures_and_nothing_else() {
    let harness = Harness::with_people(&["ada", "grace", "alan"])
        .with(|pipe| _ = pipe.top("http", "{ default: { retry_pause: 5ms } }"));
    for arguments in [&["plan", "pipeline.yaml", "--out", "saved.json", "-q"][..], &["run", "pipeline.yaml", "-q"]] {
        let ended = harness.finish(arguments).expect_exit(0);
        ended.holds(ended.stderr.is_empty(), "silence");
    }
    harness.new_photo("ada", "alan");
    harness.sandbox.fault(Fault::new(Effect::status(413)).at("jira").on("POST", "*/temporary").about("ada"));
    let ended = harness.run_with(&["-q"]).expect_exit(3).expect_error("error: jira: 1 change failed");
    ended.holds(ended.stderr.lines().count() == 1, "one line");
    harness.sandbox.fault(Fault::new(Effect::status(503)).at("graph").on("POST", "*/$batch"));
    harness.run_with(&["-q"]).expect_exit(6).expect_error("error: entra: ");
    harness.sandbox.faults().clear();
    harness.sandbox.fault(Fault::new(Effect::status(503)).at("jira"));
    let ended = harness.run_with(&["-q"]).expect_exit(6).expect_error("error: jira: ");
    ended.holds(ended.stderr.lines().all(|line| line.starts_with("error: ")), "failures alone");
}

#[test]
fn a_failure_is_said_once() {
    let harness = Harness::with_people(&["ada"]).with(|pipe| _ = pipe.top("http", "{ default: { retry_pause: 5ms } }"));
    harness.sandbox.fault(Fault::new(Effect::status(503)).at("graph").on("GET", "*/users"));
    let ended = harness.run_with(&["-q"]).expect_exit(6);
    ended.holds(ended.stderr.lines().count() == 1, "one line for a listing that failed");
    let ended = harness.run_with(&JSON).expect_exit(6);
    let failures = objects(&ended).into_iter().filter(|line| line["level"] == "ERROR").count();
    ended.holds(failures == 1, "one object for a listing that failed");
}

#[test]
fn auth_says_its_failures_to_who_reads_standard_error_alone() {
    let mut harness = Harness::with_people(&["ada"]);
    harness.set("ENTRA_SECRET", "canary~not/the+secret");
    harness.finish(&["auth", "pipeline.yaml", "-q"]).expect_exit(5).expect_error("error: entra: ");
    let ended = harness.finish(&[&["auth", "pipeline.yaml"], &JSON[..]].concat()).expect_exit(5);
    let of_entra = |line: &Value| line["message"].as_str().is_some_and(|words| words.starts_with("entra: "));
    ended.holds(objects(&ended).iter().any(|line| line["level"] == "ERROR" && of_entra(line)), "what failed");
    // The answer goes elsewhere than to a terminal.
    let ended = harness.finish(&["auth", "pipeline.yaml"]).expect_exit(5);
    ended.holds(ended.stderr.lines().filter(|line| line.starts_with("error: entra: ")).count() == 1, "what failed");

    let harness = Harness::of(
        Population::of(&["ada"]).jira(|jira| jira.accounts[0].role = std::default::Default::default()).world(),
    );
    let ended = harness.finish(&["auth", "pipeline.yaml", "-q"]).expect_exit(5);
    ended.expect_error("error: jira: missing: ");
}

#[test]
fn verbose_tells_decisions_and_further_tries_and_twice_every_request() {
    let harness = Harness::with_people(&["ada", "grace"]);
    let busy = || Fault::new(Effect::status(503)).at("graph").times(1);
    harness.sandbox.fault(busy());
    let ended = harness.plan_with(&[&JSON[..], &["-v"]].concat()).expect_exit(0);
    let lines = objects(&ended);
    let decided = |account: &str| lines.iter().find(|line| line["message"] == "decided" && line["account"] == account);
    ended.holds(decided("svc-avatars").is_some_and(|line| line["reason"] == "unmatched"), "who is left alone, and why");
    for account in ["ada", "grace"] {
        let line = decided(account).unwrap_or(&Value::Null);
        ended.holds(line["change"] == "replace" && line["reason"] == "photo_new", "the reason");
        ended.holds(line["rule"].as_str().is_some_and(|rule| rule.starts_with("pipeline.yaml:")), "the rule");
        ended.holds(spans(line) == ["run", "target=jira", "phase=decide"], "whose it is");
    }
    let again: Vec<_> = lines.iter().filter(|line| line["found"] == "503").collect();
    ended.holds(again.len() == 1, "one further try");
    ended.holds(spans(again[0])[..2] == ["run", "source=entra"], "whose it is");
    ended.holds(lines.iter().all(|line| line["status"].is_null()), "no request");

    let ended = harness.run_with(&[&JSON[..], &["-vv"]].concat()).expect_exit(0);
    let lines = objects(&ended);
    let requests: Vec<_> =
        lines.iter().filter(|line| !line["status"].is_null()).map(|line| spans(line).join(" ")).collect();
    for expected in [
        "run source=entra phase=collect request=entra",
        "run source=entra phase=fetch request=entra",
        "run target=jira phase=survey request=jira",
        "run target=jira phase=apply request=jira",
        "run target=jira phase=confirm request=jira",
    ] {
        ended.holds(requests.iter().any(|spans| spans == expected), expected);
    }
    ended.holds(requests.iter().all(|spans| spans.starts_with("run ") && spans.contains("phase=")), "whose each is");
}

#[test]
fn rust_log_is_honoured_and_shows_no_secret() {
    let mut harness = Harness::with_people(&["ada"]);
    harness.tell("RUST_LOG", "trace");
    let ended = harness.run().expect_exit(0);
    ended.holds(ended.stderr.contains("TRACE"), "what libraries trace");
    for words in ["Bearer ey", "Basic ", "JSESSIONID="] {
        ended.holds(!ended.stderr.contains(words), &format!("no `{words}` in the log"));
    }
    harness.tell("RUST_LOG", "avatarpipe=loud");
    harness.run().expect_exit(2).expect_error("RUST_LOG=avatarpipe=loud");
}
