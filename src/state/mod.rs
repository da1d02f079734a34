//! What is remembered: the durable store, the scratch facts, and the lock that keeps a second run out
//! (docs/architecture.md, "The state").
//!
//! Owns: every line of SQL, the schema steps, the one writer thread, and the rule that an acknowledged write is on disk.
//! Leaves to others: what is worth writing and when (`run`), what follows from it (`plan`), exit codes (`cli`).
//! A newcomer gets wrong: a write that was handed over is not durable; it is once its [`Ack`] resolved. A remote write
//! that leaves before that breaks promise P4.

mod codec;
mod error;
mod facts;
mod file;
mod lock;
#[cfg(feature = "bucket")]
mod pages;
mod store;
mod writer;

#[cfg(feature = "bucket")]
pub(crate) use error::StateFault;
pub(crate) use error::{Blame, StateError};
pub(crate) use facts::{
    AboutAccount, AboutSource, Again, DecisionCursor, DecisionFilter, DecisionKinds, Facts, MatchRow, Reading,
    Reported, ResultCount, Reviewed, Shifted, ToConfirm, Written,
};
pub use lock::{Holder, Lock};
pub(crate) use lock::{LockError, host};
#[cfg(feature = "bucket")]
pub(crate) use pages::{Joined, Mirror, at_rest, put_commit, remove_copy};
#[cfg(feature = "bucket")]
pub(crate) use store::Copied;
pub(crate) use store::{
    Counted, Forgotten, Holds, PeopleAndAccounts, RecordedLine, RunEnd, RunRecord, StateList, back_up, schema_version,
};
pub use store::{RunRow, Store};
#[cfg(feature = "bucket")]
pub(crate) use writer::Haste;
