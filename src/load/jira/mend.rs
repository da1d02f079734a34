//! Mending what was cut off: showing what was made, taking away what is left over, sending again.
//!
//! Owns: the last column of the table in docs/write-protocols.md, "Jira".
//! Leaves to others: judging by looking (`observe.rs`), what is wanted (`plan`), pictures with another account (`stray.rs`).
//! A newcomer gets wrong: every mending begins with the read that proves whose name it is, as every write does.

use crate::load::clock::now;
use crate::load::{Journal, Mend, WriteError, unmendable};
use crate::model::{Event, Fault, Intent, IntentKind, OpenIntent, PictureRef, Rendition, Status};

use super::avatar::Avatars;
use super::client::Led;
use super::session::{JiraSession, Made, fits};

impl JiraSession {
    /// Mends one open intent.
    pub(super) async fn mended(
        &mut self,
        open: &OpenIntent,
        mend: &Mend,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let intent = &open.intent;
        if let (Mend::Tidy(mark), Status::Stray { .. }) = (mend, &open.status) {
            return self.take_back(open, mark, journal).await;
        }
        let led = self.client.led(&intent.account_name, &intent.account).await;
        let avatars = match (led?, mend) {
            (Ok(Led::Here(avatars)), Mend::Tidy(mark)) if stray(open) && !avatars.has(mark, &intent.account) => {
                return self.take_back(open, mark, journal).await;
            }
            (Ok(Led::Here(avatars)), _) => avatars,
            (_, Mend::Tidy(mark)) if stray(open) => return self.take_back(open, mark, journal).await,
            (Ok(Led::Elsewhere), _) => return Err(WriteError::ChangedMeanwhile),
            (Err(unread), _) => return Err(WriteError::Refused(unread)),
        };
        match mend {
            Mend::Finish(mark) => self.finish(open, mark, &avatars, journal).await,
            Mend::Tidy(mark) => self.tidy(open, mark, &avatars, journal).await,
            Mend::Again(rendition) => self.again(open, rendition, &avatars, journal).await,
        }
    }

    /// After more than one attempt: takes away what an earlier one left beside `keep`. The journal still says that the
    /// intent is sent, so a kill in here is judged by the same look again.
    pub(super) async fn sweep(&self, intent: &Intent, attempts: u32, keep: &PictureRef) -> Result<(), WriteError> {
        let avatars = self.client.avatars(&intent.account_name).await?.map_err(WriteError::Unknown)?;
        let mut strays = Vec::new();
        for mark in avatars.beyond(&intent.base, &intent.account) {
            if mark == *keep || avatars.shows(&mark) {
                continue;
            }
            let picture = self.client.picture(Some(&intent.account), &mark).await?;
            if fits(&self.shared, picture, intent) {
                strays.push(mark);
            }
        }
        if strays.len() as u64 >= u64::from(attempts) {
            // More than we can have made: the person's own are among them.
            let found = format!("{} new pictures look like ours, after {attempts} attempts", strays.len() + 1);
            return Err(WriteError::Unknown(Fault::new("too_many_alike", found)));
        }
        for stray in strays {
            self.delete(&intent.account_name, &stray).await?;
        }
        Ok(())
    }

    async fn finish(
        &self,
        open: &OpenIntent,
        mark: &PictureRef,
        avatars: &Avatars,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let intent = &open.intent;
        let name = &intent.account_name;
        match &open.status {
            Status::Shown(shown) if shown == mark => {
                if let Some(old) = self.goes(open, avatars, mark).await? {
                    self.delete(name, &old).await?;
                }
                journal.record(Event::Closed).await?;
                return Ok(Some(mark.clone()));
            }
            Status::Sent { .. } | Status::Made(_) if intent.kind == IntentKind::Replace => {}
            _ => return Err(unmendable(open)),
        }
        if !made_by_us(open, mark) || !avatars.has(mark, &intent.account) {
            return Err(WriteError::ChangedMeanwhile);
        }
        let default = self.shared.known().default;
        if !avatars.shows(mark) && !avatars.stand_as(&intent.stood, default.as_ref()) {
            return Err(WriteError::ChangedMeanwhile);
        }
        if let Status::Sent { attempt, .. } = open.status
            && attempt > 1
        {
            self.sweep(intent, attempt, mark).await?;
        }
        let old = self.goes(open, avatars, mark).await?;
        if avatars.shows(mark) {
            let event = match open.status {
                Status::Made(_) => Event::Shown { mark: mark.clone() },
                // Judged by its looks alone.
                _ => Event::Recognised { mark: mark.clone() },
            };
            journal.record(event).await?;
            if let Some(old) = &old {
                self.delete(name, old).await?;
            }
            journal.record(Event::Closed).await?;
            return Ok(Some(mark.clone()));
        }
        if matches!(open.status, Status::Sent { .. }) {
            journal.record(Event::Made { mark: mark.clone() }).await?;
        }
        tracing::debug!(account = %intent.account, %name, "showing a picture that an earlier run made");
        self.show(intent, mark, old.as_ref(), Made::Earlier, journal).await
    }

