//! One worker's session, and when it is used up.
//!
//! Owns: that a session is thrown away after anything but a complete success (promise P1).
//! Leaves to others: the steps of a write, which each product has of its own (its `session.rs`).
//! A newcomer gets wrong: a write that was dropped half way ends the session, too; so it is spent from the moment a write
//! begins, and fresh again only once that write is done.

use async_trait::async_trait;

use crate::http::{Failure, FailureKind};
use crate::load::{Journal, Mend, Rendition, Session, Wrote};
use crate::model::{Event, Fault, Intent, OpenIntent};

/// The writes of one product, step by step (docs/write-protocols.md). `Err` is a write that ended early, and ends it no
/// differently than `Ok`.
#[async_trait]
pub(crate) trait Protocol: Send {
    /// [`Session::replace`].
    async fn replace(
        &mut self,
        draft: Intent,
        rendition: &Rendition,
        journal: &mut dyn Journal,
    ) -> Result<Wrote, Wrote>;

    /// [`Session::revert`].
    async fn revert(&mut self, draft: Intent, journal: &mut dyn Journal) -> Result<Wrote, Wrote>;

    /// [`Session::mend`].
    async fn mend(&mut self, open: &OpenIntent, mend: &Mend, journal: &mut dyn Journal) -> Result<Wrote, Wrote>;
}

/// A session that serves until a write in it is not done.
pub(crate) struct Spendable<P> {
    protocol: P,
    state: State,
}

/// Whether the session may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fresh,
    /// A write is under way, was dropped half way, or ended in anything but a complete success.
    Spent,
}

impl<P> Spendable<P> {
    pub(crate) fn new(protocol: P) -> Self {
        Self { protocol, state: State::Fresh }
    }

    fn lend(&mut self) -> Result<&mut P, Wrote> {
        match std::mem::replace(&mut self.state, State::Spent) {
            State::Fresh => Ok(&mut self.protocol),
            State::Spent => Err(Wrote::Stop(Failure::new(
                FailureKind::Odd,
                "a write in a session that was used up",
                "an earlier write in it did not end in a complete success",
            ))),
        }
    }

    fn settle(&mut self, wrote: Result<Wrote, Wrote>) -> Wrote {
        let wrote = wrote.unwrap_or_else(|ended| ended);
        if matches!(wrote, Wrote::Done(_)) {
            self.state = State::Fresh;
        }
        wrote
    }
}

#[async_trait]
impl<P: Protocol> Session for Spendable<P> {
    async fn replace(&mut self, draft: Intent, rendition: &Rendition, journal: &mut dyn Journal) -> Wrote {
        let wrote = match self.lend() {
            Ok(protocol) => protocol.replace(draft, rendition, journal).await,
            Err(spent) => return spent,
        };
        self.settle(wrote)
    }

    async fn revert(&mut self, draft: Intent, journal: &mut dyn Journal) -> Wrote {
        let wrote = match self.lend() {
            Ok(protocol) => protocol.revert(draft, journal).await,
            Err(spent) => return spent,
        };
        self.settle(wrote)
    }

    async fn mend(&mut self, open: &OpenIntent, mend: &Mend, journal: &mut dyn Journal) -> Wrote {
        let wrote = match self.lend() {
            Ok(protocol) => protocol.mend(open, mend, journal).await,
            Err(spent) => return spent,
        };
        self.settle(wrote)
    }
}

/// A durable commit before going on.
pub(crate) async fn record(journal: &mut dyn Journal, event: Event) -> Result<(), Wrote> {
    journal.record(event).await.map_err(Wrote::Stop)
}

/// What the journal says does not go with the mending that was asked for.
pub(crate) fn unmendable(open: &OpenIntent) -> Fault {
    let account = &open.intent.account;
    Fault::new("not_mendable", format!("the write for {account} stands at {:?} and cannot be mended so", open.status))
}
