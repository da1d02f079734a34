//! Fetching what a write takes away for good, right before it, where the file has that kept.
//!
//! Owns: that nothing is written over what could not be kept. Leaves to others: which pictures (`context`), where (`kept`).
//! A newcomer gets wrong: the write reads once more what stands there, so what is kept is that.

use super::context::{RunContext, unix_now};
use super::kept::{Kept, as_rendition};
use super::stood::Which;
use super::target_run::TargetRun;
use crate::http::{Failure, FailureKind};
use crate::load::WriteError;
use crate::model::{Fault, Planned, Rendition, Shown};
use crate::settings::Pictures;

/// Keeps what the write takes away for good, before it; says whether it did.
pub(super) async fn keep<'a>(
    context: &'a RunContext,
    target_run: &TargetRun,
    planned: &Planned,
) -> Result<Option<&'a Kept>, WriteError> {
    let target = &*target_run.target;
    let Some(kept) = &context.kept else { return Ok(None) };
    if !context.is_to_keep(target, &planned.account.shown, &planned.decision, &planned.task) {
        return Ok(None);
    }
    let not_kept = |found: String| {
        let why = format!("nothing was written, since the picture there could not be kept (`keep_replaced`): {found}");
        WriteError::Refused(Fault::new("not_kept", why))
    };
    let picture = match target.original(&planned.account).await {
        Ok(Some(picture)) => picture,
        Ok(None) => return Err(WriteError::ChangedMeanwhile),
        Err(failure @ Failure { kind: FailureKind::Unreachable | FailureKind::Refused | FailureKind::Local, .. }) => {
            return Err(failure.into());
        }
        Err(failure) => return Err(not_kept(failure.to_string())),
    };
    // Whatever is no picture can be shown to nobody; what only bears the mark of ours may be anybody's (P1).
    match as_rendition(picture.clone()) {
        Some(rendition) if !is_another(planned, &rendition) => {}
        _ => return Ok(None),
    }
    let (target, account, run) = (target_run.id(), &planned.account.id, &context.run);
    if context.pictures == Pictures::Changed {
        context.stood.put(Which::Before, target, account, &picture);
    }
    kept.put(target, account, run, &picture, unix_now()).map_err(|error| not_kept(error.to_string()))?;
    Ok(Some(kept))
}

/// A server that was put back may show another picture under the mark of ours.
fn is_another(planned: &Planned, there: &Rendition) -> bool {
    let Some(placement) = &planned.task.placement else { return false };
    let is_ours = matches!(&planned.account.shown, Shown::Custom(mark) if placement.mark == *mark);
    match (is_ours, placement.looks, &there.luma) {
        (true, Some(looks), Some(luma)) => !looks.fits(luma),
        _ => false,
    }
}
