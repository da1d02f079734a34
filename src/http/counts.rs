//! What went over the wire, counted where it is sent.
//!
//! Owns: the running counters of one server. Leaves to others: forecasts and reports.
//! A newcomer gets wrong: a request that never left is not counted, a repeated one is counted each time.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What went over the wire to one source or target, for the report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that left, repeated ones included.
    pub sent: u64,
    /// What the vendor counts: each part of a batch is one.
    pub units: u64,
    /// Requests or parts that were sent again.
    pub retried: u64,
    /// Answers that said to slow down.
    pub throttled: u64,
    /// Bytes of bodies received.
    pub bytes_received: u64,
}

impl std::ops::Add for Counts {
    type Output = Self;

    /// A source may speak to more than one server.
    fn add(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            units: self.units + other.units,
            retried: self.retried + other.retried,
            throttled: self.throttled + other.throttled,
            bytes_received: self.bytes_received + other.bytes_received,
        }
    }
}

/// The running counters behind [`Counts`].
#[derive(Debug, Default)]
pub(super) struct RequestCounter {
    sent: AtomicU64,
    units: AtomicU64,
    retried: AtomicU64,
    throttled: AtomicU64,
    bytes_received: AtomicU64,
}

impl RequestCounter {
    pub(super) fn sent(&self, units: u32) {
        self.sent.fetch_add(1, Relaxed);
        self.units.fetch_add(u64::from(units), Relaxed);
    }

    pub(super) fn retried(&self, number: u64) {
        self.retried.fetch_add(number, Relaxed);
    }

    pub(super) fn throttled(&self, number: u64) {
        self.throttled.fetch_add(number, Relaxed);
    }

    pub(super) fn received(&self, bytes: usize) {
        self.bytes_received.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            sent: self.sent.load(Relaxed),
            units: self.units.load(Relaxed),
            retried: self.retried.load(Relaxed),
            throttled: self.throttled.load(Relaxed),
            bytes_received: self.bytes_received.load(Relaxed),
        }
    }
}
