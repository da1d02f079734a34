//! What all sessions of a target share.
//!
//! Owns: the settings of a `confluence` target, what is known about its server during a run, and the way in.
//! Leaves to others: the calls (`client.rs`, `remote.rs`).
//! A newcomer gets wrong: what is known is read as a copy; what is learnt meanwhile shows in the next one.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::http::{Client as HttpClient, Cookies, Failure};
use crate::load::Fingerprinter;
use crate::load::account_filter::AccountFilter;
use crate::load::atlassian::client::{AtlassianClient, Login};
use crate::model::{ServerId, TargetId};
use crate::secret::Secret;
use crate::settings::{Accounts, AtlassianCredential};

use super::removals::Removals;
use super::version::Version;

/// `upload` of the pipeline file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum UploadPolicy {
    /// The remote API of Confluence.
    #[default]
    XmlRpc,
    /// The script that we ship (`pipelines/confluence-endpoint.groovy`).
    Endpoint,
}

/// Whether `match` asks for the mail addresses of accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Addresses {
    /// It does not, and they are not asked for.
    #[default]
    NotNeeded,
    /// It does: one more listing, which newer releases have, tells them.
    Needed,
}

/// A `confluence` target of the pipeline file, resolved.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The `id` in the pipeline file.
    pub id: TargetId,
    /// How we sign in.
    pub credential: AtlassianCredential,
    /// Which way pictures go.
    pub upload: UploadPolicy,
    /// Where the script answers, below the base URL; used by [`UploadPolicy::Endpoint`] alone.
    pub endpoint: String,
    /// Whether mail addresses are listed.
    pub addresses: Addresses,
    /// How long a slow server may still be at a write that nobody answered.
    pub quiet: Duration,
    /// Which accounts are selected.
    pub accounts: Accounts,
}

/// What this run has learnt about the server.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub server: Option<ServerId>,
    pub version: Option<Version>,
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
pub(super) struct Shared {
    pub settings: Settings,
    pub rules: AccountFilter,
    pub looks: Arc<dyn Fingerprinter>,
    login: Arc<Login>,
    known: RwLock<Known>,
}

impl Shared {
    pub(super) fn new(settings: Settings, looks: Arc<dyn Fingerprinter>) -> Result<Self, Failure> {
        let rules = AccountFilter::new(&settings.accounts)?;
        let login = Login::new(&settings.credential);
        Ok(Self { settings, rules, looks, login, known: RwLock::default() })
    }

    pub(super) fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn learn(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// A way in of its own. Without its cookie every request of a password opens a server session
    /// (docs/wire/atlassian.md §2.1); the one named in a token's cookie is dead already.
    pub(super) fn way_in(&self, http: &HttpClient) -> Result<AtlassianClient, Failure> {
        let cookies = if self.settings.credential.is_token() { Cookies::Refuse } else { Cookies::Keep };
        Ok(AtlassianClient::new(http.session(cookies)?, Arc::clone(&self.login)))
    }
}
