//! `completions SHELL`: what a shell needs to complete commands and flags.

use clap::{Args, Command};
use clap_complete::Shell;

use super::output::answer;
use crate::error::Trouble;
use crate::exit::Exit;

/// For whom.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints it.
pub(super) fn run(flags: &Flags, mut command: Command) -> Result<Exit, Trouble> {
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut command, "avatarpipe", &mut script);
    answer(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
