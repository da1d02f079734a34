//! The steps of a write, each between the journal calls that docs/write-protocols.md puts around it.
//!
//! Owns: replace, revert and mend for one account at a time, and the read before each.
//! Leaves to others: the calls themselves (`remote.rs`), taking a file away (`removal.rs`), judging what was cut off
//! (`observe.rs`).
//! A newcomer gets wrong: a file can be removed only where its content id is known, and a default picture does not show
//! it. What cannot be removed yet stays an open intent until a later survey shows the id.

use async_trait::async_trait;

use crate::load::clock::now;
use crate::load::{Journal, Mend, WriteError, WriteProtocol, recorded, unmendable};
use crate::model::{Event, Fault, Intent, IntentKind, OpenIntent, PictureRef, Rendition, Shown, Status};
use crate::settings::ConfluenceUpload;

use super::answer::{CHANGED, Whom};
use super::client::{ConfluenceClient, File, Now, ServedFile};
use super::picture::{self, ConfluencePicture};
use super::probe;
use super::remote::{self, route};
use super::removal::{self, FileRemoval, Trace};

/// One worker's session.
pub(super) struct ConfluenceSession {
    client: ConfluenceClient,
}

#[async_trait]
impl WriteProtocol for ConfluenceSession {
    async fn replace(
        &mut self,
        mut draft: Intent,
        rendition: &Rendition,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let ConfluencePicture { shown, content, default } = self.as_planned(&draft).await?;
        let Some(digest) = &draft.rendition else { return Err(WriteError::Refused(incomplete(&draft))) };
        let ours = draft.old.clone().map(Shown::Custom);
        let file = picture::file_name(digest, rendition, Some(&shown).filter(|shown| ours.as_ref() != Some(*shown)));
        let seen = ConfluencePicture { shown, content, default };
        draft.handle = seen.content.clone().or(draft.handle);
        draft.stood_in = seen.content.clone();
        draft.making = Some(file.clone());
        draft.old = picture::old(&draft, Some(&file));
        self.client.atlassian().http().alone()?;
        journal.begin(draft.clone(), self.sent(1)).await?;
        self.add(&draft, &file, rendition, &seen, journal).await
    }

    /// Of a picture that is not ours, only the choice is taken back: the file stays attached.
    async fn revert(&mut self, mut draft: Intent, journal: &mut dyn Journal) -> Result<Option<PictureRef>, WriteError> {
        let default = self.client.shared().known().default_path;
        if *draft.goal() == Shown::Default && default.is_none() {
            return Err(WriteError::Refused(Fault::new(
                "default_unknown",
                "no account of this server shows the default picture, so its path is not known",
            )));
        }
        let seen = self.as_planned(&draft).await?;
        draft.handle = seen.content.clone().or(draft.handle);
        draft.stood_in = seen.content.clone();
        draft.old = picture::old(&draft, None);
        match (draft.goal(), &draft.handle) {
            (Shown::Custom(file), Some(content)) => self.expect_file(File { content, file }, seen.file()).await?,
            (Shown::Custom(_), None) => {
                let found = "nobody knows where the files of the account are, so the earlier one cannot be asked for";
                return Err(WriteError::Refused(Fault::new("not_looked_at", found)));
            }
            _ => {}
        }
        let sent = Event::Sent { attempt: 1, route: "revert".to_owned(), at: now() };
        journal.begin(draft.clone(), sent).await?;
        let shown = remote::show(&self.client, Whom::of(&draft), draft.goal(), default.as_deref(), &seen).await;
        settled(shown, journal).await?;
        journal.record(Event::Reset).await?;
        let content = draft.handle.as_deref();
        if let Some(old) = &draft.old
            && self.remove(&draft, content, old, Trace::old(&draft), None).await? == FileRemoval::Owed
        {
            return Ok(None);
        }
        journal.record(Event::Closed).await?;
        Ok(None)
    }

    async fn mend(
        &mut self,
        open: &OpenIntent,
        mend: &Mend,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let now = self.read(&open.intent).await?;
        match mend {
            Mend::Finish(mark) => self.finish(open, mark, &now, journal).await,
            Mend::Tidy(mark) => self.tidy(open, mark, &now, journal).await,
            Mend::Again(rendition) => self.again(open, rendition, &now, journal).await,
        }
    }
}

