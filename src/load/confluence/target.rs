//! A Confluence as a target.
//!
//! Owns: what each question of the trait is answered by. Leaves to others: the answers (its neighbours).
//! A newcomer gets wrong: whether pictures can be set at all is known before anything is planned, and for all accounts at
//! once.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::http::{Client as HttpClient, Counts, Failure, FailureKind};
use crate::load::atlassian::login;
use crate::load::{Changes, Fingerprinter, Learnt, Probe, Seen, Server, Session, Surveyed, Target, Tried, Upload};
use crate::model::{Account, Earlier, OpenIntent, Shown, SignedIn, TargetId};
use crate::settings::{self, ConfluenceUpload};

use super::client::{ConfluenceClient, File, ServedFile};
use super::connection::ConfluenceConnection;
use super::session::ConfluenceSession;
use super::{forecast, observe, probe, remote, survey};

/// A Confluence.
pub(crate) struct Confluence {
    client: ConfluenceClient,
    http: HttpClient,
}

impl Confluence {
    /// A target behind this line. The digest in the name of each file says what it shows; `looks` tells where something
    /// on the way encodes pictures anew.
    pub(crate) fn new(
        target: &settings::Target,
        confluence: &settings::Confluence,
        http: HttpClient,
        looks: Arc<dyn Fingerprinter>,
    ) -> Result<Self, Failure> {
        let shared = Arc::new(ConfluenceConnection::new(target, confluence, looks)?);
        let client = ConfluenceClient::new(shared.way_in(&http)?, shared);
        Ok(Self { client, http })
    }
}

#[async_trait]
impl Target for Confluence {
    fn id(&self) -> &TargetId {
        &self.client.shared().id
    }

    async fn identify(&self) -> Result<Server, Failure> {
        let server = survey::identify(&self.client).await?;
        self.client.shared().learn(|known| known.server = Some(server.id.clone()));
        Ok(server)
    }

    /// The rights of an administrator show in the endpoint's answer, or in a call of the remote API that nobody else may
    /// make.
    async fn whoami(&self) -> Result<SignedIn, Failure> {
        let mut signed = SignedIn::of(self.client.current().await?);
        // Why it is closed is told by `prepare`, which follows.
        let open = remote::prepare(&self.client).await.is_ok();
        match self.client.shared().upload {
            ConfluenceUpload::Xmlrpc => {
                signed.needs("remote API (XML-RPC)", open);
                match if open { remote::is_administrator(&self.client).await? } else { None } {
                    Some(is) => signed.needs("Confluence administrator", is),
                    None => signed.notes.push(
                        "the server does not tell whether the account is a Confluence administrator: it must be"
                            .to_owned(),
                    ),
                }
            }
            ConfluenceUpload::Endpoint { .. } => signed.needs("the endpoint, as a Confluence administrator", open),
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

    async fn prepare(&self, _learnt: &mut Learnt, _probe: Option<Probe<'_>>) -> Result<Upload, Failure> {
        remote::prepare(&self.client).await
    }

    async fn try_out(&self, _learnt: &mut Learnt, probe: Probe<'_>) -> Result<Vec<Tried>, Failure> {
        probe::try_out(&self.client, probe).await
    }

    /// The endpoint selects nothing but the default.
    fn gives_back(&self, earlier: &Shown) -> bool {
        let by_remote_api = self.client.shared().upload == ConfluenceUpload::Xmlrpc;
        *earlier == Shown::Default || (by_remote_api && !matches!(earlier, Shown::Unknown(_)))
    }

    /// The endpoint cannot select an earlier file.
    fn loses_what_it_replaces(&self) -> bool {
        matches!(self.client.shared().upload, ConfluenceUpload::Endpoint { .. })
    }

    /// Where nobody knows in whose personal information it lies it cannot be asked for, and is not chosen again.
    async fn has_lost(&self, account: &Account, earlier: &Earlier) -> Result<bool, Failure> {
        let Shown::Custom(file) = &earlier.shown else { return Ok(false) };
        let Some(content) = account.handle.as_deref().or(earlier.lies_in.as_deref()) else { return Ok(true) };
        let shown = match &account.shown {
            Shown::Custom(shown) => Some(File { content, file: shown }),
            _ => None,
        };
        Ok(matches!(self.client.file(File { content, file }, shown).await?, ServedFile::Missing))
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
        observe::observe(&self.client, open, account, now).await
    }

    async fn session(&self) -> Result<Session, Failure> {
        Ok(Session::new(ConfluenceSession::new(self.client.beside(&self.http)?)))
    }

    fn forecast(&self, changes: &Changes) -> u64 {
        forecast::requests(changes, &self.client.shared().known())
    }

    fn keep(&self, learnt: &mut Learnt) {
        self.client.shared().known().removals.keep(learnt);
    }

    fn asides(&self) -> Vec<String> {
        self.client.shared().known().removals.told()
    }

    fn counts(&self) -> Counts {
        self.http.counts()
    }
}
