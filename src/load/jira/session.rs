//! The steps of a write, each between the journal calls that docs/write-protocols.md puts around it.
//!
//! Owns: replace and revert for one account at a time, in a web session of its own.
//! Leaves to others: how bytes go up (`upload.rs`), judging what was cut off (`observe.rs`), mending it (`mend.rs`).
//! A newcomer gets wrong: the server keeps one temporary avatar a session and does not remember whose it is. Two
//! uploads at once in one session put one person's face on another (docs/wire/atlassian.md §2.1), so a session is lent
//! out with `&mut` only.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::http::{Client as HttpClient, Cookies, Failure, FailureKind};
use crate::load::clock::now;
use crate::load::{Journal, Mend, WriteError, WriteProtocol, recorded};
use crate::model::{AccountId, Event, Fault, Intent, OpenIntent, PictureRef, Rendition, Shown};
use crate::settings::{AtlassianCredential, Ownership};

use super::avatar::{self, Avatars};
use super::client::{JiraClient, ServedPicture};
use super::connection::{JiraConnection, UploadRoute};
use super::upload::{self, SESSION_LOST};

/// Of the pictures that a session makes, the first and then one in so many is downloaded and compared.
pub(super) const SAMPLED: u64 = 50;

/// What stands on an account right before a revert.
enum Stands {
    /// With what of ours goes.
    AsPlanned(Option<PictureRef>),
    /// The account shows something else than the plan saw, or the name is another account's.
    Otherwise,
    /// The plan took it for ours, and it is the person's own.
    NotOurs,
}

/// When a picture was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    Now,
    Earlier,
}

/// One worker's session.
pub(super) struct JiraSession {
    /// For everything but the upload.
    pub(super) client: JiraClient,
    /// For the upload: with cookies where the route needs the web session.
    uploads: JiraClient,
    pub(super) shared: Arc<JiraConnection>,
    pub(super) route: UploadRoute,
    made: u64,
    /// Of the session in which the last picture that was compared was made.
    compared: Option<u64>,
}

#[async_trait]
impl WriteProtocol for JiraSession {
    async fn replace(
        &mut self,
        mut draft: Intent,
        rendition: &Rendition,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let avatars = self.avatars(&draft.account_name).await?;
        let default = self.shared.known().default;
        if !avatars.all_of(&draft.account) || !self.stand_as_planned(&avatars, &draft, default.as_ref()).await? {
            return Err(WriteError::ChangedMeanwhile);
        }
        // Without uploads the list names nobody. Then what is made tells whose name it is, before anything is shown; once
        // one name had passed, that is asked beforehand.
        if avatars.custom.is_empty() && self.shared.names_pass() && !self.is_called(&draft).await? {
            return Err(WriteError::ChangedMeanwhile);
        }
        draft.base = avatars.ids();
        draft.old = draft.old.filter(|old| draft.base.contains(old));
        let shown = draft.old.as_ref().is_some_and(|old| avatars.shows(old));
        let goes = self.looked_at(&draft).await?;
        if shown && goes.is_none() && self.shared.ownership == Ownership::Ours {
            return self.foreign(draft, journal).await;
        }
        self.uploads.http().alone()?;
        let sent = Event::Sent { attempt: 1, route: self.route.word().to_owned(), at: now() };
        journal.begin(draft.clone(), sent).await?;
        self.send(&draft, 1, rendition, goes.as_ref(), journal).await
    }

    async fn revert(&mut self, mut draft: Intent, journal: &mut dyn Journal) -> Result<Option<PictureRef>, WriteError> {
        if let Some(back) = draft.back.clone() {
            return self.given_back(draft, &back, journal).await;
        }
        let Some(default) = self.shared.known().default else {
            return Err(WriteError::Refused(Fault::new(
                "default_unknown",
                "no account of this server shows the default picture, so it cannot be told which one it is",
            )));
        };
        let goes = match self.stands(&mut draft, &default).await? {
            Stands::AsPlanned(goes) => goes,
            Stands::Otherwise => return Err(WriteError::ChangedMeanwhile),
            Stands::NotOurs if self.shared.ownership == Ownership::Ours => return self.foreign(draft, journal).await,
            Stands::NotOurs => None,
        };
        self.select_in_place_of_ours(draft, &default, goes, journal).await
    }

    async fn mend(
        &mut self,
        open: &OpenIntent,
        mend: &Mend,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        self.mended(open, mend, journal).await
    }
}

