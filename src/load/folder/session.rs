//! The steps of a write into a folder, each between two journal calls.
//!
//! Owns: replace, revert and mend of one file. Leaves to others: how a file gets there whole (`files.rs`).
//! A newcomer gets wrong: a file that is not what the plan saw is left alone, even under a name of ours.

use std::sync::Arc;

use async_trait::async_trait;

use crate::http::Failure;
use crate::load::clock::now;
use crate::load::{Journal, Mend, WriteError, WriteProtocol};
use crate::model::{Event, Fault, Intent, IntentKind, MediaType, OpenIntent, PictureRef, Rendition, Shown, Status};

use super::files::StandingPicture;
use super::names;
use super::shared::FolderConnection;

/// Files are placed whole, so nothing of a write stays in a session.
pub(super) struct FolderSession {
    shared: Arc<FolderConnection>,
}

#[async_trait]
impl WriteProtocol for FolderSession {
    async fn replace(
        &mut self,
        intent: Intent,
        rendition: &Rendition,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let stands = self.as_planned(&intent)?;
        let intent = standing_as(intent, stands.as_ref());
        journal.begin(intent.clone(), sent(1, "file")).await?;
        self.write(&intent, rendition, journal).await
    }

    async fn revert(&mut self, intent: Intent, journal: &mut dyn Journal) -> Result<Option<PictureRef>, WriteError> {
        let stands = self.as_planned(&intent)?;
        let Some(ours) = stands.filter(|found| intent.old.as_ref() == Some(&found.mark())) else {
            return Err(WriteError::Refused(Fault::new(
                "not_ours",
                "the file there was not made by us: it is left alone",
            )));
        };
        let intent = standing_as(intent, Some(&ours));
        journal.begin(intent.clone(), sent(1, "revert")).await?;
        self.shared.files.remove(&ours.file).await?;
        self.shared.note(intent.account.as_str(), None);
        journal.end(Event::Reset).await?;
        Ok(None)
    }

    async fn mend(
        &mut self,
        open: &OpenIntent,
        mend: &Mend,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let intent = &open.intent;
        match (mend, &open.status) {
            (Mend::Again(rendition), Status::Sent { attempt, .. }) if intent.kind == IntentKind::Replace => {
                self.as_planned(intent)?;
                journal.record(sent(attempt + 1, "file")).await?;
                self.write(intent, rendition, journal).await
            }
            (Mend::Finish(mark), Status::Sent { .. } | Status::Shown(_)) => {
                let stands = self.shared.files.standing(intent.account.as_str()).unwrap_or_default();
                let Some(standing) = stands.into_iter().find(|found| found.mark() == *mark) else {
                    return Err(WriteError::ChangedMeanwhile);
                };
                self.drop_former(intent, &standing.file).await?;
                self.shared.note(intent.account.as_str(), Some(standing));
                if matches!(open.status, Status::Sent { .. }) {
                    journal.record(Event::Shown { mark: mark.clone() }).await?;
                }
                journal.record(Event::Closed).await?;
                Ok(Some(mark.clone()))
            }
            _ => Err(WriteError::Refused(Fault::new("not_mendable", "a folder keeps no picture that is not shown"))),
        }
    }
}

impl FolderSession {
    pub(super) fn new(shared: Arc<FolderConnection>) -> Self {
        Self { shared }
    }

    /// What stands there, if it is what the plan saw.
    fn as_planned(&self, intent: &Intent) -> Result<Option<StandingPicture>, WriteError> {
        let account = intent.account.as_str();
        if names::name_of(account).is_none() {
            let found = format!("`{account}` is no name of a file that avatarpipe writes");
            return Err(WriteError::Refused(Fault::new("odd_name", found)));
        }
        let unreadable = |error: std::io::Error| WriteError::Refused(Fault::new("unreadable", error.to_string()));
        let stands = self.shared.standing(account).map_err(unreadable)?;
        let planned = match (&intent.stood, &stands) {
            (Shown::Default, None) => true,
            (Shown::Custom(mark), Some(found)) => *mark == found.mark() || *mark == PictureRef::spoilt(&found.digest),
            _ => false,
        };
        if planned { Ok(stands) } else { Err(WriteError::ChangedMeanwhile) }
    }

    /// What is replaced goes, also where its form is another one and the new file is not written over it: two files of one
    /// name would show two pictures. That is what the plan saw there, and our former file; any other file stays.
    async fn drop_former(&self, intent: &Intent, keep: &str) -> Result<(), Failure> {
        let files = &self.shared.files;
        let stood = match &intent.stood {
            Shown::Custom(mark) => Some(mark),
            _ => None,
        };
        if stood.is_none() && intent.old.is_none() {
            return Ok(());
        }
        for standing in files.standing(intent.account.as_str()).unwrap_or_default() {
            let mark = standing.mark();
            let is_replaced = intent.old.as_ref() == Some(&mark)
                || stood.is_some_and(|stood| *stood == mark || *stood == PictureRef::spoilt(&standing.digest));
            if standing.file != keep && is_replaced {
                files.remove(&standing.file).await?;
            }
        }
        Ok(())
    }

    async fn write(
        &self,
        intent: &Intent,
        rendition: &Rendition,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let account = intent.account.as_str();
        // What is given back had a name that need not tell its form.
        let ending = intent.handle.as_deref().and_then(ending_of).unwrap_or(rendition.media_type.ending());
        let file = format!("{account}.{ending}");
        self.shared.files.place(&file, rendition.bytes.clone()).await?;
        self.drop_former(intent, &file).await?;
        let standing = StandingPicture { file, digest: rendition.digest };
        let mark = standing.mark();
        self.shared.note(account, Some(standing));
        // The name reaches the disk with many others (`PictureFiles::settle`); what a power cut takes back of it differs from the
        // record, and is written again.
        journal.end(Event::Shown { mark: mark.clone() }).await?;
        Ok(Some(mark))
    }
}

/// With how the name of what stood there ends, for whoever gives it back.
fn standing_as(mut intent: Intent, stands: Option<&StandingPicture>) -> Intent {
    let ending = stands.and_then(|found| found.file.rsplit_once('.')).map(|(_, ending)| ending.to_owned());
    intent.stood_in = ending;
    intent
}

/// The state is input, too: an ending of pictures, or none.
fn ending_of(word: &str) -> Option<&'static str> {
    MediaType::ALL.into_iter().map(MediaType::ending).find(|ending| *ending == word)
}

fn sent(attempt: u32, route: &str) -> Event {
    Event::Sent { attempt, route: route.to_owned(), at: now() }
}
