//! The steps of a write, each between the journal calls that `write-protocols.md` puts around it.
//!
//! Owns: replace, revert and mend for one account at a time, in a web session of its own.
//! Leaves to others: how bytes go up (`upload.rs`), judging what was cut off (`observe.rs`).
//! A newcomer gets wrong: the server keeps one temporary avatar a session and does not remember whose it is. Two uploads
//! at once in one session put one person's face on another (reference §2.1), so a session is lent out with `&mut` only.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::http::{Cookies, Failure, FailureKind, Line};
use crate::load::atlassian::door::Trouble;
use crate::load::atlassian::session::{Protocol, record, unmendable};
use crate::load::atlassian::{Credential, now};
use crate::load::{Journal, Mend, Rendition, Wrote};
use crate::model::{AccountId, Event, Fault, Intent, IntentKind, Mark, OpenIntent, Shown, Status};

use super::avatar::{self, Avatars, Selected};
use super::desk::{Desk, Led};
use super::upload::{self, Made, SESSION_LOST, Square};
use super::{Route, Shared};

/// Of the pictures that a session makes, the first and then one in so many is downloaded and compared.
pub(super) const SAMPLED: u64 = 50;

/// One worker's session.
pub(super) struct JiraSession {
    /// For everything but the upload.
    pub(super) desk: Desk,
    /// For the upload: with cookies where the route needs the web session.
    uploads: Desk,
    pub(super) shared: Arc<Shared>,
    route: Route,
    made: u64,
}

#[async_trait]
impl Protocol for JiraSession {
    async fn replace(
        &mut self,
        mut draft: Intent,
        rendition: &Rendition,
        journal: &mut dyn Journal,
    ) -> Result<Wrote, Wrote> {
        let avatars = self.avatars(&draft.account_name).await?;
        let default = self.shared.known().default;
        if !avatars.all_of(&draft.account) || !avatars.stand_as(&draft.stood, default.as_ref()) {
            return Ok(Wrote::ChangedMeanwhile);
        }
        // Without uploads the list names nobody. Then what is made tells whose name it is, before anything is shown; once
        // one name had passed, that is asked beforehand.
        if avatars.custom.is_empty() && self.shared.names_pass() && !self.is_called(&draft).await? {
            return Ok(Wrote::ChangedMeanwhile);
        }
        draft.base = avatars.ids();
        draft.old = draft.old.filter(|old| draft.base.contains(old));
        let sent = Event::Sent { attempt: 1, route: self.route.word().to_owned(), at: now() };
        journal.begin(draft.clone(), sent).await.map_err(Wrote::Stop)?;
        self.send(&draft, 1, rendition, journal).await
    }

    async fn revert(&mut self, mut draft: Intent, journal: &mut dyn Journal) -> Result<Wrote, Wrote> {
        let Some(default) = self.shared.known().default else {
            return Ok(Wrote::Refused(Fault::new(
                "default_unknown",
                "no account of this server shows the default picture, so it cannot be told which one it is",
            )));
        };
        match &draft.stood {
            // A list of avatars names the owners of uploads only; the user's own bean names its key, and makes no base.
            Shown::System(_) if self.shows_still(&draft).await? => draft.old = None,
            Shown::Custom(_) => {
                let avatars = self.avatars(&draft.account_name).await?;
                let Selected::Custom(shown) = &avatars.selected else { return Ok(Wrote::ChangedMeanwhile) };
                if !avatars.all_of(&draft.account) || !avatars.stand_as(&draft.stood, Some(&default)) {
                    return Ok(Wrote::ChangedMeanwhile);
                }
                draft.base = avatars.ids();
                draft.old = draft.old.filter(|old| old == shown);
            }
            Shown::System(_) | Shown::Default | Shown::Unknown(_) => return Ok(Wrote::ChangedMeanwhile),
        }
        let sent = Event::Sent { attempt: 1, route: "revert".to_owned(), at: now() };
        journal.begin(draft.clone(), sent).await.map_err(Wrote::Stop)?;
        match upload::select(&self.desk, &draft.account_name, &default).await {
            Ok(()) => {}
            Err(Trouble::No(no)) => {
                record(journal, Event::Refused { why: no.message.clone() }).await?;
                return Ok(Wrote::Refused(no));
            }
            Err(Trouble::Maybe(maybe)) => return Ok(Wrote::Maybe(maybe)),
            Err(Trouble::Stop(failure)) => return Ok(Wrote::Stop(failure)),
        }
        record(journal, Event::Reset).await?;
        if let Some(ours) = &draft.old {
            self.delete(&draft.account_name, ours).await?;
        }
        record(journal, Event::Closed).await?;
        Ok(Wrote::Done(None))
    }

