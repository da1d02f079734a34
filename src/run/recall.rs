//! What the state says of a target that has no accounts of its own: they are made of it.
//!
//! Owns: gathering it. Leaves to others: what follows (`load::folder`).
//! A newcomer gets wrong: whoever is gone from every source, or opted out, is known by the state alone; without it their
//! picture would stay there for ever.

use super::context::RunContext;
use super::pages::{PAGE, each_page};
use super::target_run::TargetRun;
use crate::load::Claim;
use crate::model::PictureRef;
use crate::state::StateError;

/// Hands everything over, where the target follows people.
pub(super) fn recall(context: &RunContext, target_run: &TargetRun) -> Result<(), StateError> {
    if !target_run.target.follows_people() {
        return Ok(());
    }
    let mut recorded = Vec::new();
    for page in each_page(|after| context.store.placements(target_run.id(), after, PAGE), |last| last.account.clone()) {
        let page = page?;
        recorded.extend(page.into_iter().map(|placed| (placed.account, placed.mark, Claim::Placed)));
    }
    for page in each_page(|after| context.store.open_intents(after.copied(), PAGE), |last| last.id) {
        let page = page?;
        for open in page.into_iter().filter(|open| open.intent.target == *target_run.id()) {
            let written = open.intent.rendition.map(|digest| PictureRef::new(digest.to_string()));
            recorded.extend(written.map(|mark| (open.intent.account, mark, Claim::Perhaps)));
        }
    }
    // Where a run that is undone took our picture off, nothing is on record, and what stood there may come back.
    for page in each_page(|after| context.facts.wrote_over(target_run.id(), after, PAGE), |(last, _)| last.clone()) {
        recorded.extend(page?.into_iter().map(|(account, stood)| (account, stood, Claim::Former)));
    }
    target_run.target.recall(recorded);
    Ok(())
}
