//! `man`: the manual pages, for packagers.

use std::path::PathBuf;

use clap::{Args, Command};

use super::output::answer;
use crate::error::Trouble;
use crate::exit::Exit;

/// Which pages, and where to.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Writes `avatarpipe.1` and a page for each command into this folder
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints the page of the program, or writes all.
pub(super) fn run(flags: &Flags, command: Command) -> Result<Exit, Trouble> {
    match &flags.dir {
        Some(dir) => std::fs::create_dir_all(dir)
            .and_then(|()| clap_mangen::generate_to(command, dir))
            .map_err(Trouble::file(format!("write manual pages to {}", dir.display())))?,
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page).map_err(Trouble::file("write the manual page"))?;
            answer(&String::from_utf8_lossy(&page))?;
        }
    }
    Ok(Exit::Done)
}
