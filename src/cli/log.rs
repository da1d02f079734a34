//! `-v`, `-q`, `--log-format` and `RUST_LOG`: how much is said on standard error, and in which form.
//!
//! Owns: the subscriber. Leaves to others: what is logged; progress and last words (`report`); the file of `--trace`
//! (`timeline`).
//! A newcomer gets wrong: every line goes through the outlet, whoever logged it (promise P7).

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::OnceLock;

use clap::{ArgAction, Args, ValueEnum};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt, registry};

use super::timeline::Timeline;
use crate::error::Trouble;
use crate::report::{AnswerPlace, Form, StandardError, Verbosity};
use crate::secret::outlet::{self, Stream};

/// How much is said.
#[derive(Debug, Args)]
// Below the flags of each command, however many those are.
#[command(next_display_order = 900)]
pub(super) struct Flags {
    /// Says more on standard error: every decision and every further try; twice: every request
    #[arg(short, long, action = ArgAction::Count, global = true)]
    verbose: u8,
    /// Says nothing on standard error but failures
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// How lines on standard error are written
    #[arg(long, value_enum, value_name = "FORM", default_value_t = LogFormat::Human, global = true)]
    log_format: LogFormat,
    /// Writes what took how long to this file, for Perfetto or chrome://tracing
    #[arg(long, value_name = "FILE", global = true)]
    trace: Option<PathBuf>,
}

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people
    Human,
    /// One JSON object a line
    Json,
}

static STREAM: OnceLock<StandardError> = OnceLock::new();
static TIMELINE: OnceLock<Timeline> = OnceLock::new();

/// Standard error, as the command line wants it.
pub(super) fn standard_error() -> StandardError {
    STREAM.get().copied().unwrap_or_default()
}

/// Standard error of a command line that could not be read: its form is seen in the words.
pub(super) fn standard_error_of(words: impl Iterator<Item = std::ffi::OsString>) -> StandardError {
    let words: Vec<_> = words.collect();
    let json = words.iter().any(|word| word == "--log-format=json")
        || words.windows(2).any(|pair| pair[0] == "--log-format" && pair[1] == "json");
    StandardError { form: if json { Form::Json } else { Form::Human }, ..StandardError::default() }
}

/// Ends what [`Flags::start`] began.
pub(super) fn end() -> Result<(), Trouble> {
    let timeline = TIMELINE.get();
    timeline.map_or(Ok(()), |timeline| timeline.end().map_err(Trouble::file("write the timeline of --trace")))
}

impl Flags {
    /// Begins to log.
    pub(super) fn start(&self) -> Result<(), Trouble> {
        let form = match self.log_format {
            LogFormat::Human => Form::Human,
            LogFormat::Json => Form::Json,
        };
        let verbosity = match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, 0) => Verbosity::Normal,
            _ => Verbosity::Verbose,
        };
        let answer = if io::stdout().is_terminal() { AnswerPlace::Beside } else { AnswerPlace::Elsewhere };
        _ = STREAM.set(StandardError { form, verbosity, answer });
        let clean = match form {
            Form::Human => outlet::text,
            Form::Json => outlet::json,
        };
        let filter = self.filter(std::env::var("RUST_LOG").ok().as_deref())?;
        let lines = fmt::layer().with_writer(move || Stream(io::stderr(), clean));
        let lines = match form {
            Form::Human => lines.with_ansi(false).without_time().with_target(false).boxed(),
            Form::Json => lines.json().flatten_event(true).boxed(),
        };
        let subscriber = registry().with(lines.with_filter(filter));
        let Some(path) = &self.trace else {
            subscriber.init();
            return Ok(());
        };
        let timeline = Timeline::begin(path)?;
        _ = TIMELINE.set(timeline.clone());
        subscriber.with(timeline.with_filter(filter_fn(Timeline::takes))).init();
        Ok(())
    }

    /// `RUST_LOG` says more about what it names; what `-v` and `-q` say holds for all else of ours.
    fn filter(&self, rust_log: Option<&str>) -> Result<EnvFilter, Trouble> {
        let level = match (self.quiet, self.verbose) {
            (true, _) => LevelFilter::ERROR,
            (_, 0) => LevelFilter::WARN,
            (_, 1) => LevelFilter::INFO,
            (_, 2) => LevelFilter::DEBUG,
            (..) => LevelFilter::TRACE,
        };
        let asked = rust_log.map(str::trim).filter(|directives| !directives.is_empty());
        let flags = self.quiet || self.verbose > 0;
        let directives = match asked {
            None => format!("off,avatarpipe={level}"),
            Some(asked) if flags => format!("avatarpipe={level},{asked}"),
            Some(asked) => asked.to_owned(),
        };
        EnvFilter::try_new(&directives).map_err(|error| {
            Trouble::Usage(format!("RUST_LOG={}: {error}; such as `avatarpipe=debug`", asked.unwrap_or_default()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_log_is_honoured_beside_the_flags() {
        let flags = |quiet, verbose| Flags { quiet, verbose, log_format: LogFormat::Human, trace: None };
        for (flags, rust_log, filter) in [
            (flags(false, 0), None, "avatarpipe=warn,off"),
            (flags(false, 2), Some(""), "avatarpipe=debug,off"),
            (flags(true, 0), None, "avatarpipe=error,off"),
            (flags(false, 0), Some("avatarpipe::http=trace"), "avatarpipe::http=trace"),
            (flags(false, 0), Some("debug"), "debug"),
            (flags(false, 1), Some("avatarpipe::http=trace"), "avatarpipe::http=trace,avatarpipe=info"),
            (flags(true, 0), Some("debug"), "avatarpipe=error,debug"),
        ] {
            assert_eq!(flags.filter(rust_log).unwrap().to_string(), filter, "{flags:?} {rust_log:?}");
        }
        let trouble = flags(false, 0).filter(Some("avatarpipe=loud")).unwrap_err().to_string();
        assert!(trouble.starts_with("RUST_LOG=avatarpipe=loud: "), "{trouble}");
    }
}
