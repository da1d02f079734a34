//! `explain FILE WHO`: all that is known of one person, without a request.

use clap::Args;

use super::output::{OutputFormat, answer_json, answer_page, screen};
use super::pipeline_file::PipelineFile;
use crate::error::Trouble;
use crate::exit::Exit;
use crate::explain::{self, Elements};
use crate::run::facts_path;
use crate::state::Holder;

/// Who is explained.
#[derive(Debug, Args)]
pub(super) struct Flags {
    #[command(flatten)]
    pipeline: PipelineFile,
    /// A person or an account: by name, e-mail, user principal name, id, or the pseudonym of a report
    #[arg(value_name = "WHO")]
    who: String,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = OutputFormat::Human)]
    format: OutputFormat,
}

/// Explains.
pub(super) fn run(flags: &Flags) -> Result<Exit, Trouble> {
    let document = flags.pipeline.document()?;
    let state = flags.pipeline.state(&document, "`explain`")?;
    let found = explain::explain(&state, Elements::of(&document), &flags.who);
    let mut explanation = match found {
        Err(Trouble::Usage(words)) if !facts_path(&state).is_file() => {
            let elsewhere = flags.pipeline.in_sandboxes(&document, "explain", " WHO")?;
            return Err(Trouble::Usage([vec![words], elsewhere].concat().join("; ")));
        }
        found => found?,
    };
    if let Some(run) = &explanation.unfinished {
        explanation.under_way = Holder::last(&state).and_then(|holder| match holder.run.as_str() == run {
            true => holder.is_alive(),
            false => Some(false),
        });
    }
    match flags.format {
        OutputFormat::Human => answer_page(&explain::page(&explanation, screen())),
        OutputFormat::Json => {
            let text = serde_json::to_string_pretty(&explanation)
                .map_err(|error| Trouble::Own(format!("the explanation cannot be written down: {error}")))?;
            answer_json(&(text + "\n"))
        }
    }?;
    Ok(Exit::Done)
}
