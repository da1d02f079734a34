//! The file as a whole: every broken file, every example, the schema.

mod reference;
mod resolving;
mod sandboxed;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::read::{At, Reader, Setting};
use super::tree::Tree;
use super::*;
use crate::settings::*;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The pipeline files of a folder, by name.
fn files(name: &str) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path());
    // Tests of pipelines lie beside them.
    let is_pipeline = |name: &str| name.ends_with(".yaml") && !name.ends_with(".test.yaml");
    let yaml = entries.filter(|path| path.file_name().and_then(std::ffi::OsStr::to_str).is_some_and(is_pipeline));
    yaml.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap()))
        .collect()
}

#[derive(Default)]
struct Fixed {
    vars: BTreeMap<&'static str, &'static str>,
    files: BTreeMap<&'static str, &'static str>,
}

impl Environment for Fixed {
    fn var(&self, name: &str) -> Option<String> {
        self.vars.get(name).map(|value| (*value).to_owned())
    }

    fn file(&self, path: &str) -> Result<String, String> {
        self.files.get(path).map(|text| (*text).to_owned()).ok_or_else(|| "no such file".to_owned())
    }
}

const SMALL: &str = "
version: 1
pipeline: small
extract:
  - folder: { path: in }
load:
  - folder: { path: out }
";

/// `SMALL` with another `load`.
fn small(load: &str) -> String {
    format!("version: 1\npipeline: small\nextract:\n  - folder: {{ path: in }}\nload:\n{load}")
}

fn resolved(text: &str, environment: &Fixed) -> Pipeline {
    parse(text, "p.yaml").unwrap().resolve(environment, &Overlay::default()).unwrap()
}

/// Of the first source, which is switched on.
fn provider(pipeline: &Pipeline) -> &Provider {
    pipeline.sources[0].provider.as_ref().expect("the source is switched on")
}

/// Reads and settles one element; either what it became, or the messages of its faults.
pub(super) fn judged<T: Setting, R>(
    text: &str,
    settle: impl Fn(&At<T>, &mut Reader<'_>) -> Option<R>,
) -> Result<R, Vec<String>> {
    let (tree, faults) = Tree::parse(text);
    let tree = tree.unwrap_or_else(|| panic!("{text}: {faults:?}"));
    let root = tree.root;
    let mut reader = Reader::new(tree, text, "p.yaml".into(), None);
    let at = reader.read(root);
    let settled = settle(&at, &mut reader);
    match settled {
        Some(settled) if reader.faults.is_empty() => Ok(settled),
        _ => Err(reader.faults.into_iter().map(|fault| fault.message).collect()),
    }
}

/// Checks that each text has exactly one fault, with these words in it.
pub(super) fn refused<T: Setting, R: std::fmt::Debug>(
    table: &[(&str, &str)],
    settle: impl Fn(&At<T>, &mut Reader<'_>) -> Option<R>,
) {
    for (text, words) in table {
        let faults = judged(text, &settle).expect_err(text);
        assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        assert!(faults[0].contains(words), "{text}: {faults:?}");
    }
}

#[test]
fn every_broken_file_shows_all_its_faults() {
    let files = files("fixtures/broken");
    assert!(files.len() >= 15, "the fixtures are gone");
    for (name, text) in files {
        let faults = parse(&text, &name).expect_err(&name);
        assert!(faults.count() > 0, "{name}");
        let shown = faults.render(Colour::Plain);
        assert!(!shown.contains("hunter2") && !format!("{faults:?}").contains("hunter2"), "{name} gives a secret away");
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name.trim_end_matches(".yaml"), shown);
        });
    }
}

#[test]
fn hostile_files_are_refused_at_once() {
    let deep = "[".repeat(100_000);
    let nested = format!("a: {}1{}", "[".repeat(40), "]".repeat(40));
    let blocks: String = (0..40).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    let many = format!("a: [{}]", "1,".repeat(60_000));
    let long = format!("version: {}", "9".repeat(70_000));
    let huge = "#\n".repeat(600_000);
    for (text, words) in [
        (deep.as_str(), "more than 32 levels"),
        (&nested, "more than 32 levels"),
        (&blocks, "more than 32 levels"),
        (&many, "more than 50000 values"),
        (&long, "a value of 70000 bytes"),
        (&huge, "at most 1048576 are read"),
    ] {
        let faults = parse(text, "p.yaml").unwrap_err();
        let messages: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
        assert!(messages.iter().any(|message| message.contains(words)), "{words}: {messages:?}");
    }
}

#[test]
fn a_file_cut_anywhere_is_refused_or_right() {
    let corporate = &files("pipelines")["corporate.yaml"];
    let mut right = 0;
    for (at, _) in corporate.char_indices().step_by(13) {
        match parse(&corporate[..at], "p.yaml") {
            Ok(_) => right += 1,
            Err(faults) => assert!(faults.render(Colour::Plain).contains("p.yaml:"), "cut at {at}"),
        }
    }
    assert!(right > 0, "the end of the file is all optional");
}

