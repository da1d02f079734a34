//! The file as a whole: every broken file, every example, the schema, and resolving.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::ExposeSecret;
use url::Url;

use super::read::{At, Reader, Setting};
use super::tree::Tree;
use super::*;
use crate::model::{AccountKey, PersonKey};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The pipeline files of a folder, by name.
fn files(name: &str) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path());
    let yaml = entries.filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
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
    parse(text, "p.yaml").unwrap().resolve(environment, &Overrides::default()).unwrap()
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
fn the_schema_that_is_checked_in_is_fresh() {
    let path = folder("pipelines/pipeline.schema.json");
    let fresh = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var_os("RENEW_SCHEMA").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == fresh, "pipelines/pipeline.schema.json is stale: RENEW_SCHEMA=1 cargo test --lib pipeline::");
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
    assert_eq!(fallback.absent.action, Action::Default);
    for rule in [&fallback.unreadable, &fallback.too_small, &fallback.inactive, &fallback.out_of_scope, &fallback.gone]
    {
        assert_eq!(rule.action, Action::Keep);
    }
    assert_eq!((pipeline.transform.size, pipeline.transform.smallest), (256, 48));
    let reverts = &pipeline.limits.reverts;
    assert_eq!((reverts.count, reverts.share.map(Share::hundredths)), (Some(50), Some(500)));
    let target = &pipeline.targets[0];
    assert!(!target.dry_run && target.accounts.rollout == Share::WHOLE);
}

#[test]
fn every_rule_has_a_line_also_when_nobody_wrote_it() {
    let text = "version: 1\npipeline: small\nextract:\n  - folder:\n      path: in\n      users:\n        exclude: [a]\n\
                transform:\n  fallback:\n    absent: keep\nload:\n  - folder: { path: out }\n  - folder:\n      id: b\n      path: out\n";
    let pipeline = resolved(text, &Fixed::default());
    let users = &provider(&pipeline).users;
    let lines = [
        (&pipeline.sources[0].place, 4),
        (&users.places.exclude, 7),
        (&users.places.active, 6),
        (&pipeline.transform.place, 8),
        (&pipeline.transform.fallback.absent.place, 10),
        (&pipeline.transform.fallback.gone.place, 9),
        (&pipeline.transform.same_picture_place, 8),
        (&pipeline.targets[0].place, 12),
        (&pipeline.targets[1].place, 13),
        (&pipeline.targets[1].accounts.places.rollout, 13),
        (&pipeline.limits.reverts.place, 1),
    ];
    for (number, (place, line)) in lines.into_iter().enumerate() {
        assert_eq!((&*place.file, place.line), ("p.yaml", line), "{number}");
    }
}

#[test]
fn values_come_from_outside_only_when_it_runs() {
    let jira = "  - jira:\n      base_url: ${URL}\n      credential: { token: \"${file:token.txt}\" }\n      match: [username]\n      \
                dry_run: ${DRY:-true}\n      accounts: { rollout: \"${SHARE}\" }\n";
    let document = parse(&small(jira), "p.yaml").unwrap();
    let environment = Fixed {
        vars: [("URL", "https://jira.example.com/jira"), ("SHARE", "12.5%")].into(),
        files: [("token.txt", "hunter2\n")].into(),
    };
    let pipeline = document.resolve(&environment, &Overrides::default()).unwrap();
    let target = &pipeline.targets[0];
    assert!(target.dry_run);
    assert_eq!(target.accounts.rollout.hundredths(), 1250);
    let TargetKind::Jira(jira) = &target.kind else { panic!("a Jira was written") };
    assert_eq!(jira.base_url.as_str(), "https://jira.example.com/jira");
    let AtlassianCredential::Token(token) = &jira.credential else { panic!("a token was written") };
    assert_eq!(token.expose_secret(), "hunter2");
    assert!(!format!("{pipeline:?}{document:?}").contains("hunter2"));
}

