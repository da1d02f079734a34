//! `${cmd:…}`: what a program prints.
//!
//! Owns: running it, once for each process, for so long and no longer. Leaves to others: taking the command apart, and that its
//! output is a secret (`pipeline`).
//! A newcomer gets wrong: what it says on standard error goes nowhere, since programs that keep secrets print them there, too;
//! and it is not waited for whoever it left behind: a child of its own may hold its output open for ever.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The longest value, in bytes.
const LARGEST: u64 = 64 << 10;

/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(60);

type Outputs = BTreeMap<Vec<String>, Result<String, String>>;

/// What this process had run. The same secret may stand in several places, and some stores give each token once.
static OUTPUTS: Mutex<Outputs> = Mutex::new(BTreeMap::new());

/// What a program prints; the error says how it went, and nothing that it printed.
pub(super) fn output(command: &[String]) -> Result<String, String> {
    let mut known = OUTPUTS.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(command.to_vec()).or_insert_with(|| run(command, PATIENCE)).clone()
}

fn run(command: &[String], patience: Duration) -> Result<String, String> {
    let Some((program, arguments)) = command.split_first() else { return Err("it has no name".to_owned()) };
    let until = Instant::now() + patience;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => "there is no such program".to_owned(),
        _ => format!("it could not be started: {error}"),
    })?;
    let printed = read(&mut child, until);
    if printed.is_err() {
        // Whoever prints on, or is not done, is ended; that it is gone already is no fault.
        _ = child.kill();
    }
    let ended = wait(&mut child, until);
    let (bytes, status) = (printed?, ended?);
    if !status.success() {
        return Err(match status.code() {
            Some(code) => format!("it ended in {code}"),
            None => "a signal ended it".to_owned(),
        });
    }
    String::from_utf8(bytes).map_err(|_| "what it printed is not UTF-8 text".to_owned())
}

fn late() -> String {
    format!("it did not end within {} s", PATIENCE.as_secs())
}

/// All that it prints. The thread that reads stays behind where somebody else holds the output open.
fn read(child: &mut Child, until: Instant) -> Result<Vec<u8>, String> {
    let Some(out) = child.stdout.take() else { return Err("its output cannot be read".to_owned()) };
    let (told, heard) = sync_channel(1);
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = out.take(LARGEST + 1).read_to_end(&mut bytes).map(|_| bytes);
        _ = told.send(read);
    });
    match heard.recv_timeout(until.saturating_duration_since(Instant::now())) {
        Ok(Ok(bytes)) if bytes.len() as u64 > LARGEST => Err(format!("it printed more than {} KiB", LARGEST >> 10)),
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(format!("its output cannot be read: {error}")),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Err(late()),
    }
}

/// How it ended. Its output may be closed before.
fn wait(child: &mut Child, until: Instant) -> Result<ExitStatus, String> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
            Ok(None) => {
                _ = child.kill();
                _ = child.wait();
                return Err(late());
            }
            Err(error) => return Err(format!("how it ended is not known: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, patience: Duration) -> Result<String, String> {
        run(&["sh", "-c", script].map(str::to_owned), patience)
    }

    #[test]
    fn only_the_output_of_a_good_end_is_taken() {
        for (script, expected) in [
            ("printf 'a b\\n'; echo no >&2", Ok("a b\n")),
            ("printf secret; exit 3", Err("it ended in 3")),
            ("printf secret; kill -9 $$", Err("a signal ended it")),
            ("printf '\\377'", Err("what it printed is not UTF-8 text")),
            ("yes secret", Err("it printed more than 64 KiB")),
            ("cat", Ok("")),
        ] {
            assert_eq!(shell(script, PATIENCE), expected.map(str::to_owned).map_err(str::to_owned), "{script}");
        }
        let none = run(&["no-such-program-anywhere".to_owned()], PATIENCE);
        assert_eq!(none, Err("there is no such program".to_owned()));
    }

    #[test]
    fn nobody_waits_for_a_program_that_does_not_end_nor_for_what_it_leaves_behind() {
        for script in ["exec sleep 600", "exec >&-; exec sleep 600", "sleep 600 & echo secret"] {
            let found = shell(script, Duration::from_millis(300));
            assert_eq!(found, Err(late()), "{script}");
        }
    }
}
