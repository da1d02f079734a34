//! What deciding about a target needs besides the facts.
//!
//! Owns: gathering the facts of each account, the selection by `--only`, `--target` and a reviewed plan, the counts that
//! the limits are held against.
//! Leaves to others: every rule (`plan`); doing (`apply`).
//! A newcomer gets wrong: what is not selected is still decided and counted, so that limits and ambiguity stay true
//! (docs/architecture.md, "Selecting and reviewing"); only then it is left out.

use std::collections::HashMap;
use std::path::PathBuf;

use super::context::RunContext;
use super::selection::Selection;
use super::shared::SharedPhotos;
use super::source_run::SourceRun;
use crate::model::Digest;
use crate::plan::{Allowance, Rerender};
use crate::settings::Transform;

/// What the judge needs besides the facts.
pub(super) struct Planner<'a> {
    /// The lock, the facts, the state.
    pub context: &'a RunContext,
    /// All sources, in the file's order.
    pub source_runs: &'a [SourceRun],
    /// The file's transform element.
    pub transform: &'a Transform,
    /// Fallback images that can be used, by path.
    pub images: &'a HashMap<PathBuf, Digest>,
    /// Photos that too many people share.
    pub shared: &'a SharedPhotos,
    /// `--only`, `--target`, `--plan`.
    pub selection: &'a Selection,
    /// `--rerender`.
    pub rerender: Rerender,
    /// `--allow`.
    pub allow: &'a [Allowance],
}
