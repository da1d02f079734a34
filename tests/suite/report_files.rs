//! The files of a report that other programs read: test results and metrics, each read as strictly as its format has it.

use std::collections::{BTreeMap, BTreeSet};

use avatarpipe_sandbox::entra::world::{NoPhoto, Photo};
use avatarpipe_sandbox::faults::{Effect, Fault};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::harness::Harness;
use super::population::Population;

fn harness() -> Harness {
    let population = Population::of(&["ada", "grace", "alan", "barbara", "donald"])
        .chose_by_hand("alan")
        .photo("alan", Photo::None(NoPhoto::ImageNotFound))
        .person("barbara", |person| person.proxy_addresses.push("smtp:donald@contoso.example".into()));
    Harness::of(population.world())
}

fn written(harness: &Harness, name: &str) -> String {
    std::fs::read_to_string(harness.path("report").join(name)).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

type Attributes = BTreeMap<String, String>;

/// A test: class, name, and the element in it with its attributes.
struct Case {
    class: String,
    name: String,
    verdict: Option<(String, Attributes)>,
}

impl Case {
    fn is(&self, verdict: &str) -> bool {
        self.verdict.as_ref().is_some_and(|(found, _)| found == verdict)
    }

    fn message(&self) -> &str {
        self.verdict.as_ref().map_or("", |(_, attributes)| &attributes["message"])
    }
}

fn attributes(element: &BytesStart<'_>) -> Attributes {
    let read = element.attributes().map(|attribute| {
        let attribute = attribute.expect("an attribute");
        let value = quick_xml::escape::unescape(&attribute.value).expect("escaped text").into_owned();
        (attribute.key.as_ref().to_owned(), value)
    });
    read.collect()
}

/// Every test of a file in which each element stands where the schema of JUnit has it, and each count is that of the
/// elements (<https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd>).
fn junit(text: &str) -> Vec<Case> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<(String, Attributes, usize)> = Vec::new();
    let mut cases: Vec<Case> = Vec::new();
    let count = |cases: &[Case], verdict: &str| cases.iter().filter(|case| case.is(verdict)).count().to_string();
    let close = |(name, told, from): (String, Attributes, usize), cases: &[Case]| {
        let within = &cases[from..];
        if name == "testsuites" || name == "testsuite" {
            assert_eq!(told["tests"], within.len().to_string(), "{name} {told:?}");
            assert_eq!(told["failures"], count(within, "failure"), "{name} {told:?}");
            assert_eq!(told["errors"], "0");
            assert!(name == "testsuites" || told["skipped"] == count(within, "skipped"), "{name} {told:?}");
        }
    };
    loop {
        let event = reader.read_event().unwrap_or_else(|fault| panic!("{fault}\n{text}"));
        let is_empty = matches!(event, Event::Empty(_));
        match event {
            Event::Start(element) | Event::Empty(element) => {
                let name = element.name().as_ref().to_owned();
                let told = attributes(&element);
                let parent = open.last().map(|(name, ..)| name.as_str());
                let (within, known): (Option<&str>, &[&str]) = match name.as_str() {
                    "testsuites" => (None, &["name", "tests", "failures", "errors", "time"]),
                    "testsuite" => {
                        (Some("testsuites"), &["name", "timestamp", "tests", "failures", "errors", "skipped"])
                    }
                    "testcase" => (Some("testsuite"), &["classname", "name"]),
                    "failure" => (Some("testcase"), &["type", "message"]),
                    "skipped" => (Some("testcase"), &["message"]),
                    other => panic!("<{other}>"),
                };
                assert_eq!(parent, within, "{name}");
                assert_eq!(told.keys().map(String::as_str).collect::<BTreeSet<_>>(), known.iter().copied().collect());
                match name.as_str() {
                    "testcase" => {
                        let (class, name) = (told["classname"].clone(), told["name"].clone());
                        cases.push(Case { class, name, verdict: None });
                    }
                    "failure" | "skipped" => {
                        let verdict = &mut cases.last_mut().expect("a test").verdict;
                        assert!(verdict.replace((name.clone(), told.clone())).is_none(), "one verdict for each test");
                    }
                    _ => {}
                }
                let from = cases.len() - usize::from(name == "testcase");
                if is_empty {
                    close((name, told, from), &cases);
                } else {
                    open.push((name, told, from));
                }
            }
            Event::End(_) => close(open.pop().expect("an element"), &cases),
            Event::Text(words) => {
                let within = open.last().map_or("", |(name, ..)| name);
                assert!(words.trim().is_empty() || within == "failure", "{words:?} in <{within}>");
            }
            Event::Decl(_) => assert!(open.is_empty() && cases.is_empty(), "the declaration stands first"),
            Event::GeneralRef(_) => {}
            Event::Eof => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(open.is_empty());
    cases
}

fn found<'a>(cases: &'a [Case], class: &str, name: &str) -> &'a Case {
    let mut fit = cases.iter().filter(|case| case.class == class && case.name == name);
    let case = fit.next().unwrap_or_else(|| panic!("{class} {name}"));
    assert!(fit.next().is_none(), "a test is known by its class and name: {class} {name}");
    case
}

