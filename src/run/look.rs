//! Looking at pictures that are not recorded, before anything is written over them (docs/architecture.md, "The state").
//!
//! Owns: fetching them side by side, and comparing each with the rendition that is wanted there.
//! Leaves to others: what follows from a look (`plan`), how pictures are served (`load`).
//! A newcomer gets wrong: a target that cannot be reached is asked no more: the others wait for it here.

use std::sync::Arc;

use futures::stream::{self, StreamExt as _};

use super::context::RunContext;
use super::pages::{PAGE, each_page};
use super::stood::Which;
use super::target_run::TargetRun;
use crate::error::Trouble;
use crate::http::{Failure, FailureKind};
use crate::model::{AccountId, Comparison, Planned, Step};
use crate::settings::Pictures;
use crate::state::DecisionCursor;
use crate::transform::{self, DecodeLimits};

/// Looks at every picture of a target that the plan asks to look at. Says how many; what was seen is in the facts.
pub(super) async fn look(context: &RunContext, target_run: &mut TargetRun, concurrency: usize) -> Result<u64, Trouble> {
    let mut count = 0;
    let id = target_run.id().clone();
    let of = |last: &Planned| DecisionCursor::of(&last.decision);
    for page in each_page(|after| context.facts.to_look_at(&id, after, PAGE), of) {
        let page = page?;
        if target_run.failure.is_some() || context.stop.requested() {
            break;
        }
        let looked = look_at(context, target_run, &page, concurrency).await;
        count += looked.len() as u64;
        context.facts.put_looked(&id, &looked)?;
    }
    Ok(count)
}

async fn look_at(
    context: &RunContext,
    target_run: &mut TargetRun,
    page: &[Planned],
    concurrency: usize,
) -> Vec<(AccountId, Comparison)> {
    let there = page.iter().map(|planned| {
        let target = Arc::clone(&target_run.target);
        async move { (planned, target.look(&planned.account).await) }
    });
    let mut there = stream::iter(there).buffer_unordered(concurrency.max(1));
    let mut looked = Vec::with_capacity(page.len());
    while let Ok(Some((planned, picture))) = context.unless_stopped("look at pictures", there.next()).await {
        if let Err(
            failure @ Failure { kind: FailureKind::Unreachable | FailureKind::Refused | FailureKind::Local, .. },
        ) = picture
        {
            target_run.failure = Some(failure);
            break;
        }
        if let (Pictures::Changed, Ok(Some(bytes))) = (context.pictures, &picture) {
            context.stood.put(Which::Before, target_run.id(), &planned.account.id, bytes);
        }
        let Step::Look(wanted) = &planned.task.step else { continue };
        let recipe = target_run.open.as_ref().map(|open| &open.size.recipe);
        let wanted = recipe.and_then(|recipe| context.spool.get(&wanted.photo, recipe)).map(|spooled| spooled.bytes);
        looked.push((planned.account.id.clone(), alike(wanted.as_deref(), picture)));
    }
    looked
}

/// Adopting claims that the photo stands there already, so the whole picture is compared, in colour, and not its
/// fingerprint: other people have the same layout, and other hues the same greys.
fn alike(wanted: Option<&[u8]>, there: Result<Option<bytes::Bytes>, Failure>) -> Comparison {
    let (Some(wanted), Ok(Some(picture))) = (wanted, there) else { return Comparison::Failed };
    match transform::same_picture(wanted, &picture, &DecodeLimits::default()) {
        Some(true) => Comparison::Alike,
        Some(false) => Comparison::Differs,
        None => Comparison::Failed,
    }
}
