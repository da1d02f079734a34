//! The journal of one write: what `load` calls between its remote steps, made durable by `state`.
//!
//! Owns: turning a state error into the failure that stops the target. Leaves to others: durability (`state`).
//! A newcomer gets wrong: a journal that cannot be written stops the target at once; going on would break promise P4.

use std::sync::Arc;

use async_trait::async_trait;

use crate::http::{Failure, FailureKind};
use crate::load::Journal;
use crate::model::{Event, Intent, IntentId};
use crate::state::{StateError, Store};

/// The journal of one write.
pub struct StoreJournal {
    store: Arc<Store>,
    id: Option<IntentId>,
}

impl StoreJournal {
    /// For a write that begins now.
    pub fn new(store: &Arc<Store>) -> Self {
        Self { store: Arc::clone(store), id: None }
    }

    /// For a write of an intent that is already written down.
    pub fn of(store: &Arc<Store>, id: IntentId) -> Self {
        Self { store: Arc::clone(store), id: Some(id) }
    }

    /// The intent, once it has begun.
    pub fn id(&self) -> Option<IntentId> {
        self.id
    }
}

#[async_trait]
impl Journal for StoreJournal {
    async fn begin(&mut self, intent: Intent, first: Event) -> Result<(), Failure> {
        self.id = Some(self.store.begin_intent(&intent, &first).await.map_err(|error| lost(&error))?);
        Ok(())
    }

    async fn record(&mut self, event: Event) -> Result<(), Failure> {
        let id = self.id.ok_or_else(|| {
            Failure::new(FailureKind::Stopped, "write to the journal", format!("{event:?} before the intent was begun"))
        })?;
        self.store.record(id, &event).await.map_err(|error| lost(&error))
    }
}

fn lost(error: &StateError) -> Failure {
    Failure::new(FailureKind::Stopped, "write to the journal", error.to_string())
}
