//! `test FILE…`: what a pipeline file does to people and accounts that a test names, without a network.
//!
//! Owns: what stands in place of servers and credentials, the comparison, and how it is told.
//! Leaves to others: the test's keys (`pipeline`), what becomes of each account (`run`).
//! A newcomer gets wrong: no variable of the machine is looked at, so that a test says the same on every one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::environment::{self, Unread};
use super::output::{answer, tell};
use crate::error::Trouble;
use crate::exit::Exit;
use crate::model::{Decision, Place, counted};
use crate::pipeline::{
    Document, Element, ElementKeys, Environment, KeptKeys, KeyTexts, Overlay, TestAccount, TestFile,
};
use crate::plan::Checked;
use crate::report::{Severity, limit_sentence};
use crate::run::{limit_line, rehearse};
use crate::secret::outlet;

/// What is tested.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// The tests, such as pipelines/NAME.test.yaml; each names its pipeline file
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Every test; one that is wrong does not hide the next.
pub(super) fn run(flags: &Flags) -> Result<Exit, Trouble> {
    let mut exit = Exit::Done;
    for file in &flags.files {
        match one(file) {
            Ok((told, ended)) => {
                answer(&told)?;
                exit = exit.and(ended);
            }
            Err(trouble) => {
                tell(Severity::Failure, &trouble.to_string());
                exit = exit.and(trouble.exit());
            }
        }
    }
    Ok(exit)
}

fn one(file: &Path) -> Result<(String, Exit), Trouble> {
    let test = environment::test(file)?;
    let (pipeline, place) = &test.pipeline;
    let document = environment::read(&file.with_file_name(pipeline)).map_err(|unread| match unread {
        Unread::Unreadable(words) => Trouble::Usage(format!("{place}: {words}; `pipeline` counts from the test")),
        faults @ Unread::Faults(_) => faults.trouble(),
    })?;
    let pipeline = document
        .resolve(&TestVariables(&test), &stand_ins(&document))
        .map_err(|faults| environment::rendered(&faults))?;
    let rehearsed = rehearse(&pipeline, &test).map_err(Trouble::Usage)?;
    let mut told = String::new();
    let mut wrong = 0;
    for one in &rehearsed.accounts {
        if let Some(words) = difference(one.expected, &one.decision) {
            told += &words;
            wrong += 1;
        }
    }
    for target in pipeline.targets.iter().filter(|target| target.dry_run.value) {
        told += &format!(
            "{}: `{}` has `dry_run: true`: a run writes nothing of this there\n",
            target.dry_run.place, target.id
        );
    }
    let stops = test.limits.as_ref().map(|(expected, place)| stops(expected, place, &rehearsed.limits));
    told.extend(stops.iter().flatten().map(String::as_str));
    let limits = stops.as_ref().map_or(String::new(), |stops| match stops.len() {
        0 => ", limits too".to_owned(),
        some => format!("; {} not as expected", counted(some as u64, "limit", "limits")),
    });
    let rehearsed = rehearsed.accounts;
    told += &match wrong {
        0 => format!(
            "{}: {} as expected{limits}\n",
            file.display(),
            counted(rehearsed.len() as u64, "account", "accounts")
        ),
        _ => format!(
            "{}: {wrong} of {} not as expected{limits}\n",
            file.display(),
            counted(rehearsed.len() as u64, "account", "accounts")
        ),
    };
    let limits_are_right = stops.is_none_or(|stops| stops.is_empty());
    Ok((told, if wrong == 0 && limits_are_right { Exit::Done } else { Exit::SomeFailed }))
}

/// Limits that stop and must not, or the other way round.
fn stops(expected: &[String], place: &Place, found: &[Checked]) -> Vec<String> {
    let mut told = Vec::new();
    for check in found {
        let name = format!("{}.{}", check.scope, check.limit);
        let must = expected.contains(&name);
        if must != check.broken {
            let must = if must { "that it stops" } else { "that it lets pass" };
            let found = limit_sentence(&limit_line(check));
            let lines = [format!("{place}: {name}"), format!("  - expected {must}"), format!("  + found    {found}")];
            told.push(lines.iter().map(|line| format!("{}\n", outlet::line(line))).collect());
        }
    }
    let names: Vec<_> = found.iter().map(|check| format!("{}.{}", check.scope, check.limit)).collect();
    told.extend(expected.iter().filter(|name| !names.contains(name)).map(|name| {
        format!("{place}: {name}\n  - expected that it stops\n  + found    nothing of it in the test that could be counted\n")
    }));
    told
}

