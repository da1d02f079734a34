//! What `auth` was told by each source and target, and by the bucket of reports.
//!
//! Owns: those answers, and the worst exit code. Leaves to others: asking (`auth`, `ask_reports`), words (`cli`).

use crate::exit::Exit;
use crate::http::Failure;
use crate::load::{Server, Tried, Upload};
use crate::model::SignedIn;

/// Whether an upload is tried on the service account itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Uploads {
    /// `--probe`.
    Tried,
    /// Only what reading tells.
    NotTried,
}

/// What one element said.
#[derive(Debug, Default)]
pub(crate) struct ElementReport {
    /// Its `id`.
    pub id: String,
    /// `enabled: false`: it was not asked.
    pub off: bool,
    /// What stands behind a target.
    pub server: Option<Server>,
    /// Who we are there.
    pub signed: Option<SignedIn>,
    /// How pictures go to a target.
    pub upload: Option<Upload>,
    /// What a picture that was sent to the service account itself told, way by way.
    pub tried: Vec<Tried>,
    /// Why the rest is not known.
    pub failure: Option<Failure>,
}

impl ElementReport {
    /// Nothing was said yet.
    pub(super) fn of(id: &str) -> Self {
        Self { id: id.to_owned(), ..Self::default() }
    }

    /// What it adds up to.
    pub(super) fn exit(&self) -> Exit {
        let missing = self.signed.as_ref().is_some_and(|signed| !signed.missing.is_empty());
        let exit = if missing { Exit::Refused } else { Exit::Done };
        self.failure.as_ref().map_or(exit, |failure| exit.and(failure.kind.into()))
    }
}

/// What all of them said, in the order of the file.
#[derive(Debug)]
pub(crate) struct AuthReport {
    /// The sources.
    pub sources: Vec<ElementReport>,
    /// The targets.
    pub targets: Vec<ElementReport>,
    /// The bucket that reports are put into, if the file has one.
    pub reports: Option<ElementReport>,
}

impl AuthReport {
    /// Every one.
    pub(crate) fn all(&self) -> impl Iterator<Item = &ElementReport> {
        self.sources.iter().chain(&self.targets).chain(&self.reports)
    }

    /// The worst that holds.
    pub(crate) fn exit(&self) -> Exit {
        self.all().fold(Exit::Done, |exit, asked| exit.and(asked.exit()))
    }
}