#[test]
fn a_line_that_is_left_out_hides_nothing_else() {
    let text = "version: 1\npipeline: x\nrates:\n  a: { units: 0, per: 1s }\nextract:\n  - folder: { path: in, pfad: in }\n\
                load:\n  - jira:\n      base_url: x\n      credential: {}\n      match: [x]\nlimits: { unknown: {} }\n";
    let whole = parse(text, "p.yaml").unwrap_err();
    assert_eq!(whole.count(), 6, "{whole}");
    for word in ["version: 1\n", "pipeline: x\n", "      base_url: x\n", "      match: [x]\n"] {
        let cut = parse(&text.replace(word, ""), "p.yaml").unwrap_err();
        assert!(cut.count() >= whole.count(), "without {word}: {cut}");
    }
}

#[test]
fn line_ends_and_marks_of_windows_are_taken() {
    let windows = format!("\u{feff}{}", SMALL.trim_start().replace('\n', "\r\n"));
    assert_eq!(resolved(&windows, &Fixed::default()).targets[0].place.line, 6);
}

#[test]
fn a_thousand_faults_are_counted_and_some_are_shown() {
    let text: String = (0..1000).map(|number| format!("key{number}: 1\n")).collect();
    let faults = parse(&text, "p.yaml").unwrap_err();
    assert_eq!(faults.count(), 1004);
    let shown = faults.render(Colour::Plain);
    assert!(shown.contains("… and 954 more") && shown.ends_with("p.yaml: 1004 faults\n"), "{shown}");
}

#[test]
fn colour_is_shown_when_asked_for() {
    let faults = parse("", "p.yaml").unwrap_err();
    assert!(faults.render(Colour::Ansi).contains('\u{1b}'));
    assert!(!faults.render(Colour::Plain).contains('\u{1b}'));
}

#[test]
fn a_fault_knows_its_line_and_column() {
    let faults = parse("version: 1\npipeline: x\nextract: [{ folder: { path: ä, pfad: b } }]\nload: []\n", "p.yaml")
        .unwrap_err();
    let places: Vec<_> = faults.iter().map(|fault| faults.position(fault)).collect();
    assert_eq!(places, [(3, 32), (4, 1)]);
}

#[test]
fn the_schemas_that_are_checked_in_are_fresh() {
    for (name, schema) in
        [("pipelines/pipeline.schema.json", schema()), ("pipelines/test.schema.json", test_file::test_schema())]
    {
        let path = folder(name);
        let fresh = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        if std::env::var_os("RENEW_SCHEMA").is_some() {
            std::fs::write(&path, &fresh).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == fresh, "{name} is stale: RENEW_SCHEMA=1 cargo test --lib pipeline::");
    }
}

#[test]
fn every_example_is_right_for_us_and_for_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let files = files("pipelines");
    let expected = ["corporate", "entra-to-jira-confluence", "folder-to-jira", "google-to-jira", "merged-companies"];
    assert!(expected.iter().all(|name| files.contains_key(&format!("{name}.yaml"))), "an example is gone");
    for (name, text) in files {
        parse(&text, &name).unwrap_or_else(|faults| panic!("{faults}"));
        let json: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        let faults: Vec<String> = validator.iter_errors(&json).map(|fault| fault.to_string()).collect();
        assert_eq!(faults, [""; 0], "{name}");
    }
}

#[test]
fn the_schema_refuses_what_we_refuse() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    // Names that must be defined elsewhere, ids that come twice and text that is not YAML are beyond a schema.
    let beyond = ["alias-bomb", "duplicate-id", "duplicate-key", "undefined-name"];
    for (name, text) in files("fixtures/broken") {
        let Ok(json) = serde_yaml::from_str::<serde_json::Value>(&text) else { continue };
        if !beyond.contains(&name.trim_end_matches(".yaml")) {
            assert!(!validator.is_valid(&json), "{name} passes the schema");
        }
    }
}

#[test]
fn every_key_has_a_meaning_and_stands_in_the_reference() {
    let reference = std::fs::read_to_string(folder("pipelines/README.md")).unwrap();
    let schema = schema();
    let mut elements = vec![&schema];
    elements.extend(schema["$defs"].as_object().unwrap().values());
    for element in elements {
        let Some(properties) = element["properties"].as_object() else { continue };
        for (key, property) in properties {
            assert!(!property["description"].as_str().unwrap().is_empty(), "{key}");
            assert!(reference.contains(&format!("`{key}`")), "`{key}` is not in pipelines/README.md");
        }
    }
}

