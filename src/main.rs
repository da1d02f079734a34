//! The command `avatarpipe`: what was typed → one command → its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    avatarpipe::main().into()
}
