//! Confluence Data Center and Server.
//!
//! Owns: the settings of a `confluence` target and what is known about its server during a run.
//! Leaves to others: the reads (`client.rs`), the listing (`survey.rs`), the two ways to write (`remote.rs`), the steps of
//! a write (`session.rs`, `removal.rs`) and of a probe (`probe.rs`), what became of one (`observe.rs`).
//! A newcomer gets wrong: the internal user-profile REST looks like the call to use. For another person it stores the
//! picture on the *caller's* own profile and then fails (docs/wire/atlassian.md §4.3); it is never called here.

mod client;
mod forecast;
mod observe;
mod picture;
mod probe;
mod remote;
mod removal;
mod session;
mod survey;
#[cfg(test)]
mod tests;
mod wire;
mod xmlrpc;

#[cfg(any(test, fuzzing))]
pub(crate) use {wire::fuzz as fuzz_answers, xmlrpc::fuzz as fuzz_xmlrpc};

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::http::{Client as HttpClient, Cookies, Counts, Failure, FailureKind};
use crate::load::account_filter::AccountFilter;
use crate::load::atlassian::client::{AtlassianClient, Login};
use crate::load::atlassian::login;
use crate::load::{Changes, Fingerprinter, Learnt, Probe, Seen, Server, Session, Surveyed, Target, Tried, Upload};
use crate::model::{Account, OpenIntent, ServerId, Shown, SignedIn, TargetId};
use crate::secret::Secret;
use crate::settings::{Accounts, AtlassianCredential};

use client::{ConfluenceClient, File};
use removal::Removals;

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
struct Known {
    server: Option<ServerId>,
    version: Option<survey::Version>,
    /// The path of the default picture, without the context path, as a default account shows it.
    default_path: Option<String>,
    /// The remote API answered, or the endpoint did.
    probed: bool,
    /// From `confluence2.login`, where the remote API does not honour the login of the request.
    token: Option<Secret>,
    /// When the last survey began, in Unix seconds.
    surveyed_at: u64,
    /// `user/list` is there; told apart from what the version promises once it has answered 404.
    listed: Option<bool>,
    /// What the last survey cost, without questions that are not asked again.
    survey_requests: Option<u64>,
    /// Files that were to go.
    removals: Removals,
}

/// Everything that the sessions of a target share.
struct Shared {
    settings: Settings,
    rules: AccountFilter,
    login: Arc<Login>,
    looks: Arc<dyn Fingerprinter>,
    known: RwLock<Known>,
}

impl Shared {
    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
    }
}

/// A Confluence.
pub(crate) struct Confluence {
    client: ConfluenceClient,
    http: HttpClient,
    shared: Arc<Shared>,
}

impl Confluence {
    /// A target behind this line. The digest in the name of each file says what it shows; `looks` tells where something
    /// on the way encodes pictures anew.
    pub(crate) fn new(settings: Settings, http: HttpClient, looks: Arc<dyn Fingerprinter>) -> Result<Self, Failure> {
        let rules = AccountFilter::new(&settings.accounts)?;
        let login = Login::new(&settings.credential);
        let shared = Arc::new(Shared { rules, login, looks, settings, known: RwLock::default() });
        let client = ConfluenceClient::new(atlassian(&http, &shared)?, Arc::clone(&shared));
        Ok(Self { client, http, shared })
    }
}

/// A way in of its own. Without its cookie every request of a password opens a server session (§2.1); the one named in
/// a token's cookie is dead already.
fn atlassian(http: &HttpClient, shared: &Shared) -> Result<AtlassianClient, Failure> {
    let cookies = if shared.settings.credential.is_token() { Cookies::Refuse } else { Cookies::Keep };
    Ok(AtlassianClient::new(http.session(cookies)?, Arc::clone(&shared.login)))
}

#[async_trait]
impl Target for Confluence {
    fn id(&self) -> &TargetId {
        &self.shared.settings.id
    }

    async fn identify(&self, _learnt: &mut Learnt) -> Result<Server, Failure> {
        let server = survey::identify(&self.client, &self.shared).await?;
        self.shared.learn(|known| known.server = Some(server.id.clone()));
        Ok(server)
    }

    /// The rights of an administrator show in the endpoint's answer, or in a call of the remote API that nobody else may
    /// make.
    async fn whoami(&self) -> Result<SignedIn, Failure> {
        let mut signed = SignedIn::of(self.client.current().await?);
        // Why it is closed is told by `prepare`, which follows.
        let open = remote::prepare(&self.client, &self.shared).await.is_ok();
        match self.shared.settings.upload {
            UploadPolicy::XmlRpc => {
                signed.needs("remote API (XML-RPC)", open);
                match if open { remote::is_administrator(&self.client, &self.shared).await? } else { None } {
                    Some(is) => signed.needs("Confluence administrator", is),
                    None => signed.notes.push(
                        "the server does not tell whether the account is a Confluence administrator: it must be"
                            .to_owned(),
                    ),
                }
            }
            UploadPolicy::Endpoint => signed.needs("the endpoint, as a Confluence administrator", open),
        }
        signed.notes.extend(login::lasts(&self.shared.settings.credential));
        Ok(signed)
    }

    async fn survey(
        &self,
        learnt: &mut Learnt,
        page: &mut (dyn FnMut(Vec<Account>) + Send),
    ) -> Result<Surveyed, Failure> {
        survey::survey(&self.client, &self.shared, learnt, page).await
    }

    async fn prepare(&self, _learnt: &mut Learnt, _probe: Option<Probe<'_>>) -> Result<Upload, Failure> {
        remote::prepare(&self.client, &self.shared).await
    }

    async fn try_out(&self, _learnt: &mut Learnt, probe: Probe<'_>) -> Result<Vec<Tried>, Failure> {
        probe::try_out(self, probe).await
    }

    async fn look(&self, account: &Account) -> Result<Option<Bytes>, Failure> {
        let tried = || format!("looking at the picture of {}", account.name);
        let url = match (&account.shown, &account.handle) {
            (Shown::Default, _) => return Ok(None),
            (Shown::System(file), _) => self.client.stock(file),
            (Shown::Custom(file), Some(content)) => self.client.attachment(File { content, file }),
            (Shown::Custom(_), None) => return Err(Failure::new(FailureKind::Odd, tried(), "no content id is known")),
            (Shown::Unknown(why), _) => return Err(Failure::new(FailureKind::Odd, tried(), why.clone())),
        };
        let Some(url) = url else { return Err(Failure::new(FailureKind::Odd, tried(), "it has no address")) };
        match self.client.atlassian().picture(url).await? {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(Failure::new(FailureKind::Odd, tried(), "no picture, but a page or an error")),
        }
    }

    async fn observe(&self, open: &OpenIntent, account: Option<&Account>, now: u64) -> Result<Seen, Failure> {
        observe::observe(&self.client, &self.shared, open, account, now).await
    }

    async fn session(&self) -> Result<Box<dyn Session>, Failure> {
        let client = ConfluenceClient::new(atlassian(&self.http, &self.shared)?, Arc::clone(&self.shared));
        Ok(Box::new(session::ConfluenceSession::new(client, &self.shared)))
    }

    fn forecast(&self, changes: &Changes) -> u64 {
        forecast::requests(changes, &self.shared.known())
    }

    fn keep(&self, learnt: &mut Learnt) {
        self.shared.known().removals.keep(learnt);
    }

    fn asides(&self) -> Vec<String> {
        self.shared.known().removals.told()
    }

    fn counts(&self) -> Counts {
        self.http.counts()
    }
}
