//! `init [FILE]`: a pipeline file to start from, and a CI job.
//!
//! Owns: what is written for whom. Leaves to others: whether it is right (`pipeline`), what the jobs are (docs/guide/jobs).
//! A newcomer gets wrong: nothing is asked. What nobody said and nothing tells is taken as most have it, and told.

mod ci_job;
mod command;
mod elements;
mod variables;

pub(super) use command::{Flags, run};