#[test]
fn what_must_be_mended_fails_a_test_and_nothing_else_does() {
    let mut harness = harness();
    harness.run().expect_exit(0);
    let right = junit(&written(&harness, "junit.xml"));
    assert!(right.iter().all(|case| !case.is("failure")), "who is left alone by a rule fails nothing");
    assert!(found(&right, "stage.jira", "conflicts").is("skipped"));
    assert!(found(&right, "stage.entra", "limit unknown").verdict.is_none());

    harness.new_photo("ada", "spare");
    harness.new_photo("grace", "spare");
    harness.sandbox.fault(Fault::new(Effect::status(413)).at("jira").on("POST", "*/temporary").about("ada"));
    harness.run().expect_exit(3);
    let failed = junit(&written(&harness, "junit.xml"));
    let wrong: Vec<_> = failed.iter().filter(|case| case.is("failure")).collect();
    let [ada] = wrong.as_slice() else { panic!("one change failed") };
    assert_eq!((ada.class.as_str(), ada.name.as_str()), ("stage.jira", "account ada"));
    assert!(ada.message().contains("username=ada&filename="), "{}", ada.message());

    harness.edit(|pipe| _ = pipe.top("limits", "{ replacements: { count: 0 } }"));
    harness.plan_with(&[]).expect_exit(4);
    let stopped = junit(&written(&harness, "junit.xml"));
    let limit = found(&stopped, "stage.jira", "limit replacements");
    assert!(limit.is("failure") && limit.message().contains("--allow jira.replacements="), "{}", limit.message());
    assert!(found(&stopped, "stage.jira", "changes not begun").is("skipped"));
    assert_eq!(stopped.iter().filter(|case| case.is("failure")).count(), 1);

    harness.set("JIRA_PASSWORD", "canaryNotTheSecret0");
    harness.run().expect_exit(5);
    let refused = junit(&written(&harness, "junit.xml"));
    assert!(found(&refused, "stage.jira", "answered").message().contains("401"));
    assert!(found(&refused, "stage.entra", "answered").verdict.is_none());
}

#[test]
fn of_many_failures_the_first_are_named_and_the_others_counted() {
    let names: Vec<String> = (0..203).map(|n| format!("p{n:03}")).collect();
    let harness = Harness::with_people(&names.iter().map(String::as_str).collect::<Vec<_>>());
    harness.sandbox.fault(Fault::new(Effect::status(413)).at("jira").on("POST", "*/temporary"));
    harness.run().expect_exit(3);
    let cases = junit(&written(&harness, "junit.xml"));
    assert_eq!(cases.iter().filter(|case| case.name.starts_with("account ")).count(), 200);
    assert_eq!(found(&cases, "stage.jira", "other accounts").message(), "3 more of 203 went wrong: see run.json");
}

/// What is left out stands in a file, and the answer names one that is there.
#[test]
fn a_long_list_says_where_all_of_it_is() {
    let names: Vec<String> = (0..103).map(|n| format!("p{n:03}")).collect();
    let harness = Harness::with_people(&names.iter().map(String::as_str).collect::<Vec<_>>());
    harness.plan_with(&[]).expect_exit(0).expect_answer("  … and 43 more of 103: see report/pictures.html\n");
    let summary = written(&harness, "summary.md");
    assert!(summary.contains("\n## to replace (103)\n"), "{summary}");
    assert!(summary.contains("\n… and 3 more of 103: see `pictures.html`.\n"), "{summary}");
    let ended = harness.finish(&["plan", "pipeline.yaml"]).expect_exit(0);
    ended
        .expect_answer("  … and 43 more of 103: --report DIR writes pictures.html and run.json, which have them all\n");
}

/// Of a run that nobody may read the answer of, nothing is asked and nothing written.
#[test]
fn a_place_that_cannot_be_written_to_is_found_before_anything_is_asked() {
    let harness = Harness::with_people(&["ada"]);
    harness.write("state/stage.report", "somebody's");
    let run = |flags: &[&str]| harness.finish(&[&["run", "pipeline.yaml"], flags].concat());
    run(&[]).expect_exit(1).expect_error("could not write the report to state/stage.report; ");
    harness.write("file", "somebody's");
    run(&["--report", "file/report"]).expect_exit(1).expect_error("could not write the report to file/report; ");
    let traced = run(&["--report", "report", "--trace", "nowhere/trace.json"]).expect_exit(1);
    traced.expect_error(
        "could not begin the timeline of --trace at nowhere/trace.json; name a place that can be written",
    );
    assert_eq!(harness.calls("jira"), [""; 0]);
    assert_eq!(std::fs::read_to_string(harness.path("state/stage.report")).expect("it stays"), "somebody's");
}

