//! A Jira as a target: which file answers what.
//!
//! Owns: the way in for everything but the writes. Leaves to others: everything that is asked and sent.
//! A newcomer gets wrong: who signs in by password keeps one web session for all reads; each worker has one of its own.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::http::{Client as HttpClient, Cookies, Counts, Failure, FailureKind};
use crate::load::atlassian::login;
use crate::load::{
    Changes, Compared, Fingerprinter, Learnt, Probe, Seen, Server, Session, Surveyed, Target, Tried, Upload,
};
use crate::model::{Account, Earlier, OpenIntent, Shown, SignedIn, TargetId};
use crate::settings::{self, AtlassianCredential};

use super::client::JiraClient;
use super::connection::JiraConnection;
use super::session::JiraSession;
use super::{forecast, observe, prepare, probe, server, survey};

/// A Jira.
pub(crate) struct Jira {
    client: JiraClient,
}

impl Jira {
    /// A target behind this line. `looks` compares what the server serves with what was sent.
    pub(crate) fn new(
        target: &settings::Target,
        jira: &settings::Jira,
        http: HttpClient,
        looks: Arc<dyn Fingerprinter>,
    ) -> Result<Self, Failure> {
        let shared = Arc::new(JiraConnection::new(target, jira, looks)?);
        let http = match shared.credential {
            // Without its cookie every request would open a server session of its own (JRASERVER-27047).
            AtlassianCredential::Password { .. } => http.session(Cookies::Keep)?,
            // The session named in a token's cookie is dead already (docs/wire/atlassian.md §2.1).
            AtlassianCredential::Token(_) => http,
        };
        Ok(Self { client: JiraClient::new(http.clone(), http, shared) })
    }
}

#[async_trait]
impl Target for Jira {
    fn id(&self) -> &TargetId {
        &self.client.shared().id
    }

    async fn identify(&self) -> Result<Server, Failure> {
        server::identify(&self.client).await
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
        signed.notes.extend(login::lasts(&self.client.shared().credential));
        Ok(signed)
    }

    async fn survey(
        &self,
        learnt: &mut Learnt,
        page: &mut (dyn FnMut(Vec<Account>) + Send),
    ) -> Result<Surveyed, Failure> {
        survey::survey(&self.client, learnt, page).await
    }

    async fn prepare(&self, learnt: &mut Learnt, probe: Option<Probe<'_>>) -> Result<Upload, Failure> {
        prepare::prepare(&self.client, learnt, probe).await
    }

    async fn try_out(&self, learnt: &mut Learnt, probe: Probe<'_>) -> Result<Vec<Tried>, Failure> {
        probe::try_out(&self.client, learnt, probe).await
    }

    fn gives_back(&self, earlier: &Shown) -> bool {
        !matches!(earlier, Shown::Unknown(_))
    }

    async fn has_lost(&self, account: &Account, earlier: &Earlier) -> Result<bool, Failure> {
        let Shown::Custom(mark) = &earlier.shown else { return Ok(false) };
        let avatars = self.client.avatars(&account.name).await?;
        Ok(avatars.is_ok_and(|avatars| avatars.all_of(&account.id) && !avatars.has(mark, &account.id)))
    }

    async fn look(&self, account: &Account) -> Result<Option<Bytes>, Failure> {
        let (owner, mark) = match &account.shown {
            Shown::Default => return Ok(None),
            Shown::System(mark) if self.client.shared().known().default.as_ref() == Some(mark) => return Ok(None),
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

    fn names_each_upload_once(&self) -> bool {
        true
    }

    async fn observe(&self, open: &OpenIntent, account: Option<&Account>, now: u64) -> Result<Seen, Failure> {
        observe::observe(&self.client, self.client.shared(), open, account, now).await
    }

    fn compared(&self) -> Option<&Compared> {
        Some(&self.client.shared().compared)
    }

    async fn session(&self) -> Result<Session, Failure> {
        Ok(Session::new(JiraSession::open(self.client.http(), self.client.shared())?))
    }

    fn forecast(&self, changes: &Changes) -> u64 {
        forecast::requests(changes, &self.client.shared().known())
    }

    fn counts(&self) -> Counts {
        self.client.http().counts()
    }
}
