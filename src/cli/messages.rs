//! The table of all messages in the documentation, docs/messages.md, which is made from the code.
//!
//! Owns: the page. Leaves to others: the words (`model`, `settings`, `exit`, `explain`).
//! A newcomer gets wrong: this is a test alone; a page that is not what the code says fails it.

mod fault_codes;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use self::fault_codes::MEANINGS;
use super::EXIT_CODES;
use crate::exit::Exit;
use crate::explain;
use crate::http::FailureKind;
use crate::model::Reason;
use crate::settings::{CountedOf, LimitName};

const PAGE: &str = "docs/messages.md";

#[test]
fn the_table_of_messages_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let fresh = page();
    if std::env::var_os("RENEW_SCHEMA").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == fresh, "{PAGE} is stale: RENEW_SCHEMA=1 cargo test --lib cli::messages");
}

fn page() -> String {
    let mut out = String::from(
        "# Messages\n\nMade from the code: `RENEW_SCHEMA=1 cargo test --lib cli::messages` writes this page anew, and a test fails while it is stale. What to do at a \
         code or a limit: [guide/when.md](guide/when.md).\n",
    );
    reasons(&mut out);
    exit_codes(&mut out);
    failures(&mut out);
    limits(&mut out);
    codes(&mut out);
    out
}

fn reasons(out: &mut String) {
    out.push_str("\n## Reasons\n\nWhy an account is changed or left alone: the word of `run.json`, the sentence of every other output, and what `explain` advises.\n\n| word | sentence | what somebody can do |\n|---|---|---|\n");
    for reason in Reason::ALL {
        _ = writeln!(out, "| `{}` | {} | {} |", reason.word(), reason.text(), explain::of_reason(reason).unwrap_or(""));
    }
}

/// The lines of the help, each a number and its meaning.
fn meanings() -> Vec<(u8, &'static str)> {
    let lines = EXIT_CODES.lines().filter_map(|line| {
        let (code, meaning) = line.trim().split_once("  ")?;
        Some((code.parse().ok()?, meaning))
    });
    lines.collect()
}

fn exit_codes(out: &mut String) {
    out.push_str("\n## Exit codes\n\n| code | `outcome` | meaning |\n|---|---|---|\n");
    let told = meanings();
    assert_eq!(
        told.iter().map(|(code, _)| *code).collect::<Vec<_>>(),
        Exit::ALL.map(Exit::code),
        "the help has every exit code in order"
    );
    for (exit, (code, meaning)) in Exit::ALL.into_iter().zip(told) {
        _ = writeln!(out, "| {code} | `{}` | {meaning} |", exit.outcome());
    }
}

fn failures(out: &mut String) {
    let about = |kind| match kind {
        FailureKind::Refused => "sign-in or permission refused",
        FailureKind::Unreachable => "not reached, or failed as a whole",
        FailureKind::Odd => "something else answered than the documented interface",
        FailureKind::Misconfigured => "the file points at the wrong thing, such as another server than last time",
        FailureKind::Stopped => "the run was asked to stop, or its time was up",
        FailureKind::Local => "a disk, a permission, or a fault of avatarpipe",
        FailureKind::Locked => "another run took over",
    };
    let kinds = [
        FailureKind::Refused,
        FailureKind::Unreachable,
        FailureKind::Odd,
        FailureKind::Misconfigured,
        FailureKind::Stopped,
        FailureKind::Local,
        FailureKind::Locked,
    ];
    out.push_str("\n## What ends a source or target\n\nThe sentence says what was tried and found, what to do, and the vendor's id of the request where one was sent: Graph's `request-id`, Atlassian's `X-AREQUESTID`.\n\n| what | exit code |\n|---|---|\n");
    for kind in kinds {
        _ = writeln!(out, "| {} | {} |", about(kind), Exit::from(kind).code());
    }
}

fn limits(out: &mut String) {
    out.push_str("\n## Limits\n\nOf each `N pictures would …: found N of N, allowed N`, with what to write to get past: `--allow ID.LIMIT=N`.\n\n| limit | counted of each | sentence |\n|---|---|---|\n");
    for limit in LimitName::ALL {
        let whose = match limit.counted_of() {
            CountedOf::Source => "source",
            CountedOf::Target => "target",
        };
        _ = writeln!(out, "| `{limit}` | {whose} | {} |", limit.counts());
    }
}

/// The words in brackets, `[too_large]`, which `run.json` has as `error.code`, with the rooms that give them.
fn codes(out: &mut String) {
    let mut codes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (room, file) in files(&source) {
        let text = std::fs::read_to_string(&file).unwrap();
        let shown = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        for begin in ["Fault::new(\"", "fault(\"", "Fault::new(\n", "Broken::Lost(\""] {
            for after in shown.split(begin).skip(1) {
                let after = after.trim_start().trim_start_matches('"');
                let code: String = after.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                if !code.is_empty() && after[code.len()..].starts_with('"') {
                    codes.entry(code).or_default().insert(room.clone());
                }
            }
        }
    }
    out.push_str("\n## What is wrong with one person\n\nThe word in brackets, `error.code` of `run.json`; behind it stands what was tried and found. Those that are put together from a vendor's answer are not here: [wire/](wire/) has the answers.\n\n| code | meaning | given by |\n|---|---|---|\n");
    let known: Vec<_> = MEANINGS.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes.keys().map(String::as_str).collect::<Vec<_>>(), known, "each code has its sentence, in order");
    for ((code, rooms), (_, meaning)) in codes.into_iter().zip(MEANINGS) {
        let rooms: Vec<_> = rooms.into_iter().collect();
        _ = writeln!(out, "| `{code}` | {meaning} | {} |", rooms.join(", "));
    }
}

/// Files without tests, each with the kind of source or target, or the room, that it belongs to.
fn files(source: &Path) -> Vec<(String, PathBuf)> {
    let (mut found, mut open) = (Vec::new(), vec![source.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with("tests")
                || name == "fuzzing"
                || ["messages.rs", "fault_codes.rs"].contains(&name.as_str())
            {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else if name.ends_with(".rs") {
                let below = path.strip_prefix(source).unwrap();
                let words: Vec<_> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
                let room = match &*words {
                    [list, kind, _, ..] if list == "extract" || list == "load" => kind.clone(),
                    [room, ..] => room.trim_end_matches(".rs").to_owned(),
                    [] => continue,
                };
                found.push((room, path));
            }
        }
    }
    found.sort();
    found
}
