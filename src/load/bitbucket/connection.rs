//! What all sessions of a target share.
//!
//! Owns: what is known about the server during a run, and the way in.
//! Leaves to others: the calls (`client.rs`).
//! A newcomer gets wrong: what is known is read as a copy; what is learnt meanwhile shows in the next one.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::http::{Client as HttpClient, Cookies, Failure};
use crate::load::Fingerprinter;
use crate::load::account_filter::AccountFilter;
use crate::load::atlassian::client::{AtlassianClient, Login};
use crate::model::{ServerId, TargetId};
use crate::settings::{self, AtlassianCredential};

/// Whether the server tells which picture an account shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sight {
    /// By the version in the link to it.
    #[default]
    Versions,
    /// Of nobody: there is no link, or never a version in it. Then only our own record tells.
    Nothing,
}

/// What this run has learnt about the server.
#[derive(Clone, Debug, Default)]
pub(super) struct BitbucketKnowledge {
    pub server: Option<ServerId>,
    /// The REST version that answers: `latest`, or `1.0` on an old one.
    pub root: Option<&'static str>,
    /// The server names us in a header of every answer.
    pub named: bool,
    /// A listing of this run showed the version of somebody's picture.
    pub versions: bool,
    /// Pictures that were taken in this run.
    pub posted: u64,
    /// The last survey told of nobody what is shown.
    pub sight: Sight,
    /// When the last survey began, in Unix seconds.
    pub surveyed_at: u64,
    /// What the last survey cost.
    pub survey_requests: Option<u64>,
}

/// Everything that the sessions of a target share.
pub(super) struct BitbucketConnection {
    pub id: TargetId,
    pub credential: AtlassianCredential,
    /// How long a slow server may still be at a write that nobody answered.
    pub quiet: Duration,
    pub accounts: AccountFilter,
    pub looks: Arc<dyn Fingerprinter>,
    login: Arc<Login>,
    known: RwLock<BitbucketKnowledge>,
}

impl BitbucketConnection {
    pub(super) fn new(
        target: &settings::Target,
        bitbucket: &settings::Bitbucket,
        looks: Arc<dyn Fingerprinter>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            id: target.id.clone(),
            credential: bitbucket.credential.clone(),
            quiet: target.quiet,
            accounts: AccountFilter::new(&target.accounts),
            looks,
            login: Login::new(&bitbucket.credential),
            known: RwLock::default(),
        })
    }

    pub(super) fn known(&self) -> BitbucketKnowledge {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn learn(&self, change: impl FnOnce(&mut BitbucketKnowledge)) {
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// A way in of its own, with a jar where there is a password to sign in again.
    pub(super) fn way_in(&self, http: &HttpClient) -> Result<AtlassianClient, Failure> {
        let cookies = if self.credential.is_token() { Cookies::Refuse } else { Cookies::Keep };
        Ok(AtlassianClient::new(http.session(cookies)?, Arc::clone(&self.login)))
    }
}