#[test]
fn everything_missing_is_reported_at_once() {
    let corporate = &files("pipelines")["corporate.yaml"];
    let document = parse(corporate, "pipelines/corporate.yaml").unwrap();
    let faults = document.resolve(&Fixed::default(), &Overrides::default()).unwrap_err();
    insta::assert_snapshot!(faults.render(Colour::Plain));
}

#[test]
fn values_from_outside_are_judged_and_never_shown() {
    let jira = "  - jira:\n      base_url: ${URL}\n      credential: { token: \"${TOKEN}\" }\n      match: { map: \"${MAP}\" }\n      \
                quiet: ${QUIET}\n";
    let document = parse(&small(jira), "p.yaml").unwrap();
    let environment = Fixed {
        vars: [("URL", "http://hunter2.example.com"), ("TOKEN", ""), ("MAP", "who.csv"), ("QUIET", "hunter2")].into(),
        files: [("who.csv", "person,account\na,b\na,c\n")].into(),
    };
    let faults = document.resolve(&environment, &Overrides::default()).unwrap_err();
    let shown = faults.render(Colour::Plain);
    assert!(!shown.contains("hunter2"), "{shown}");
    insta::assert_snapshot!(shown);
}

#[test]
fn a_secret_that_no_header_takes_is_refused_before_anything_is_sent() {
    let jira = "  - jira: { base_url: 'https://j', credential: { token: '${TOKEN}' }, match: [email] }\n";
    let environment = Fixed { vars: [("TOKEN", "hunter2\n")].into(), ..Fixed::default() };
    let faults = parse(&small(jira), "p.yaml").unwrap().resolve(&environment, &Overrides::default()).unwrap_err();
    let shown = faults.to_string();
    assert!(shown.contains("the value of `${TOKEN}` has a line break") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn the_forms_of_match() {
    let pair = |person, account| (person, account);
    for (written, expected) in [
        ("[email]", vec![pair(PersonKey::Email, AccountKey::Email)]),
        ("[username]", vec![pair(PersonKey::UpnLocal, AccountKey::Username)]),
        (
            "[{ person: sam, account: username }, email]",
            vec![pair(PersonKey::Sam, AccountKey::Username), pair(PersonKey::Email, AccountKey::Email)],
        ),
    ] {
        let pipeline = resolved(&small(&format!("  - folder: {{ path: out, match: {written} }}\n")), &Fixed::default());
        let Matching::Pairs(pairs) = &pipeline.targets[0].matching else { panic!("{written}") };
        assert_eq!(pairs.iter().map(|pair| (pair.person, pair.account)).collect::<Vec<_>>(), expected, "{written}");
    }
    let environment = Fixed { files: [("users.csv", "person,account\nE1,ada\n")].into(), ..Fixed::default() };
    let load = small("  - folder: { path: out, match: { map: users.csv, person: employee_id } }\n");
    let Matching::Map(map) = &resolved(&load, &environment).targets[0].matching else { panic!("a map was written") };
    assert_eq!((map.person, map.account, map.people.len()), (PersonKey::EmployeeId, AccountKey::Username, 1));
}

#[test]
fn merge_keys_and_aliases_are_as_if_written_out() {
    let text = small(
        "  - folder: &first { path: out, dry_run: true, accounts: &few { rollout: 5% } }\n  \
         - folder: { <<: *first, id: second, dry_run: false }\n  - folder: { id: third, path: b, accounts: *few }\n",
    );
    let pipeline = resolved(&text, &Fixed::default());
    let seen: Vec<_> =
        pipeline.targets.iter().map(|target| (target.dry_run, target.accounts.rollout.hundredths())).collect();
    assert_eq!(seen, [(true, 500), (false, 500), (false, 500)]);
}

/// Everything that stands in place of the elements of one document, each with its own port.
fn sandbox(document: &Document) -> Overrides {
    let url = |port: u16| Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
    let secret = || "hunter2".to_owned().into();
    let source = |element: &Element| match element.kind.as_str() {
        "google" => SourceOverride::Google {
            customer: "C01".to_owned(),
            subject: None,
            service_account_file: "sandbox/key.json".into(),
            endpoints: GoogleEndpoints { token: url(11), directory: url(12), sts: url(13), iam_credentials: url(14) },
        },
        _ => SourceOverride::Entra {
            tenant: "contoso".to_owned(),
            client_id: "app".to_owned(),
            client_secret: secret(),
            login: url(1),
            graph: url(2),
        },
    };
    let target = |element: &Element| match element.kind.as_str() {
        "confluence" => TargetOverride::Confluence {
            base_url: url(4),
            credential: AtlassianCredential::Password { username: "svc".to_owned(), password: secret() },
        },
        "bitbucket" => TargetOverride::Bitbucket { base_url: url(5), credential: AtlassianCredential::Token(secret()) },
        _ => TargetOverride::Jira { base_url: url(3), credential: AtlassianCredential::Token(secret()) },
    };
    // Folders are what they are, in a sandbox too.
    let simulated = |element: &&Element| element.kind != "folder";
    let (sources, targets) = (document.sources().iter(), document.targets().iter());
    Overrides {
        sources: sources.filter(simulated).map(|e| (SourceId::new(&e.id), source(e))).collect(),
        targets: targets.filter(simulated).map(|e| (TargetId::new(&e.id), target(e))).collect(),
        http: HttpOverride::Direct,
        state: Some("state/sandbox.db".into()),
    }
}

#[test]
fn every_example_runs_in_a_sandbox_without_a_variable() {
    for (name, text) in files("pipelines") {
        let document = parse(&text, &name).unwrap();
        let pipeline =
            document.resolve(&Fixed::default(), &sandbox(&document)).unwrap_or_else(|faults| panic!("{faults}"));
        assert!(
            pipeline.http.values().all(|http| matches!(http.proxy, Proxy::None) && http.headers.is_empty()),
            "{name}"
        );
        for target in &pipeline.targets {
            let port = match &target.kind {
                TargetKind::Jira(jira) => (jira.base_url.port(), 3),
                TargetKind::Confluence(confluence) => (confluence.base_url.port(), 4),
                TargetKind::Bitbucket(bitbucket) => (bitbucket.base_url.port(), 5),
                TargetKind::Folder(_) => continue,
            };
            assert_eq!(port.0, Some(port.1), "{name}: {}", target.id);
        }
        for source in &pipeline.sources {
            let SourceKind::Google(google) = &source.provider.as_ref().unwrap().kind else { continue };
            let GoogleCredential::ServiceAccountFile(file) = &google.credential else { panic!("{name}") };
            assert_eq!(
                (google.customer.as_str(), &google.subject, file.to_str()),
                ("C01", &None, Some("sandbox/key.json"))
            );
            assert_eq!((google.endpoints.token.port(), google.endpoints.iam_credentials.port()), (Some(11), Some(14)));
        }
    }
}

#[test]
fn a_sandbox_takes_the_place_of_every_credential() {
    let pool = "audience: //iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/a/providers/b";
    let entra = |keys: &str| format!("entra: {{ tenant: \"${{T}}\", {keys} }}");
    let google = |keys: &str| format!("google: {{ subject: \"${{S}}\", credential: {{ {keys} }} }}");
    for element in [
        entra("client_id: \"${C}\", credential: { certificate: { file: \"${F}\", password: \"${P}\" } }"),
        entra("client_id: \"${C}\", credential: { federated: { from: github } }"),
        entra("client_id: \"${C}\", credential: { federated: { from: env, name: TOKEN } }"),
        entra("credential: { managed_identity: { client_id: \"${C}\" } }"),
        google("service_account_file: \"${F}\""),
        google("external_account_file: \"${F}\""),
        google(&format!("federated: {{ from: github, {pool}, service_account: \"${{A}}\" }}")),
    ] {
        let text = format!("version: 1\npipeline: x\nextract:\n  - {element}\nload:\n  - folder: {{ path: out }}\n");
        let document = parse(&text, "p.yaml").unwrap_or_else(|faults| panic!("{faults}"));
        let pipeline = document.resolve(&Fixed::default(), &sandbox(&document));
        assert!(pipeline.is_ok(), "{element}: {pipeline:?}");
        assert!(document.resolve(&Fixed::default(), &Overrides::default()).is_err(), "{element}");
    }
}

#[test]
fn a_sandbox_needs_no_variable_at_all() {
    let corporate = &files("pipelines")["corporate.yaml"];
    let document = parse(corporate, "pipelines/corporate.yaml").unwrap();
    let kinds: Vec<_> =
        document.sources().iter().chain(document.targets()).map(|e| (e.id.as_str(), e.kind.as_str())).collect();
    assert_eq!(kinds, [("entra", "entra"), ("jira", "jira")]);
    let pipeline = document.resolve(&Fixed::default(), &sandbox(&document)).unwrap();
    let SourceKind::Entra(entra) = &provider(&pipeline).kind else { panic!("an Entra was written") };
    assert_eq!((entra.tenant.as_str(), entra.endpoints.login.port()), ("contoso", Some(1)));
    let EntraCredential::App { client_id, proof: AppProof::ClientSecret(_) } = &entra.credential else {
        panic!("an app with a secret was put in")
    };
    assert_eq!(client_id, "app");
    assert_eq!(pipeline.sources[0].rate, "graph");
    let TargetKind::Jira(jira) = &pipeline.targets[0].kind else { panic!("a Jira was written") };
    assert_eq!(jira.base_url.port(), Some(3));
    assert!(matches!(pipeline.http["default"].proxy, Proxy::None));
    assert_eq!(pipeline.state.to_str(), Some("state/sandbox.db"));
    assert_eq!(pipeline.digest, crate::model::Digest::of(corporate.as_bytes()));
}

#[test]
fn a_sandbox_replaces_what_is_named_and_nothing_else() {
    let text = "version: 1\npipeline: x\nhttp:\n  default: { timeout: 5s, ca_file: \"${CA}\" }\nextract:\n  - folder: { id: entra, path: in }\n\
                load:\n  - jira: { base_url: \"${URL}\", credential: { token: \"${TOKEN}\" }, match: [email], quiet: \"${QUIET}\" }\n";
    let document = parse(text, "p.yaml").unwrap();
    let jira = parse(&files("pipelines")["corporate.yaml"], "p.yaml").unwrap();
    let faults = document.resolve(&Fixed::default(), &sandbox(&jira)).unwrap_err();
    let messages: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "nothing can stand in place of `entra`: another kind was given",
            "the environment variable `QUIET` is not set"
        ]
    );
}

