//! The journal of one write: what `load` calls between its remote steps, made durable by `state`.
//!
//! Owns: turning a state error into the failure that stops the target. Leaves to others: durability (`state`).
//! A newcomer gets wrong: a journal that cannot be written stops the target at once; going on would break promise P4.

use std::sync::Arc;

use async_trait::async_trait;

use crate::http::{Failure, FailureKind};
use crate::load::Journal;
use crate::model::{Event, Intent, IntentId};
use crate::state::{Blame, StateError, Store};

const TRIED: &str = "write to the journal";

/// The journal of one write.
pub(super) struct StoreJournal {
    store: Arc<Store>,
    id: Option<IntentId>,
}

impl StoreJournal {
    /// For a write that begins now.
    pub(super) fn new(store: &Arc<Store>) -> Self {
        Self { store: Arc::clone(store), id: None }
    }

    /// For a write of an intent that is already written down.
    pub(super) fn of(store: &Arc<Store>, id: IntentId) -> Self {
        Self { store: Arc::clone(store), id: Some(id) }
    }

    fn begun(&self, event: &Event) -> Result<IntentId, Failure> {
        self.id.ok_or_else(|| {
            let found = format!("{event:?} before the intent was begun: a fault of avatarpipe, please report it");
            Failure::new(FailureKind::Local, TRIED, found)
        })
    }

    /// The intent, once it has begun.
    pub(super) fn id(&self) -> Option<IntentId> {
        self.id
    }
}

#[async_trait]
impl Journal for StoreJournal {
    async fn begin(&mut self, intent: Intent, first: Event) -> Result<(), Failure> {
        self.id = Some(self.store.begin_intent(&intent, &first).await.map_err(|error| not_written(&error))?);
        Ok(())
    }

    async fn record(&mut self, event: Event) -> Result<(), Failure> {
        let id = self.begun(&event)?;
        self.store.record(id, &event).await.map_err(|error| not_written(&error))
    }

    async fn end(&mut self, event: Event) -> Result<(), Failure> {
        let id = self.begun(&event)?;
        self.store.end(id, &event).await.map_err(|error| not_written(&error))
    }
}

fn not_written(error: &StateError) -> Failure {
    let kind = match error.blame() {
        Blame::Ours => FailureKind::Local,
        Blame::DoesNotBelong => FailureKind::Misconfigured,
        Blame::Unreachable => FailureKind::Unreachable,
        Blame::Locked => FailureKind::Locked,
    };
    Failure::new(kind, TRIED, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::jira::tests::intent;
    use crate::model::{Digest, IntentKind, Status};
    use crate::state::{Holder, Lock, RunRow};

    fn sent() -> Event {
        Event::Sent { attempt: 1, route: "session".into(), at: 7 }
    }

    #[tokio::test]
    async fn what_is_not_on_disk_is_not_said_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Lock::acquire(&folder.path().join("x.db"), &Holder::here("run".into(), "now")).unwrap();
        let store = Arc::new(Store::open(lock).unwrap());
        let intent = intent(IntentKind::Replace);

        // No run of this name is recorded, so the intent cannot be.
        let refused = StoreJournal::new(&store).begin(intent.clone(), sent()).await.unwrap_err();
        assert_eq!(refused.kind, FailureKind::Local);
        let row = RunRow {
            id: intent.run.clone(),
            pipeline: "x".into(),
            pipeline_digest: Digest::of(b"x"),
            command: "run".into(),
            started: 7,
            options: Vec::new(),
            started_by: None,
        };
        store.begin_run(row).await.unwrap();
        let mut journal = StoreJournal::new(&store);
        journal.begin(intent, sent()).await.unwrap();
        let refused = journal.record(Event::Closed).await.unwrap_err();
        assert_eq!(refused.kind, FailureKind::Local);
        journal.record(Event::Made { mark: "5".into() }).await.unwrap();
        assert_eq!(store.open_intents(None, 99).unwrap()[0].status, Status::Made("5".into()));
    }
}
