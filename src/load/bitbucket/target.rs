//! A Bitbucket as a target.
//!
//! Owns: what each question of the trait is answered by. Leaves to others: the answers (its neighbours).
//! A newcomer gets wrong: a token signs in and reads everything, and sets nobody else's picture.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::http::{Client as HttpClient, Counts, Failure, FailureKind};
use crate::load::atlassian::login;
use crate::load::{Changes, Fingerprinter, Learnt, Probe, Seen, Server, Session, Surveyed, Target, Tried, Upload};
use crate::model::{Account, OpenIntent, PictureRef, Shown, SignedIn, TargetId};
use crate::settings;

use super::client::{BitbucketClient, LOOKED_AT, TOKEN_IMAGES, TOKENS};
use super::connection::{BitbucketConnection, Sight};
use super::mark::Window;
use super::session::{BYTES, BitbucketSession, ROUTE, SIDE};
use super::slug::Slug;
use super::{forecast, observe, probe, survey};

/// A Bitbucket.
pub(crate) struct Bitbucket {
    client: BitbucketClient,
    http: HttpClient,
}

impl Bitbucket {
    /// A target behind this line. `looks` compares what the server serves with what was sent.
    pub(crate) fn new(
        target: &settings::Target,
        bitbucket: &settings::Bitbucket,
        http: HttpClient,
        looks: Arc<dyn Fingerprinter>,
    ) -> Result<Self, Failure> {
        let shared = Arc::new(BitbucketConnection::new(target, bitbucket, looks)?);
        let client = BitbucketClient::new(shared.way_in(&http)?, shared);
        Ok(Self { client, http })
    }
}

impl Bitbucket {
    /// The picture there at the first of these sizes at which it may be uploaded, too; `None` if the default is shown.
    async fn served(&self, account: &Account, sides: &[u32]) -> Result<Option<Bytes>, Failure> {
        let odd = |found: String| {
            Failure::new(FailureKind::Odd, format!("looking at the picture of {}", account.name), found)
        };
        let slug = match (&account.shown, &account.handle) {
            (Shown::Default, _) => return Ok(None),
            (Shown::Unknown(why), _) => return Err(odd(why.clone())),
            (Shown::System(_) | Shown::Custom(_), slug) => {
                let slug = slug.as_deref().map_or(Err("its slug is not known"), Slug::read);
                slug.map_err(|why| odd(why.to_owned()))?
            }
        };
        for side in sides {
            match self.client.picture(&slug, *side).await? {
                Some(picture) if picture.len() <= BYTES => return Ok(Some(picture)),
                Some(_) => {}
                None => return Err(odd("no picture, but a page or an error".to_owned())),
            }
        }
        Err(odd(format!("it is larger than the {BYTES} bytes that may be uploaded")))
    }
}

#[async_trait]
impl Target for Bitbucket {
    fn id(&self) -> &TargetId {
        &self.client.shared().id
    }

    async fn identify(&self) -> Result<Server, Failure> {
        let server = survey::identify(&self.client).await?;
        self.client.shared().learn(|known| known.server = Some(server.id.clone()));
        Ok(server)
    }

    async fn whoami(&self) -> Result<SignedIn, Failure> {
        let mut signed = SignedIn::of(self.client.whoami().await?);
        let is_token = self.client.shared().credential.is_token();
        match self.client.administers().await? {
            false if is_token => signed.needs(TOKENS, false),
            administers => signed.needs("global permission ADMIN", administers),
        }
        signed.notes.push(
            "whether it is SYS_ADMIN, too, is not told: only the picture of a system administrator needs that"
                .to_owned(),
        );
        if is_token {
            signed.notes.push(TOKEN_IMAGES.to_owned());
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

    fn tells_what_is_shown(&self) -> bool {
        self.client.shared().known().sight == Sight::Versions
    }

    async fn prepare(&self, _learnt: &mut Learnt, _probe: Option<Probe<'_>>) -> Result<Upload, Failure> {
        Ok(Upload { side: Some(SIDE), bytes: BYTES, route: ROUTE.to_owned(), note: None })
    }

    async fn try_out(&self, _learnt: &mut Learnt, probe: Probe<'_>) -> Result<Vec<Tried>, Failure> {
        probe::try_out(&self.client, probe).await
    }

    fn keeps_no_earlier_picture(&self) -> Option<&'static str> {
        Some("Bitbucket keeps no earlier picture")
    }

    fn loses_what_it_replaces(&self) -> bool {
        true
    }

    async fn look(&self, account: &Account) -> Result<Option<Bytes>, Failure> {
        self.served(account, &[LOOKED_AT]).await
    }

    async fn original(&self, account: &Account) -> Result<Option<Bytes>, Failure> {
        self.served(account, &[SIDE, SIDE / 2, LOOKED_AT]).await
    }

    async fn observe(&self, open: &OpenIntent, account: Option<&Account>, now: u64) -> Result<Seen, Failure> {
        observe::observe(&self.client, open, account, now).await
    }

    fn confirm(&self, written: &PictureRef, shown: &PictureRef) -> Option<PictureRef> {
        let same = match Window::read(written) {
            Some(window) => window.holds(shown) == Some(true),
            None => written == shown,
        };
        same.then(|| shown.clone())
    }

    async fn session(&self) -> Result<Session, Failure> {
        Ok(Session::new(BitbucketSession::new(self.client.beside(&self.http)?)))
    }

    fn forecast(&self, changes: &Changes) -> u64 {
        forecast::requests(changes, &self.client.shared().known())
    }

    fn counts(&self) -> Counts {
        self.http.counts()
    }
}
