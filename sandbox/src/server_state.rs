//! What all listeners of a sandbox share.
//!
//! Owns: the simulators with what they share, the pictures of the page, keeping the state.
//! Leaves to others: listening (`server`), each request (`handle`, `control`, `page`).
//! A newcomer gets wrong: the state is written after each request that changed it, not at the end.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;
use uuid::Uuid;

use super::context::Shared;
use super::page::picture_cache::PictureCache;
use super::page::told::Told;
use super::simulator::Simulator;
use super::store::Store;
use super::truth::Truth;

pub(super) struct ServerState {
    pub(super) world: String,
    pub(super) about: String,
    pub(super) simulators: Vec<Arc<dyn Simulator>>,
    pub(super) shared: Arc<Shared>,
    pub(super) pictures: PictureCache,
    pub(super) told: Mutex<Told>,
    /// What tells this sandbox from every other.
    pub(super) edition: Uuid,
    /// Turns true when the sandbox stops.
    pub(super) stopped: watch::Receiver<bool>,
    pub(super) store: Option<Store>,
}

impl ServerState {
    /// Writes the state if it changed since the last time.
    pub(super) fn flush(&self) {
        let Some(store) = &self.store else { return };
        if self.shared.take_changed()
            && let Err(error) = store.save(&self.simulators)
        {
            // The change is still to be written: the next flush tries again.
            self.shared.mark_changed();
            tracing::error!(%error, "the sandbox could not keep its state");
        }
    }

    pub(super) fn truth(&self) -> Truth {
        let (writes, violations) = self.shared.writes.snapshot();
        Truth {
            accounts: self.simulators.iter().flat_map(|s| s.accounts()).collect(),
            people: self.simulators.iter().flat_map(|s| s.people()).collect(),
            avatars: self.simulators.iter().flat_map(|s| s.avatars()).collect(),
            writes,
            violations,
        }
    }

    pub(super) fn simulator(&self, name: &str) -> Option<&Arc<dyn Simulator>> {
        self.simulators.iter().find(|s| s.name() == name)
    }
}
