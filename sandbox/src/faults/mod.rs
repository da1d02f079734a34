//! Faults that can be dialled in: one mechanism for all simulators.
//!
//! Owns: what a fault matches, how often it strikes, and what it does.
//! Leaves to others: carrying it out (`server`), and effects that only one product knows (`special`, its simulator).
//! A newcomer gets wrong: a fault counts only the requests that it matches; `skip: 1, times: 1` strikes the second one.

mod dialled;
mod fault;

pub use dialled::{FaultSource, FaultStatus, Faults};
pub use fault::{Answer, Effect, Fault, Match, RequestFacts};
