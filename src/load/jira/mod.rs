//! Jira Data Center and Server.
//!
//! Owns: the settings of a `jira` target and what is known about its server during a run.
//! Leaves to others: each call (`client.rs`), the listing (`survey.rs`), the ways to upload (`upload.rs`) and
//! trying them out (`probe.rs`), the steps of a write (`session.rs`), what became of one (`observe.rs`).
//! A newcomer gets wrong: a user has a key, which never changes, and a name, which every call wants. Calls go by name,
//! answers are checked by key (docs/wire/atlassian.md §8).

mod avatar;
mod client;
mod default;
mod forecast;
mod mend;
mod observe;
mod probe;
mod session;
mod stray;
mod survey;
mod upload;
mod version;
mod wire;

#[cfg(any(test, fuzzing))]
pub(crate) use wire::fuzz as fuzz_answers;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::http::{Client as HttpClient, Cookies, Counts, Failure, FailureKind};
use crate::load::account_filter::AccountFilter;
use crate::load::atlassian::client::Login;
use crate::load::atlassian::login;
use crate::load::{Changes, Fingerprinter, Learnt, Probe, Seen, Server, Session, Surveyed, Target, Tried, Upload};
use crate::model::{Account, OpenIntent, PictureRef, ServerId, Shown, SignedIn, TargetId};
use crate::settings::{Accounts, AtlassianCredential};

use client::JiraClient;
use version::{ListingWay, Version};

/// `upload` of the pipeline file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum UploadPolicy {
    /// What was learnt, else what a probe tells, else the careful assumption.
    #[default]
    Auto,
    /// Upload and confirm, in one web session: up to 256 px.
    Session,
    /// One request, 48 px.
    OneStep,
}

/// What becomes of a picture that was planned with as ours, and turns out to be the person's own right before a write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Own {
    /// It is replaced or taken off like any other, and stays among the person's avatars: `ownership: provider`.
    #[default]
    Replaced,
    /// It is left as it is: `ownership: ours`.
    Left,
}

/// A `jira` target of the pipeline file, resolved.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The `id` in the pipeline file.
    pub id: TargetId,
    /// How we sign in.
    pub credential: AtlassianCredential,
    /// Which way pictures go.
    pub upload: UploadPolicy,
    /// How long a slow server may still be at a write that nobody answered.
    pub quiet: Duration,
    /// Which accounts are selected.
    pub accounts: Accounts,
    /// Whose pictures are replaced.
    pub own: Own,
}

/// The way pictures go, once decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    Session,
    OneStep,
}

impl Route {
    fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::OneStep => "one_step",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [Self::Session, Self::OneStep].into_iter().find(|route| route.word() == word)
    }
}

/// What this run has learnt about the server.
#[derive(Clone, Debug, Default)]
struct Known {
    server: Option<ServerId>,
    version: Option<Version>,
    /// Told apart from what the version promises once an early 10.3 has answered 404.
    way: Option<ListingWay>,
    default: Option<PictureRef>,
    /// The default is asked for once in a run, so that the confirming survey costs what was forecast.
    default_asked: bool,
    route: Option<Route>,
    /// What the last survey cost, without questions that are not asked again.
    survey_requests: Option<u64>,
}

/// Everything that the sessions of a target share.
struct Shared {
    settings: Settings,
    rules: AccountFilter,
    login: Arc<Login>,
    looks: Arc<dyn Fingerprinter>,
    known: RwLock<Known>,
    /// The server takes only the multipart variant of the upload.
    multipart: AtomicBool,
    /// How many confirmations in a row found no temporary avatar.
    losses: AtomicU32,
    /// How many pictures were made for another account, to which the name had passed.
    strays: AtomicU32,
    /// Whether the account may write for others; asked after the first 403.
    administers: OnceLock<bool>,
}

impl Shared {
    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether names pass from one account to another while this run is at it.
    fn names_pass(&self) -> bool {
        self.strays.load(Ordering::Relaxed) > 0
    }

    fn is_token(&self) -> bool {
        self.settings.credential.is_token()
    }
}

/// A Jira.
pub(crate) struct Jira {
    client: JiraClient,
    http: HttpClient,
    shared: Arc<Shared>,
}