impl JiraSession {
    pub(super) fn open(http: &HttpClient, shared: &Arc<JiraConnection>) -> Result<Self, Failure> {
        let route = shared.known().route.ok_or_else(|| {
            let tried = format!("a session with {}", http.base());
            Failure::new(FailureKind::Odd, tried, "the way pictures go was not decided before")
        })?;
        let with = |own: HttpClient, witness: HttpClient| JiraClient::new(own, witness, Arc::clone(shared));
        let (client, uploads) = match (&shared.credential, route) {
            (AtlassianCredential::Password { .. }, _) => {
                let own = http.session(Cookies::Keep)?;
                let client = with(own.clone(), own);
                (client.clone(), client)
            }
            (AtlassianCredential::Token(_), UploadRoute::Session) => {
                (with(http.clone(), http.clone()), with(http.session(Cookies::Keep)?, http.clone()))
            }
            (AtlassianCredential::Token(_), UploadRoute::OneStep) => {
                let own = http.session(Cookies::Refuse)?;
                let client = with(own.clone(), own);
                (client.clone(), client)
            }
        };
        Ok(Self { client, uploads, shared: Arc::clone(shared), route, made: 0, compared: None })
    }

    /// Selects what the account goes back to, and deletes ours, if it goes.
    pub(super) async fn select_in_place_of_ours(
        &self,
        draft: Intent,
        mark: &PictureRef,
        goes: Option<PictureRef>,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let sent = Event::Sent { attempt: 1, route: "revert".to_owned(), at: now() };
        journal.begin(draft.clone(), sent).await?;
        recorded(upload::select(&self.client, &draft.account_name, mark).await, journal).await?;
        let Some(ours) = &goes else {
            journal.end(Event::Reset).await?;
            return Ok(None);
        };
        journal.record(Event::Reset).await?;
        self.delete(&draft.account_name, ours).await?;
        journal.record(Event::Closed).await?;
        Ok(None)
    }

    /// The account's avatars, before anything is written.
    pub(super) async fn avatars(&self, name: &str) -> Result<Avatars, WriteError> {
        self.client.avatars(name).await?.map_err(WriteError::Refused)
    }

    /// Whether the name that a write goes by is the account's.
    pub(super) async fn is_called(&self, draft: &Intent) -> Result<bool, WriteError> {
        let user = self.client.user("username", &draft.account_name).await;
        let user = user?.map_err(WriteError::Refused)?;
        Ok(user.key.as_deref() == Some(draft.account.as_str()))
    }

    /// Whether the account still shows what the plan saw. Its list does not have a picture that is another account's, or is gone:
    /// then the bean tells.
    async fn stand_as_planned(
        &self,
        avatars: &Avatars,
        draft: &Intent,
        default: Option<&PictureRef>,
    ) -> Result<bool, WriteError> {
        match &draft.stood {
            Shown::Custom(stood) if !avatars.ids().contains(stood) => {
                Ok(avatars.stand_as(&Shown::Default, default) && self.bean_shows(draft).await?)
            }
            stood => Ok(avatars.stand_as(stood, default)),
        }
    }

    /// Whether the account is called so and shows what the plan saw, by the user's own bean.
    async fn bean_shows(&self, draft: &Intent) -> Result<bool, WriteError> {
        let user = self.client.user("username", &draft.account_name).await;
        let user = user?.map_err(WriteError::Refused)?;
        let urls = user.avatar_urls.unwrap_or_default();
        let shown = avatar::shown(&urls, &draft.account, self.client.atlassian().http().base());
        // The URL may have either key (docs/wire/atlassian.md §3.2).
        let as_planned = match (&shown, &draft.stood) {
            (Shown::Custom(shown), Shown::Custom(stood)) => {
                shown == stood || stood.another().is_some_and(|(_, mark)| mark == *shown)
            }
            (shown, stood) => shown == stood,
        };
        Ok(user.key.as_deref() == Some(draft.account.as_str()) && as_planned)
    }

    /// What stands there right before a revert.
    async fn stands(&self, draft: &mut Intent, default: &PictureRef) -> Result<Stands, WriteError> {
        let nothing_goes = |planned: bool| Ok(if planned { Stands::AsPlanned(None) } else { Stands::Otherwise });
        if let Shown::System(_) = &draft.stood {
            // A list of avatars names the owners of uploads only; the user's own bean names its key, and makes no base.
            return nothing_goes(self.bean_shows(draft).await?);
        }
        let Shown::Custom(stood) = draft.stood.clone() else { return Ok(Stands::Otherwise) };
        let avatars = self.avatars(&draft.account_name).await?;
        draft.base = avatars.ids();
        if !avatars.shows(&stood) {
            // An id that is none of the account's is stored unchecked: the bean names it, and the default is seen.
            let dangling = avatars.owner(&stood).is_none() && avatars.stand_as(&Shown::Default, Some(default));
            return nothing_goes(dangling && avatars.all_of(&draft.account) && self.bean_shows(draft).await?);
        }
        if !avatars.all_of(&draft.account) {
            return Ok(Stands::Otherwise);
        }
        draft.old = draft.old.take().filter(|old| *old == stood);
        let goes = self.looked_at(draft).await?;
        Ok(if draft.old.is_some() && goes.is_none() { Stands::NotOurs } else { Stands::AsPlanned(goes) })
    }

