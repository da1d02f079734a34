//! The handle by which a sandbox is held.
//!
//! Owns: what its holder may ask of it and do to it; it ends with the handle.
//! Leaves to others: starting it (`server`), the same over HTTP (`control`).
//! A newcomer gets wrong: a command or a restored backup is written down at once, like a request.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use super::faults::{Fault, Faults};
use super::observer::WriteObserver;
use super::requests::Requests;
use super::saved::Saved;
use super::server_state::ServerState;
use super::simulator::Credential;
use super::store::StoreLock;
use super::switches::SwitchError;
use super::truth::{Person, Truth};

/// A sandbox that runs until it is dropped.
pub struct Running {
    pub(super) server: Arc<ServerState>,
    pub(super) page: String,
    pub(super) resumed: bool,
    pub(super) stop: watch::Sender<bool>,
    pub(super) thread: Option<JoinHandle<()>>,
    /// Freed when everything is written down.
    pub(super) _lock: Option<StoreLock>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("world", &self.server.world).field("page", &self.page).finish_non_exhaustive()
    }
}

impl Running {
    /// The base URL of a simulator: `login`, `graph`, `jira`, without a slash at the end.
    pub fn endpoint(&self, name: &str) -> Option<&str> {
        self.endpoints().get(name).map(String::as_str)
    }

    /// The base URLs of all simulators by name.
    pub fn endpoints(&self) -> &BTreeMap<String, String> {
        self.server.shared.addresses.get().expect("the addresses are set before a sandbox is handed out")
    }

    /// The URL of the page that shows every account's picture.
    pub fn page(&self) -> &str {
        &self.page
    }

    /// The name of the world.
    pub fn world(&self) -> &str {
        &self.server.world
    }

    /// Whether the state of an earlier run was taken up.
    pub fn resumed(&self) -> bool {
        self.resumed
    }

    /// What a client may sign in with, at every simulator.
    pub fn credentials(&self) -> Vec<Credential> {
        self.server.simulators.iter().flat_map(|s| s.credentials()).collect()
    }

    /// The faults, to dial some in.
    pub fn faults(&self) -> &Faults {
        &self.server.shared.faults
    }

    /// Dials a fault in.
    pub fn fault(&self, fault: Fault) -> u64 {
        self.faults().add(fault)
    }

    /// Sets a switch of a simulator.
    pub fn switch(&self, simulator: &str, name: &str, value: &str) -> Result<(), SwitchError> {
        self.server.shared.switches.set(simulator, name, value)
    }

    /// The log of requests.
    pub fn requests(&self) -> &Requests {
        &self.server.shared.requests
    }

    /// What stands on the servers now.
    pub fn truth(&self) -> Truth {
        self.server.truth()
    }

    /// Whether the servers are done with everything they were asked for, also with what nobody waits for any more.
    pub fn is_at_rest(&self) -> bool {
        self.server.shared.late.load(Ordering::SeqCst) == 0 && self.requests().in_flight() == 0
    }

    /// Every rule that a client broke, without the cost of the whole [`Truth`].
    pub fn violations(&self) -> Vec<String> {
        self.server.shared.writes.snapshot().1
    }

    /// Every person of every source, without the cost of the whole [`Truth`].
    pub fn people(&self) -> Vec<Person> {
        self.server.simulators.iter().flat_map(|s| s.people()).collect()
    }

    /// Forgets the log of writes and broken rules; what stands on the servers stays.
    pub fn reset_writes(&self) {
        self.server.shared.writes.reset();
    }

    /// A command that only this simulator knows; see its `control`.
    pub fn command(&self, simulator: &str, command: &serde_json::Value) -> Result<serde_json::Value, String> {
        let found = self.server.simulator(simulator);
        let answer = found.ok_or_else(|| format!("no simulator named {simulator}"))?.control(command);
        self.server.flush();
        answer
    }

    /// From now on this observer is told of every change to what accounts show; what is wrong is in
    /// [`Truth::violations`].
    pub fn watch(&self, observer: impl WriteObserver + 'static) {
        self.server.shared.observation.begin(Box::new(observer), &self.server.simulators);
    }

    /// Lets the simulated time go on.
    pub fn advance(&self, by: Duration) {
        self.shift_clock(i64::try_from(by.as_secs()).unwrap_or(i64::MAX));
    }

    /// Shifts the clock of all simulators by so many seconds, back where negative.
    pub fn shift_clock(&self, seconds: i64) {
        self.server.shared.shift_clock(seconds);
    }

    /// Everything that a simulator holds, as an administrator's backup.
    pub fn backup(&self, simulator: &str) -> Result<Saved, String> {
        let found = self.server.simulator(simulator);
        found.map(|simulator| simulator.save()).ok_or_else(|| format!("no simulator named {simulator}"))
    }

    /// Puts a backup of the same simulator back.
    pub fn restore(&self, simulator: &str, backup: &Saved) -> Result<(), String> {
        let found = self.server.simulator(simulator);
        found.ok_or_else(|| format!("no simulator named {simulator}"))?.load(backup)?;
        self.server.shared.mark_changed();
        self.server.flush();
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.server.flush();
    }
}
