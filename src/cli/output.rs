//! Where words go: the answer to standard output, all else to standard error.
//!
//! Owns: that a reader who went away is a normal end. Leaves to others: the words.
//! A newcomer gets wrong: whatever comes from outside passes `outlet` before it is printed.

use std::io::{IsTerminal as _, Write as _};

use clap::ValueEnum;
use terminal_size::Width;

use super::log;
use crate::error::Trouble;
use crate::report::{Colours, Page, PictureWords, Screen, Severity, Verbosity};

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    /// Tables for people
    Human,
    /// One document of JSON; of plan, run and undo it is run.json
    Json,
}

/// A time on the command line.
pub(super) fn time(text: &str) -> Result<std::time::Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "write a number and its unit, such as `90s`, `50m`, `26h` or `2d`".to_owned())
}

/// A time, and how it was written.
#[derive(Clone, Debug)]
pub(super) struct WrittenTime {
    /// The time.
    pub time: std::time::Duration,
    /// For words: `26h` stays that.
    pub written: String,
}

/// A time on the command line that is told again.
pub(super) fn written_time(text: &str) -> Result<WrittenTime, String> {
    Ok(WrittenTime { time: time(text)?, written: text.trim().to_owned() })
}

/// Says something on standard error.
pub(super) fn tell(severity: Severity, message: &str) {
    log::standard_error().tell(severity, message);
}

/// Prints the answer. A reader that went away is a normal end.
pub(super) fn answer(text: &str) -> Result<(), Trouble> {
    print(&crate::secret::outlet::text(text))
}

/// Prints lines that fit the screen: what does not goes on below, further to the right.
pub(super) fn answer_lines(text: &str) -> Result<(), Trouble> {
    let mut page = Page::on(screen());
    for line in text.lines() {
        let words = line.trim_start_matches(' ');
        let indent = line.len() - words.len();
        page.paragraph(indent, indent + 2, words);
    }
    answer_page(&page)
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

/// What standard output is shown on: a terminal is as wide as it says, all else as `COLUMNS` says, if it does.
pub(super) fn screen() -> Screen {
    let (out, variable) = (std::io::stdout(), |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let columns = || variable("COLUMNS")?.parse().ok().filter(|columns| *columns > 0);
    let width = terminal_size::terminal_size_of(&out).map(|(Width(columns), _)| usize::from(columns)).or_else(columns);
    // <https://no-color.org>
    let is_plain = variable("NO_COLOR").is_some() || variable("TERM").is_none_or(|term| term == "dumb");
    let colours = if out.is_terminal() && !is_plain { Colours::On } else { Colours::Off };
    let by_digest = log::standard_error().verbosity == Verbosity::Verbose;
    Screen { width, colours, pictures: if by_digest { PictureWords::ByDigest } else { PictureWords::InWords } }
}

/// Prints an answer that is laid out for its screen, and was made harmless when its colours were put on.
pub(super) fn answer_page(page: &Page) -> Result<(), Trouble> {
    print(&page.text())
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
