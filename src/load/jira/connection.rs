//! What the sessions of a target share: its settings, and what is known about its server during a run.
//!
//! Owns: the memory of a run, and the word of each way that pictures can go. Leaves to others: what is asked, and of whom
//! (`client.rs`).
//! A newcomer gets wrong: what is learnt here ends with the run; what a later one may know is in `Learnt`.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use crate::http::Failure;
use crate::load::account_filter::AccountFilter;
use crate::load::atlassian::client::Login;
use crate::load::{Compared, Fingerprinter};
use crate::model::{PictureRef, ServerId, TargetId};
use crate::settings::{self, AtlassianCredential, JiraUpload, Ownership};

use super::version::{JiraVersion, ListingWay};

/// The way pictures go, once decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UploadRoute {
    Session,
    OneStep,
}

impl UploadRoute {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::OneStep => "one_step",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        [Self::Session, Self::OneStep].into_iter().find(|route| route.word() == word)
    }
}

/// What this run has learnt about the server.
#[derive(Clone, Debug, Default)]
pub(super) struct JiraKnowledge {
    pub server: Option<ServerId>,
    pub version: Option<JiraVersion>,
    /// Told apart from what the version promises once an early 10.3 has answered 404.
    pub way: Option<ListingWay>,
    pub default: Option<PictureRef>,
    /// The default is asked for once in a run, so that the confirming survey costs what was forecast.
    pub default_asked: bool,
    pub route: Option<UploadRoute>,
    /// What the last survey cost, without questions that are not asked again.
    pub survey_requests: Option<u64>,
}

/// Everything that the sessions of a target share.
pub(super) struct JiraConnection {
    /// The `id` in the pipeline file.
    pub id: TargetId,
    /// How we sign in.
    pub credential: AtlassianCredential,
    /// Which way pictures go.
    pub upload: JiraUpload,
    /// How long a slow server may still be at a write that nobody answered.
    pub quiet: Duration,
    /// What becomes of a picture that was planned with as ours, and turns out to be the person's own right before a write.
    /// Replaced or taken off like any other, it stays among the person's avatars.
    pub ownership: Ownership,
    /// Which accounts are selected.
    pub accounts: AccountFilter,
    pub login: Arc<Login>,
    pub looks: Arc<dyn Fingerprinter>,
    known: RwLock<JiraKnowledge>,
    /// Which pictures of this run were looked at.
    pub compared: Compared,
    /// The server takes only the multipart variant of the upload.
    pub multipart: AtomicBool,
    /// How many confirmations in a row found no temporary avatar.
    pub losses: AtomicU32,
    /// How many pictures were made for another account, to which the name had passed.
    pub strays: AtomicU32,
    /// Whether the account may write for others; asked after the first 403.
    pub administers: OnceLock<bool>,
}

impl JiraConnection {
    pub(super) fn new(
        target: &settings::Target,
        jira: &settings::Jira,
        looks: Arc<dyn Fingerprinter>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            id: target.id.clone(),
            credential: jira.credential.clone(),
            upload: jira.upload,
            quiet: target.quiet,
            ownership: target.ownership.value,
            accounts: AccountFilter::new(&target.accounts),
            login: Login::new(&jira.credential),
            looks,
            known: RwLock::default(),
            compared: Compared::default(),
            multipart: AtomicBool::new(false),
            losses: AtomicU32::new(0),
            strays: AtomicU32::new(0),
            administers: OnceLock::new(),
        })
    }

    pub(super) fn known(&self) -> JiraKnowledge {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn learn(&self, change: impl FnOnce(&mut JiraKnowledge)) {
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether names pass from one account to another while this run is at it.
    pub(super) fn names_pass(&self) -> bool {
        self.strays.load(Ordering::Relaxed) > 0
    }

    pub(super) fn is_token(&self) -> bool {
        self.credential.is_token()
    }
}
