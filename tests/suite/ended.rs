//! How the program ended, and a failure that shows all of it.
//!
//! Owns: what was printed, the exit code, `run.json`. Leaves to others: what must stand on the servers (`truth`).
//! A newcomer gets wrong: `run.json` is the program's word; a test believes it only about what the program says.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

/// A command that ended.
pub(super) struct Ended {
    /// As a shell would take it.
    pub command: String,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    output: Output,
    listing: String,
    report: Option<Value>,
}

impl Ended {
    /// Takes the output of a command that ran in `folder`.
    pub(super) fn new(command: String, output: Output, folder: &Path) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the program prints UTF-8");
        let report = std::fs::read(folder.join("report/run.json")).ok();
        Self {
            command,
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            output,
            listing: listing(folder),
            report: report.map(|bytes| serde_json::from_slice(&bytes).expect("run.json is JSON")),
        }
    }

    /// The exit code must be this.
    #[track_caller]
    pub(super) fn expect_exit(self, code: i32) -> Self {
        self.holds(self.output.status.code() == Some(code), &format!("exit code {code}"));
        self
    }

    /// The exit code; none where a signal ended it.
    pub(super) fn code(&self) -> Option<i32> {
        self.output.status.code()
    }

    /// Whether it did what it was asked for.
    pub(super) fn succeeded(&self) -> bool {
        self.output.status.success()
    }

    /// Standard output must say this.
    #[track_caller]
    pub(super) fn expect_answer(self, text: &str) -> Self {
        self.holds(self.stdout.contains(text), &format!("on standard output: {text}"));
        self
    }

    /// Standard output must not say this.
    #[track_caller]
    pub(super) fn holds_no_answer(&self, text: &str) {
        self.holds(!self.stdout.contains(text), &format!("not on standard output: {text}"));
    }

    /// Standard error must say this.
    #[track_caller]
    pub(super) fn expect_error(self, text: &str) -> Self {
        self.holds(self.stderr.contains(text), &format!("on standard error: {text}"));
        self
    }

    /// Standard error must not say this.
    #[track_caller]
    pub(super) fn holds_no_error(&self, text: &str) {
        self.holds(!self.stderr.contains(text), &format!("not on standard error: {text}"));
    }

    /// The line of this account in `run.json` must have this change, reason and result.
    #[track_caller]
    pub(super) fn expect_line(self, account: &str, kind: &str, reason: &str, result: &str) -> Self {
        let line = self.line("jira", account);
        let found =
            [&line["change"]["kind"], &line["reason"], &line["result"]].map(|word| word.as_str().unwrap_or("-"));
        self.holds(found == [kind, reason, result], &format!("{account}: {kind}, {reason}, {result}; found {found:?}"));
        self
    }

    /// A line in `run.json`; null where there is none.
    #[track_caller]
    pub(super) fn line(&self, target: &str, account: &str) -> Value {
        let lines = self.report()["people"].as_array().cloned().unwrap_or_default();
        let mut fits = lines.into_iter().filter(|line| line["target"] == target && line["account"]["name"] == account);
        fits.next().unwrap_or_default()
    }

    /// `run.json`.
    #[track_caller]
    pub(super) fn report(&self) -> &Value {
        self.holds(self.report.is_some(), "a run.json");
        self.report.as_ref().unwrap_or(&Value::Null)
    }

    /// A count of a target in `run.json`.
    #[track_caller]
    pub(super) fn count(&self, target: &str, what: &str) -> u64 {
        let targets = self.report()["targets"].as_array().cloned().unwrap_or_default();
        let line = targets.iter().find(|line| line["id"] == target).cloned().unwrap_or_default();
        line[what].as_u64().unwrap_or_else(|| panic!("no count `{what}` of {target} in {line}"))
    }

    /// Panics with everything there is to see.
    #[track_caller]
    pub(super) fn holds(&self, holds: bool, expected: &str) {
        assert!(
            holds,
            "expected {expected}\n$ {}\n{}\n--- files\n{}--- standard output\n{}--- standard error\n{}---",
            self.command, self.output.status, self.listing, self.stdout, self.stderr
        );
    }
}

fn listing(folder: &Path) -> String {
    files(folder).into_iter().map(|(name, bytes)| format!("{name} ({} bytes)\n", bytes.len())).collect()
}

/// Every file below a folder, by its path in there.
pub(super) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(open) = folders.pop() {
        for entry in std::fs::read_dir(&open).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file()
                && let Ok(bytes) = std::fs::read(&path)
            {
                let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
                found.push((name, bytes));
            }
        }
    }
    found.sort();
    found
}
