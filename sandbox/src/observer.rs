//! Who watches what clients do to accounts, at the moment they do it.
//!
//! Owns: what can be done to an account's picture, and the observer that is told of it.
//! Leaves to others: noticing it (each target), what is wrong with it (the observer), remembering that (`truth`).
//! A newcomer gets wrong: an observer is asked while the target holds its own data, so it may ask sources alone.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::simulator::Simulator;
use super::truth::Person;

/// Watches every change that a client makes to what an account shows.
pub trait WriteObserver: Send {
    /// What is wrong with a change to an account, named by its user name, if anything. `people` tells who there is at
    /// the sources at that moment.
    fn judge(
        &mut self,
        simulator: &str,
        account: &str,
        change: PictureChange<'_>,
        people: &dyn Fn() -> Vec<Person>,
    ) -> Option<String>;
}

/// What a client does to an account.
#[derive(Clone, Copy, Debug)]
pub enum PictureChange<'a> {
    /// Stores this picture, which is not shown yet.
    Stores(&'a [u8]),
    /// Shows this picture in place of another.
    Shows(&'a [u8], Former),
    /// Shows the default or a stock picture in place of an uploaded one.
    Resets,
    /// The same, and a picture that the person uploaded is gone for good.
    Destroys,
}

/// What is shown before a picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Former {
    /// A picture that the person uploaded.
    Chosen,
    /// Anything else.
    Other,
}

#[derive(Default)]
pub(super) struct Observation(Mutex<Option<Watch>>);

struct Watch {
    observer: Box<dyn WriteObserver>,
    simulators: Vec<Weak<dyn Simulator>>,
}

impl std::fmt::Debug for Observation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observation")
    }
}

impl Observation {
    pub(super) fn is_watching(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub(super) fn begin(&self, observer: Box<dyn WriteObserver>, simulators: &[Arc<dyn Simulator>]) {
        let simulators = simulators.iter().map(Arc::downgrade).collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Watch { observer, simulators });
    }

    /// What is wrong with a change; nothing, as long as nobody watches.
    pub(super) fn judge(&self, simulator: &str, account: &str, change: PictureChange<'_>) -> Option<String> {
        let mut watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Watch { observer, simulators } = watch.as_mut()?;
        let living = || simulators.iter().filter_map(Weak::upgrade);
        observer.judge(simulator, account, change, &|| living().flat_map(|simulator| simulator.people()).collect())
    }
}
