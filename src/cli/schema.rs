//! `schema`: the JSON Schema of the pipeline file, and of its test.

use clap::Args;

use super::output::answer;
use crate::error::Trouble;
use crate::exit::Exit;
use crate::pipeline;

/// Which schema.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Prints that of a test of a pipeline file
    #[arg(long)]
    test: bool,
}

/// Prints it.
pub(super) fn run(flags: &Flags) -> Result<Exit, Trouble> {
    let schema = if flags.test { pipeline::test_schema() } else { pipeline::schema() };
    let text = serde_json::to_string_pretty(&schema)
        .map_err(|error| Trouble::Own(format!("the schema cannot be written down: {error}")))?;
    answer(&(text + "\n"))?;
    Ok(Exit::Done)
}
