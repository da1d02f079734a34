//! What the last whole run left undone or undecided, as `status` tells it.
//!
//! Owns: which counts of a report these are. Leaves to others: the counts (`report`), the open writes (`state`).
//! A newcomer gets wrong: a run with `--only` or `--target` looked at a part, so what it left says nothing of the others.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::error::Trouble;
use crate::state::{RunRecord, Store};

/// What is left of a target or a source: the count of a report, and its words for one and for several.
struct LeftCount {
    key: &'static str,
    one: &'static str,
    many: &'static str,
}

static OF_TARGETS: [LeftCount; 3] = [
    LeftCount { key: "not_done", one: "change not begun", many: "changes not begun" },
    LeftCount { key: "failed", one: "change failed", many: "changes failed" },
    LeftCount { key: "conflicts", one: "conflict", many: "conflicts" },
];

static OF_SOURCES: [LeftCount; 1] = [LeftCount { key: "unknown", one: "photo unknown", many: "photos unknown" }];

/// What is left.
pub(super) struct WhatIsLeft {
    last: Option<RunRecord>,
    open_writes: u64,
}

impl WhatIsLeft {
    pub(super) fn of(store: &Store) -> Result<Self, Trouble> {
        Ok(Self { last: store.last_report()?, open_writes: store.count_open()? })
    }

    /// For people; nothing where no run came to a report and no write is open.
    pub(super) fn human(&self) -> String {
        let mut out = String::new();
        if let Some((run, report)) = self.reported() {
            let lines: Vec<_> = lists(report)
                .flat_map(|(list, counts)| list.iter().filter_map(|element| line(element, counts)))
                .collect();
            _ = match lines.is_empty() {
                true => writeln!(out, "left by run {run}: nothing"),
                false => writeln!(out, "left by run {run}:\n{}", lines.join("\n")),
            };
        }
        if self.open_writes > 0 {
            _ = writeln!(out, "open writes: {}; the next run looks what became of them", self.open_writes);
        }
        out
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let counted = |(list, counts): (&Vec<Value>, &[LeftCount])| {
            let of = |element: &Value| {
                let counted = counts.iter().map(|count| (count.key.to_owned(), json!(number(element, count))));
                Value::Object(std::iter::once(("id".to_owned(), element["id"].clone())).chain(counted).collect())
            };
            list.iter().map(of).collect::<Value>()
        };
        let (mut run, mut of_lists) = (Value::Null, vec![json!([]); 2]);
        if let Some((id, report)) = self.reported() {
            run = json!(id);
            of_lists = lists(report).map(counted).collect();
        }
        json!({ "run": run, "targets": of_lists[0], "sources": of_lists[1], "open_writes": self.open_writes })
    }

    /// The report of the run that it is of.
    pub(super) fn report(&self) -> Option<&Value> {
        Some(self.reported()?.1)
    }

    fn reported(&self) -> Option<(&str, &Value)> {
        let last = self.last.as_ref()?;
        Some((last.row.id.as_str(), &last.end.as_ref()?.report))
    }
}

/// Targets, then sources.
fn lists(report: &Value) -> impl Iterator<Item = (&Vec<Value>, &'static [LeftCount])> {
    static NONE: Vec<Value> = Vec::new();
    let list = |key: &str| report[key].as_array().unwrap_or(&NONE);
    [(list("targets"), OF_TARGETS.as_slice()), (list("sources"), OF_SOURCES.as_slice())].into_iter()
}

fn number(element: &Value, count: &LeftCount) -> u64 {
    element[count.key].as_u64().unwrap_or(0)
}

/// `  jira: 3 changes not begun, 1 conflict`.
fn line(element: &Value, counts: &[LeftCount]) -> Option<String> {
    let words = counts.iter().map(|count| (number(element, count), count)).filter(|(number, _)| *number > 0);
    let words: Vec<_> =
        words.map(|(number, count)| format!("{number} {}", if number == 1 { count.one } else { count.many })).collect();
    (!words.is_empty()).then(|| format!("  {}: {}", element["id"].as_str().unwrap_or("?"), words.join(", ")))
}
