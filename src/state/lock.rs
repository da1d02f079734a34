//! One run at a time: an operating-system lock on a file beside the state (docs/architecture.md, "Lock").
//!
//! Owns: taking the lock, saying who holds it, and making the state's folder.
//! Leaves to others: what a second run does then (exit code 7, `cli`).
//! A newcomer gets wrong: the lock is the kernel's and not the file's existence. The file stays behind and means nothing;
//! deleting it while a run is alive would let a second one in.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{StateError, StateFault};
use super::file::{beside, make_folder, private};
use crate::model::RunId;

/// Who has the lock, as written into the lock file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id on that machine.
    pub pid: u32,
    /// The machine's name.
    pub host: String,
    /// The run.
    pub run: RunId,
    /// When it took the lock, as the run spells it.
    pub since: String,
}

impl Holder {
    /// This process.
    pub fn here(run: RunId, since: impl Into<String>) -> Self {
        Self { pid: std::process::id(), host: host(), run, since: since.into() }
    }

    /// Who had the lock of this state last, without touching it: to try it would keep a run out that begins right now.
    pub fn last(state: &Path) -> Option<Self> {
        let path = beside(state, ".lock");
        let is_file = std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_file());
        read_holder(&mut File::open(path).ok().filter(|_| is_file)?)
    }

    /// Whether its process is still there and has a lock; `None`: nobody can tell from here. A number alone does not do: after
    /// a while, or in a container, it is that of another process.
    pub fn is_alive(&self) -> Option<bool> {
        let processes = Path::new("/proc");
        let can_tell = self.host == host() && processes.join("self").exists();
        // proc_locks(5); without it, as in some sandboxes, the number has to do.
        let has_a_lock =
            || std::fs::read_to_string(processes.join("locks")).map_or(true, |all| is_listed(&all, self.pid));
        can_tell.then(|| processes.join(self.pid.to_string()).exists() && has_a_lock())
    }
}

/// Whoever copies a state takes the lock, too, and does not say who they are.
fn locked_by(holder: Option<&Holder>) -> String {
    match holder {
        None => "another run".to_owned(),
        Some(last) if last.is_alive() == Some(false) => {
            format!(
                "somebody else than a run, such as a job that copies it (the last run there, {}, is over)",
                last.run
            )
        }
        Some(holder) => holder.to_string(),
    }
}

/// Whether `/proc/locks` names a lock of this process, as `1: FLOCK  ADVISORY  WRITE 24471 fe:00:10430950 0 EOF`.
fn is_listed(locks: &str, pid: u32) -> bool {
    let pid = pid.to_string();
    locks.lines().any(|line| {
        let mut words = line.split_whitespace().skip(1);
        words.next() == Some("FLOCK") && words.nth(2) == Some(&pid)
    })
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run {} (process {} on {}, since {})", self.run, self.pid, self.host, self.since)
    }
}

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run holds it: exit code 7.
    #[error("the state is locked by {}: `{}`; wait for it to end", locked_by(.holder.as_ref()), .file.display())]
    Held {
        /// The lock file.
        file: PathBuf,
        /// Who; `None` in the moment before the holder has written it down.
        holder: Option<Holder>,
    },
    /// The folder or the lock file cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
}

/// The right to write to a state. Freed when dropped, or by the kernel when the process dies.
#[derive(Debug)]
pub struct Lock {
    state: PathBuf,
    file: File,
}

impl Lock {
    /// Takes the lock for the state at this path without waiting. Makes the folder if it is missing.
    pub fn acquire(state: &Path, holder: &Holder) -> Result<Self, LockError> {
        let path = beside(state, ".lock");
        // A pipe would keep whoever opens it waiting, and beside a device nothing is to be left.
        for file in [state, &path] {
            if std::fs::metadata(file).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
                return Err(StateError::new("open the state", file, StateFault::NotOurs).into());
            }
        }
        make_folder(state)?;
        // Who holds the lock is written into it: through a link that would be somebody else's file.
        if path.is_symlink() {
            let fault = StateFault::Unusable("it is a link".to_owned());
            return Err(StateError::new("lock", &path, fault).into());
        }
        let mut options = OpenOptions::new();
        // Not truncated: until the lock is ours, the text in it is somebody else's.
        options.read(true).write(true).create(true).truncate(false);
        let mut file = private(&mut options).open(&path).map_err(|e| unusable("write to the folder of", state, &e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held { holder: read_holder(&mut file), file: path });
            }
            Err(TryLockError::Error(e)) => return Err(unusable("lock", &path, &e).into()),
        }
        write_holder(&mut file, holder).map_err(|e| unusable("write to", &path, &e))?;
        Ok(Self { state: state.to_owned(), file })
    }

    /// The state that is locked.
    pub fn state(&self) -> &Path {
        &self.state
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // To close the file would not do: a child that this process is just starting has it open until it is another
        // program. If this fails the end of the process frees the lock.
        _ = self.file.unlock();
    }
}

