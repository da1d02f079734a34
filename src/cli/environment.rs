//! Where `${NAME}` and `${file:path}` take their values from, and reading pipeline files.
//!
//! Owns: the only look at environment variables for the pipeline file. Leaves to others: the syntax (`pipeline`).
//! A newcomer gets wrong: a value is not printed, whatever is wrong with it.

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use super::program;
use crate::error::Trouble;
use crate::input;
use crate::pipeline::{self, Colour, Document, Environment, Faults, TestFile};
use crate::settings::{Http, StateBucket};

/// The process's environment and the files that it can read.
pub(super) struct Process;

/// The largest text that a `${file:…}` may name, in bytes.
const LARGEST: u64 = 16 << 20;

impl Environment for Process {
    fn var(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &str) -> Result<String, String> {
        input::text(Path::new(path), LARGEST).map_err(|error| error.to_string())
    }

    fn output(&self, command: &[String]) -> Result<String, String> {
        program::output(command)
    }
}

/// A pipeline file may come through a pipe, as shells make one.
fn read_capped(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(LARGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(std::io::Error::other(format!("it is larger than {} MiB", LARGEST >> 20)));
    }
    Ok(text)
}

/// The file in quotes: of one that is called `password` the words behind it would be taken for the secret.
fn unreadable(path: &Path, error: &std::io::Error) -> String {
    format!("could not read `{}`: {error}", path.display())
}

/// Why a pipeline file cannot be used.
pub(super) enum Unread {
    /// It cannot be read; in words.
    Unreadable(String),
    /// It is not right.
    Faults(Faults),
}

impl Unread {
    /// For standard error, faults with their snippets.
    pub(super) fn trouble(&self) -> Trouble {
        match self {
            Self::Unreadable(words) => Trouble::Usage(words.clone()),
            Self::Faults(faults) => rendered(faults),
        }
    }
}

/// Reads and parses a pipeline file.
pub(super) fn read(path: &Path) -> Result<Document, Unread> {
    let unread = |error: std::io::Error| Unread::Unreadable(unreadable(path, &error));
    let text = read_capped(path).map_err(unread)?;
    pipeline::parse(&text, &path.display().to_string()).map_err(Unread::Faults)
}

/// Reads and parses a pipeline file; its faults come rendered.
pub(super) fn document(path: &Path) -> Result<Document, Trouble> {
    read(path).map_err(|unread| unread.trouble())
}

/// Reads and parses a test of a pipeline file.
pub(super) fn test(path: &Path) -> Result<TestFile, Trouble> {
    let unread = |error: std::io::Error| Trouble::Usage(unreadable(path, &error));
    let text = read_capped(path).map_err(unread)?;
    pipeline::parse_test(&text, &path.display().to_string()).map_err(|faults| told("the test", &faults))
}

/// Where the pipeline's state stands.
pub(super) fn state_path(document: &Document) -> Result<PathBuf, Trouble> {
    document.state_path(&Process).map_err(|faults| rendered(&faults))
}

/// The bucket that the pipeline's state stands in, and the way there.
pub(super) fn bucket(document: &Document) -> Result<Option<(StateBucket, Http)>, Trouble> {
    document.bucket(&Process).map_err(|faults| rendered(&faults))
}

/// Faults of a pipeline file as they are shown on standard error.
pub(super) fn rendered(faults: &Faults) -> Trouble {
    told("the pipeline file", faults)
}

/// Faults of a file that `init` would have written.
pub(super) fn unwritten(faults: &Faults) -> Trouble {
    told("the pipeline that these flags make", faults)
}

fn told(what: &str, faults: &Faults) -> Trouble {
    let plain = std::env::var_os("NO_COLOR").is_some() || !std::io::stderr().is_terminal();
    let colour = if plain { Colour::Plain } else { Colour::Ansi };
    Trouble::Usage(format!("{what} is not right\n\n{}", faults.render(colour).trim_end()))
}