    /// The old one of ours that goes once `mark` is shown: if it is still there, ours to delete, and looks like it.
    async fn goes(
        &self,
        open: &OpenIntent,
        avatars: &Avatars,
        mark: &PictureRef,
    ) -> Result<Option<PictureRef>, WriteError> {
        let intent = &open.intent;
        let Some(old) = intent.old.as_ref().filter(|old| *old != mark) else { return Ok(None) };
        let there = intent.base.contains(old) && avatars.has(old, &intent.account);
        // Where `mark` was shown already, somebody has chosen the old one again.
        let chosen = avatars.shows(old) && matches!(open.status, Status::Shown(_));
        Ok((there && !chosen && self.is_ours(intent, old).await?).then(|| old.clone()))
    }

    async fn tidy(
        &self,
        open: &OpenIntent,
        mark: &PictureRef,
        avatars: &Avatars,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let intent = &open.intent;
        if !made_by_us(open, mark) || avatars.shows(mark) {
            return Err(WriteError::ChangedMeanwhile);
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
                journal.record(event).await?;
            }
            Status::Made(made) => journal.record(Event::Abandoned { mark: made.clone() }).await?,
            Status::Leftover(_) | Status::Reset | Status::Shown(_) => {}
            Status::Begun | Status::Unsure | Status::Stray { .. } | Status::Closed => {
                return Err(unmendable(open));
            }
        }
        let old = superseded(intent, &open.status, avatars);
        if old.as_ref() != Some(mark) && avatars.has(mark, &intent.account) && self.is_ours(intent, mark).await? {
            self.delete(&intent.account_name, mark).await?;
        }
        if let Some(old) = &old {
            // Before it goes: from then on our record of it would be of a picture that is not there.
            journal.record(Event::Reset).await?;
            if self.is_ours(intent, old).await? {
                self.delete(&intent.account_name, old).await?;
            }
        }
        journal.record(Event::Closed).await?;
        Ok(None)
    }

    async fn again(
        &mut self,
        open: &OpenIntent,
        rendition: &Rendition,
        avatars: &Avatars,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let intent = &open.intent;
        let (Status::Sent { attempt, .. }, IntentKind::Replace) = (&open.status, intent.kind) else {
            return Err(unmendable(open));
        };
        let default = self.shared.known().default;
        // Something new there: the first attempt may have come through late, and must be looked at first.
        let untouched = avatars.beyond(&intent.base, &intent.account).is_empty();
        if !untouched || !avatars.stand_as(&intent.stood, default.as_ref()) {
            return Err(WriteError::ChangedMeanwhile);
        }
        let goes = self.looked_at(intent).await?;
        let attempt = attempt + 1;
        let sent = Event::Sent { attempt, route: self.route.word().to_owned(), at: now() };
        journal.record(sent).await?;
        self.send(intent, attempt, rendition, goes.as_ref(), journal).await
    }
}

/// The picture of ours before the one that was cut off, where the person has chosen another one than both: it goes, too.
pub(super) fn superseded(intent: &Intent, status: &Status, avatars: &Avatars) -> Option<PictureRef> {
    let made = matches!(status, Status::Sent { .. } | Status::Made(_) | Status::Leftover(_));
    let old = intent.old.as_ref().filter(|_| made && intent.kind == IntentKind::Replace)?;
    let gone = !intent.base.contains(old) || !avatars.has(old, &intent.account) || avatars.shows(old);
    (!gone).then(|| old.clone())
}

/// Whether what an intent made may lie with another account.
fn stray(open: &OpenIntent) -> bool {
    matches!(open.status, Status::Sent { .. }) && open.intent.kind == IntentKind::Replace
}

/// Whether a picture may be ours by this intent: named in its events, new since it began, or the recorded old one.
fn made_by_us(open: &OpenIntent, mark: &PictureRef) -> bool {
    let named = match &open.status {
        Status::Made(made) | Status::Leftover(made) => made == mark,
        Status::Sent { .. } => open.intent.kind != IntentKind::Revert && !open.intent.base.contains(mark),
        _ => false,
    };
    let goes = open.intent.kind != IntentKind::Probe;
    named || (goes && open.intent.old.as_ref() == Some(mark))
}
