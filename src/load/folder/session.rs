//! The steps of a write into a folder, on a disk or in a bucket, each between two journal calls.
//!
//! Owns: replace, revert and mend of one file or object. Leaves to others: what each step is where pictures stand
//! (`on_disk.rs`, `bucket/in_bucket.rs`).
//! A newcomer gets wrong: what is not what the plan saw is left alone, even under a name of ours.

use async_trait::async_trait;

use crate::http::Failure;
use crate::load::clock::now;
use crate::load::{Journal, Mend, WriteError, WriteProtocol};
use crate::model::{Event, Fault, Intent, IntentKind, OpenIntent, PictureRef, Rendition, Status};

/// Where pictures stand, each written whole.
#[async_trait]
pub(super) trait Place: Send + Sync {
    /// What it is.
    const NAME: &'static str;
    /// What a picture is in it.
    const PICTURE: &'static str;
    /// The one way that pictures go there.
    const ROUTE: &'static str;
    /// A picture of ours.
    type Ours: Send;

    /// The intent, if the plan saw what stands there, as far as that is known without a request; with what else is known of that.
    fn as_planned(&self, intent: Intent) -> Result<Intent, WriteError>;

    /// What stands there, if it is ours.
    async fn ours(&self, intent: &Intent) -> Result<Option<Self::Ours>, WriteError>;

    /// Takes it away.
    async fn remove(&self, account: &str, ours: Self::Ours) -> Result<(), Failure>;

    /// Puts a picture there, over what the plan saw; `None`: something else stands there, and nothing was written.
    async fn put(&self, intent: &Intent, rendition: &Rendition) -> Result<Option<PictureRef>, WriteError>;

    /// Ends a write of which this picture came, if it stands there.
    async fn finish(&self, intent: &Intent, mark: &PictureRef) -> Result<(), WriteError>;
}

/// Nothing of a write stays in a session.
pub(super) struct WholeSession<P>(pub(super) P);

#[async_trait]
impl<P: Place> WriteProtocol for WholeSession<P> {
    async fn replace(
        &mut self,
        intent: Intent,
        rendition: &Rendition,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        let intent = self.0.as_planned(intent)?;
        journal.begin(intent.clone(), sent(1, P::ROUTE)).await?;
        self.put(&intent, rendition, journal).await
    }

    async fn revert(&mut self, intent: Intent, journal: &mut dyn Journal) -> Result<Option<PictureRef>, WriteError> {
        let intent = self.0.as_planned(intent)?;
        let Some(ours) = self.0.ours(&intent).await? else {
            let found = format!("the {} there was not made by us: it is left alone", P::PICTURE);
            return Err(WriteError::Refused(Fault::new("not_ours", found)));
        };
        let account = intent.account.as_str().to_owned();
        journal.begin(intent, sent(1, "revert")).await?;
        self.0.remove(&account, ours).await?;
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
                self.0.as_planned(intent.clone())?;
                journal.record(sent(attempt + 1, P::ROUTE)).await?;
                self.put(intent, rendition, journal).await
            }
            (Mend::Finish(mark), Status::Sent { .. } | Status::Shown(_)) => {
                self.0.finish(intent, mark).await?;
                if matches!(open.status, Status::Sent { .. }) {
                    journal.record(Event::Shown { mark: mark.clone() }).await?;
                }
                journal.record(Event::Closed).await?;
                Ok(Some(mark.clone()))
            }
            _ => {
                let found = format!("a {} keeps no picture that is not shown", P::NAME);
                Err(WriteError::Refused(Fault::new("not_mendable", found)))
            }
        }
    }
}

impl<P: Place> WholeSession<P> {
    /// A failure leaves the intent open, whatever it says: an earlier try of the same write may have arrived.
    async fn put(
        &self,
        intent: &Intent,
        rendition: &Rendition,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError> {
        match self.0.put(intent, rendition).await? {
            Some(mark) => {
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
