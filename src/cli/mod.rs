//! The command line: one file a command, which translates flags and does no work (docs/command-line.md).
//!
//! Owns: flags, help texts, where output goes, the last word on the exit code.
//! Leaves to others: everything else.
//! A newcomer gets wrong: standard output carries the answer alone; progress, notes and errors go to standard error.

mod auth;
mod check;
mod check_files;
mod ci;
mod completions;
mod environment;
mod explain;
mod init;
mod job;
mod job_page;
mod left;
mod log;
mod man;
#[cfg(test)]
mod messages;
mod noted;
mod only_file;
mod other_tools;
mod output;
mod pipeline_file;
mod program;
mod report;
mod report_files;
#[cfg(feature = "sandbox")]
mod sandbox;
#[cfg(feature = "sandbox")]
mod sandboxed;
mod schema;
#[cfg(feature = "sandbox")]
mod simulated;
mod state;
mod status;
mod test;
mod timeline;

use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::error::Trouble;
use crate::exit::Exit;
use crate::report::{Form, Severity};
use output::tell;
#[cfg(feature = "sandbox")]
pub use simulated::{Keeper, simulated_keys};

/// Takes people's photos from a company directory to their accounts in Atlassian Data Center, as a pipeline file says.
#[derive(Debug, Parser)]
#[command(name = "avatarpipe", version, max_term_width = 100, after_help = [EXIT_CODES, START].concat())]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    log: log::Flags,
}

const EXIT_CODES: &str = "\
Exit codes:
   0  done, or nothing to do
   1  could not work here: disk, permission, or a fault of ours
   2  command line, pipeline file, or a state that does not belong here
   3  finished, but some people failed, a face has to be taken off by hand, or an entry of `users` is a slip; status --max-age: the last success is too old; test: an expectation does not hold
   4  a limit stopped a target; nothing was written to it
   5  sign-in or permission refused
   6  a source or target could not be reached, or failed as a whole
   7  another run holds the lock, or another sandbox the world
   8  stopped by a signal or the time budget; run again to go on
  10  plan --detailed-exitcode: changes are pending
";

#[cfg(feature = "sandbox")]
const START: &str = "\nStart with: avatarpipe run pipelines/corporate.yaml --sandbox";
#[cfg(not(feature = "sandbox"))]
const START: &str = "\nStart with: avatarpipe init";

#[derive(Debug, Subcommand)]
enum Command {
    /// Writes a pipeline file to start from, and a CI job; asks nothing
    Init(init::Flags),
    /// Shows all faults of pipeline files, offline and without secrets
    Check(check::Flags),
    /// Holds pipeline files against tests: people, accounts and what must become of them, offline and without secrets
    Test(test::Flags),
    /// Does everything but the writes, and shows what a run would do
    Plan(job::PlanFlags),
    /// Plans, checks the limits, writes, and confirms what was written
    Run(job::RunFlags),
    /// Shows what would give back what stood before a run, and does it with --apply
    Undo(job::UndoFlags),
    /// Signs in everywhere: who we are, what we may, what is missing or too much, what expires when
    Auth(auth::Flags),
    /// Tells all that is known of one person or account, without a request
    Explain(explain::Flags),
    /// Shows the last runs: how they ended, when one last succeeded, and what is left to do
    Status(status::Flags),
    /// Makes the report of a recorded run again
    Report(report::Flags),
    /// Counts, checks, copies what is kept, and takes out what is not to be
    State(state::Flags),
    /// Prints the JSON Schema of the pipeline file, for editors
    Schema(schema::Flags),
    /// Prints what a shell needs to complete commands and flags
    Completions(completions::Flags),
    /// Prints the manual page, or writes those of all commands into a folder
    Man(man::Flags),
    /// Runs the simulators of a world, with a page that shows every account's picture
    #[cfg(feature = "sandbox")]
    Sandbox(sandbox::Flags),
}

