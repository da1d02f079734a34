//! The steps of a write into a bucket, each between two journal calls (docs/write-protocols.md, "Folder in a bucket").
//!
//! Owns: replace, revert and mend of one object. Leaves to others: sending (`shared.rs`).
//! A newcomer gets wrong: nothing is read before a picture is put: the condition of the put is the reading, and the store's
//! no means that nothing was written. A removal has no condition, so it is read right before it.

use std::sync::Arc;

use async_trait::async_trait;

use crate::load::clock::now;
use crate::load::{Journal, Mend, WriteError, WriteProtocol};
use crate::model::{Event, Fault, Intent, IntentKind, OpenIntent, PictureRef, Rendition, Shown, Status};

use super::shared::BucketConnection;

/// Objects are written whole, so nothing of a write stays in a session.
pub(super) struct BucketSession {
    shared: Arc<BucketConnection>,
}

#[async_trait]
impl WriteProtocol for BucketSession {
    async fn replace(
        &mut self,
        intent: Intent,
        rendition: &Rendition,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let stood = self.stood(&intent)?;
        journal.begin(intent.clone(), sent(1, "put")).await?;
        self.put(&intent, stood, rendition, journal).await
    }

    async fn revert(&mut self, intent: Intent, journal: &mut dyn Journal) -> Result<Option<PictureRef>, WriteError> {
        let stood = self.stood(&intent)?;
        if stood.is_none() || stood != intent.old.as_ref() {
            let found = "the object there was not made by us: it is left alone";
            return Err(WriteError::Refused(Fault::new("not_ours", found)));
        }
        let account = intent.account.as_str().to_owned();
        if self.shared.mark(&account).await?.as_ref() != stood {
            return Err(WriteError::ChangedMeanwhile);
        }
        journal.begin(intent, sent(1, "revert")).await?;
        self.shared.delete(&account).await?;
        self.shared.note(&account, None);
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
                let stood = self.stood(intent)?;
                journal.record(sent(attempt + 1, "put")).await?;
                self.put(intent, stood, rendition, journal).await
            }
            (Mend::Finish(mark), Status::Sent { .. } | Status::Shown(_)) => {
                let account = intent.account.as_str();
                if self.shared.mark(account).await?.as_ref() != Some(mark) {
                    return Err(WriteError::ChangedMeanwhile);
                }
                self.shared.note(account, Some(mark));
                if matches!(open.status, Status::Sent { .. }) {
                    journal.record(Event::Shown { mark: mark.clone() }).await?;
                }
                journal.record(Event::Closed).await?;
                Ok(Some(mark.clone()))
            }
            _ => Err(WriteError::Refused(Fault::new("not_mendable", "a bucket keeps no picture that is not shown"))),
        }
    }
}

impl BucketSession {
    pub(super) fn new(shared: Arc<BucketConnection>) -> Self {
        Self { shared }
    }

    /// What the plan saw there; `None`: nothing.
    fn stood<'i>(&self, intent: &'i Intent) -> Result<Option<&'i PictureRef>, WriteError> {
        let account = intent.account.as_str();
        if !self.shared.is_account(account) {
            let found = format!("`{account}` is no name of an object that avatarpipe writes");
            return Err(WriteError::Refused(Fault::new("odd_name", found)));
        }
        match &intent.stood {
            Shown::Default => Ok(None),
            Shown::Custom(mark) => Ok(Some(mark)),
            Shown::System(_) | Shown::Unknown(_) => Err(WriteError::ChangedMeanwhile),
        }
    }

    /// A failure leaves the intent open, whatever it says: an earlier try of the same put may have arrived.
    async fn put(
        &self,
        intent: &Intent,
        stood: Option<&PictureRef>,
        rendition: &Rendition,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let account = intent.account.as_str();
        match self.shared.put(account, stood, &rendition.bytes, rendition.media_type.word()).await? {
            Some(mark) => {
                self.shared.note(account, Some(&mark));
                journal.end(Event::Shown { mark: mark.clone() }).await?;
                Ok(Some(mark))
            }
            None => {
                let why = "the store refused it: something else stands there than the plan saw";
                journal.record(Event::Void { why: why.to_owned() }).await?;
                Err(WriteError::ChangedMeanwhile)
            }
        }
    }
}

fn sent(attempt: u32, route: &str) -> Event {
    Event::Sent { attempt, route: route.to_owned(), at: now() }
}
