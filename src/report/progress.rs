//! The way there: what is going on, on standard error.
//!
//! Owns: the events of a run and the two ways to show them: bars on a terminal, a line now and then in CI.
//! Leaves to others: the answer on standard output (`human`, `json`).
//! A newcomer gets wrong: events carry counts and ids of elements, never names of people.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value, json};

use super::standard_error::{Form, Severity, StandardError, Verbosity};

use crate::secret::outlet;

/// Something worth showing while a run goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunEvent {
    /// Work of a known or unknown length begins.
    Begins {
        /// `survey jira`.
        work: String,
        /// How much, if known.
        total: Option<u64>,
    },
    /// That much is done.
    At {
        /// The same words as in `Begins`.
        work: String,
        /// How much.
        done: u64,
    },
    /// The work is over.
    Ends {
        /// The same words as in `Begins`.
        work: String,
        /// What came of it: `450 accounts`.
        result: String,
    },
    /// Something odd that stops nothing.
    Note(String),
    /// Something that stops a source, a target or the run.
    Failure(String),
}

/// Whoever wants to know what is going on.
pub trait Listener: Send + Sync {
    /// Takes one event. Must not block for long.
    fn hear(&self, event: &RunEvent);
}

/// Shows events on standard error.
pub(crate) struct Progress {
    stream: StandardError,
    bars: Option<MultiProgress>,
    works: Mutex<HashMap<String, Work>>,
    /// Failures that were said.
    failures: Mutex<Vec<String>>,
}

struct Work {
    bar: Option<ProgressBar>,
    total: Option<u64>,
    said: Instant,
}

/// How often a long piece of work says a line where there is no terminal.
const EVERY: Duration = Duration::from_secs(15);

impl Progress {
    /// Bars if standard error is a terminal, lines otherwise.
    pub(crate) fn new(stream: StandardError, terminal: bool) -> Self {
        let bars = (terminal && stream.form == Form::Human && stream.verbosity == Verbosity::Normal)
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        Self { stream, bars, works: Mutex::new(HashMap::new()), failures: Mutex::new(Vec::new()) }
    }

    /// Whether a failure of the report was said when it came; the report names its source or target first.
    pub(crate) fn has_said(&self, failure: &str) -> bool {
        let Ok(failures) = self.failures.lock() else { return false };
        failures.iter().any(|said| failure.strip_suffix(said.as_str()).is_some_and(|whose| whose.ends_with(": ")))
    }

    fn say(&self, severity: Severity, message: &str, fields: Map<String, Value>) {
        match &self.bars {
            Some(bars) => bars.suspend(|| self.stream.tell_with(severity, message, fields)),
            None => self.stream.tell_with(severity, message, fields),
        }
    }

    fn counts(&self, work: &str, done: u64, total: Option<u64>) {
        let message = match total {
            Some(total) => format!("{work}: {done} of {total}"),
            None => format!("{work}: {done}"),
        };
        self.say(Severity::Progress, &message, members(json!({ "work": work, "done": done, "total": total })));
    }

    fn begins(&self, work: &str, total: Option<u64>) -> Work {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(total.map_or_else(ProgressBar::new_spinner, ProgressBar::new));
            let shape = if total.is_some() { "  {msg:<24} {bar:32} {pos}/{len}" } else { "  {msg:<24} {pos}" };
            if let Ok(style) = ProgressStyle::with_template(shape) {
                bar.set_style(style);
            }
            bar.set_message(work.to_owned());
            bar
        });
        Work { bar, total, said: Instant::now() }
    }
}

fn members(fields: Value) -> Map<String, Value> {
    if let Value::Object(members) = fields { members } else { Map::new() }
}

impl Listener for Progress {
    fn hear(&self, event: &RunEvent) {
        let Ok(mut works) = self.works.lock() else { return };
        match event {
            RunEvent::Failure(text) => {
                let text = outlet::sentence(text);
                self.say(Severity::Failure, &text, Map::new());
                if let Ok(mut failures) = self.failures.lock() {
                    failures.push(text);
                }
            }
            RunEvent::Note(text) => self.say(Severity::Note, &outlet::sentence(text), Map::new()),
            RunEvent::Begins { work, total } => {
                works.insert(work.clone(), self.begins(work, *total));
            }
            RunEvent::At { work, done } => {
                let Some(known) = works.get_mut(work) else { return };
                if let Some(bar) = &known.bar {
                    bar.set_position(*done);
                } else if known.said.elapsed() >= EVERY {
                    known.said = Instant::now();
                    self.counts(work, *done, known.total);
                }
            }
            RunEvent::Ends { work, result } => {
                if let Some(Work { bar: Some(bar), .. }) = works.remove(work) {
                    bar.finish_and_clear();
                }
                let result = outlet::line(result);
                let fields = members(json!({ "work": work, "result": result }));
                self.say(Severity::Progress, &format!("{work}: {result}"), fields);
            }
        }
    }
}
