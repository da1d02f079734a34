//! `--trace FILE`: a timeline that public viewers open (docs/command-line.md, "Where the time goes").

use std::collections::BTreeMap;

use serde_json::Value;

use super::harness::Harness;

/// The phases of a run that writes.
const PHASES: [&str; 9] = ["collect", "survey", "match", "fetch", "decide", "guard", "apply", "confirm", "report"];

fn number(event: &Value, field: &str) -> u64 {
    event[field].as_u64().unwrap_or_else(|| panic!("`{field}` in {event}"))
}

#[test]
fn a_run_leaves_a_timeline_of_phases_requests_and_commits() {
    let harness = Harness::with_people(&["ada", "grace", "alan"]);
    harness.run_with(&["--trace", "timeline.json"]).expect_exit(0);
    let text = std::fs::read_to_string(harness.path("timeline.json")).expect("the timeline");
    let events: Vec<Value> = serde_json::from_str(&text).expect("a list of events");
    let spans: Vec<&Value> = events.iter().filter(|event| event["ph"] == "X").collect();
    let of = |kind: &str| spans.iter().filter(|event| event["cat"] == kind).count();
    for phase in PHASES {
        assert!(spans.iter().any(|event| event["cat"] == "phase" && event["name"] == phase), "{phase}: {text}");
    }
    assert_eq!((of("run"), of("render")), (1, 3), "{text}");
    assert_eq!((of("request"), of("wait")), (harness.sandbox.requests().entries().len(), of("request")), "{text}");
    assert!(of("commit") > 0, "{text}");

    // What goes on at the same time stands in several lines: in one of them a thing is within another or behind it.
    let mut lines: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for event in &spans {
        let from = number(event, "ts");
        let line = lines.entry((number(event, "pid"), number(event, "tid"))).or_default();
        line.push((from, from + number(event, "dur")));
    }
    for line in lines.values() {
        for (nth, (from, to)) in line.iter().enumerate() {
            let apart = |(begins, ends): &(u64, u64)| {
                ends <= from || begins >= to || (begins >= from && ends <= to) || (begins <= from && ends >= to)
            };
            assert!(line[nth + 1..].iter().all(apart), "{from} to {to} in {line:?}");
        }
    }
    let named = |name: &str| events.iter().any(|event| event["ph"] == "M" && event["args"]["name"] == name);
    assert!(["run", "entra", "jira"].into_iter().all(named), "{text}");
}

/// Whatever else stands there is somebody's, and a link may lead to it.
#[test]
fn a_file_that_is_no_timeline_is_not_written_over() {
    let harness = Harness::with_people(&["ada"]);
    harness.run_with(&["--trace", "timeline.json"]).expect_exit(0);
    harness.run_with(&["--trace", "timeline.json"]).expect_exit(0);
    let trail = std::fs::read(harness.path("state/stage.audit.jsonl")).expect("the trail");
    harness.write("people.csv", "id,photo\n1,ada.png\n");
    harness.write("list.json", "[\n{\"id\": 1}\n]\n");
    std::os::unix::fs::symlink("people.csv", harness.path("link.json")).expect("a link");
    harness.sandbox.requests().reset();
    for name in ["people.csv", "link.json", "list.json", "pipeline.yaml", "state/stage.db", "state/stage.audit.jsonl"] {
        let ended = harness.run_with(&["--trace", name]).expect_exit(2);
        ended.expect_error(&format!("--trace {name}: it is there, and is no timeline: nothing was written"));
    }
    assert_eq!(harness.sandbox.requests().entries().len(), 0);
    assert_eq!(std::fs::read(harness.path("state/stage.audit.jsonl")).expect("the trail"), trail);
    assert!(harness.path("people.csv").metadata().expect("a table").len() > 0);
    harness.run().expect_exit(0);
}

#[test]
fn a_timeline_that_cannot_be_begun_begins_nothing() {
    let harness = Harness::with_people(&["ada"]);
    harness.run_with(&["--trace", "nowhere/timeline.json"]).expect_exit(1);
    assert_eq!(harness.sandbox.requests().entries().len(), 0);
}
