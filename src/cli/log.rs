//! `-v`, `-q` and `--log-format`: how much is said on standard error, and in which form.
//!
//! Owns: the subscriber. Leaves to others: what is logged.
//! A newcomer gets wrong: every line goes through the outlet, whoever logged it (promise P7).

use std::io;

use clap::{ArgAction, Args, ValueEnum};
use tracing::level_filters::LevelFilter;

use crate::outlet::Stream;
use crate::report::Verbosity;

/// How much is said.
#[derive(Debug, Args)]
// Below the flags of each command, however many those are.
#[command(next_display_order = 900)]
pub(super) struct Flags {
    /// Says more on standard error; twice: every request
    #[arg(short, long, action = ArgAction::Count, global = true)]
    verbose: u8,
    /// Says nothing on standard error but failures
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// How log lines are written
    #[arg(long, value_enum, value_name = "FORM", default_value_t = LogFormat::Human, global = true)]
    log_format: LogFormat,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people
    Human,
    /// One JSON object a line
    Json,
}

impl Flags {
    /// How much of the way there is shown.
    pub(super) fn verbosity(&self) -> Verbosity {
        if self.quiet { Verbosity::Quiet } else { Verbosity::Normal }
    }

    /// Begins to log.
    pub(super) fn start(&self) {
        let level = match (self.quiet, self.verbose) {
            (true, _) => LevelFilter::ERROR,
            (_, 0) => LevelFilter::WARN,
            (_, 1) => LevelFilter::INFO,
            (_, 2) => LevelFilter::DEBUG,
            (..) => LevelFilter::TRACE,
        };
        let filter = tracing_subscriber::EnvFilter::new(format!("off,avatarpipe={level}"));
        let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Stream(io::stderr()));
        match self.log_format {
            LogFormat::Human => builder.with_ansi(false).without_time().with_target(false).init(),
            LogFormat::Json => builder.json().init(),
        }
    }
}
