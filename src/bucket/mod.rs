//! State in object storage: the lease, the snapshots and the segments of one pipeline
//! (docs/decisions/state.md, "In object storage").
//!
//! Owns: which objects there are, who may write them, and what is durable.
//! Leaves to others: what a snapshot and a commit are (`state`), requests and their transport (`http`), when (`run`).
//! A newcomer gets wrong: nothing is ever listed. What there is, the lease names; segments are read by number until one is
//! missing.

mod amazon;
mod azure;
mod chain;
mod connect;
mod error;
mod google;
mod held;
mod lease;
mod objects;
mod segment;
#[cfg(test)]
mod tests;
mod vendor;
#[cfg(test)]
mod vendors;

pub(crate) use chain::Replica;
pub(crate) use connect::Bucket;
pub(crate) use error::BucketError;
pub(crate) use held::Held;
pub(crate) use lease::Holder;
