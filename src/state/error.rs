//! What can go wrong with a state file, and whose fault that is.
//!
//! Owns: the translation of SQLite's codes into the few things a caller can act on.
//! Leaves to others: the number that the process ends with (`exit.rs`).
//! A newcomer gets wrong: a file that does not belong here is never mended, moved or emptied; it is left as it was.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::model::{IllegalEvent, IntentId, RunId, ServerId, TargetId};

/// A failed act on a state file.
#[derive(Debug, thiserror::Error)]
#[error("could not {tried} `{}`: {fault}; {}", file.display(), fault.hint())]
pub struct StateError {
    /// What was tried, as it reads after "could not".
    pub tried: &'static str,
    /// The file, or the folder if that is what stands in the way.
    pub file: PathBuf,
    /// What was found.
    #[source]
    pub fault: StateFault,
}

/// What was found when a state file was used.
#[derive(Debug, thiserror::Error)]
pub enum StateFault {
    /// Some other program's file, or no database at all.
    #[error("it is not a file of avatarpipe")]
    NotOurs,
    /// Something else stands where a copy is to go.
    #[error("what stands there is not a file of avatarpipe")]
    InTheWay,
    /// Written by a newer program.
    #[error("its schema is version {found}, this program knows up to {known}")]
    Newer {
        /// The file's version.
        found: u32,
        /// The newest version of this program.
        known: u32,
    },
    /// Written by an older program that kept such files differently; only scratch files are refused for it.
    #[error("its schema is version {found}, this program wants {known}")]
    Older {
        /// The file's version.
        found: u32,
        /// The version of this program.
        known: u32,
    },
    /// Its pages, rows or values are not what was written.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// Something in its schema is not ours, or other than we made it: its kind and name.
    #[error("the {0} in it is not as avatarpipe makes it")]
    NotOurSchema(String),
    /// It remembers another pipeline: both names, in words.
    #[error("it belongs to {0}")]
    OtherPipeline(String),
    /// The target's name stands for another server than before.
    #[error("target `{target}` is bound to server `{bound}`, and `{found}` answers now")]
    OtherServer {
        /// The target.
        target: TargetId,
        /// The server in the state.
        bound: ServerId,
        /// The server that answers.
        found: ServerId,
    },
    /// The operating system refuses: permissions, a full disk, a folder that is none.
    #[error("{0}")]
    Unusable(String),
    /// There is no such file.
    #[error("there is no such file")]
    Missing,
    /// The store was opened for looking only.
    #[error("it was opened for reading only")]
    ReadOnly,
    /// An event that cannot follow; nothing was written.
    #[error(transparent)]
    Illegal(Box<IllegalEvent>),
    /// An event for an intent that is not there.
    #[error("there is no intent {}", .0.0)]
    NoIntent(IntentId),
    /// A statement about a run that was never begun.
    #[error("there is no run `{0}`")]
    NoRun(RunId),
    /// The bucket of the state was not reached: what was written last may be there or not.
    #[error("{0}")]
    Unreachable(String),
    /// The lease on the bucket of the state is somebody else's.
    #[error("{0}")]
    LeaseLost(String),
    /// The writer thread is gone.
    #[error("its writer stopped")]
    Stopped,
    /// Anything else is a defect of this program.
    #[error("{0}")]
    Unexpected(String),
}

/// Whether the file or the program is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The state does not belong here: exit code 2.
    DoesNotBelong,
    /// Our own fault, or the machine's: exit code 1.
    Ours,
    /// A bucket did not answer: exit code 6.
    Unreachable,
    /// Another run writes to the state: exit code 7.
    Locked,
}

impl StateError {
    pub(super) fn new(tried: &'static str, file: &Path, fault: impl Into<StateFault>) -> Self {
        Self { tried, file: file.to_owned(), fault: fault.into() }
    }

