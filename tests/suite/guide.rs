//! The pages of docs/guide are true: their pipelines pass `check`, their commands run, each field of `run.json` is told of.
//!
//! Owns: what a block of a page stands for. Leaves to others: the scripts and jobs (`tests/jobs`), links and cites (`documents`).
//! A newcomer gets wrong: a `yaml` block is a whole pipeline, or has some of its first-level keys, which then stand in place of
//! those of pipelines/smallest.yaml. The commands of a page run one after the other, in one folder, against the simulators.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::ended::Ended;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const GUIDE: &str = "docs/guide";
/// So that no command waits for a pace.
const FAST: &str = "rates: { default: { units: 100000, per: 1s, burst: 100000 } }\n";

#[test]
fn every_pipeline_passes_check() {
    let mut checked = 0;
    for page in pages() {
        for block in blocks(&page.text, "yaml") {
            let folder = folder_with(&whole(&block));
            avatarpipe(folder.path(), "check pipeline.yaml", &page.name);
            checked += 1;
        }
    }
    assert!(checked > 5, "the blocks are found");
}

#[test]
fn the_smallest_pipeline_is_the_one_that_is_told_of() {
    let page = pages().into_iter().find(|page| page.name == "docs/guide/smallest.md").expect("the page");
    assert_eq!(blocks(&page.text, "yaml"), [smallest()]);
}

#[test]
fn every_command_runs() {
    for page in pages() {
        let folder = folder_with(&format!("{}{FAST}", smallest()));
        for block in blocks(&page.text, "console") {
            for line in block.lines() {
                let told = line.strip_prefix("$ avatarpipe ");
                let told =
                    told.unwrap_or_else(|| panic!("{}: {line}: only commands of ours stand in `console`", page.name));
                // Who follows the page has no file yet, and one that is there is left as it is.
                if told.starts_with("init pipeline.yaml") {
                    std::fs::remove_file(folder.path().join("pipeline.yaml")).expect("the file goes");
                }
                let is_offline = told.contains("--sandbox") || told.starts_with("check ") || told.starts_with("init ");
                let sandbox = if is_offline { "" } else { " --sandbox=tiny" };
                avatarpipe(folder.path(), &format!("{told}{sandbox}"), &page.name);
            }
        }
    }
}

#[test]
fn every_field_of_run_json_is_told_of() {
    let page = pages().into_iter().find(|page| page.name == "docs/guide/run-json.md").expect("the page");
    let folder = folder_with(&format!("{}{FAST}", smallest()));
    let ended = avatarpipe(folder.path(), "run pipeline.yaml --sandbox=tiny --format json", &page.name);
    let mut fields = BTreeSet::new();
    collect(&serde_json::from_str(&ended.stdout).expect("JSON"), &mut fields);
    let untold: Vec<_> = fields.iter().filter(|field| !page.text.contains(&format!("`{field}`"))).collect();
    assert!(fields.contains("bytes_received") && untold.is_empty(), "{} does not tell of {untold:?}", page.name);
}

#[test]
fn every_reason_is_told_of() {
    let page = pages().into_iter().find(|page| page.name == "docs/guide/run-json.md").expect("the page");
    let reasons = std::fs::read_to_string(format!("{ROOT}/src/model/reason.rs")).expect("the reasons");
    let mut found = 0;
    for (name, rest) in reasons.lines().filter_map(|line| line.strip_suffix("\";")?.split_once(" = \"")) {
        let Some((word, text)) = rest.split_once("\": \"") else { continue };
        assert!(page.text.contains(&format!("| `{word}` | {text} |")), "{} does not tell of{name}", page.name);
        found += 1;
    }
    assert!(found > 20, "the reasons are found");
}

fn collect(value: &Value, fields: &mut BTreeSet<String>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| collect(value, fields)),
        Value::Object(map) => map.iter().for_each(|(field, value)| {
            fields.insert(field.clone());
            collect(value, fields);
        }),
        _ => {}
    }
}

struct Page {
    name: String,
    text: String,
}

fn pages() -> Vec<Page> {
    let files = std::fs::read_dir(format!("{ROOT}/{GUIDE}")).expect("the pages").map(Result::unwrap);
    let pages: Vec<_> = files
        .map(|file| (file.file_name().into_string().expect("a name"), file.path()))
        .filter(|(name, _)| name.ends_with(".md"))
        .map(|(name, path)| Page {
            name: format!("{GUIDE}/{name}"),
            text: std::fs::read_to_string(path).expect("a page"),
        })
        .collect();
    assert!(pages.len() > 5, "the pages are found");
    pages
}

/// What stands in the fenced blocks of this kind.
fn blocks(text: &str, kind: &str) -> Vec<String> {
    let fence = format!("```{kind}\n");
    let behind = text.split(&fence).skip(1);
    behind.map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// pipelines/smallest.yaml without the comment at its top.
fn smallest() -> String {
    let text = std::fs::read_to_string(format!("{ROOT}/pipelines/smallest.yaml")).expect("the smallest pipeline");
    text[text.find("version:").expect("a version")..].to_owned()
}

/// The block as a whole pipeline.
fn whole(block: &str) -> String {
    let new = parts(block);
    if new.iter().any(|part| part.starts_with("version:")) {
        return block.to_owned();
    }
    let key = |part: &str| part.split(':').next().unwrap_or_default().to_owned();
    let old = parts(&smallest()).into_iter().filter(|old| !new.iter().any(|new| key(new) == key(old)));
    old.chain(new.iter().cloned()).collect()
}

/// The first-level keys, each with what stands below it.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for line in text.lines() {
        match parts.last_mut() {
            Some(part) if line.is_empty() || line.starts_with([' ', '#']) => *part += &format!("{line}\n"),
            _ => parts.push(format!("{line}\n")),
        }
    }
    parts
}

fn folder_with(pipeline: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder for the test");
    std::fs::write(folder.path().join("pipeline.yaml"), pipeline).expect("the pipeline");
    std::fs::write(folder.path().join("pilot.txt"), "# The pilot\nada@contoso.example\n").expect("the pilot");
    folder
}

#[track_caller]
fn avatarpipe(folder: &Path, line: &str, page: &str) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_avatarpipe"));
    let output = command.args(line.split(' ')).current_dir(folder).env_clear().output().expect("the program runs");
    Ended::new(format!("{page}: avatarpipe {line}"), output, folder).expect_exit(0)
}
