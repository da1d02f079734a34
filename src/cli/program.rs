//! `${cmd:…}`: what a program prints.
//!
//! Owns: running it, once for each process, for so long and no longer. Leaves to others: taking the command apart, and that its
//! output is a secret (`pipeline`).
//! A newcomer gets wrong: what it says on standard error goes nowhere, since programs that keep secrets print them there, too;
//! and its end is the end of its output, although a child that it left behind may hold that open for ever.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, Signal, kill_process_group};

/// The longest value, in bytes.
const LARGEST: u64 = 64 << 10;

/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(60);

type Outputs = BTreeMap<Vec<String>, Result<String, String>>;

/// What this process had run. The same secret may stand in several places, and some stores give each token once.
static OUTPUTS: Mutex<Outputs> = Mutex::new(BTreeMap::new());

/// When the command that wants the values has to be done.
static DONE_BY: OnceLock<Instant> = OnceLock::new();

/// The command that wants the values may take this long, and so no program takes longer.
pub(super) fn within(most: Option<Duration>) {
    if let Some(by) = most.and_then(|most| Instant::now().checked_add(most)) {
        _ = DONE_BY.set(by);
    }
}

/// How long a program that begins now may take.
fn patience(done_by: Option<Instant>) -> Duration {
    done_by.map_or(PATIENCE, |by| PATIENCE.min(by.saturating_duration_since(Instant::now())))
}

/// What a program prints; the error says how it went, and nothing that it printed.
pub(super) fn output(command: &[String]) -> Result<String, String> {
    let mut known = OUTPUTS.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(command.to_vec()).or_insert_with(|| run(command, patience(DONE_BY.get().copied()))).clone()
}

fn run(command: &[String], patience: Duration) -> Result<String, String> {
    let Some((program, arguments)) = command.split_first() else { return Err("it has no name".to_owned()) };
    let until = Instant::now() + patience;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    // A group of its own, so that it can be ended with all that it began.
    let mut child = command.process_group(0).spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => "there is no such program".to_owned(),
        _ => format!("it could not be started: {error}"),
    })?;
    let printed = printed(&mut child, until, patience);
    if printed.is_err() {
        end(&mut child);
    }
    let (bytes, status) = printed?;
    if !status.success() {
        return Err(match status.code() {
            Some(code) => format!("it ended in {code}"),
            None => "a signal ended it".to_owned(),
        });
    }
    String::from_utf8(bytes).map_err(|_| "what it printed is not UTF-8 text".to_owned())
}

/// All that it printed before it ended, and how it ended.
fn printed(child: &mut Child, until: Instant, patience: Duration) -> Result<(Vec<u8>, ExitStatus), String> {
    let unreadable = |error: std::io::Error| format!("its output cannot be read: {error}");
    let Some(mut out) = child.stdout.take() else { return Err("its output cannot be read".to_owned()) };
    ioctl_fionbio(&out, true).map_err(|error| unreadable(error.into()))?;
    let mut bytes = Vec::new();
    loop {
        // Asked before the last look: what it printed stands there by then.
        let ended = child.try_wait().map_err(|error| format!("how it ended is not known: {error}"))?;
        drain(&mut out, &mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > LARGEST {
            return Err(format!("it printed more than {} KiB", LARGEST >> 10));
        }
        match ended {
            Some(status) => return Ok((bytes, status)),
            None if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
            None => return Err(format!("it did not end within {:.0} s", patience.as_secs_f64())),
        }
    }
}

/// What stands there now, and no more than is wanted.
fn drain(out: &mut ChildStdout, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    let room = (LARGEST + 1).saturating_sub(bytes.len() as u64);
    match out.take(room).read_to_end(bytes) {
        Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
        _ => Ok(()),
    }
}

/// Ends it and whatever it began; that it is gone already is no fault.
fn end(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        _ = kill_process_group(group, Signal::KILL);
    }
    _ = child.wait();
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
            ("exec >&-; sleep 0", Ok("")),
        ] {
            assert_eq!(shell(script, PATIENCE), expected.map(str::to_owned).map_err(str::to_owned), "{script}");
        }
        let none = run(&["no-such-program-anywhere".to_owned()], PATIENCE);
        assert_eq!(none, Err("there is no such program".to_owned()));
    }

    #[test]
    fn no_program_takes_longer_than_the_command_that_wants_its_value() {
        let now = Instant::now();
        assert_eq!((patience(None), patience(now.checked_add(PATIENCE * 9))), (PATIENCE, PATIENCE));
        assert!(patience(now.checked_add(Duration::from_secs(3))) <= Duration::from_secs(3));
        assert_eq!(patience(Some(now)), Duration::ZERO);
    }

    #[test]
    fn its_end_is_the_end_of_its_output_whatever_it_leaves_behind() {
        let begun = Instant::now();
        let found = shell("{ sleep 30; echo more; } & printf secret", PATIENCE);
        assert_eq!(found.as_deref(), Ok("secret"));
        assert!(begun.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn nobody_waits_for_a_program_that_does_not_end_and_nothing_of_it_survives() {
        for script in ["exec sleep 600", "exec >&-; exec sleep 600"] {
            let found = shell(script, Duration::from_millis(300));
            assert_eq!(found, Err("it did not end within 0 s".to_owned()), "{script}");
        }
        let folder = tempfile::tempdir().unwrap();
        let (pipe, path) = (folder.path().join("pipe"), folder.path().join("pipe").display().to_string());
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        // Only a child of the program holds the writing end: when reading comes to an end, the child is gone.
        let reader = std::thread::spawn(move || std::fs::read(&pipe));
        let script = format!("sh -c 'exec sleep 600' >'{path}' & wait");
        assert!(shell(&script, Duration::from_secs(1)).is_err());
        assert_eq!(reader.join().unwrap().unwrap(), b"");
    }
}