    /// The picture of ours that goes. A server that was put back from a backup gives our number to what somebody uploads:
    /// what an earlier run made is looked at before anything is done on its account. The journal names it all the same.
    pub(super) async fn looked_at(&self, draft: &Intent) -> Result<Option<PictureRef>, WriteError> {
        let Some(old) = draft.old.as_ref() else { return Ok(None) };
        if self.is_ours(draft, old).await? {
            return Ok(Some(old.clone()));
        }
        tracing::warn!(%old, "another picture has the number of ours: it stays");
        Ok(None)
    }

    /// Whether nothing speaks against it that this is still the picture which we made.
    pub(super) async fn is_ours(&self, intent: &Intent, mark: &PictureRef) -> Result<bool, WriteError> {
        let old = intent.old.as_ref() == Some(mark);
        if (old && intent.old_looks.is_none()) || (!old && intent.luma.is_none()) {
            // Of a state before schema 2, or of this very run.
            return Ok(true);
        }
        let served = match self.client.served(&intent.account, mark).await? {
            ServedPicture::Picture(bytes) => self.shared.looks.luma(&bytes),
            // Some releases serve no picture to a token (JRASERVER-72378): then the records and the owner decide.
            ServedPicture::Nothing => return Ok(true),
            ServedPicture::NotNow(fault) => return Err(WriteError::Unknown(fault)),
        };
        Ok(served.is_some_and(|served| match old {
            true => intent.old_looks.is_some_and(|looks| looks.fits(&served)),
            false => intent.luma.as_ref().is_some_and(|sent| served.fits(sent)),
        }))
    }

    /// What stands there is the person's own: it is left, and our record of it goes.
    pub(super) async fn foreign(
        &self,
        draft: Intent,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let sent = Event::Sent { attempt: 1, route: "look".to_owned(), at: now() };
        journal.begin(draft, sent).await?;
        journal.record(Event::Foreign).await?;
        Err(WriteError::ChangedMeanwhile)
    }

    /// From the recorded sending to the end.
    pub(super) async fn send(
        &mut self,
        intent: &Intent,
        attempt: u32,
        rendition: &Rendition,
        old: Option<&PictureRef>,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let made = match upload::create(&self.uploads, &self.shared, &intent.account_name, rendition).await {
            Err(WriteError::Unknown(lost)) if lost.code == SESSION_LOST && upload::sessions_are_lost(&self.shared) => {
                return Err(WriteError::Stop(upload::lost_sessions(&self.shared, &lost)));
            }
            made => recorded(made, journal).await?,
        };
        let owner = self.owner(intent, &made).await?;
        if owner != intent.account {
            return self.strayed(intent, made.mark, owner, journal).await;
        }
        if attempt > 1 {
            self.sweep(intent, attempt, &made.mark).await?;
        }
        self.compare(intent, &made, journal).await?;
        journal.record(Event::Made { mark: made.mark.clone() }).await?;
        self.show(intent, &made.mark, old, Made::Now, journal).await
    }

    /// Whose the new picture is. It must be new.
    async fn owner(&self, intent: &Intent, made: &upload::TemporaryAvatar) -> Result<AccountId, WriteError> {
        let odd = |found: String| {
            Err(WriteError::Stop(
                Failure::new(FailureKind::Odd, format!("a picture for {}", intent.account_name), found)
                    .hint("nothing was shown; is there a proxy that mixes up answers?"),
            ))
        };
        if intent.base.contains(&made.mark) {
            return odd(format!("the new avatar {} was there before", made.mark));
        }
        if !self.shared.compared.is_new(&made.mark) {
            return odd(format!("the new avatar {} is one that this run made for another account", made.mark));
        }
        if let Some(owner) = &made.owner {
            return Ok(AccountId::new(owner.clone()));
        }
        // Not every release puts the owner into this answer.
        let avatars = self.client.avatars(&intent.account_name).await?.map_err(WriteError::Unknown)?;
        match avatars.owner(&made.mark) {
            Some(owner) => Ok(owner),
            None => odd(format!("the server does not say whose the new avatar {} is", made.mark)),
        }
    }

