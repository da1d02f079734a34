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
use crate::model::{Event, Fault, Intent, IntentKind, Mark, OpenIntent, Status};

use super::avatar::{Avatars, Selected};
use super::desk::Desk;
use super::upload::{self, Made, SESSION_LOST, Square};
use super::{Route, Shared};

/// Of the pictures that a session makes, the first and then one in so many is downloaded and compared.
pub(super) const SAMPLED: u64 = 50;

/// One worker's session.
pub(super) struct JiraSession {
    /// For everything but the upload.
    desk: Desk,
    /// For the upload: with cookies where the route needs the web session.
    uploads: Desk,
    shared: Arc<Shared>,
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
        let avatars = self.avatars(&draft.account_name).await?;
        let Selected::Custom(ours) = &avatars.selected else { return Ok(Wrote::ChangedMeanwhile) };
        if !avatars.all_of(&draft.account) || !avatars.stand_as(&draft.stood, Some(&default)) {
            return Ok(Wrote::ChangedMeanwhile);
        }
        draft.base = avatars.ids();
        draft.old = draft.old.filter(|old| old == ours);
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
        let avatars = self.avatars(&open.intent.account_name).await?;
        if !avatars.all_of(&open.intent.account) {
            return Ok(Wrote::ChangedMeanwhile);
        }
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
    async fn avatars(&self, name: &str) -> Result<Avatars, Wrote> {
        self.desk.avatars(name).await.map_err(Wrote::Stop)?.map_err(Wrote::Refused)
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
        self.check_owner(intent, &made).await?;
        if attempt > 1 {
            self.sweep(intent, attempt, &made.mark).await?;
        }
        self.compare(intent, &made.mark, journal).await?;
        record(journal, Event::Made { mark: made.mark.clone() }).await?;
        self.show(intent, &made.mark, journal).await
    }

    /// What was made must be new, and belong to the account that was meant.
    async fn check_owner(&self, intent: &Intent, made: &Made) -> Result<(), Wrote> {
        let new = !intent.base.contains(&made.mark);
        let ours = match &made.owner {
            Some(owner) => owner == intent.account.as_str(),
            // Not every release puts the owner into this answer.
            None => match self.desk.avatars(&intent.account_name).await {
                Ok(Ok(avatars)) => avatars.has(&made.mark, &intent.account),
                Ok(Err(unread)) => return Err(Wrote::Maybe(unread)),
                Err(failure) => return Err(Wrote::Stop(failure)),
            },
        };
        if new && ours {
            return Ok(());
        }
        let found = format!(
            "the new avatar {} {}",
            made.mark,
            if new { "belongs to another account" } else { "was there before" }
        );
        Err(Wrote::Stop(
            Failure::new(FailureKind::Odd, format!("a picture for {}", intent.account_name), found)
                .hint("the name and the key of the account do not belong together on this server: nothing was shown"),
        ))
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
    async fn delete(&self, name: &str, mark: &Mark) -> Result<(), Wrote> {
        upload::delete(&self.desk, name, mark).await.map_err(|trouble| match trouble {
            Trouble::No(fault) | Trouble::Maybe(fault) => Wrote::Maybe(Fault::new(
                "not_deleted",
                format!("avatar {mark} could not be deleted: {}", fault.message),
            )),
            Trouble::Stop(failure) => Wrote::Stop(failure),
        })
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
            Status::Begun | Status::Unsure | Status::Closed => return Ok(Wrote::Refused(unmendable(open))),
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