#[test]
fn what_is_switched_off_needs_no_variable() {
    let source = |enabled: &str| {
        format!(
            "version: 1\npipeline: x\nextract:\n  - entra:\n      enabled: {enabled}\n      tenant: ${{TENANT}}\n      \
             client_id: ${{CLIENT}}\n      credential: {{ federated: {{ from: github }} }}\n      \
             users: {{ groups: [\"${{GROUP}}\"] }}\nload:\n  - folder: {{ path: out }}\n"
        )
    };
    let resolve =
        |text: &str, environment: &Fixed| parse(text, "p.yaml").unwrap().resolve(environment, &Overrides::default());
    let off = Fixed { vars: [("ON", "false")].into(), ..Fixed::default() };
    for (enabled, environment) in [("false", &Fixed::default()), ("${ON}", &off), ("${ON:-false}", &Fixed::default())] {
        let pipeline = resolve(&source(enabled), environment).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!((pipeline.sources[0].id.as_str(), pipeline.sources[0].place.line), ("entra", 4), "{enabled}");
        assert!(pipeline.sources[0].provider.is_none(), "{enabled}");
    }
    let on = Fixed { vars: [("ON", "true")].into(), ..Fixed::default() };
    for (enabled, environment, missing) in [("true", &on, 4), ("${ON}", &on, 4), ("${ON}", &Fixed::default(), 5)] {
        let faults = resolve(&source(enabled), environment).unwrap_err();
        assert_eq!(faults.count(), missing, "{enabled}: {faults}");
    }
    // What can be known without a variable is judged all the same.
    let text = source("false").replace("from: github", "from: gitlab");
    assert_eq!(parse(&text, "p.yaml").unwrap_err().count(), 1);
}