impl ConfluenceSession {
    pub(super) fn new(client: ConfluenceClient) -> Self {
        Self { client }
    }

    /// Who carries the name that the calls will use: it may have passed to somebody else since the survey.
    async fn read(&self, intent: &Intent) -> Result<Now, WriteError> {
        let now = self.client.named(&intent.account_name).await?.map_err(WriteError::Refused)?;
        if now.key == intent.account { Ok(now) } else { Err(WriteError::ChangedMeanwhile) }
    }

    /// The same, if the account shows what the plan saw.
    async fn as_planned(&self, draft: &Intent) -> Result<ConfluencePicture, WriteError> {
        let now = self.read(draft).await?.picture;
        if now.is_as_planned(draft) { Ok(now) } else { Err(WriteError::ChangedMeanwhile) }
    }

    /// A file that is gone is not selected: the account would show nothing.
    async fn expect_file(&self, which: File<'_>, beside: Option<&PictureRef>) -> Result<(), WriteError> {
        let beside = beside.map(|file| File { content: which.content, file });
        match self.client.file(which, beside).await? {
            ServedFile::Picture(_) => Ok(()),
            ServedFile::Missing => {
                Err(WriteError::Refused(Fault::new("gone", "the earlier picture is not there any more")))
            }
            ServedFile::Unclear => {
                let found = "the server does not say whether the earlier picture is there";
                Err(WriteError::Refused(Fault::new("not_looked_at", found)))
            }
        }
    }

    fn sent(&self, attempt: u32) -> Event {
        Event::Sent { attempt, route: route(&self.client.shared().upload).to_owned(), at: now() }
    }

    /// From the recorded sending to the end.
    async fn add(
        &self,
        intent: &Intent,
        file: &PictureRef,
        rendition: &Rendition,
        seen: &ConfluencePicture,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let path = seen.plain_path();
        let added = remote::add(&self.client, Whom::of(intent), file, rendition, path.as_deref()).await;
        settled(added, journal).await?;
        let content = seen.content.as_deref().or(intent.handle.as_deref());
        self.shown(intent, file, content, journal).await
    }

    /// Records what is shown, takes the old one away and closes.
    async fn shown(
        &self,
        intent: &Intent,
        file: &PictureRef,
        content: Option<&str>,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let shown = Event::Shown { mark: file.clone() };
        if picture::old(intent, Some(file)).is_none() {
            journal.end(shown).await?;
            return Ok(Some(file.clone()));
        }
        journal.record(shown).await?;
        self.clean_up(intent, file, content, journal).await
    }

    async fn clean_up(
        &self,
        intent: &Intent,
        file: &PictureRef,
        content: Option<&str>,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        if let Some(old) = picture::old(intent, Some(file))
            && self.remove(intent, content, &old, Trace::old(intent), Some(file)).await? == FileRemoval::Owed
        {
            return Ok(Some(file.clone()));
        }
        journal.record(Event::Closed).await?;
        Ok(Some(file.clone()))
    }

    /// Takes a file away; `beside` is one that is there. What is owed leaves the intent open, so that a later run finds it.
    async fn remove(
        &self,
        intent: &Intent,
        content: Option<&str>,
        file: &PictureRef,
        trace: Trace<'_>,
        beside: Option<&PictureRef>,
    ) -> Result<FileRemoval, WriteError> {
        match content {
            Some(content) => {
                let file = File { content, file };
                let beside = beside.map(|file| File { content, file });
                removal::take_away(&self.client, Whom::of(intent), file, trace, beside).await
            }
            // It goes once a survey shows where the account's files are.
            None => Ok(FileRemoval::Owed),
        }
    }

