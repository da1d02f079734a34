//! The way there: what is going on, on standard error.
//!
//! Owns: the events of a run and the two ways to show them: bars on a terminal, a line now and then in CI.
//! Leaves to others: the answer on standard output (`human`, `json`).
//! A newcomer gets wrong: events carry counts and ids of elements, never names of people.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::outlet;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Something worth showing while a run goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
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

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Failures only.
    Quiet,
    /// The way there.
    Normal,
}

/// Whoever wants to know what is going on.
pub trait Listener: Send + Sync {
    /// Takes one event. Must not block for long.
    fn hear(&self, event: &Event);
}

/// Shows events on standard error.
pub(crate) struct Progress {
    verbosity: Verbosity,
    bars: Option<MultiProgress>,
    works: Mutex<HashMap<String, Work>>,
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
    pub(crate) fn new(verbosity: Verbosity, terminal: bool) -> Self {
        let bars = (terminal && verbosity == Verbosity::Normal)
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        Self { verbosity, bars, works: Mutex::new(HashMap::new()) }
    }

    fn say(&self, line: &str) {
        match &self.bars {
            Some(bars) => bars.suspend(|| on_stderr(line)),
            None => on_stderr(line),
        }
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

/// Whoever read the beginning may have gone away: a run does not end for that, as `eprintln!` would have it.
fn on_stderr(line: &str) {
    _ = writeln!(std::io::stderr(), "{}", outlet::text(line));
}

impl Listener for Progress {
    fn hear(&self, event: &Event) {
        let Ok(mut works) = self.works.lock() else { return };
        match event {
            Event::Failure(text) => self.say(&format!("error: {}", outlet::sentence(text))),
            _ if self.verbosity == Verbosity::Quiet => {}
            Event::Note(text) => self.say(&format!("note: {}", outlet::sentence(text))),
            Event::Begins { work, total } => {
                works.insert(work.clone(), self.begins(work, *total));
            }
            Event::At { work, done } => {
                let Some(known) = works.get_mut(work) else { return };
                if let Some(bar) = &known.bar {
                    bar.set_position(*done);
                } else if known.said.elapsed() >= EVERY {
                    known.said = Instant::now();
                    match known.total {
                        Some(total) => self.say(&format!("{work}: {done} of {total}")),
                        None => self.say(&format!("{work}: {done}")),
                    }
                }
            }
            Event::Ends { work, result } => {
                if let Some(Work { bar: Some(bar), .. }) = works.remove(work) {
                    bar.finish_and_clear();
                }
                self.say(&format!("{work}: {}", outlet::line(result)));
            }
        }
    }
}
