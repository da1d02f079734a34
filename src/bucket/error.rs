//! Why the bucket was not read or written.
//!
//! Owns: the kinds that end a command differently. Leaves to others: exit codes (`error.rs` of the program).
//! A newcomer gets wrong: a lease that is lost is nobody's fault here; what was written under it stays, and stays right.

use super::lease::Holder;
use crate::http::Failure;

/// A failed act on a bucket.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BucketError {
    /// Somebody else may write: exit code 7.
    #[error(
        "the state in {url} is leased to {holder}, {left}; wait for it to end, or `state FILE break-lease` if it is dead"
    )]
    Leased {
        /// The bucket.
        url: String,
        /// Who.
        holder: Box<Holder>,
        /// For how long yet, in words.
        left: String,
    },
    /// It was ours and is no more: exit code 7.
    #[error(
        "the lease on the state in {url} is lost: {why}; nothing more was begun, and the next run looks at what is open"
    )]
    Lost {
        /// The bucket.
        url: String,
        /// What says so.
        why: String,
    },
    /// What stands there was not written by this program: exit code 2.
    #[error("the state in {url} cannot be used: {why}")]
    Unusable {
        /// The bucket.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// The store cannot be used or reached: as the failure says.
    #[error("{0}")]
    Failure(#[from] Failure),
}
