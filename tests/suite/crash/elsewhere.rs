//! The machine after the one that died, and a program that dies at a request to the store of its state.
//!
//! Owns: what is carried over, and that a lease runs out meanwhile. Leaves to others: kills at the products (`kills`).
//! A newcomer gets wrong: each kill at the store begins with a new world: after another state the program would ask for
//! other objects.

use std::time::Duration;

use crate::suite::harness::Harness;
use crate::suite::stores::{KilledAt, answered};

/// Longer than a lease.
const LEASE: Duration = Duration::from_secs(15 * 60 + 1);

/// Another machine; the lease of who was killed has run out.
pub(super) fn go_elsewhere(harness: &mut Harness) {
    harness.store().into_iter().for_each(|store| store.pass(LEASE));
    harness.move_with_the_state_alone();
}

/// Runs until a request to the store of the state and kills the program there; then moves on.
pub(super) fn kill_at_the_store(harness: &mut Harness, command: &[&str], killed: KilledAt) {
    let store = harness.store().expect("the state stands in a store");
    store.reset_log();
    killed.command(store, harness, command);
    go_elsewhere(harness);
}

/// Requests to the store of the state since its log was last reset.
pub(super) fn asked_of_the_store(harness: &Harness) -> usize {
    harness.store().map_or(0, |store| answered(store, ""))
}
