//! `explain`: everything that is known of one person, without a request.
//!
//! Owns: finding who is meant, also for `state FILE forget`, and telling what the last plan or run learnt and decided, and what the state says.
//! Leaves to others: learning it (`run`), keeping it (`state`).
//! A newcomer gets wrong: nothing is decided here. What is told was decided by the last plan or run, which the answer names;
//! what happened since is not in it.

mod advice;
mod collect;
mod explanation;
mod named;
mod not_read;
mod page;
mod part;
mod photo;
mod text;
mod who;

#[cfg(test)]
pub(crate) use advice::of_reason;
pub(crate) use collect::explain;
pub(crate) use named::{Named, one_named};
pub(crate) use text::page;
pub(crate) use who::Elements;