    async fn finish(
        &self,
        open: &OpenIntent,
        mark: &PictureRef,
        now: &Now,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let intent = &open.intent;
        let content = now.picture.content.as_deref().or(intent.handle.as_deref());
        let shows = now.picture.shown == Shown::Custom(mark.clone());
        match &open.status {
            // Whatever is shown by now, the old one goes unless it is that.
            Status::Shown(shown) if shown == mark => {
                if picture::old(intent, None).is_some_and(|old| now.picture.shown == Shown::Custom(old)) {
                    journal.record(Event::Closed).await?;
                    return Ok(Some(mark.clone()));
                }
                self.clean_up(intent, mark, content, journal).await
            }
            Status::Sent { .. } | Status::Made(_) if intent.kind == IntentKind::Replace => {
                if intent.making.as_ref() != Some(mark) {
                    return Err(WriteError::ChangedMeanwhile);
                }
                if !shows {
                    let unshown = now.picture.shown == intent.stood;
                    if !unshown || self.client.shared().upload != ConfluenceUpload::Xmlrpc {
                        return Err(WriteError::ChangedMeanwhile);
                    }
                    if matches!(open.status, Status::Sent { .. }) {
                        journal.record(Event::Made { mark: mark.clone() }).await?;
                    }
                    let selected = remote::select(&self.client, Whom::of(intent), mark).await;
                    selected.map_err(WriteError::after_a_step)?;
                }
                self.shown(intent, mark, content, journal).await
            }
            _ => Err(unmendable(open)),
        }
    }

    async fn tidy(
        &self,
        open: &OpenIntent,
        mark: &PictureRef,
        now: &Now,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let intent = &open.intent;
        let shown = now.picture.shown == Shown::Custom(mark.clone());
        // The picture of a probe is shown until what stood before is put back.
        let to_put_back = shown && intent.kind == IntentKind::Probe;
        if (shown && !to_put_back) || !mark.as_str().starts_with(picture::PREFIX) || !made_by_us(open, mark) {
            return Err(WriteError::ChangedMeanwhile);
        }
        let Some(content) = now.picture.content.as_deref().or(intent.handle.as_deref()) else {
            return Err(WriteError::ChangedMeanwhile);
        };
        match &open.status {
            Status::Sent { .. } | Status::Made(_) => {
                // A revert that took effect unseen: the default is shown, and our picture goes.
                let event = match intent.kind {
                    IntentKind::Revert => Event::Reset,
                    IntentKind::Replace | IntentKind::Probe => Event::Abandoned { mark: mark.clone() },
                };
                journal.record(event).await?;
            }
            Status::Leftover(_) | Status::Reset | Status::Shown(_) => {}
            Status::Begun | Status::Unsure | Status::Stray { .. } | Status::Closed => {
                return Err(unmendable(open));
            }
        }
        if to_put_back {
            let default = self.client.shared().known().default_path;
            let back = probe::put_back(&self.client, intent, content, mark, default.as_deref()).await;
            back.map_err(WriteError::after_a_step)?;
        }
        let trace = if intent.old.as_ref() == Some(mark) { Trace::old(intent) } else { Trace::making(intent) };
        let beside = now.picture.file();
        if self.remove(intent, Some(content), mark, trace, beside).await? != FileRemoval::Owed {
            journal.record(Event::Closed).await?;
        }
        Ok(None)
    }

    /// The same picture under the same name: only a new version of the file.
    async fn again(
        &self,
        open: &OpenIntent,
        rendition: &Rendition,
        now: &Now,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let intent = &open.intent;
        let (Status::Sent { attempt, .. }, IntentKind::Replace, Some(file)) =
            (&open.status, intent.kind, &intent.making)
        else {
            return Err(unmendable(open));
        };
        if now.picture.shown != intent.stood {
            return Err(WriteError::ChangedMeanwhile);
        }
        journal.record(self.sent(attempt + 1)).await?;
        self.add(intent, file, rendition, &now.picture, journal).await
    }
}

/// What a write came to: a definite refusal is recorded, also of a picture that is not the one we saw.
async fn settled(done: Result<(), WriteError>, journal: &mut dyn Journal) -> Result<(), WriteError> {
    match recorded(done, journal).await {
        Err(WriteError::Refused(no)) if no.code == CHANGED => Err(WriteError::ChangedMeanwhile),
        done => done,
    }
}

/// Whether a file is named in the intent as ours.
fn made_by_us(open: &OpenIntent, mark: &PictureRef) -> bool {
    let intent = &open.intent;
    let named = matches!(&open.status, Status::Leftover(left) if left == mark);
    named || intent.making.as_ref() == Some(mark) || intent.old.as_ref() == Some(mark)
}

fn incomplete(draft: &Intent) -> Fault {
    Fault::new("no_rendition", format!("the write for {} names no rendition", draft.account))
}