/// One sentence for whoever is left alone for one and the same cause.
#[test]
fn a_source_that_is_down_is_told_once() {
    let mut harness = harness();
    harness.set("ENTRA_SECRET", "canary~not/the+secret");
    let ended = harness.run().expect_exit(5).expect_answer("\nleft alone, since a source could not be read (6)\n");
    ended.holds_no_answer("jira/ada");
    let summary = written(&harness, "summary.md");
    assert!(summary.contains("\n## left alone, since a source could not be read (6)\n"), "{summary}");
    assert!(!summary.contains("jira/ada"), "{summary}");
    assert_eq!(ended.line("jira", "ada")["reason"], "source_unreachable");

    let harness = self::harness();
    let ended = harness.run_with(&["--only", "ada"]).expect_exit(0).expect_answer("\nleft out by --only or --target (");
    ended.holds_no_answer("jira/grace");
}

/// Samples by name and labels; each family has one HELP and one TYPE right before its samples, no sample stands twice
/// (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details>).
fn metrics(text: &str) -> BTreeMap<String, u64> {
    assert!(text.ends_with('\n'));
    let (mut samples, mut family, mut families) = (BTreeMap::new(), String::new(), BTreeSet::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').expect("words");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') && !words.is_empty(), "{line}");
            assert_eq!(lines.next(), Some(format!("# TYPE {name} gauge").as_str()));
            assert!(families.insert(name.to_owned()), "{name} comes twice");
            family = name.to_owned();
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = sample.split_once('{').expect("labels");
        assert_eq!(name, family, "{line}");
        let labels = labels.strip_suffix('}').expect("the end of the labels");
        for label in labels.split("\",") {
            let (name, value) = label.split_once("=\"").expect("a label");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase()), "{line}");
            assert!(!value.trim_end_matches('"').contains(['"', '\\']), "nothing here has to be escaped: {line}");
        }
        let value = value.parse().unwrap_or_else(|fault| panic!("{line}: {fault}"));
        assert!(samples.insert(sample.to_owned(), value).is_none(), "{line} comes twice");
    }
    samples
}

#[test]
fn metrics_tell_what_a_run_did_and_when_one_was_right() {
    let mut harness = harness();
    let success = "avatarpipe_last_success_timestamp_seconds{pipeline=\"stage\"}";
    let of = |what: &str, kind: &str, id: &str| format!("avatarpipe_{what}{{pipeline=\"stage\",{kind}=\"{id}\"}}");
    for flags in [&["--only", "ada"][..], &["--target", "jira"]] {
        harness.run_with(flags).expect_exit(0);
        assert_eq!(metrics(&written(&harness, "metrics.prom")).get(success), None, "{flags:?} is no whole run");
    }
    let ran = harness.run().expect_exit(0);
    let whole = metrics(&written(&harness, "metrics.prom"));
    assert!(whole[success] > 1_700_000_000, "{whole:?}");
    assert_eq!(whole["avatarpipe_run_exit_code{pipeline=\"stage\"}"], 0);
    for (what, count) in [("accounts", "accounts"), ("unchanged", "unchanged"), ("conflicts", "conflicts")] {
        assert_eq!(whole[&of(&format!("target_{what}"), "target", "jira")], ran.count("jira", count), "{what}");
    }
    assert_eq!(whole[&of("source_unknown", "source", "entra")], 0);
    assert!(whole[&of("requests", "endpoint", "jira")] > 0);
    assert_eq!(ran.report()["last_success"], ran.report()["started"]);

    harness.new_photo("ada", "spare");
    harness.edit(|pipe| _ = pipe.top("limits", "{ replacements: { count: 0 } }"));
    harness.run().expect_exit(4);
    let stopped = metrics(&written(&harness, "metrics.prom"));
    assert_eq!(stopped[success], whole[success], "a run that was stopped is no success");
    assert_eq!(stopped["avatarpipe_run_exit_code{pipeline=\"stage\"}"], 4);
    let limit =
        |what: &str| format!("avatarpipe_limit_{what}{{pipeline=\"stage\",limit=\"replacements\",scope=\"jira\"}}");
    assert_eq!([stopped[&limit("found")], stopped[&limit("allowed")], stopped[&limit("broken")]], [1, 0, 1]);
    harness.plan_with(&[]).expect_exit(4);
    assert_eq!(metrics(&written(&harness, "metrics.prom"))[success], whole[success], "a plan is no success");
}