    async fn mend(&mut self, open: &OpenIntent, mend: &Mend, journal: &mut dyn Journal) -> Result<Wrote, Wrote> {
        let intent = &open.intent;
        if let (Mend::Tidy(mark), Status::Stray { .. }) = (mend, &open.status) {
            return self.take_back(open, mark, journal).await;
        }
        let led = self.desk.led(&intent.account_name, &intent.account).await;
        let avatars = match (led.map_err(Wrote::Stop)?, mend) {
            (Ok(Led::Here(avatars)), Mend::Tidy(mark)) if stray(open) && !avatars.has(mark, &intent.account) => {
                return self.take_back(open, mark, journal).await;
            }
            (Ok(Led::Here(avatars)), _) => avatars,
            (_, Mend::Tidy(mark)) if stray(open) => return self.take_back(open, mark, journal).await,
            (Ok(Led::Elsewhere), _) => return Ok(Wrote::ChangedMeanwhile),
            (Err(unread), _) => return Err(Wrote::Refused(unread)),
        };
        match mend {
            Mend::Finish(mark) => self.finish(open, mark, &avatars, journal).await,
            Mend::Tidy(mark) => self.tidy(open, mark, &avatars, journal).await,
            Mend::Again(rendition) => self.again(open, rendition, &avatars, journal).await,
        }
    }
}

impl JiraSession {
    pub fn open(line: &Line, shared: &Arc<Shared>) -> Result<Self, Failure> {
        let route = shared.known().route.ok_or_else(|| {
            let tried = format!("a session with {}", line.base());
            Failure::new(FailureKind::Odd, tried, "the way pictures go was not decided before")
        })?;
        let with = |own: Line, witness: Line| Desk::new(own, witness, Arc::clone(shared));
        let (desk, uploads) = match (&shared.settings.credential, route) {
            (Credential::Basic { .. }, _) => {
                let own = line.session(Cookies::Keep)?;
                let desk = with(own.clone(), own);
                (desk.clone(), desk)
            }
            (Credential::Token(_), Route::Session) => {
                (with(line.clone(), line.clone()), with(line.session(Cookies::Keep)?, line.clone()))
            }
            (Credential::Token(_), Route::OneStep) => {
                let own = line.session(Cookies::Refuse)?;
                let desk = with(own.clone(), own);
                (desk.clone(), desk)
            }
        };
        Ok(Self { desk, uploads, shared: Arc::clone(shared), route, made: 0 })
    }

    /// The account's avatars, before anything is written.
    pub(super) async fn avatars(&self, name: &str) -> Result<Avatars, Wrote> {
        self.desk.avatars(name).await.map_err(Wrote::Stop)?.map_err(Wrote::Refused)
    }

    /// Whether the name that a write goes by is the account's.
    async fn is_called(&self, draft: &Intent) -> Result<bool, Wrote> {
        let user = self.desk.user("username", &draft.account_name).await;
        let user = user.map_err(Wrote::Stop)?.map_err(Wrote::Refused)?;
        Ok(user.key.as_deref() == Some(draft.account.as_str()))
    }

    /// Whether the account is called so and shows what the plan saw, by the user's own bean.
    async fn shows_still(&self, draft: &Intent) -> Result<bool, Wrote> {
        let user = self.desk.user("username", &draft.account_name).await;
        let user = user.map_err(Wrote::Stop)?.map_err(Wrote::Refused)?;
        let urls = user.avatar_urls.unwrap_or_default();
        let shown = avatar::shown(&urls, &draft.account, self.desk.door().line().base());
        Ok(user.key.as_deref() == Some(draft.account.as_str()) && shown == draft.stood)
    }

