//! What a run works with: the pipeline with everything looked up, the only form of a setting that other rooms know.
//!
//! Owns: sources, targets, rates, ways to a server, the recipe, rules and limits, as plain types without spans, text to
//! parse or `${…}`.
//! Leaves to others: the file as written and its faults (`pipeline`, which ends here); what a setting does (`extract`,
//! `transform`, `plan`, `load`, `http`).
//! A newcomer gets wrong: every rule has a [`Place`](crate::model::Place), also one that nobody wrote; it is then that of
//! the nearest element that stands in the file, so that each decision can name a line (promise P10).

mod bucket;
mod declare;
mod folders;
mod http;
mod limits;
mod notify;
mod patterns;
mod pipeline;
mod placed;
mod report;
mod sources;
mod state;
mod targets;
mod transform;

pub(crate) use bucket::*;
pub(crate) use folders::{FolderOf, FolderUse};
pub(crate) use http::*;
pub(crate) use limits::*;
pub(crate) use notify::*;
pub(crate) use patterns::*;
pub(crate) use pipeline::{KeepReplaced, Pipeline};
pub(crate) use placed::Placed;
pub(crate) use report::*;
pub(crate) use sources::*;
pub(crate) use state::*;
pub(crate) use targets::*;
pub use transform::Resize;
pub(crate) use transform::*;