fn unusable(tried: &'static str, file: &Path, error: &io::Error) -> StateError {
    StateError::new(tried, file, StateFault::Unusable(error.to_string()))
}

fn write_holder(file: &mut File, holder: &Holder) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(serde_json::to_string(holder)?.as_bytes())
}

/// The text may be missing or half written, and some systems refuse to read a locked file: then the holder is unknown.
fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// The machine's name.
pub(crate) fn host() -> String {
    let named =
        ["/proc/sys/kernel/hostname", "/etc/hostname"].iter().find_map(|path| std::fs::read_to_string(path).ok());
    named
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "an unnamed machine".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(run: &str) -> Holder {
        Holder::here(run.into(), "2026-11-23T08:00:00Z")
    }

    #[test]
    fn the_second_one_is_told_who_holds_it_until_the_first_lets_go() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("new/corporate.db");
        let first = Lock::acquire(&state, &holder("run-1")).unwrap();
        let error = Lock::acquire(&state, &holder("run-2")).unwrap_err();
        match &error {
            LockError::Held { holder: Some(h), .. } => assert_eq!(*h, holder("run-1")),
            other => panic!("{other:?}"),
        }
        let text = error.to_string();
        assert!(text.contains("run-1") && text.contains(&std::process::id().to_string()), "{text}");
        drop(first);
        Lock::acquire(&state, &holder("run-with-a-longer-name")).unwrap();
        let third = Lock::acquire(&state, &holder("r3")).unwrap();
        match Lock::acquire(&state, &holder("r4")).unwrap_err() {
            LockError::Held { holder: Some(h), .. } => assert_eq!(h.run, "r3".into()),
            other => panic!("{other:?}"),
        }
        drop(third);
    }

    #[test]
    fn a_holder_that_cannot_be_read_is_just_another_run() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("corporate.db");
        let lock = File::create(beside(&state, ".lock")).unwrap();
        lock.lock().unwrap();
        let error = Lock::acquire(&state, &holder("run-2")).unwrap_err();
        assert!(matches!(error, LockError::Held { holder: None, .. }), "{error:?}");
        assert!(error.to_string().contains("another run"), "{error}");
    }

    #[test]
    fn a_dropped_lock_is_free_though_somebody_has_the_file_open_too() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("corporate.db");
        let lock = Lock::acquire(&state, &holder("run-1")).unwrap();
        let _shared = lock.file.try_clone().unwrap();
        drop(lock);
        Lock::acquire(&state, &holder("run-2")).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "x").unwrap();
        let error = Lock::acquire(&file.join("corporate.db"), &holder("run-1")).unwrap_err();
        assert!(matches!(error, LockError::State(_)), "{error:?}");
        assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
    }

    /// Run as a child by the next test; holds the lock until it is killed.
    #[test]
    #[ignore = "is the child of `a_killed_process_frees_the_lock`"]
    fn child_holds_the_lock() {
        let Some(state) = std::env::var_os("AVATARPIPE_TEST_LOCK") else { return };
        let _lock = Lock::acquire(Path::new(&state), &holder("child")).unwrap();
        println!("locked");
        io::stdin().read_line(&mut String::new()).unwrap();
    }

    #[test]
    fn a_killed_process_frees_the_lock() {
        use std::io::{BufRead, BufReader};
        use std::process::{Command, Stdio};

        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("corporate.db");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "state::lock::tests::child_holds_the_lock", "--ignored", "--nocapture"])
            .env("AVATARPIPE_TEST_LOCK", &state)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("locked")), "the child never took the lock");
        match Lock::acquire(&state, &holder("parent")).unwrap_err() {
            LockError::Held { holder: Some(h), .. } => assert_eq!((h.pid, h.run), (child.id(), "child".into())),
            other => panic!("{other:?}"),
        }
        child.kill().unwrap();
        child.wait().unwrap();
        Lock::acquire(&state, &holder("parent")).unwrap();
    }

    #[test]
    fn who_had_the_lock_last_is_told_without_taking_it() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("x.db");
        assert_eq!(Holder::last(&state), None);
        let lock = Lock::acquire(&state, &holder("one")).unwrap();
        let last = Holder::last(&state).unwrap();
        assert_eq!((last.run.as_str(), last.is_alive()), ("one", Some(true)));
        let over = Holder { pid: u32::MAX, ..last.clone() };
        assert_eq!(
            locked_by(Some(&over)),
            "somebody else than a run, such as a job that copies it (the last run there, one, is over)"
        );
        drop(lock);
        assert!(!is_listed(
            "1: FLOCK  ADVISORY  WRITE 1234 fe:00:12 0 EOF\n2: POSIX  ADVISORY  READ 7 fe:00:13 0 EOF\n",
            7
        ));
        assert!(is_listed("1: FLOCK  ADVISORY  WRITE 1234 fe:00:12 0 EOF\n", 1234));
        // Larger than any process id.
        assert_eq!(Holder { pid: u32::MAX, ..last.clone() }.is_alive(), Some(false));
        assert_eq!(Holder { host: "elsewhere".to_owned(), ..last }.is_alive(), None);
    }
}