#[test]
fn defaults_are_the_safe_choice() {
    let pipeline = resolved(SMALL.trim_start(), &Fixed::default());
    assert_eq!((pipeline.name.as_str(), pipeline.state.to_str()), ("small", Some("state/small.db")));
    assert_eq!(pipeline.digest, crate::model::Digest::of(SMALL.trim_start().as_bytes()));
    assert_eq!(pipeline.rates.keys().collect::<Vec<_>>(), ["default"]);
    assert_eq!(pipeline.http["default"].timeout, Duration::from_secs(60));
    let users = &provider(&pipeline).users;
    assert!(users.active && users.types == [UserType::Member] && users.org_units.is_empty());
    let fallback = &pipeline.transform.fallback;
    assert_eq!(fallback.absent.value, Action::Default);
    for rule in [&fallback.unreadable, &fallback.too_small, &fallback.inactive, &fallback.out_of_scope, &fallback.gone]
    {
        assert_eq!(rule.value, Action::Keep);
    }
    assert_eq!((pipeline.transform.resize.size, pipeline.transform.resize.smallest), (256, 48));
    let reverts = &pipeline.limits.reverts.value;
    assert_eq!((reverts.count, reverts.share.map(Share::hundredths)), (Some(50), Some(500)));
    let target = &pipeline.targets[0];
    assert!(!target.dry_run.value && target.accounts.rollout.value == Share::WHOLE);
}

#[test]
fn every_rule_has_a_line_or_is_called_a_default() {
    let text = "version: 1\npipeline: small\nextract:\n  - folder:\n      path: in\n      users:\n        exclude: [a]\n\
                transform:\n  fallback:\n    absent: keep\nload:\n  - folder: { path: out }\n  - folder:\n      id: b\n      path: b\n";
    let pipeline = resolved(text, &Fixed::default());
    let users = &provider(&pipeline).users;
    let places = [
        (&pipeline.sources[0].place, "p.yaml:4"),
        (&users.exclude.place, "p.yaml:7"),
        (&users.opted_out.place, "default of `extract.folder.users.opted_out`"),
        (&pipeline.transform.place, "p.yaml:8"),
        (&pipeline.transform.fallback.absent.place, "p.yaml:10"),
        (&pipeline.transform.fallback.gone.place, "default of `transform.fallback.gone`"),
        (&pipeline.transform.hash.same_picture.place, "default of `transform.hash.same_picture`"),
        (&pipeline.targets[0].place, "p.yaml:12"),
        (&pipeline.targets[1].place, "p.yaml:13"),
        (&pipeline.targets[1].accounts.rollout.place, "default of `load.folder.accounts.rollout`"),
        (&pipeline.limits.reverts.place, "default of `limits.reverts`"),
    ];
    for (place, told) in places {
        assert_eq!(place.to_string(), told);
    }
}

#[test]
fn a_target_writes_nowhere_where_a_source_reads() {
    for (source, target, refused) in [
        ("in", "./in/", true),
        ("in", "in/out", true),
        ("out/hr/..", "out", true),
        ("in/hr", "in", true),
        ("/srv/in", "/srv/in", true),
        (".", "out", true),
        ("in", "into", false),
        (".", "/srv/out", false),
    ] {
        let text = format!(
            "version: 1\npipeline: x\nextract:\n  - folder: {{ path: {source} }}\nload:\n  - folder: {{ path: {target} }}\n"
        );
        let told = parse(&text, "p.yaml").err().map(|faults| faults.render(Colour::Plain)).unwrap_or_default();
        let both =
            ["p.yaml:6:21", "a target writes where a source reads", "4 |", "read here"].map(|part| told.contains(part));
        assert_eq!(both, [refused; 4], "{source} {target}: {told}");
        let off = text.replace("{ path: ", "{ enabled: false, path: ").replacen(
            "load:\n  - folder: { enabled: false,",
            "load:\n  - folder: {",
            1,
        );
        assert!(parse(&off, "p.yaml").is_ok(), "{off}");
    }
}

#[test]
fn the_schema_knows_which_keys_of_a_credential_go_together() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let table = [
        ("{ token: \"${T}\" }", true),
        ("{ username: svc, password: \"${P}\" }", true),
        ("{}", false),
        ("{ username: svc }", false),
        ("{ password: \"${P}\" }", false),
        ("{ token: \"${T}\", username: svc }", false),
        ("{ token: \"${T}\", username: svc, password: \"${P}\" }", false),
    ];
    for (credential, right) in table {
        let text =
            small(&format!("  - jira: {{ base_url: \"https://j\", match: [email], credential: {credential} }}\n"));
        let json: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        assert_eq!(validator.is_valid(&json), right, "the schema, {credential}");
        assert_eq!(parse(&text, "p.yaml").is_ok(), right, "the reading, {credential}");
    }
}
