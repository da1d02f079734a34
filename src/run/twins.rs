//! Two targets of one file that turn out to be one server (docs/architecture.md, "The state").
//!
//! Owns: telling them by the server's own id, and that neither is written to.
//! Leaves to others: addresses that are equal in the file (`pipeline`), one target under two servers (`target_run`).
//! A newcomer gets wrong: each of the two would take the other's pictures for somebody's own, and leave its own behind.

use std::collections::BTreeMap;

use super::context::RunContext;
use super::target_run::TargetRun;
use crate::error::Trouble;
use crate::http::{Failure, FailureKind};
use crate::model::{ServerId, TargetId};
use crate::settings::Pipeline;

const HINT: &str = "write one element for each server, with all that is to be done there";

/// What earlier runs know, before anybody is asked.
pub(super) fn refuse_known(context: &RunContext, pipeline: &Pipeline) -> Result<(), Trouble> {
    let mut known: BTreeMap<ServerId, &TargetId> = BTreeMap::new();
    for target in &pipeline.targets {
        let Some(server) = context.store.bound(&target.id)? else { continue };
        if let Some(first) = known.insert(server, &target.id) {
            let place = &target.place;
            return Err(Trouble::Usage(format!("{place}: {first} and {} are one server; {HINT}", target.id)));
        }
    }
    Ok(())
}

/// The servers that answered so far.
#[derive(Default)]
pub(super) struct Servers(BTreeMap<ServerId, TargetId>);

impl Servers {
    /// Stops every target of this pass whose server another target has, too.
    pub(super) fn refuse_twins(&mut self, target_runs: &mut [TargetRun]) {
        let mut twins = Vec::new();
        for target_run in target_runs.iter() {
            let Some(open) = &target_run.open else { continue };
            if let Some(first) = self.0.get(&open.server.id) {
                twins.push((first.clone(), target_run.id().clone()));
                twins.push((target_run.id().clone(), first.clone()));
            } else {
                self.0.insert(open.server.id.clone(), target_run.id().clone());
            }
        }
        for (target, other) in twins {
            for target_run in target_runs.iter_mut().filter(|target_run| *target_run.id() == target) {
                let tried = format!("ask {target} who it is");
                let failure = Failure::new(FailureKind::Misconfigured, tried, format!("it is the server of {other}"));
                target_run.failure.get_or_insert(failure.hint(HINT));
            }
        }
    }
}
