//! Deciding about every account of the targets of a pass (docs/architecture.md, "Decide").
//!
//! Owns: what is asked for once it is known to be needed: photos whose renditions are missing, looks at pictures.
//! Leaves to others: every rule (`plan`), one target (`target_planner`).
//! A newcomer gets wrong: a decision is final only once nothing is missing and nothing is left to look at.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures::future::try_join_all;
use tracing::Instrument as _;

use super::clients::Clients;
use super::context::RunContext;
use super::planner::Planner;
use super::renderer::Renderer;
use super::selection::Selection;
use super::shared::Shared;
use super::source_run::SourceRun;
use super::target_plan::TargetPlan;
use super::target_run::TargetRun;
use super::{fetch, look, spans, target_planner};
use crate::error::Trouble;
use crate::model::Digest;
use crate::plan::Rerender;
use crate::settings::Transform;
use crate::state::Again;

/// What deciding takes besides targets and sources.
pub(super) struct Decide<'a> {
    /// The facts, the state, the spool.
    pub context: &'a RunContext,
    /// For what is fetched and looked at.
    pub clients: &'a Clients,
    /// The file's transform element.
    pub transform: &'a Transform,
    /// `--only`, `--target`, `--plan`.
    pub selection: &'a Selection,
    /// `--rerender`.
    pub rerender: Rerender,
    /// Fallback images that can be used, by path.
    pub images: &'a HashMap<PathBuf, Digest>,
    /// For what is fetched.
    pub renderer: &'a Arc<Renderer>,
}

impl Decide<'_> {
    /// Decides; fetches what turned out to be needed after all; looks at pictures that are not recorded; decides again.
    pub(super) async fn decide(
        &self,
        mut target_runs: Vec<TargetRun>,
        source_runs: &mut [SourceRun],
    ) -> Result<Vec<(TargetRun, TargetPlan)>, Trouble> {
        let mut plans = self.judge(&target_runs, source_runs)?;
        if self.fetch_missing(source_runs).await? {
            plans = self.judge(&target_runs, source_runs)?;
        }
        let to_look = target_runs.iter_mut().zip(&plans).filter(|(_, plan)| plan.looks > 0);
        let looks = to_look.map(|(target_run, _)| {
            let concurrency = self.clients.concurrency(&target_run.entry.rate);
            let span = spans::target(target_run.id(), "decide");
            look::look(self.context, target_run, concurrency).instrument(span)
        });
        let looked: u64 = try_join_all(looks).await?.into_iter().sum();
        if looked > 0 {
            plans = self.judge(&target_runs, source_runs)?;
        }
        Ok(target_runs.into_iter().zip(plans).collect())
    }

    fn judge(&self, target_runs: &[TargetRun], source_runs: &[SourceRun]) -> Result<Vec<TargetPlan>, Trouble> {
        let shared = Shared::of(self.context, source_runs, self.transform.same_picture.value)?;
        let planner = Planner {
            context: self.context,
            source_runs,
            transform: self.transform,
            images: self.images,
            shared: &shared,
            selection: self.selection,
            rerender: self.rerender,
        };
        self.context.facts.forget_again(Again::Missing)?;
        target_runs.iter().map(|target_run| target_planner::judge_all(&planner, target_run)).collect()
    }

    /// Fetches the photos whose renditions the plan misses. Says whether there were any.
    async fn fetch_missing(&self, source_runs: &mut [SourceRun]) -> Result<bool, Trouble> {
        let mut any = false;
        for source_run in source_runs {
            if self.context.facts.count_again(Again::Missing, source_run.id())? > 0 {
                any = true;
                let concurrency = self.clients.concurrency(&source_run.entry.rate);
                let span = spans::source(source_run.id(), "fetch");
                fetch::fetch_again(self.context, source_run, self.renderer, concurrency).instrument(span).await?;
            }
        }
        Ok(any)
    }
}
