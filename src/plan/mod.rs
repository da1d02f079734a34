//! From facts to a plan: match, precedence, fallback, decide, guard. Pure: no I/O, no clock, no randomness.
//!
//! Owns: every rule about who gets which picture and what stops it.
//! Leaves to others: gathering the facts and doing what was decided (`run`).
//! A newcomer gets wrong: nothing here may ask the network, the state or the clock; what is needed comes as an argument,
//! so that the same facts always give the same plan.

mod decide;
mod digest;
mod guard;
mod matching;
mod settle;

pub use decide::Rerender;
pub(crate) use decide::{
    DefaultBy, Former, Judgement, Learnt, Memory, Portrait, RenditionRef, Rules, SourceState, SourceView, View, before,
    decide, looks_of_ours, old_of_ours,
};
pub(crate) use digest::PlanDigest;
pub(crate) use guard::{Allowance, Checked, Found, LimitName, guard};
pub(crate) use matching::{Claimed, Matched, carried, lookups, matched, matched_by, told_apart};
pub(crate) use settle::{Settled, placement_seen, settle};