/// Reads the command line, does what it says, and tells how it ended.
pub fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(mut error) => {
            let written: Vec<_> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
            other_tools::advise(&mut error, &written);
            return refused(&error);
        }
    };
    std::panic::set_hook(Box::new(|panic| tell(Severity::Failure, &last_words(panic))));
    let exit = ending(|| {
        cli.log.start()?;
        match cli.command {
            Command::Init(flags) => init::run(&flags),
            Command::Check(flags) => check::run(&flags),
            Command::Test(flags) => test::run(&flags),
            Command::Plan(flags) => job::plan(&flags),
            Command::Run(flags) => job::run(&flags),
            Command::Undo(flags) => job::undo(&flags),
            Command::Auth(flags) => auth::run(&flags),
            Command::Explain(flags) => explain::run(&flags),
            Command::Status(flags) => status::run(&flags),
            Command::Report(flags) => report::run(&flags),
            Command::State(flags) => state::run(&flags),
            Command::Schema(flags) => schema::run(&flags),
            Command::Completions(flags) => completions::run(&flags, Cli::command()),
            Command::Man(flags) => man::run(&flags, Cli::command()),
            #[cfg(feature = "sandbox")]
            Command::Sandbox(flags) => sandbox::run(&flags),
        }
    });
    exit.and(ending(|| log::end().map(|()| Exit::Done)))
}

/// How a command ends. A panic is our own fault; the hook has told of it.
fn ending(command: impl FnOnce() -> Result<Exit, Trouble>) -> Exit {
    let Ok(ended) = catch_unwind(AssertUnwindSafe(command)) else { return Exit::OwnFault };
    ended.unwrap_or_else(|trouble| {
        tell(Severity::Failure, &trouble.to_string());
        trouble.exit()
    })
}

/// What is said of a panic. Its message may quote anything: a text that is cut inside a character is shown whole.
fn last_words(panic: &PanicHookInfo<'_>) -> String {
    let trace = std::backtrace::Backtrace::capture();
    crate::secret::redact(&format!("{panic}\nthis is a fault of avatarpipe, please report it\n{trace}"))
}

const NO_SIMULATORS: &str = "this build has no simulators: neither `--sandbox` nor the command `sandbox`. They are in a build \
    with the feature `sandbox`, which is the default of `cargo build`";

/// Whether what is not known is the simulators' flag or command.
fn asks_for_simulators(error: &clap::Error) -> bool {
    use clap::error::{ContextKind, ContextValue};
    let words = |kind| match error.get(kind) {
        Some(ContextValue::String(words)) => words.clone(),
        _ => String::new(),
    };
    words(ContextKind::InvalidArg).starts_with("--sandbox") || words(ContextKind::InvalidSubcommand) == "sandbox"
}

/// What clap says of a command line: help and versions are answers, all else is refused.
fn refused(error: &clap::Error) -> Exit {
    let stream = log::standard_error_of(std::env::args_os());
    match error.use_stderr() {
        true if !cfg!(feature = "sandbox") && asks_for_simulators(error) => {
            stream.tell(Severity::Failure, NO_SIMULATORS)
        }
        true if stream.form == Form::Json => {
            let words = error.to_string();
            stream.tell(Severity::Failure, words.trim_start_matches("error: ").trim_end());
        }
        // A broken pipe while printing help is a normal end.
        _ => _ = error.print(),
    }
    if error.use_stderr() { Exit::Usage } else { Exit::Done }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn a_panic_is_our_own_fault_and_shows_no_secret() {
        let secret = "panic+canary/secret";
        _ = crate::secret::Secret::new(secret);
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let (heard, before) = (Arc::clone(&told), Arc::new(std::panic::take_hook()));
        let others = Arc::clone(&before);
        // Other tests panic meanwhile.
        std::panic::set_hook(Box::new(move |panic| match panic.location() {
            Some(place) if place.file() == file!() => heard.lock().unwrap().push(last_words(panic)),
            _ => others(panic),
        }));
        let text = format!("é{secret}");
        let cut = ending(|| Ok(if text[1..].is_empty() { Exit::Done } else { Exit::SomeFailed }));
        let told_of = ending(|| panic!("the token is {secret}"));
        let in_a_thread = std::thread::spawn(move || panic!("{:?}", secret)).join().is_err();
        _ = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| before(panic)));
        assert!(in_a_thread && [cut, told_of] == [Exit::OwnFault; 2], "{cut:?} {told_of:?}");
        let told = told.lock().unwrap().join("\n");
        assert_eq!((told.matches("please report it").count(), told.matches("***").count()), (3, 3), "{told}");
        assert!(!told.contains(secret), "{told}");
    }
}