/// Expected and found; `None`: they agree.
fn difference(expected: &TestAccount, found: &Decision) -> Option<String> {
    let rule = expected.rule.is_none_or(|line| line == found.rule.line);
    let reason = expected.reason.is_none_or(|reason| reason == found.reason);
    if expected.expect == found.change && reason && rule {
        return None;
    }
    let reason = expected.reason.map(|reason| format!(", {}", reason.word())).unwrap_or_default();
    let rule = expected.rule.map(|line| format!(", by {}:{line}", found.rule.file)).unwrap_or_default();
    let detail = found.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    let told = [
        format!("{}: {}/{}", expected.place, found.target, expected.name),
        format!("  - expected {}{reason}{rule}", expected.expect.word()),
        format!(
            "  + found    {}, {}, by {}: {}{detail}",
            found.change.word(),
            found.reason.word(),
            found.rule,
            found.reason.text()
        ),
    ];
    Some(told.iter().map(|line| format!("{}\n", outlet::line(line))).collect())
}

/// What the test says of variables; files are those of the machine, since a map of users is one.
struct TestVariables<'a>(&'a TestFile);

impl Environment for TestVariables<'_> {
    fn var(&self, name: &str) -> Option<String> {
        self.0.variables.get(name).cloned()
    }

    fn where_set(&self, name: &str) -> String {
        format!(
            "write what it stands for into the test: `variables: {{ {name}: … }}`; a test takes none of this machine"
        )
    }

    fn file(&self, path: &str) -> Result<String, String> {
        environment::Process.file(path)
    }
}

/// What says where servers are and who we are there, for servers that nobody asks: no rule leans on it.
fn stand_ins(document: &Document) -> Overlay {
    let element = |list: &'static str, element: &Element| ElementKeys {
        list,
        kind: element.kind.clone(),
        id: element.id.clone(),
        keys: keys(list, element),
    };
    let sources = document.sources().iter().map(|source| element("extract", source));
    let targets = document.targets().iter().map(|target| element("load", target));
    Overlay {
        file: vec![("notify", None)],
        state: Some(KeptKeys { kept: &[], keys: Vec::new() }),
        report: Some(KeptKeys { kept: &["names", "pictures"], keys: Vec::new() }),
        elements: sources.chain(targets).collect(),
        http: Some(KeptKeys { kept: &[], keys: Vec::new() }),
        kept_key: None,
        secrets: BTreeMap::from([(NOTHING.to_owned(), crate::secret::Secret::new("nothing-that-anybody-takes"))]),
    }
}

/// Where the secret lies that nobody is shown.
const NOTHING: &str = "avatarpipe-test";

fn keys(list: &str, element: &Element) -> KeyTexts {
    let laid = |pairs: &[(&'static str, Option<&str>)]| -> KeyTexts {
        pairs.iter().map(|(key, text)| (*key, text.map(str::to_owned))).collect()
    };
    match (list, element.kind.as_str()) {
        ("load", "folder") => laid(&[("credential", None)]),
        (_, "folder") => Vec::new(),
        ("extract", "entra") => laid(&[
            ("tenant", Some("example.com")),
            ("client_id", Some("00000000-0000-0000-0000-000000000000")),
            ("credential", Some("{ client_secret: '${file:avatarpipe-test}' }")),
            ("endpoints", None),
        ]),
        ("extract", _) => laid(&[
            ("customer", Some("C0")),
            ("subject", Some("admin@example.com")),
            ("credential", Some("{ service_account_file: key.json }")),
            ("endpoints", None),
        ]),
        _ => {
            let credential = match element.credential.as_deref() {
                Some("token") => "{ token: '${file:avatarpipe-test}' }",
                _ => "{ username: nobody, password: '${file:avatarpipe-test}' }",
            };
            let url = format!("https://{}.invalid", element.id.to_lowercase().replace('_', "-"));
            laid(&[("base_url", Some(&url)), ("credential", Some(credential))])
        }
    }
}
