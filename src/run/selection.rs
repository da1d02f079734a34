//! What `--only`, `--target` and `--plan` leave out of a decided plan.
//!
//! Owns: the three of them. Leaves to others: whom a name means (`only`), the plan's file (`saved`), when a change is one
//! that was reviewed (`reviewed`), flags (`cli`).
//! A newcomer gets wrong: a reviewed plan is of everybody, and narrows nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::model::{Digest, Place, RunId, ServerId, TargetId};

/// Which of the decided changes are made.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Whom; empty: everybody.
    pub only: Vec<Only>,
    /// Targets; empty: all.
    pub targets: Vec<TargetId>,
    /// The plan that was reviewed.
    pub reviewed: Option<SavedPlan>,
}

/// Whom to serve, as somebody wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Only {
    /// A name, e-mail address or id of a person or account.
    pub name: String,
    /// Where it stands in a list; `None`: on the command line.
    pub place: Option<Place>,
}

impl fmt::Display for Only {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.escape_debug();
        match &self.place {
            Some(place) => write!(f, "{place}: {name}"),
            None => write!(f, "--only {name}"),
        }
    }
}

impl Selection {
    /// Whether only some accounts are selected.
    pub fn narrows(&self) -> bool {
        !(self.only.is_empty() && self.targets.is_empty())
    }

    /// Whether everybody is served: a reviewed plan is of everybody, too.
    pub fn is_whole(&self) -> bool {
        !self.narrows()
    }

    /// Whether a target is selected.
    pub fn has_target(&self, target: &TargetId) -> bool {
        self.targets.is_empty() || self.targets.contains(target)
    }
}

/// A plan that `plan --out` saved ([`super::saved`]), and that read as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedPlan {
    /// The pipeline's name.
    pub pipeline: String,
    /// Its digest, which stands on the pages that were reviewed.
    pub digest: Digest,
    /// The last run that the state knew when it was made; `None`: of none, or a plan of an older version.
    pub last_run: Option<RunId>,
    /// Who is to be written to.
    pub servers: BTreeMap<TargetId, ServerId>,
    /// Its file.
    pub file: PathBuf,
}
