//! Bitbucket Data Center and Server.
//!
//! Owns: the settings of a `bitbucket` target and what is known about its server during a run.
//! Leaves to others: the calls (`client.rs`), the listing (`survey.rs`), what a picture is known by (`mark.rs`), the steps
//! of a write (`session.rs`) and of a probe (`probe.rs`), what became of one (`observe.rs`).
//! A newcomer gets wrong: calls go by the slug, which only the listing knows; it is not the name in lower case.

mod client;
mod forecast;
mod mark;
mod observe;
mod probe;
mod session;
mod slug;
mod survey;
#[cfg(test)]
mod tests;
mod wire;

#[cfg(any(test, fuzzing))]
pub(crate) use wire::fuzz as fuzz_answers;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::http::{Client as HttpClient, Cookies, Counts, Failure, FailureKind};
use crate::load::account_filter::AccountFilter;
use crate::load::atlassian::client::{AtlassianClient, Login};
use crate::load::atlassian::login;
use crate::load::{Changes, Fingerprinter, Learnt, Probe, Seen, Server, Session, Surveyed, Target, Tried, Upload};
use crate::model::{Account, OpenIntent, PictureRef, ServerId, Shown, SignedIn, TargetId};
use crate::settings::{Accounts, AtlassianCredential};

use client::BitbucketClient;
use mark::Window;
use slug::Slug;

/// The longest side that a Bitbucket takes unless its administrator says otherwise (`avatar.max.dimension`).
const SIDE: u32 = 1024;
/// The most bytes that it takes (`avatar.max.size`).
const BYTES: usize = 1024 * 1024;
/// The one way that pictures go.
const ROUTE: &str = "multipart";

/// A `bitbucket` target of the pipeline file, resolved.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The `id` in the pipeline file.
    pub id: TargetId,
    /// How we sign in.
    pub credential: AtlassianCredential,
    /// How long a slow server may still be at a write that nobody answered.
    pub quiet: Duration,
    /// Which accounts are selected.
    pub accounts: Accounts,
}

/// Whether the server tells which picture an account shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sight {
    /// By the version in the link to it.
    #[default]
    Versions,
    /// Of nobody: there is no link, or never a version in it. Then only our own record tells.
    Nothing,
}

/// What this run has learnt about the server.
#[derive(Clone, Debug, Default)]
struct Known {
    server: Option<ServerId>,
    /// The REST version that answers: `latest`, or `1.0` on an old one.
    root: Option<&'static str>,
    /// The server names us in a header of every answer.
    named: bool,
    /// A listing of this run showed the version of somebody's picture.
    versions: bool,
    /// Pictures that were taken in this run.
    posted: u64,
    /// The last survey told of nobody what is shown.
    sight: Sight,
    /// When the last survey began, in Unix seconds.
    surveyed_at: u64,
    /// What the last survey cost.
    survey_requests: Option<u64>,
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

/// A Bitbucket.
pub(crate) struct Bitbucket {
    client: BitbucketClient,
    http: HttpClient,
    shared: Arc<Shared>,
}

impl Bitbucket {
    /// A target behind this line. `looks` compares what the server serves with what was sent.
    pub(crate) fn new(settings: Settings, http: HttpClient, looks: Arc<dyn Fingerprinter>) -> Result<Self, Failure> {
        let rules = AccountFilter::new(&settings.accounts)?;
        let login = Login::new(&settings.credential);
        let shared = Arc::new(Shared { rules, login, settings, looks, known: RwLock::default() });
        let client = BitbucketClient::new(atlassian(&http, &shared)?, Arc::clone(&shared));
        Ok(Self { client, http, shared })
    }
}

/// A way in of its own, with a jar where there is a password to sign in again.
fn atlassian(http: &HttpClient, shared: &Shared) -> Result<AtlassianClient, Failure> {
    let cookies = if shared.settings.credential.is_token() { Cookies::Refuse } else { Cookies::Keep };
    Ok(AtlassianClient::new(http.session(cookies)?, Arc::clone(&shared.login)))
}

#[async_trait]
impl Target for Bitbucket {
    fn id(&self) -> &TargetId {
        &self.shared.settings.id
    }

    async fn identify(&self, _learnt: &mut Learnt) -> Result<Server, Failure> {
        let server = survey::identify(&self.client, &self.shared).await?;
        self.shared.learn(|known| known.server = Some(server.id.clone()));
        Ok(server)
    }

    async fn whoami(&self) -> Result<SignedIn, Failure> {
        let mut signed = SignedIn::of(self.client.whoami().await?);
        signed.needs("global permission ADMIN", self.client.administers().await?);
        signed.notes.push(
            "whether it is SYS_ADMIN, too, is not told: only the picture of a system administrator needs that"
                .to_owned(),
        );
        if self.shared.settings.credential.is_token() {
            signed.notes.push(client::TOKENS.to_owned());
            signed.notes.push(client::TOKEN_IMAGES.to_owned());
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

    fn tells_what_is_shown(&self) -> bool {
        self.shared.known().sight == Sight::Versions
    }

    async fn prepare(&self, _learnt: &mut Learnt, _probe: Option<Probe<'_>>) -> Result<Upload, Failure> {
        Ok(Upload { side: Some(SIDE), bytes: BYTES, route: ROUTE.to_owned(), note: None })
    }

    async fn try_out(&self, _learnt: &mut Learnt, probe: Probe<'_>) -> Result<Vec<Tried>, Failure> {
        probe::try_out(self, probe).await
    }

    fn keeps_no_earlier_picture(&self) -> Option<&'static str> {
        Some("Bitbucket keeps no earlier picture")
    }

    async fn look(&self, account: &Account) -> Result<Option<Bytes>, Failure> {
        let tried = || format!("looking at the picture of {}", account.name);
        match (&account.shown, &account.handle) {
            (Shown::Default, _) => Ok(None),
            (Shown::Unknown(why), _) => Err(Failure::new(FailureKind::Odd, tried(), why.clone())),
            (Shown::System(_) | Shown::Custom(_), slug) => {
                let slug = slug.as_deref().map_or(Err("its slug is not known"), Slug::read);
                let slug = slug.map_err(|why| Failure::new(FailureKind::Odd, tried(), why))?;
                let picture = self.client.picture(&slug).await?;
                let page = || Failure::new(FailureKind::Odd, tried(), "no picture, but a page or an error");
                picture.map(Some).ok_or_else(page)
            }
        }
    }

    async fn observe(&self, open: &OpenIntent, account: Option<&Account>, now: u64) -> Result<Seen, Failure> {
        observe::observe(&self.client, &self.shared, open, account, now).await
    }

    fn confirm(&self, written: &PictureRef, shown: &PictureRef) -> Option<PictureRef> {
        let same = match Window::read(written) {
            Some(window) => window.holds(shown) == Some(true),
            None => written == shown,
        };
        same.then(|| shown.clone())
    }

    async fn session(&self) -> Result<Box<dyn Session>, Failure> {
        let client = BitbucketClient::new(atlassian(&self.http, &self.shared)?, Arc::clone(&self.shared));
        Ok(Box::new(session::BitbucketSession::new(client)))
    }

    fn forecast(&self, changes: &Changes) -> u64 {
        forecast::requests(changes, &self.shared.known())
    }

    fn counts(&self) -> Counts {
        self.http.counts()
    }
}