    /// Downloads the first new picture of a session and every fiftieth after it, and compares it with what was sent. Where the
    /// server gave this worker another cookie, that is another session.
    async fn compare(
        &mut self,
        intent: &Intent,
        made: &upload::TemporaryAvatar,
        journal: &mut dyn Journal,
    ) -> Result<(), WriteError> {
        let (mark, due) = (&made.mark, self.made.is_multiple_of(SAMPLED) || self.compared != Some(made.turn));
        self.made += 1;
        if due {
            self.compared = Some(made.turn);
        }
        let (true, Some(sent)) = (due, &intent.luma) else { return Ok(()) };
        let served = match self.client.picture(Some(&intent.account), mark).await {
            Ok(Some(bytes)) => self.shared.looks.luma(&bytes),
            // A server that does not serve pictures to tokens says nothing about this one (JRASERVER-72378).
            Ok(None) => None,
            Err(failure) => {
                self.client.circuit_breaker().pass()?;
                tracing::warn!(kind = ?failure.kind, "a new picture could not be downloaded for comparing");
                None
            }
        };
        let served = match served {
            Some(served) if !served.fits(sent) => served,
            told => {
                self.shared.compared.put(&intent.account, told.is_some());
                return Ok(());
            }
        };
        self.shared.compared.mix();
        // The answer alone said whose it is. A picture of somebody else's that it named by mistake is not deleted (promise P1).
        if !self.avatars(&intent.account_name).await?.has(mark, &intent.account) {
            let found =
                format!("it names avatar {mark} as the new one, which is not the account's: nothing was deleted");
            return Err(WriteError::Stop(
                Failure::new(FailureKind::Odd, format!("a picture for {}", intent.account_name), found)
                    .hint("look for a proxy that mixes up answers"),
            ));
        }
        journal.record(Event::Bad { mark: mark.clone() }).await?;
        let left = match upload::delete(&self.client, &intent.account_name, mark).await {
            Ok(()) => {
                journal.record(Event::Closed).await?;
                "it was not selected, and is removed".to_owned()
            }
            Err(error) => {
                let why = error.fault().map_or_else(|failure| failure.to_string(), |fault| fault.message);
                format!("it was not selected, and may be there still: {why}")
            }
        };
        let found = format!(
            "it serves another picture as avatar {mark} than was sent ({:.0} of 255 apart); {left}",
            served.distance(sent)
        );
        Err(WriteError::Stop(
            Failure::new(FailureKind::Odd, format!("a picture for {}", intent.account_name), found)
                .hint("sessions are mixed up on the way: look for a proxy that shares cookies between clients"),
        ))
    }

    /// Shows what was made, then takes the old one of ours away, which was looked at before.
    pub(super) async fn show(
        &self,
        intent: &Intent,
        mark: &PictureRef,
        old: Option<&PictureRef>,
        made: Made,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let selected = upload::select(&self.client, &intent.account_name, mark).await;
        if let Err(WriteError::Refused(_)) = &selected {
            let ours = made == Made::Now || self.is_ours(intent, mark).await?;
            journal.record(Event::Abandoned { mark: mark.clone() }).await?;
            if ours {
                self.delete(&intent.account_name, mark).await?;
            }
            journal.record(Event::Closed).await?;
        }
        selected?;
        let shown = Event::Shown { mark: mark.clone() };
        // `old` is in `base`, and the read before the first write proved the owner of everything in there.
        let Some(old) = old.filter(|old| *old != mark && intent.base.contains(old)) else {
            journal.end(shown).await?;
            return Ok(Some(mark.clone()));
        };
        journal.record(shown).await?;
        self.delete(&intent.account_name, old).await?;
        journal.record(Event::Closed).await?;
        Ok(Some(mark.clone()))
    }

    /// Deletes; what does not succeed leaves the intent open, so that the next look finds the picture.
    pub(super) async fn delete(&self, name: &str, mark: &PictureRef) -> Result<(), WriteError> {
        upload::delete(&self.client, name, mark)
            .await
            .map_err(|error| left_open(error, "not_deleted", &format!("avatar {mark} could not be deleted")))
    }
}

/// A step that did not succeed and is judged by looking.
pub(super) fn left_open(error: WriteError, code: &str, what: &str) -> WriteError {
    error.after_a_step().explained(|fault| Fault::new(code, format!("{what}: {}", fault.message)))
}

/// Whether a downloaded picture is a rendition of the photo that the intent sent.
pub(super) fn fits(shared: &JiraConnection, picture: Option<Bytes>, intent: &Intent) -> bool {
    let served = picture.and_then(|bytes| shared.looks.luma(&bytes));
    matches!((served, &intent.luma), (Some(served), Some(sent)) if served.fits(sent))
}