    /// From the recorded sending to the end.
    async fn send(
        &mut self,
        intent: &Intent,
        attempt: u32,
        rendition: &Rendition,
        journal: &mut dyn Journal,
    ) -> Result<Wrote, Wrote> {
        let square = Square { bytes: &rendition.bytes, mime: rendition.mime, side: rendition.side };
        let made = match upload::create(&self.uploads, &self.shared, &intent.account_name, &square).await {
            Ok(made) => made,
            Err(Trouble::No(no)) => {
                record(journal, Event::Refused { why: no.message.clone() }).await?;
                return Ok(Wrote::Refused(no));
            }
            Err(Trouble::Maybe(lost)) if lost.code == SESSION_LOST && upload::sessions_are_lost(&self.shared) => {
                return Ok(Wrote::Stop(upload::lost_sessions(&self.shared, &lost)));
            }
            Err(Trouble::Maybe(maybe)) => return Ok(Wrote::Maybe(maybe)),
            Err(Trouble::Stop(failure)) => return Ok(Wrote::Stop(failure)),
        };
        let owner = self.owner(intent, &made).await?;
        if owner != intent.account {
            return self.strayed(intent, made.mark, owner, journal).await;
        }
        if attempt > 1 {
            self.sweep(intent, attempt, &made.mark).await?;
        }
        self.compare(intent, &made.mark, journal).await?;
        record(journal, Event::Made { mark: made.mark.clone() }).await?;
        self.show(intent, &made.mark, journal).await
    }

    /// Whose the new picture is. It must be new.
    async fn owner(&self, intent: &Intent, made: &Made) -> Result<AccountId, Wrote> {
        let odd = |found: String| {
            Err(Wrote::Stop(
                Failure::new(FailureKind::Odd, format!("a picture for {}", intent.account_name), found)
                    .hint("nothing was shown; is there a proxy that mixes up answers?"),
            ))
        };
        if intent.base.contains(&made.mark) {
            return odd(format!("the new avatar {} was there before", made.mark));
        }
        if let Some(owner) = &made.owner {
            return Ok(AccountId::new(owner.clone()));
        }
        // Not every release puts the owner into this answer.
        match self.desk.avatars(&intent.account_name).await {
            Ok(Ok(avatars)) => match avatars.owner(&made.mark) {
                Some(owner) => Ok(owner),
                None => odd(format!("the server does not say whose the new avatar {} is", made.mark)),
            },
            Ok(Err(unread)) => Err(Wrote::Maybe(unread)),
            Err(failure) => Err(Wrote::Stop(failure)),
        }
    }

    /// Downloads every fiftieth new picture and compares it with what was sent.
    async fn compare(&mut self, intent: &Intent, mark: &Mark, journal: &mut dyn Journal) -> Result<(), Wrote> {
        let due = self.made.is_multiple_of(SAMPLED);
        self.made += 1;
        let (true, Some(sent)) = (due, &intent.luma) else { return Ok(()) };
        let served = match self.desk.picture(Some(&intent.account), mark).await {
            Ok(Some(bytes)) => self.shared.looks.luma(&bytes),
            // A server that does not serve pictures to tokens says nothing about this one (JRASERVER-72378).
            Ok(None) => None,
            Err(failure) => {
                self.desk.gate().pass().map_err(Wrote::Stop)?;
                tracing::warn!(%failure, "a new picture could not be downloaded for comparing");
                None
            }
        };
        let Some(served) = served.filter(|served| !served.fits(sent)) else { return Ok(()) };
        record(journal, Event::Bad { mark: mark.clone() }).await?;
        if upload::delete(&self.desk, &intent.account_name, mark).await.is_ok() {
            record(journal, Event::Closed).await?;
        }
        let found = format!(
            "it serves another picture as avatar {mark} than was sent ({:.0} of 255 apart)",
            served.distance(sent)
        );
        Err(Wrote::Stop(
            Failure::new(FailureKind::Odd, format!("a picture for {}", intent.account_name), found)
                .hint("sessions are mixed up on the way: look for a proxy that shares cookies between clients"),
        ))
    }

