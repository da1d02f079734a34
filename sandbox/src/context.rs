//! What a simulator may ask of the sandbox it runs in.
//!
//! Owns: the clock that tests can shift, the addresses, and the handles to faults, switches, log and truth.
//! Leaves to others: their rules (`faults`, `switches`, `requests`, `truth`).
//! A newcomer gets wrong: `changed` must be called after every change of state, else `--sandbox` forgets it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

use super::faults::{Effect, Faults, RequestFacts};
use super::observer::{Observation, PictureChange};
use super::requests::Requests;
use super::switches::{Switch, Switches};
use super::truth::{Write, Writes};

/// The parts of a sandbox that all its simulators share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) faults: Faults,
    pub(super) switches: Switches,
    pub(super) requests: Requests,
    pub(super) writes: Writes,
    pub(super) observation: Observation,
    pub(super) addresses: OnceLock<BTreeMap<String, String>>,
    changed: AtomicBool,
    /// How often the state changed.
    changes: watch::Sender<u64>,
    /// Requests that were given up on the wire and are handled later.
    pub(super) late: AtomicU64,
    /// How many seconds the simulated clock is ahead of the machine's.
    ahead: AtomicI64,
}

impl Shared {
    pub(super) fn take_changed(&self) -> bool {
        self.changed.swap(false, Ordering::SeqCst)
    }

    pub(super) fn mark_changed(&self) {
        self.changed.store(true, Ordering::SeqCst);
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// How often the state changed.
    pub(super) fn changes(&self) -> u64 {
        *self.changes.borrow()
    }

    /// Hears of every change from now on.
    pub(super) fn watch_changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(super) fn shift_clock(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(super) fn now(&self) -> SystemTime {
        let ahead = self.ahead.load(Ordering::SeqCst);
        let by = Duration::from_secs(ahead.unsigned_abs());
        if ahead < 0 { SystemTime::now() - by } else { SystemTime::now() + by }
    }
}

/// A simulator's handle to the sandbox. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    name: Arc<str>,
    shared: Arc<Shared>,
}

impl Context {
    pub(super) fn new(name: &str, shared: Arc<Shared>) -> Self {
        Self { name: name.into(), shared }
    }

    /// The name of this simulator, as in `running.endpoint(NAME)`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The base URL of this simulator without a slash at the end, its base path included. Empty before the start.
    pub(crate) fn base(&self) -> &str {
        self.base_of(&self.name).unwrap_or_default()
    }

    pub(crate) fn base_of(&self, name: &str) -> Option<&str> {
        self.shared.addresses.get()?.get(name).map(String::as_str)
    }

    /// The simulated time. Tests shift it instead of waiting, or to have clocks that disagree.
    pub(crate) fn now(&self) -> SystemTime {
        self.shared.now()
    }

    pub(crate) fn switch(&self, switch: &Switch) -> String {
        self.shared.switches.get(&self.name, switch)
    }

    pub(crate) fn is(&self, switch: &Switch, value: &str) -> bool {
        self.switch(switch) == value
    }

    pub(crate) fn number(&self, switch: &Switch) -> u64 {
        self.switch(switch).parse().unwrap_or_default()
    }

    /// The fault, if any, for one part of a batch, or another unit inside a request.
    pub(crate) fn part_fault(&self, method: &str, url: &str) -> Option<Effect> {
        self.shared.faults.strike(&RequestFacts { simulator: &self.name, method, target: url, body: &[], part: true })
    }

    /// The state changed and must outlive the process.
    pub(crate) fn changed(&self) {
        self.shared.mark_changed();
    }

    /// Records a change that a client made, for the truth that tests read.
    pub(crate) fn wrote(&self, what: impl Into<String>, account: &str, who: &str, session: Option<&str>) {
        self.shared.writes.add(Write {
            number: 0,
            simulator: self.name.to_string(),
            what: what.into(),
            account: account.to_owned(),
            who: who.to_owned(),
            session: session.map(str::to_owned),
        });
    }

    /// Tells the observer what a client does to an account, named by its user name.
    pub(super) fn judge(&self, account: &str, change: PictureChange<'_>) {
        if let Some(wrong) = self.shared.observation.judge(&self.name, account, change) {
            self.violation(wrong);
        }
    }

    pub(super) fn is_judged(&self) -> bool {
        self.shared.observation.is_watching()
    }

    /// Records that a client broke a rule which the simulator watches at once, such as two uploads in one session.
    pub(crate) fn violation(&self, what: impl Into<String>) {
        self.shared.writes.violate(format!("{}: {}", self.name, what.into()));
    }
}