    /// Who has to mend it.
    pub fn blame(&self) -> Blame {
        match self.fault {
            StateFault::NotOurs
            | StateFault::InTheWay
            | StateFault::Newer { .. }
            | StateFault::Older { .. }
            | StateFault::Damaged(_)
            | StateFault::NotOurSchema(_)
            | StateFault::OtherPipeline(_)
            | StateFault::OtherServer { .. } => Blame::DoesNotBelong,
            StateFault::Unreachable(_) => Blame::Unreachable,
            StateFault::LeaseLost(_) => Blame::Locked,
            StateFault::Unusable(_)
            | StateFault::Missing
            | StateFault::ReadOnly
            | StateFault::Illegal(_)
            | StateFault::NoIntent(_)
            | StateFault::NoRun(_)
            | StateFault::Stopped
            | StateFault::Unexpected(_) => Blame::Ours,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        self.fault.hint()
    }
}

impl StateFault {
    fn hint(&self) -> &'static str {
        match self {
            Self::NotOurs => "name another file under `state.path`; this one was left as it is",
            Self::InTheWay => "it was left as it is: name another file for the copy",
            Self::Newer { .. } => "use the newer program, or put back the copy made when the file was stepped up",
            Self::Older { .. } => "make it again with `plan`",
            Self::Damaged(_) => {
                "it was left as it is: put back a copy, or move it away to begin anew (pictures that look alike are adopted)"
            }
            Self::NotOurSchema(_) => {
                "it was left as it is: somebody changed the file; put back a copy, or move it away to begin anew (pictures that look alike are adopted)"
            }
            Self::OtherPipeline(_) => {
                "give each pipeline a state of its own under `state.path`, or put back the name under `pipeline`"
            }
            Self::OtherServer { .. } => {
                "put back the right `base_url`, or give the other server a target of its own with another `id`"
            }
            Self::Unusable(_) => {
                "see that the folder exists, is writable and has space left, or name another file under `state.path`"
            }
            Self::Unreachable(_) => "what was begun is looked at by the next run: run again when the store is back",
            Self::LeaseLost(_) => "what was begun is looked at by the next run",
            Self::Missing => "`plan` makes it",
            Self::ReadOnly => "only `run` writes to it",
            Self::Illegal(_) | Self::NoIntent(_) | Self::NoRun(_) | Self::Stopped | Self::Unexpected(_) => {
                "this is a defect of avatarpipe; nothing was written"
            }
        }
    }
}

impl StateFault {
    /// The same once more, for everybody whose write shared a commit that failed.
    pub(super) fn repeated(&self) -> Self {
        match self {
            Self::Damaged(why) => Self::Damaged(why.clone()),
            Self::Unusable(why) => Self::Unusable(why.clone()),
            Self::Unreachable(why) => Self::Unreachable(why.clone()),
            Self::LeaseLost(why) => Self::LeaseLost(why.clone()),
            other => Self::Unexpected(other.to_string()),
        }
    }

    /// Of a file that carries our mark: what SQLite cannot make sense of in it is damage.
    pub(super) fn of_ours(self) -> Self {
        match self {
            Self::NotOurs => Self::Damaged("its first page is not a database's".to_owned()),
            Self::Unexpected(why) => Self::Damaged(why),
            other => other,
        }
    }
}

impl From<IllegalEvent> for StateFault {
    fn from(error: IllegalEvent) -> Self {
        // Boxed: it holds a whole event, and every result would be as large.
        Self::Illegal(Box::new(error))
    }
}

impl From<std::io::Error> for StateFault {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::Missing,
            std::io::ErrorKind::IsADirectory => Self::NotOurs,
            _ => Self::Unusable(error.to_string()),
        }
    }
}

impl From<rusqlite::Error> for StateFault {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotOurs,
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged(error.to_string()),
            Some(
                ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked,
            ) => Self::Unusable(error.to_string()),
            _ => match error {
                E::FromSqlConversionFailure(..) | E::InvalidColumnType(..) | E::IntegralValueOutOfRange(..) => {
                    Self::Damaged(error.to_string())
                }
                _ => Self::Unexpected(error.to_string()),
            },
        }
    }
}
