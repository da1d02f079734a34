//! How a command ends, as a number.
//!
//! Owns: the exit codes (docs/command-line.md) and which of several counts. Leaves to others: what went wrong
//! (`error`).
//! A newcomer gets wrong: the number is not the severity; the order is its own list ([`Exit::rank`]).

use std::process::ExitCode;

use crate::http::FailureKind;

/// The exit codes (docs/command-line.md, "Exit codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Our own fault.
    OwnFault,
    /// Command line, pipeline file, or a state that does not belong here.
    Usage,
    /// Finished, but some people failed; of `status --max-age`: the last success is too old.
    SomeFailed,
    /// A limit stopped a target; nothing was written to it.
    Limit,
    /// Sign-in or permission refused.
    Refused,
    /// A source or target could not be reached, or failed as a whole.
    Unreachable,
    /// Another run holds the lock.
    Locked,
    /// Stopped by signal or time budget.
    Stopped,
    /// `plan --detailed-exitcode`: changes are pending.
    Pending,
}

impl Exit {
    /// Every one, by number.
    pub const ALL: [Self; 10] = [
        Self::Done,
        Self::OwnFault,
        Self::Usage,
        Self::SomeFailed,
        Self::Limit,
        Self::Refused,
        Self::Unreachable,
        Self::Locked,
        Self::Stopped,
        Self::Pending,
    ];

    /// The number for the shell.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::OwnFault => 1,
            Self::Usage => 2,
            Self::SomeFailed => 3,
            Self::Limit => 4,
            Self::Refused => 5,
            Self::Unreachable => 6,
            Self::Locked => 7,
            Self::Stopped => 8,
            Self::Pending => 10,
        }
    }

    /// The `outcome` in `run.json`.
    pub fn outcome(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::OwnFault | Self::Usage => "failed",
            Self::SomeFailed => "partial",
            Self::Limit => "limit",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Locked => "locked",
            Self::Stopped => "stopped",
            Self::Pending => "planned",
        }
    }

    /// The smaller counts when several hold: 1, 7, 2, 5, 6, 4, 8, 3, 10, 0.
    fn rank(self) -> u8 {
        match self {
            Self::OwnFault => 0,
            Self::Locked => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Unreachable => 4,
            Self::Limit => 5,
            Self::Stopped => 6,
            Self::SomeFailed => 7,
            Self::Pending => 8,
            Self::Done => 9,
        }
    }

    /// Of two that hold, the one that counts.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if other.rank() < self.rank() { other } else { self }
    }
}

impl From<FailureKind> for Exit {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Refused => Self::Refused,
            FailureKind::Unreachable | FailureKind::Odd => Self::Unreachable,
            FailureKind::Misconfigured => Self::Usage,
            FailureKind::Stopped => Self::Stopped,
            FailureKind::Local => Self::OwnFault,
            FailureKind::Locked => Self::Locked,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_in_the_order_of_the_design_counts() {
        let order = [1, 7, 2, 5, 6, 4, 8, 3, 10, 0];
        let place = |exit: Exit| order.iter().position(|code| *code == exit.code()).unwrap();
        for left in Exit::ALL {
            for right in Exit::ALL {
                assert_eq!(place(left.and(right)), place(left).min(place(right)), "{left:?} {right:?}");
            }
        }
    }
}
