//! From facts to a plan: match, precedence, fallback, decide, guard. Pure: no I/O, no clock, no randomness.
//!
//! Owns: every rule about who gets which picture and what stops it.
//! Leaves to others: gathering the facts and doing what was decided (`run`).
//! A newcomer gets wrong: nothing here may ask the network, the state or the clock; what is needed comes as an argument,
//! so that the same facts always give the same plan.

mod decide;
mod digest;
mod facts;
mod guard;
mod matching;
mod ours;
mod search;
mod settle;
mod undo;
mod whose;

pub(crate) use decide::{Judgement, decide};
pub(crate) use digest::PlanDigest;
pub use facts::Rerender;
pub(crate) use facts::{
    Drift, Former, Memory, PhotoLearnt, Portrait, RenditionRef, Rules, SourceState, SourceView, View,
};
pub(crate) use guard::{Allowance, Checked, LimitCount, guard};
pub(crate) use matching::{Claimed, called, carried, lookups, matched, matched_by, told_apart};
pub(crate) use ours::{before, looks_of_ours, old_of_ours};
pub(crate) use settle::{Settled, placement_seen, settle};
pub(crate) use undo::{Keeping, Undo, undo};
pub(crate) use whose::{LeftAlone, Whose, WhoseRules, whose};
