//! What all sessions of a target share.
//!
//! Owns: what is known about the server during a run, and the way in.
//! Leaves to others: the calls (`client.rs`, `remote.rs`).
//! A newcomer gets wrong: what is known is read as a copy; what is learnt meanwhile shows in the next one.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::http::{Client as HttpClient, Cookies, Failure};
use crate::load::Fingerprinter;
use crate::load::account_filter::AccountFilter;
use crate::load::atlassian::client::{AtlassianClient, Login};
use crate::model::{AccountKey, ServerId, TargetId};
use crate::secret::Secret;
use crate::settings::{self, AtlassianCredential, ConfluenceUpload};

use super::removals::Removals;
use super::version::ConfluenceVersion;

/// What this run has learnt about the server.
#[derive(Clone, Debug, Default)]
pub(super) struct ConfluenceKnowledge {
    pub server: Option<ServerId>,
    pub version: Option<ConfluenceVersion>,
    /// The path of the default picture, without the context path, as a default account shows it.
    pub default_path: Option<String>,
    /// The remote API answered, or the endpoint did.
    pub probed: bool,
    /// From `confluence2.login`, where the remote API does not honour the login of the request.
    pub token: Option<Secret>,
    /// When the last survey began, in Unix seconds.
    pub surveyed_at: u64,
    /// `user/list` is there; told apart from what the version promises once it has answered 404.
    pub listed: Option<bool>,
    /// What the last survey cost, without questions that are not asked again.
    pub survey_requests: Option<u64>,
    /// Files that were to go.
    pub removals: Removals,
}

/// Everything that the sessions of a target share.
pub(super) struct ConfluenceConnection {
    pub id: TargetId,
    pub credential: AtlassianCredential,
    pub upload: ConfluenceUpload,
    /// `match` asks for the mail addresses of accounts: one more listing, which newer releases have, tells them.
    pub with_addresses: bool,
    /// How long a slow server may still be at a write that nobody answered.
    pub quiet: Duration,
    pub accounts: AccountFilter,
    pub looks: Arc<dyn Fingerprinter>,
    login: Arc<Login>,
    known: RwLock<ConfluenceKnowledge>,
}

impl ConfluenceConnection {
    pub(super) fn new(
        target: &settings::Target,
        confluence: &settings::Confluence,
        looks: Arc<dyn Fingerprinter>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            id: target.id.clone(),
            credential: confluence.credential.clone(),
            upload: confluence.upload.clone(),
            with_addresses: target.matching.asks_for(AccountKey::Email),
            quiet: target.quiet,
            accounts: AccountFilter::new(&target.accounts),
            looks,
            login: Login::new(&confluence.credential),
            known: RwLock::default(),
        })
    }

    pub(super) fn known(&self) -> ConfluenceKnowledge {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn learn(&self, change: impl FnOnce(&mut ConfluenceKnowledge)) {
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// A way in of its own. Without its cookie every request of a password opens a server session
    /// (docs/wire/atlassian.md §2.1); the one named in a token's cookie is dead already.
    pub(super) fn way_in(&self, http: &HttpClient) -> Result<AtlassianClient, Failure> {
        let cookies = if self.credential.is_token() { Cookies::Refuse } else { Cookies::Keep };
        Ok(AtlassianClient::new(http.session(cookies)?, Arc::clone(&self.login)))
    }
}
