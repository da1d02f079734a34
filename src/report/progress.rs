//! The way there: what is going on, on standard error.
//!
//! Owns: the events of a run and the two ways to show them: bars on a terminal, a line now and then in CI.
//! Leaves to others: the answer on standard output (`human`, `json`).
//! A newcomer gets wrong: events carry counts and ids of elements, never names of people.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde_json::{Map, Value, json};
use terminal_size::Width;

use super::standard_error::{Form, Severity, StandardError, Verbosity};
use super::times;
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
    begun: Instant,
    said: Instant,
}

/// How often a long piece of work says a line where there is no terminal.
const EVERY: Duration = Duration::from_secs(15);

impl Progress {
    /// Bars if standard error is a terminal, lines otherwise.
    pub(crate) fn new(stream: StandardError, terminal: bool) -> Self {
        let bars = (terminal && stream.form == Form::Human && stream.verbosity != Verbosity::Quiet)
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

    fn counts(&self, work: &str, done: u64, total: Option<u64>, since: Duration) {
        let per_second = done as f64 / since.as_secs_f64().max(0.001);
        let left = total.filter(|_| done > 0).map(|total| total.saturating_sub(done) as f64 / per_second);
        let left = left.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
        let ends = left.map(|left| format!(", {} left", times::words(left))).unwrap_or_default();
        let message = format!("{work}: {done}{of}, {}{ends}", rate(per_second));
        let seconds_left = left.map(|left| left.as_secs());
        let fields = json!({ "work": work, "done": done, "total": total, "seconds_left": seconds_left });
        self.say(Severity::Progress, &message, members(fields));
    }

    fn begins(&self, work: &str, total: Option<u64>) -> Work {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(total.map_or_else(ProgressBar::new_spinner, ProgressBar::new));
            let width = terminal_size::terminal_size_of(std::io::stderr()).map_or(80, |(Width(columns), _)| columns);
            if let Ok(style) = ProgressStyle::with_template(shape(total, width)) {
                let left = |state: &ProgressState, out: &mut dyn Write| {
                    _ = out.write_str(&if state.pos() > 0 {
                        times::words(state.eta()) + " left"
                    } else {
                        String::new()
                    });
                };
                let rate = |state: &ProgressState, out: &mut dyn Write| _ = out.write_str(&rate(state.per_sec()));
                bar.set_style(style.with_key("left", left).with_key("rate", rate));
            }
            bar.set_message(work.to_owned());
            bar
        });
        Work { bar, total, begun: Instant::now(), said: Instant::now() }
    }
}

/// How much of it a terminal of that many columns takes.
fn shape(total: Option<u64>, width: u16) -> &'static str {
    match (total, width) {
        (Some(_), 72..) => "  {msg:<22} {bar:16} {pos}/{len}  {rate}  {left}",
        (Some(_), _) => "  {msg} {pos}/{len} {left}",
        (None, 72..) => "  {msg:<22} {pos}  {rate}",
        (None, _) => "  {msg} {pos}",
    }
}

/// `12/s`, `30/min`.
fn rate(per_second: f64) -> String {
    if per_second >= 10.0 {
        format!("{per_second:.0}/s")
    } else if per_second >= 1.0 {
        format!("{per_second:.1}/s")
    } else {
        format!("{:.0}/min", per_second * 60.0)
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
                    self.counts(work, *done, known.total, known.begun.elapsed());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_told_as_people_do() {
        for (per_second, told) in [(250.0, "250/s"), (9.96, "10.0/s"), (2.5, "2.5/s"), (0.5, "30/min"), (0.0, "0/min")]
        {
            assert_eq!(rate(per_second), told);
        }
    }
}
