//! `schema`: the JSON Schema of the pipeline file.

use super::output::answer;
use crate::error::Trouble;
use crate::exit::Exit;

/// Prints it.
pub(super) fn run() -> Result<Exit, Trouble> {
    let text = serde_json::to_string_pretty(&crate::pipeline::schema())
        .map_err(|error| Trouble::Own(format!("the schema cannot be written down: {error}")))?;
    answer(&(text + "\n"))?;
    Ok(Exit::Done)
}