impl Jira {
    /// A target behind this line. `looks` compares what the server serves with what was sent.
    pub(crate) fn new(settings: Settings, http: HttpClient, looks: Arc<dyn Fingerprinter>) -> Result<Self, Failure> {
        let rules = AccountFilter::new(&settings.accounts)?;
        let http = match settings.credential {
            // Without its cookie every request would open a server session of its own (JRASERVER-27047).
            AtlassianCredential::Password { .. } => http.session(Cookies::Keep)?,
            // The session named in a token's cookie is dead already (§2.1).
            AtlassianCredential::Token(_) => http,
        };
        let shared = Arc::new(Shared {
            login: Login::new(&settings.credential),
            rules,
            settings,
            looks,
            known: RwLock::default(),
            multipart: AtomicBool::new(false),
            losses: AtomicU32::new(0),
            strays: AtomicU32::new(0),
            administers: OnceLock::new(),
        });
        let client = JiraClient::new(http.clone(), http.clone(), Arc::clone(&shared));
        Ok(Self { client, http, shared })
    }

    /// The version, asked for unless [`Target::identify`] has done so.
    async fn version(&self) -> Result<Version, Failure> {
        match self.shared.known().version {
            Some(version) => Ok(version),
            None => Ok(survey::server_info(self).await?.0),
        }
    }
}

#[async_trait]
impl Target for Jira {
    fn id(&self) -> &TargetId {
        &self.shared.settings.id
    }

    async fn identify(&self, _learnt: &mut Learnt) -> Result<Server, Failure> {
        survey::identify(self).await
    }

    async fn whoami(&self) -> Result<SignedIn, Failure> {
        let mut signed = SignedIn::of(self.client.myself().await?.name);
        let has = self.client.permissions().await?;
        let has = |key: &str| has.permissions.get(key).is_some_and(|permission| permission.have_permission);
        signed.needs("Jira Administrators (ADMINISTER)", has("ADMINISTER"));
        signed.needs("Browse Users (USER_PICKER)", has("USER_PICKER"));
        if has("SYSTEM_ADMIN") {
            signed.too_much.push("Jira System Administrators (SYSTEM_ADMIN)".to_owned());
        }
        signed.notes.extend(login::lasts(&self.shared.settings.credential));
        Ok(signed)
    }

    async fn survey(
        &self,
        learnt: &mut Learnt,
        page: &mut (dyn FnMut(Vec<Account>) + Send),
    ) -> Result<Surveyed, Failure> {
        survey::survey(self, learnt, page).await
    }

    async fn prepare(&self, learnt: &mut Learnt, probe: Option<Probe<'_>>) -> Result<Upload, Failure> {
        upload::prepare(self, learnt, probe).await
    }

    async fn try_out(&self, learnt: &mut Learnt, probe: Probe<'_>) -> Result<Vec<Tried>, Failure> {
        probe::try_out(self, learnt, probe).await
    }

    async fn look(&self, account: &Account) -> Result<Option<Bytes>, Failure> {
        let (owner, mark) = match &account.shown {
            Shown::Default => return Ok(None),
            Shown::System(mark) if self.shared.known().default.as_ref() == Some(mark) => return Ok(None),
            Shown::System(mark) => (None, mark),
            Shown::Custom(mark) => (Some(&account.id), mark),
            Shown::Unknown(why) => {
                let tried = format!("looking at the picture of {}", account.name);
                return Err(Failure::new(FailureKind::Odd, tried, why.clone()));
            }
        };
        match self.client.picture(owner, mark).await? {
            Some(bytes) => Ok(Some(bytes)),
            None => {
                let tried = format!("GET secure/useravatar, avatar {mark} of {}", account.name);
                Err(Failure::new(FailureKind::Odd, tried, "no picture, but a page or an error"))
            }
        }
    }

    async fn observe(&self, open: &OpenIntent, account: Option<&Account>, now: u64) -> Result<Seen, Failure> {
        observe::observe(&self.client, &self.shared, open, account, now).await
    }

    async fn session(&self) -> Result<Box<dyn Session>, Failure> {
        Ok(Box::new(session::JiraSession::open(&self.http, &self.shared)?))
    }

    fn forecast(&self, changes: &Changes) -> u64 {
        forecast::requests(changes, &self.shared.known())
    }

    fn counts(&self) -> Counts {
        self.http.counts()
    }
}
