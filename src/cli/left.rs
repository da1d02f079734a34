//! What the last whole run left undone or undecided, as `status` tells it.
//!
//! Owns: which counts of a report these are. Leaves to others: the counts (`report`), the open writes (`state`).
//! A newcomer gets wrong: a run with `--only` or `--target` looked at a part, so what it left says nothing of the others.

use serde_json::{Value, json};

use crate::error::Trouble;
use crate::model::{counted, rfc3339};
use crate::report::Page;
use crate::state::{RunRecord, StateList, Store};

/// What is left of a target or a source: the count of a report, and its words for one and for several.
struct LeftCount {
    key: &'static str,
    /// A count of the same that is told by itself.
    without: Option<&'static str>,
    one: &'static str,
    many: &'static str,
}

static OF_TARGETS: [LeftCount; 7] = [
    LeftCount::of("not_done", "change not begun", "changes not begun"),
    LeftCount::of("failed", "change failed", "changes failed"),
    LeftCount::of("not_shown", "picture written and not shown", "pictures written and not shown"),
    LeftCount::of("still_shown", "face to take off by hand", "faces to take off by hand"),
    LeftCount::of("not_made", "reviewed change not made", "reviewed changes not made"),
    LeftCount::of("not_asked", "account not come to", "accounts not come to"),
    LeftCount::of("conflicts", "account in conflict", "accounts in conflict"),
];

static OF_SOURCES: [LeftCount; 2] = [
    LeftCount { without: Some("unusable"), ..LeftCount::of("unknown", "photo unknown", "photos unknown") },
    LeftCount::of("unusable", "photo unusable", "photos unusable"),
];

impl LeftCount {
    const fn of(key: &'static str, one: &'static str, many: &'static str) -> Self {
        Self { key, without: None, one, many }
    }
}

/// A list of the report, what it is called there, and what is counted of each of it.
static LISTS: [(StateList, &str, &[LeftCount]); 2] =
    [(StateList::Targets, "targets", &OF_TARGETS), (StateList::Sources, "sources", &OF_SOURCES)];

/// What is left.
pub(super) struct WhatIsLeft {
    last: Option<RunRecord>,
    /// Targets, then sources.
    lists: [Vec<LeftOf>; 2],
    open_writes: u64,
}

/// What is left of one target or source.
struct LeftOf {
    id: String,
    state: String,
    /// How long the file has had it left alone, or it has failed.
    since: Option<String>,
    /// What the report says of it as a whole.
    failure: Option<String>,
    /// Each with its number.
    counts: Vec<(&'static LeftCount, u64)>,
}

impl WhatIsLeft {
    pub(super) fn of(store: &Store) -> Result<Self, Trouble> {
        let last = store.last_report()?;
        let report = last.as_ref().and_then(|run| Some(&run.end.as_ref()?.report));
        let mut lists = [Vec::new(), Vec::new()];
        for (out, (list, key, counts)) in lists.iter_mut().zip(LISTS) {
            for element in report.and_then(|report| report[key].as_array()).into_iter().flatten() {
                out.push(LeftOf::of(store, report.unwrap_or(&Value::Null), (list, counts), element)?);
            }
        }
        Ok(Self { last, lists, open_writes: store.count_open()? })
    }

    /// For people; nothing where no run came to a report and no write is open. A run that is under way has writes open, and
    /// ends them itself.
    pub(super) fn tell(&self, page: &mut Page, under_way: bool) {
        if let Some((run, exit_code, _)) = self.reported() {
            let lines: Vec<_> = self.lists.iter().flatten().filter_map(LeftOf::line).collect();
            let what = match (lines.is_empty(), exit_code) {
                (true, 0) if self.open_writes > 0 && !under_way => " nothing but the open writes below".to_owned(),
                (true, 0) => " nothing".to_owned(),
                (true, code) => format!(" nothing that is counted, but it ended in {code}; see `report`"),
                (false, _) => String::new(),
            };
            page.paragraph(0, 2, &format!("left by run {run}:{what}"));
            lines.iter().for_each(|line| page.paragraph(2, 4, line));
        }
        if self.open_writes > 0 {
            let whose =
                if under_way { ", of the run that is under way" } else { "; the next run looks what became of them" };
            page.paragraph(0, 2, &format!("open writes: {}{whose}", self.open_writes));
        }
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let [targets, sources] = self.lists.each_ref().map(|list| list.iter().map(LeftOf::json).collect::<Value>());
        let run = self.reported().map(|(run, ..)| run);
        json!({ "run": run, "targets": targets, "sources": sources, "open_writes": self.open_writes })
    }

    /// The report of the run that it is of.
    pub(super) fn report(&self) -> Option<&Value> {
        Some(self.reported()?.2)
    }

    /// The run that it is of.
    pub(super) fn run(&self) -> Option<&str> {
        Some(self.reported()?.0)
    }

    fn reported(&self) -> Option<(&str, u8, &Value)> {
        let last = self.last.as_ref()?;
        let end = last.end.as_ref()?;
        Some((last.row.id.as_str(), end.exit_code, &end.report))
    }
}

impl LeftOf {
    fn of(
        store: &Store,
        report: &Value,
        (list, counts): (StateList, &'static [LeftCount]),
        element: &Value,
    ) -> Result<Self, Trouble> {
        let [id, state] = ["id", "state"].map(|key| element[key].as_str().unwrap_or("?").to_owned());
        let is_served = matches!(state.as_str(), "ok" | "limit");
        let since = if is_served { None } else { store.in_state_since(list, &id, &state)? };
        let said = report["failures"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let failure = said.filter_map(|said| said.strip_prefix(&format!("{id}: "))).next().map(str::to_owned);
        let number = |key: &str| element[key].as_u64().unwrap_or(0);
        let told = |count: &LeftCount| number(count.key).saturating_sub(count.without.map_or(0, number));
        let counts = counts.iter().map(|count| (count, told(count))).collect();
        Ok(Self { failure: failure.filter(|_| state == "failed"), id, state, since: since.map(rfc3339), counts })
    }

    /// `jira: 3 changes not begun, 1 conflict`, `jira: frozen since …: nothing is written there`.
    fn line(&self) -> Option<String> {
        let since = self.since.as_deref().map(|since| format!(" since the run of {since}")).unwrap_or_default();
        let whole = match (self.state.as_str(), &self.failure) {
            ("frozen", _) => Some(format!("frozen{since}: nothing is written there")),
            ("dry_run", _) => Some(format!("on dry run{since}: nothing is written there")),
            ("disabled", _) => Some(format!("switched off{since}: its people are left alone")),
            ("failed", Some(failure)) => Some(format!("failed{since}: {failure}")),
            ("failed", None) => Some(format!("failed{since}")),
            _ => None,
        };
        let some = self.counts.iter().filter(|(_, number)| *number > 0);
        let counts = some.map(|(count, number)| counted(*number, count.one, count.many));
        let counts: Vec<_> = counts.collect();
        let words = [(!counts.is_empty()).then(|| counts.join(", ")), whole];
        let words: Vec<_> = words.into_iter().flatten().collect();
        (!words.is_empty()).then(|| format!("{}: {}", self.id, words.join("; ")))
    }

    fn json(&self) -> Value {
        let mut all = json!({ "id": self.id, "state": self.state, "since": self.since });
        self.counts.iter().for_each(|(count, number)| all[count.key] = json!(number));
        all
    }
}
