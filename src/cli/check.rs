//! `check FILE…`: all faults of pipeline files, offline, without secrets.

use std::path::PathBuf;

use clap::Args;

use super::environment;
use super::output::{answer, tell};
use crate::error::Trouble;
use crate::exit::Exit;
use crate::report::Severity;

/// What is checked.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// The pipeline files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Checks every file; one that is wrong does not hide the faults of the next.
pub(super) fn run(flags: &Flags) -> Result<Exit, Trouble> {
    let mut exit = Exit::Done;
    for file in &flags.files {
        match environment::document(file) {
            Ok(document) => {
                for warning in document.warnings() {
                    tell(Severity::Warning, &warning.to_string());
                }
                let words = |elements: &[crate::pipeline::Element]| {
                    elements.iter().map(|element| element.id.clone()).collect::<Vec<_>>().join(", ")
                };
                let (sources, targets) = (words(document.sources()), words(document.targets()));
                answer(&format!("{}: no faults ({sources} → {targets})\n", file.display()))?;
            }
            Err(trouble) => {
                tell(Severity::Failure, &trouble.to_string());
                exit = exit.and(trouble.exit());
            }
        }
    }
    Ok(exit)
}
