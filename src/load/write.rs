//! What every write has in common: the session it goes through, the journal around it and how it ends.
//!
//! Owns: `Session`, the traits `WriteProtocol` and `Journal`, and the one type that says how a write ended, from the client of a product
//! to `run::apply`.
//! Leaves to others: the steps of a write (`*/session.rs`), what an answer means (`*/client.rs`).
//! A newcomer gets wrong: a session that is at hand was never in a write that did not succeed. A write takes it, and only
//! a complete success gives it back (promise P1).

use async_trait::async_trait;

use crate::http::Failure;
use crate::model::{Event, Fault, Intent, OpenIntent, PictureRef, Reason, Rendition, Status};

/// A write, with all its steps, that was done and parsed as a complete success.
pub(crate) struct Done {
    /// To be used again.
    pub session: Session,
    /// What the account shows now; `None`: the default.
    pub shown: Option<PictureRef>,
}

/// How a call or a whole write ended that is not a complete success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WriteError {
    /// A definite refusal of this person, or it was never sent; nothing stands half done.
    Refused(Fault),
    /// The account showed something else than the plan saw; nothing was written.
    ChangedMeanwhile,
    /// It may or may not have happened: the account is looked at later.
    Unknown(Fault),
    /// The whole target must stop. Whether the write happened is not known.
    Stop(Failure),
}

impl From<Failure> for WriteError {
    fn from(failure: Failure) -> Self {
        Self::Stop(failure)
    }
}

impl WriteError {
    /// The same after a step that is on record: a later one was refused, so only a look tells what there is to mend.
    pub(crate) fn after_a_step(self) -> Self {
        match self {
            Self::Refused(fault) => Self::Unknown(fault),
            other => other,
        }
    }

    /// Says more about this person's fault.
    pub(crate) fn explained(self, explain: impl FnOnce(Fault) -> Fault) -> Self {
        match self {
            Self::Refused(fault) => Self::Refused(explain(fault)),
            Self::Unknown(fault) => Self::Unknown(explain(fault)),
            other => other,
        }
    }

    /// The fault of one person, or what stops the whole target.
    pub(crate) fn fault(self) -> Result<Fault, Failure> {
        match self {
            Self::Refused(fault) | Self::Unknown(fault) => Ok(fault),
            Self::ChangedMeanwhile => Ok(Fault::new(Reason::ChangedMeanwhile.word(), Reason::ChangedMeanwhile.text())),
            Self::Stop(failure) => Err(failure),
        }
    }
}

/// Writes a definite refusal down.
pub(crate) async fn recorded<T>(sent: Result<T, WriteError>, journal: &mut dyn Journal) -> Result<T, WriteError> {
    if let Err(WriteError::Refused(no)) = &sent {
        journal.record(Event::Refused { why: no.message.clone() }).await?;
    }
    sent
}

/// What the journal says does not go with the mending that was asked for.
pub(crate) fn unmendable(open: &OpenIntent) -> WriteError {
    let account = &open.intent.account;
    let found = format!("the write for {account} stands at {:?} and cannot be mended so", open.status);
    WriteError::Refused(Fault::new("not_mendable", found))
}

/// The events that close an intent of which looking said [`Seen::Nothing`](crate::model::Seen::Nothing).
pub(crate) fn closing(status: &Status, why: &str) -> Vec<Event> {
    match status {
        Status::Begun | Status::Sent { .. } | Status::Unsure => vec![Event::Void { why: why.to_owned() }],
        Status::Made(mark) => vec![Event::Abandoned { mark: mark.clone() }, Event::Closed],
        Status::Shown(_) | Status::Reset | Status::Leftover(_) | Status::Stray { .. } => vec![Event::Closed],
        Status::Closed => Vec::new(),
    }
}

/// The durable record of one write. Each call returns only when the record is on disk.
#[async_trait]
pub trait Journal: Send {
    /// Writes down the intent together with its first event, before anything is sent.
    async fn begin(&mut self, intent: Intent, first: Event) -> Result<(), Failure>;

    /// Adds an event.
    async fn record(&mut self, event: Event) -> Result<(), Failure>;

    /// Adds the event after which nothing is left to do, and closes the write: in one record where that can be.
    async fn end(&mut self, event: Event) -> Result<(), Failure> {
        self.record(event).await?;
        self.record(Event::Closed).await
    }
}

/// One worker's own way into a target. A write takes it: of a refused confirmation the server still keeps the upload,
/// which whoever came next would find there (promise P1).
pub struct Session(Box<dyn WriteProtocol>);

impl Session {
    pub(crate) fn new(protocol: impl WriteProtocol + 'static) -> Self {
        Self(Box::new(protocol))
    }

    /// As [`WriteProtocol::replace`].
    pub(crate) async fn replace(
        mut self,
        draft: Intent,
        rendition: &Rendition,
        journal: &mut dyn Journal,
    ) -> Result<Done, WriteError> {
        let shown = self.0.replace(draft, rendition, journal).await?;
        Ok(Done { session: self, shown })
    }

    /// As [`WriteProtocol::revert`].
    pub(crate) async fn revert(mut self, draft: Intent, journal: &mut dyn Journal) -> Result<Done, WriteError> {
        let shown = self.0.revert(draft, journal).await?;
        Ok(Done { session: self, shown })
    }

    /// As [`WriteProtocol::mend`].
    pub(crate) async fn mend(
        mut self,
        open: &OpenIntent,
        mend: &Mend,
        journal: &mut dyn Journal,
    ) -> Result<Done, WriteError> {
        let shown = self.0.mend(open, mend, journal).await?;
        Ok(Done { session: self, shown })
    }
}

/// The steps of a product's writes to one account, each between the journal calls that docs/write-protocols.md puts
/// around it. Each says what the account shows afterwards; `None`: the default.
#[async_trait]
pub(crate) trait WriteProtocol: Send {
    /// Makes and shows a picture. `draft` holds everything but what only the server can tell (`base`).
    async fn replace(
        &mut self,
        draft: Intent,
        rendition: &Rendition,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError>;

    /// Shows the default and takes our picture away. `draft.stood` is that picture; `draft.old` names it too if we made
    /// it, and is empty if it was adopted: then it stays.
    async fn revert(&mut self, draft: Intent, journal: &mut dyn Journal) -> Result<Option<PictureRef>, WriteError>;

    /// Mends an open intent: shows what is made and still wanted, or takes away what is left over.
    async fn mend(
        &mut self,
        open: &OpenIntent,
        mend: &Mend,
        journal: &mut dyn Journal,
    ) -> Result<Option<PictureRef>, WriteError>;
}

/// How an open intent is mended.
#[derive(Clone, Debug)]
pub(crate) enum Mend {
    /// Show this picture of ours, then tidy the old one.
    Finish(PictureRef),
    /// Take this picture of ours away; it is not shown.
    Tidy(PictureRef),
    /// The write left no trace: send it again as one attempt more.
    Again(Rendition),
}