#[test]
fn what_is_switched_off_keeps_nothing_from_what_it_shares() {
    let text = "version: 1\npipeline: x\nextract:\n  - folder: { id: a, enabled: false, path: in, users: &u { exclude: [\"${G}\"] } }\n  \
                - folder: { id: b, path: in, users: *u }\nload:\n  - folder: { path: out }\n";
    let environment = Fixed { vars: [("G", "staff")].into(), ..Fixed::default() };
    let pipeline = resolved(text, &environment);
    assert!(pipeline.sources[0].provider.is_none());
    assert_eq!(pipeline.sources[1].provider.as_ref().unwrap().users.exclude, [Chosen::Pattern("staff".into())]);
}

#[test]
fn tokens_of_the_platform_are_looked_up_when_it_runs() {
    const URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
    const TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";
    let from = |keys: &str, vars: &[(&'static str, &'static str)]| {
        let text = format!(
            "version: 1\npipeline: x\nextract:\n  - entra: {{ tenant: t, client_id: c, credential: {{ federated: {{ {keys} }} }} }}\n\
             load:\n  - folder: {{ path: out }}\n"
        );
        let environment = Fixed { vars: vars.iter().copied().collect(), ..Fixed::default() };
        parse(&text, "p.yaml").unwrap().resolve(&environment, &Overrides::default())
    };
    let token = |pipeline: &Pipeline| {
        let SourceKind::Entra(entra) = &provider(pipeline).kind else { panic!("an Entra was written") };
        match &entra.credential {
            EntraCredential::App { proof: AppProof::Federated(from), .. } => from.clone(),
            other => panic!("{other:?}"),
        }
    };
    let github = from("from: github", &[(URL, "https://ci.example.com/token?v=1"), (TOKEN, "hunter2")]).unwrap();
    assert!(!format!("{github:?}").contains("hunter2"));
    let TokenFrom::Github { url, token: request } = token(&github) else { panic!("GitHub was written") };
    assert_eq!((url.query(), request.expose_secret()), (Some("v=1"), "hunter2"));
    let gitlab = from("from: env, name: JWT", &[("JWT", "hunter2\n")]).unwrap();
    assert!(
        matches!(token(&gitlab), TokenFrom::Env { name, token } if name == "JWT" && token.expose_secret() == "hunter2")
    );
    for (keys, vars, words) in [
        ("from: github", vec![], "GitHub hands out no token"),
        ("from: github", vec![(URL, "https://ci.example.com/"), (TOKEN, "")], "GitHub hands out no token"),
        ("from: github", vec![(URL, "hunter2"), (TOKEN, "hunter2")], "is not a URL"),
        ("from: github", vec![(URL, "http://ci.example.com/"), (TOKEN, "hunter2")], "in clear"),
        ("from: env, name: JWT", vec![("JWT", " ")], "`JWT` is not set"),
    ] {
        let faults = from(keys, &vars).unwrap_err();
        let shown = faults.to_string();
        assert!(faults.count() == 1 && shown.contains(words) && !shown.contains("hunter2"), "{keys}: {shown}");
    }
}

#[test]
fn a_key_file_that_came_as_its_text_is_not_shown() {
    let text = "version: 1\npipeline: x\nextract:\n  - google: { customer: C01, credential: { service_account_file: \"${KEY}\" } }\n\
                load:\n  - folder: { path: out }\n";
    let environment = Fixed { vars: [("KEY", "{ \"private_key\": \"hunter2\" }")].into(), ..Fixed::default() };
    let shown = parse(text, "p.yaml").unwrap().resolve(&environment, &Overrides::default()).unwrap_err().to_string();
    assert!(shown.contains("the text of a key") && !shown.contains("hunter2"), "{shown}");
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