    /// Shows what was made, then takes the old one of ours away.
    async fn show(&self, intent: &Intent, mark: &Mark, journal: &mut dyn Journal) -> Result<Wrote, Wrote> {
        match upload::select(&self.desk, &intent.account_name, mark).await {
            Ok(()) => {}
            Err(Trouble::No(no)) => {
                record(journal, Event::Abandoned { mark: mark.clone() }).await?;
                self.delete(&intent.account_name, mark).await?;
                record(journal, Event::Closed).await?;
                return Ok(Wrote::Refused(no));
            }
            Err(Trouble::Maybe(maybe)) => return Ok(Wrote::Maybe(maybe)),
            Err(Trouble::Stop(failure)) => return Ok(Wrote::Stop(failure)),
        }
        record(journal, Event::Shown { mark: mark.clone() }).await?;
        // `old` is in `base`, and the read before the first write proved the owner of everything in there.
        if let Some(old) = intent.old.as_ref().filter(|old| *old != mark && intent.base.contains(old)) {
            self.delete(&intent.account_name, old).await?;
        }
        record(journal, Event::Closed).await?;
        Ok(Wrote::Done(Some(mark.clone())))
    }

    /// Deletes; what does not succeed leaves the intent open, so that the next look finds the picture.
    pub(super) async fn delete(&self, name: &str, mark: &Mark) -> Result<(), Wrote> {
        upload::delete(&self.desk, name, mark)
            .await
            .map_err(|trouble| left_open(trouble, "not_deleted", &format!("avatar {mark} could not be deleted")))
    }

    /// After more than one attempt: takes away what an earlier one left beside `keep`. The journal still says that the
    /// intent is sent, so a kill in here is judged by the same look again.
    async fn sweep(&self, intent: &Intent, attempts: u32, keep: &Mark) -> Result<(), Wrote> {
        let avatars = self.desk.avatars(&intent.account_name).await.map_err(Wrote::Stop)?.map_err(Wrote::Maybe)?;
        let mut strays = Vec::new();
        for mark in avatars.beyond(&intent.base, &intent.account) {
            if mark == *keep || avatars.shows(&mark) {
                continue;
            }
            let picture = self.desk.picture(Some(&intent.account), &mark).await.map_err(Wrote::Stop)?;
            if fits(&self.shared, picture, intent) {
                strays.push(mark);
            }
        }
        if strays.len() as u64 >= u64::from(attempts) {
            // More than we can have made: the person's own are among them.
            let found = format!("{} new pictures look like ours, after {attempts} attempts", strays.len() + 1);
            return Err(Wrote::Maybe(Fault::new("too_many_alike", found)));
        }
        for stray in strays {
            self.delete(&intent.account_name, &stray).await?;
        }
        Ok(())
    }

    async fn finish(
        &self,
        open: &OpenIntent,
        mark: &Mark,
        avatars: &Avatars,
        journal: &mut dyn Journal,
    ) -> Result<Wrote, Wrote> {
        let intent = &open.intent;
        let name = &intent.account_name;
        match &open.status {
            Status::Shown(shown) if shown == mark => {
                self.delete_old(intent, avatars, mark).await?;
                record(journal, Event::Closed).await?;
                return Ok(Wrote::Done(Some(mark.clone())));
            }
            Status::Sent { .. } | Status::Made(_) if intent.kind == IntentKind::Replace => {}
            _ => return Ok(Wrote::Refused(unmendable(open))),
        }
        if !made_by_us(open, mark) || !avatars.has(mark, &intent.account) {
            return Ok(Wrote::ChangedMeanwhile);
        }
        let default = self.shared.known().default;
        if !avatars.shows(mark) && !avatars.stand_as(&intent.stood, default.as_ref()) {
            return Ok(Wrote::ChangedMeanwhile);
        }
        if let Status::Sent { attempt, .. } = open.status
            && attempt > 1
        {
            self.sweep(intent, attempt, mark).await?;
        }
        if avatars.shows(mark) {
            let event = match open.status {
                Status::Made(_) => Event::Shown { mark: mark.clone() },
                // Judged by its looks alone.
                _ => Event::Recognised { mark: mark.clone() },
            };
            record(journal, event).await?;
            self.delete_old(intent, avatars, mark).await?;
            record(journal, Event::Closed).await?;
            return Ok(Wrote::Done(Some(mark.clone())));
        }
        if matches!(open.status, Status::Sent { .. }) {
            record(journal, Event::Made { mark: mark.clone() }).await?;
        }
        tracing::debug!(account = %intent.account, %name, "showing a picture that an earlier run made");
        self.show(intent, mark, journal).await
    }

