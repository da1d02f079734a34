//! A source or target that failed as a whole, in words that say what to do.
//!
//! Owns: that none of these words is a secret, or goes on for too long. Leaves to others: choosing them.
//! A newcomer gets wrong: a hint may quote the server, too, so it is cleaned like the rest.

use std::fmt;

use crate::secret::brief;

/// Which way a whole source or target failed; each has its exit code (docs/command-line.md, "Exit codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// Sign-in or permission refused: exit code 5.
    Refused,
    /// Not reached, or failed as a whole: exit code 6.
    Unreachable,
    /// It answered something that is not the documented interface: exit code 6.
    Odd,
    /// The file points at the wrong thing, such as another server than last time: exit code 2.
    Misconfigured,
    /// We were told to stop: exit code 8.
    Stopped,
    /// This machine, such as a full disk, or this program: exit code 1.
    Local,
    /// Another run writes in our place: exit code 7.
    Locked,
}

/// Why a source or target could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which way.
    pub kind: FailureKind,
    /// What was tried: `GET https://jira.example.com/rest/api/2/myself`. Holds no secret.
    pub tried: String,
    /// What was found: `401, X-Seraph-LoginReason: AUTHENTICATED_FAILED`. Holds no secret.
    pub found: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What has to be granted first, where that is all that is wrong: a scope, a role. For `auth`, which tells it apart.
    pub lacks: Option<String>,
}

impl Failure {
    /// A failure without a hint.
    pub fn new(kind: FailureKind, tried: impl Into<String>, found: impl Into<String>) -> Self {
        Self { kind, tried: brief(&tried.into()), found: brief(&found.into()), hint: None, lacks: None }
    }

    /// How work ended by it, in a word: a stop is no failure of whoever was asked.
    pub(crate) fn end(&self) -> &'static str {
        if self.kind == FailureKind::Stopped { "stopped" } else { "failed" }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(brief(&hint.into()));
        self
    }

    /// The same, with what has to be granted first.
    #[must_use]
    pub fn lacks(mut self, what: Option<String>) -> Self {
        self.lacks = what;
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.tried, self.found)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
