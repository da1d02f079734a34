//! Objects below a prefix, and the state of one pipeline in them: the lease, the snapshots and the segments
//! (docs/decisions/state.md, "In object storage").
//!
//! Owns: which objects a state has, who may write them, and what is durable.
//! Leaves to others: what a snapshot and a commit are (`state`), requests and their transport (`http`), when (`run`), what
//! else stands in object storage (`load`).
//! A newcomer gets wrong: of a state nothing is ever listed. What there is, the lease names; segments are read by number
//! until one is missing.

mod amazon;
mod azure;
mod chain;
#[cfg(test)]
mod clocks;
mod connect;
mod error;
#[cfg(test)]
mod fencing;
mod google;
mod held;
mod lease;
mod listing;
mod objects;
mod segment;
mod served;
mod taking;
#[cfg(test)]
pub(crate) mod test_store;
#[cfg(test)]
mod tests;
mod vendor;
#[cfg(test)]
mod vendors;

pub(crate) use chain::Replica;
pub(crate) use connect::Bucket;
pub(crate) use error::BucketError;
pub(crate) use held::{Held, Packed};
pub(crate) use lease::{Holder, Leased, Left, Reached};
pub(crate) use objects::{Condition, Objects, Put, Tag, There};
pub(crate) use served::Served;
