//! Deciding about every account of the targets of a pass (docs/architecture.md, "Decide").
//!
//! Owns: what is asked for once it is known to be needed: photos whose renditions are missing, looks at pictures.
//! Leaves to others: every rule (`plan`), one target (`target_planner`).
//! A newcomer gets wrong: everybody is decided about once, and again only who has other facts by then; what the others add
//! to the plan stays as it was.

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
use super::shared::SharedPhotos;
use super::source_run::SourceRun;
use super::target_plan::{PlanCount, TargetPlan};
use super::target_run::TargetRun;
use super::{fetch, look, spans, target_planner};
use crate::error::Trouble;
use crate::model::Digest;
use crate::plan::{Allowance, Rerender, SourceState};
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
    /// `--allow`.
    pub allow: &'a [Allowance],
    /// Fallback images that can be used, by path.
    pub images: &'a HashMap<PathBuf, Digest>,
    /// For what is fetched.
    pub renderer: &'a Arc<Renderer>,
}

impl Decide<'_> {
    /// Decides about everybody; fetches what turned out to be needed after all, and looks at pictures that are not
    /// recorded; decides again about those of whom that told something new.
    pub(super) async fn decide(
        &self,
        mut target_runs: Vec<TargetRun>,
        source_runs: &mut [SourceRun],
    ) -> Result<Vec<(TargetRun, TargetPlan)>, Trouble> {
        let mut shared = self.shared(source_runs)?;
        let mut plans = self.judge_all(&shared, &target_runs, source_runs)?;
        let states = source_states(source_runs);
        if self.fetch_missing(&target_runs, source_runs).await? {
            let former = std::mem::replace(&mut shared, self.shared(source_runs)?);
            plans = if source_states(source_runs) == states {
                self.outdate_shared(&former, &shared, &target_runs)?;
                self.judge_again(&shared, &target_runs, source_runs, plans)?
            } else {
                // Everybody's search may end elsewhere.
                self.judge_all(&shared, &target_runs, source_runs)?
            };
        }
        if self.look(&mut target_runs, &plans).await? > 0 {
            for target_run in &target_runs {
                self.context.facts.outdate_looked(target_run.id())?;
            }
            plans = self.judge_again(&shared, &target_runs, source_runs, plans)?;
        }
        Ok(target_runs.into_iter().zip(plans).collect())
    }

    fn shared(&self, source_runs: &[SourceRun]) -> Result<SharedPhotos, Trouble> {
        SharedPhotos::of(self.context, source_runs, self.transform.hash.same_picture.value)
    }

    fn planner<'b>(&'b self, shared: &'b SharedPhotos, source_runs: &'b [SourceRun]) -> Planner<'b> {
        Planner {
            context: self.context,
            source_runs,
            transform: self.transform,
            images: self.images,
            shared,
            selection: self.selection,
            rerender: self.rerender,
            allow: self.allow,
        }
    }

    fn judge_all(
        &self,
        shared: &SharedPhotos,
        target_runs: &[TargetRun],
        source_runs: &[SourceRun],
    ) -> Result<Vec<TargetPlan>, Trouble> {
        let planner = self.planner(shared, source_runs);
        self.context.facts.forget_again(Again::Missing)?;
        target_runs.iter().map(|target_run| target_planner::judge_all(&planner, target_run)).collect()
    }

    fn judge_again(
        &self,
        shared: &SharedPhotos,
        target_runs: &[TargetRun],
        source_runs: &[SourceRun],
        plans: Vec<TargetPlan>,
    ) -> Result<Vec<TargetPlan>, Trouble> {
        let planner = self.planner(shared, source_runs);
        let both = target_runs.iter().zip(plans);
        both.map(|(target_run, plan)| target_planner::judge_again(&planner, target_run, plan)).collect()
    }

    /// Whoever has a photo that more or fewer people share by now.
    fn outdate_shared(
        &self,
        former: &SharedPhotos,
        now: &SharedPhotos,
        target_runs: &[TargetRun],
    ) -> Result<(), Trouble> {
        for (source, photo) in former.differing(now) {
            for target_run in target_runs {
                self.context.facts.outdate_photo(target_run.id(), source, photo)?;
            }
        }
        Ok(())
    }

    /// Fetches the photos whose renditions the plan misses. Says whether there were any.
    async fn fetch_missing(&self, target_runs: &[TargetRun], source_runs: &mut [SourceRun]) -> Result<bool, Trouble> {
        for target_run in target_runs {
            self.context.facts.outdate_missing(target_run.id())?;
        }
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

    /// Looks at pictures at all targets at the same time. Says at how many.
    async fn look(&self, target_runs: &mut [TargetRun], plans: &[TargetPlan]) -> Result<u64, Trouble> {
        let to_look = target_runs.iter_mut().zip(plans).filter(|(_, plan)| plan.count(PlanCount::Looks) > 0);
        let looks = to_look.map(|(target_run, _)| {
            let concurrency = self.clients.concurrency(&target_run.entry.rate);
            let span = spans::target(target_run.id(), "decide");
            look::look(self.context, target_run, concurrency).instrument(span)
        });
        Ok(try_join_all(looks).await?.into_iter().sum())
    }
}

fn source_states(source_runs: &[SourceRun]) -> Vec<SourceState> {
    source_runs.iter().map(|source_run| source_run.state).collect()
}
