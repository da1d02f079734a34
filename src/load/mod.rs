//! Where pictures go: one folder a target behind one small trait.
//!
//! Owns: the trait (`target.rs`), the write protocols (docs/write-protocols.md) and the translation of every wire type into `model`.
//! Leaves to others: deciding (`plan`), durability of the journal (`state`), workers and order (`run`).
//! A newcomer gets wrong: every remote write stands between two journal calls that return only when they are durable;
//! moving one of them past the other breaks promise P4.

pub(crate) mod atlassian;
pub(crate) mod bitbucket;
pub(crate) mod confluence;
pub(crate) mod folder;
pub(crate) mod jira;

mod account_filter;
mod clock;
mod compared;
mod fingerprinter;
mod forecast;
mod listing;
mod probe;
mod target;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use crate::model::Seen;
pub(crate) use account_filter::{AccountFilter, Life};
pub(crate) use compared::{Compared, RECHECKED};
pub(crate) use fingerprinter::Fingerprinter;
pub(crate) use forecast::Changes;
pub(crate) use probe::{Probe, ProbeResult, Tried};
pub(crate) use target::{Claim, Learnt, Server, Surveyed, Target, Upload};
pub(crate) use write::{Done, Journal, Mend, Session, WriteError, WriteProtocol};
pub(crate) use write::{closing, recorded, unmendable};
