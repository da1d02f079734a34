//! Where words go: the answer to standard output, all else to standard error.
//!
//! Owns: that a reader who went away is a normal end. Leaves to others: the words.
//! A newcomer gets wrong: whatever comes from outside passes `outlet` before it is printed.

use std::io::Write as _;

use clap::ValueEnum;

use super::log;
use crate::error::Trouble;
use crate::report::Severity;

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Tables for people
    Human,
    /// run.json
    Json,
}

/// Says something on standard error.
pub(super) fn tell(severity: Severity, message: &str) {
    log::standard_error().tell(severity, message);
}

/// Prints the answer. A reader that went away is a normal end.
pub(super) fn answer(text: &str) -> Result<(), Trouble> {
    print(&crate::secret::outlet::text(text))
}

/// Prints an answer that is a JSON document.
pub(super) fn answer_json(document: &str) -> Result<(), Trouble> {
    print(&crate::secret::outlet::json(document))
}

/// Prints commands to the CI platform that reads the stream. What comes from outside passed [`crate::secret::outlet`] and
/// was escaped when it was put into them.
pub(super) fn commands(text: &str) -> Result<(), Trouble> {
    print(text)
}

fn print(text: &str) -> Result<(), Trouble> {
    let mut out = std::io::stdout().lock();
    answered(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// What came of printing the answer.
pub(super) fn answered(written: std::io::Result<()>) -> Result<(), Trouble> {
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Trouble::File { tried: "write to standard output".to_owned(), error })
        }
        _ => Ok(()),
    }
}