    /// Deletes the old one of ours if it is still there, ours to delete, and not shown.
    async fn delete_old(&self, intent: &Intent, avatars: &Avatars, mark: &Mark) -> Result<(), Wrote> {
        let Some(old) = &intent.old else { return Ok(()) };
        let deletable =
            old != mark && intent.base.contains(old) && avatars.has(old, &intent.account) && !avatars.shows(old);
        if deletable { self.delete(&intent.account_name, old).await } else { Ok(()) }
    }

    async fn tidy(
        &self,
        open: &OpenIntent,
        mark: &Mark,
        avatars: &Avatars,
        journal: &mut dyn Journal,
    ) -> Result<Wrote, Wrote> {
        let intent = &open.intent;
        if !made_by_us(open, mark) || avatars.shows(mark) {
            return Ok(Wrote::ChangedMeanwhile);
        }
        match &open.status {
            Status::Sent { attempt, .. } => {
                // A revert that took effect unseen: the default is shown, and our picture goes.
                let event = match intent.kind {
                    IntentKind::Revert => Event::Reset,
                    IntentKind::Replace | IntentKind::Probe => Event::Abandoned { mark: mark.clone() },
                };
                if *attempt > 1 {
                    self.sweep(intent, *attempt, mark).await?;
                }
                record(journal, event).await?;
            }
            Status::Made(_) => record(journal, Event::Abandoned { mark: mark.clone() }).await?,
            Status::Leftover(_) | Status::Reset | Status::Shown(_) => {}
            Status::Begun | Status::Unsure | Status::Stray { .. } | Status::Closed => {
                return Ok(Wrote::Refused(unmendable(open)));
            }
        }
        if avatars.has(mark, &intent.account) {
            self.delete(&intent.account_name, mark).await?;
        }
        record(journal, Event::Closed).await?;
        Ok(Wrote::Done(None))
    }

    async fn again(
        &mut self,
        open: &OpenIntent,
        rendition: &Rendition,
        avatars: &Avatars,
        journal: &mut dyn Journal,
    ) -> Result<Wrote, Wrote> {
        let intent = &open.intent;
        let (Status::Sent { attempt, .. }, IntentKind::Replace) = (&open.status, intent.kind) else {
            return Ok(Wrote::Refused(unmendable(open)));
        };
        let default = self.shared.known().default;
        // Something new there: the first attempt may have come through late, and must be looked at first.
        let untouched = avatars.beyond(&intent.base, &intent.account).is_empty();
        if !untouched || !avatars.stand_as(&intent.stood, default.as_ref()) {
            return Ok(Wrote::ChangedMeanwhile);
        }
        let attempt = attempt + 1;
        let sent = Event::Sent { attempt, route: self.route.word().to_owned(), at: now() };
        record(journal, sent).await?;
        self.send(intent, attempt, rendition, journal).await
    }
}

/// A step that did not succeed and is judged by looking.
pub(super) fn left_open(trouble: Trouble, code: &str, what: &str) -> Wrote {
    match trouble {
        Trouble::No(fault) | Trouble::Maybe(fault) => {
            Wrote::Maybe(Fault::new(code, format!("{what}: {}", fault.message)))
        }
        Trouble::Stop(failure) => Wrote::Stop(failure),
    }
}

/// Whether what an intent made may lie with another account.
fn stray(open: &OpenIntent) -> bool {
    matches!(open.status, Status::Sent { .. }) && open.intent.kind == IntentKind::Replace
}

/// Whether a picture may be ours by this intent: named in its events, new since it began, or the recorded old one.
fn made_by_us(open: &OpenIntent, mark: &Mark) -> bool {
    let named = match &open.status {
        Status::Made(made) | Status::Leftover(made) => made == mark,
        Status::Sent { .. } => open.intent.kind != IntentKind::Revert && !open.intent.base.contains(mark),
        _ => false,
    };
    let goes = open.intent.kind == IntentKind::Revert || matches!(open.status, Status::Shown(_));
    named || (goes && open.intent.old.as_ref() == Some(mark))
}

/// Whether a downloaded picture is a rendition of the photo that the intent sent.
pub(super) fn fits(shared: &Shared, picture: Option<Bytes>, intent: &Intent) -> bool {
    let served = picture.and_then(|bytes| shared.looks.luma(&bytes));
    matches!((served, &intent.luma), (Some(served), Some(sent)) if served.fits(sent))
}
