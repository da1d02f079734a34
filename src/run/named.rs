//! A picture that its target names no sooner than in a listing (docs/write-protocols.md, "Bitbucket").
//!
//! Owns: closing its write, after a look where people choose pictures, too.
//! Leaves to others: whether the name may be that of our picture (`Target::confirm`), the listing (`confirm`).
//! A newcomer gets wrong: the name says when a picture was uploaded, and the person may have uploaded one right after us.

use super::context::RunContext;
use super::renderer::PictureFingerprinter;
use super::target_plan::{PlanCount, TargetPlan};
use super::target_run::TargetRun;
use crate::error::Trouble;
use crate::http::{Failure, FailureKind};
use crate::load::Fingerprinter as _;
use crate::model::{AccountId, Event, Fault, IntentId, PictureRef, Shown, Status};
use crate::settings::Ownership;

/// Records what the target calls the picture of this write, and that nothing is open any more. `Some`: the picture is
/// not ours, or that could not be told.
pub(super) async fn learn(
    context: &RunContext,
    target_run: &TargetRun,
    account: &AccountId,
    intent: IntentId,
    mark: PictureRef,
) -> Result<Option<Fault>, Trouble> {
    if target_run.entry.ownership.value == Ownership::Ours {
        match is_ours(context, target_run, account, intent, &mark).await? {
            Some(true) => {}
            Some(false) => {
                context.store.record(intent, &Event::Disowned { mark }).await?;
                let why = "the account's owner uploaded another picture right after ours; it was left";
                return Ok(Some(Fault::new("not_shown", why)));
            }
            None => return Ok(Some(Fault::new("not_looked_at", "what is shown could not be looked at; run again"))),
        }
    }
    context.store.end(intent, &Event::Confirmed { mark }).await?;
    Ok(None)
}

/// Why nobody of a target is served, where nothing tells what people chose and that is to stay.
pub(super) fn unserved(target_run: &TargetRun, plan: &TargetPlan) -> Option<Failure> {
    let blind = target_run.ready().is_some() && !target_run.target.tells_what_is_shown();
    (blind && target_run.entry.ownership.value == Ownership::Ours && plan.count(PlanCount::Matched) > 0).then(|| {
        let tried = format!("decide about the accounts of {}", target_run.id());
        let found =
            "the server does not tell what anybody shows, and `ownership: ours` leaves what people chose themselves";
        Failure::new(FailureKind::Odd, tried, found)
            .hint("write `ownership: provider` if the directory's photos may replace every picture there")
    })
}

/// Closes a write of which the server said that it was done, where no listing tells what is shown.
pub(super) async fn take_at_its_word(context: &RunContext, intent: Option<IntentId>) -> Result<(), Trouble> {
    let Some(intent) = intent else { return Ok(()) };
    if context.store.open_intent(intent)?.is_some_and(|open| matches!(open.status, Status::Shown(_))) {
        context.store.record(intent, &Event::Closed).await?;
    }
    Ok(())
}

/// Whether the picture looks like what was sent; `None` if nothing tells.
async fn is_ours(
    context: &RunContext,
    target_run: &TargetRun,
    account: &AccountId,
    intent: IntentId,
    mark: &PictureRef,
) -> Result<Option<bool>, Trouble> {
    let sent = context.store.open_intent(intent)?.and_then(|open| open.intent.luma);
    let account = context.facts.account(target_run.id(), account)?;
    let (Some(sent), Some(mut account)) = (sent, account) else { return Ok(None) };
    account.shown = Shown::Custom(mark.clone());
    let picture = context.unless_stopped("look at what was written", target_run.target.look(&account)).await;
    let Ok(Ok(Some(picture))) = picture else { return Ok(None) };
    Ok(PictureFingerprinter.luma(&picture).map(|found| found.fits(&sent)))
}
