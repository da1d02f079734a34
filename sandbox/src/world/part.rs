//! What a world holds of each kind of simulator.
//!
//! Owns: what such a part must say of itself, and what its simulators are made with.
//! Leaves to others: which kinds there are (`kinds`), the parts themselves (`world` of each product).
//! A newcomer gets wrong: a part may become several simulators, which share what it is.

use std::fmt::Debug;
use std::sync::Arc;

use crate::ci::Issuer;
use crate::context::{Context, Shared};
use crate::pictures::{FileRef, Pictures};
use crate::simulator::Simulator;

/// One entry of a world file that becomes one simulator or several.
pub(crate) trait Part: Debug {
    fn files(&self) -> Vec<&FileRef>;

    /// What does not fit together.
    fn check(&self, pictures: &Pictures) -> Result<(), String>;

    /// What it becomes, once it was checked.
    fn simulators(&self, assembly: &Assembly) -> Vec<Arc<dyn Simulator>>;
}

pub(crate) struct Assembly {
    pub(crate) pictures: Pictures,
    pub(crate) issuers: Vec<Arc<Issuer>>,
    pub(crate) shared: Arc<Shared>,
}

impl Assembly {
    pub(crate) fn context(&self, name: &str) -> Context {
        Context::new(name, Arc::clone(&self.shared))
    }
}
