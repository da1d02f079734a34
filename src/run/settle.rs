//! Looking at what became of the writes of a run that died (docs/architecture.md, "Settle").
//!
//! Owns: waiting until a slow server must be done, and asking each target once for each open intent.
//! Leaves to others: looking (`load`), judging and mending (`plan`, `apply`).
//! A newcomer gets wrong: nothing is written here, not even to the journal; what must be mended goes through the plan.
//! Only a probe, which is on our own account, is ended before the next one begins.
//! And the wait comes before the survey: a listing made while the server is still at a write says nothing about it.

use std::time::Duration;

use super::context::{Mode, RunContext, unix, unix_now};
use super::journal::StoreJournal;
use super::pages::{PAGE, each_page};
use super::target_run::TargetRun;
use crate::error::Trouble;
use crate::http::Failure;
use crate::load::{Learnt, Mend, closing};
use crate::model::{Event, IntentKind, OpenIntent, Seen, ServerId, rfc3339};

/// Waits until no server can be at a write of an earlier run of this target any more. A plan does not wait: it says
/// that it is too early.
pub(super) async fn wait_until_quiet(context: &RunContext, target_run: &TargetRun) -> Result<(), Trouble> {
    if context.mode == Mode::Plan {
        return Ok(());
    }
    let mut last = None;
    each_open(context, target_run, |open| {
        last = last.max(open.last_write());
    })?;
    let Some(last) = last else { return Ok(()) };
    let left = last.saturating_add(target_run.entry.quiet.as_secs()).saturating_sub(unix_now());
    if left > 0 {
        let work = format!("earlier writes of {}", target_run.id());
        context.begins(&work, None);
        let until = rfc3339(unix_now().saturating_add(left));
        context.ends(
            &work,
            format!("a run ended during a write: waiting until {until} to see what became of it (`quiet`)"),
        );
        context.stop.sleep(Duration::from_secs(left)).await;
    }
    Ok(())
}

/// Every open intent of a target, page by page.
fn each_open(context: &RunContext, target_run: &TargetRun, mut take: impl FnMut(&OpenIntent)) -> Result<(), Trouble> {
    for page in each_page(|after| context.store.open_intents(after.copied(), PAGE), |last| last.id) {
        let page = page?;
        for mut open in page.into_iter().filter(|open| open.intent.target == *target_run.id()) {
            open.not_after(unix(context.started));
            take(&open);
        }
    }
    Ok(())
}

/// Looks at every open intent of a target that answered; after [`wait_until_quiet`] and the survey. Says how many there
/// are; what was seen is in the facts.
pub(super) async fn look_at_open_intents(context: &RunContext, target_run: &mut TargetRun) -> Result<u64, Trouble> {
    let mut count = 0;
    // Another server, or none that answered: the intents stay open.
    let Some(server) = target_run.ready().map(|open| open.server.id.clone()) else { return Ok(count) };
    for page in each_page(|after| context.store.open_intents(after.copied(), PAGE), |last| last.id) {
        let page = page?;
        let ours = |open: &OpenIntent| open.intent.target == target_run.entry.id && open.intent.server == server;
        for mut open in page.into_iter().filter(ours) {
            match look(context, target_run, &mut open).await? {
                Ok(seen) => context.facts.put_seen(&open, &seen)?,
                Err(failure) => {
                    target_run.failure.get_or_insert(failure);
                    return Ok(count);
                }
            }
            count += 1;
        }
    }
    Ok(count)
}

/// Takes back what earlier probes left on our own account, before another one is made: the pictures of two probes look
/// alike, and neither could be told from the other. Says whether nothing is left open of any.
pub(super) async fn clear_probes(
    context: &RunContext,
    target_run: &TargetRun,
    server: &ServerId,
) -> Result<bool, Trouble> {
    let mut clear = true;
    for page in each_page(|after| context.store.open_intents(after.copied(), PAGE), |last| last.id) {
        let page = page?;
        let ours = |open: &OpenIntent| {
            open.intent.kind == IntentKind::Probe
                && open.intent.target == *target_run.id()
                && open.intent.server == *server
        };
        for mut open in page.into_iter().filter(ours) {
            clear &= match look(context, target_run, &mut open).await? {
                Ok(seen) => take_back(context, target_run, &open, seen).await?,
                // The plan looks at it again, and says what is wrong.
                Err(_) => false,
            };
        }
    }
    Ok(clear)
}

/// Ends one probe; whether that went well.
async fn take_back(
    context: &RunContext,
    target_run: &TargetRun,
    open: &OpenIntent,
    seen: Seen,
) -> Result<bool, Trouble> {
    let events = match seen {
        Seen::Nothing(why) => closing(&open.status, &why),
        Seen::Reset(None) => vec![Event::Reset, Event::Closed],
        Seen::Leftover(mark) | Seen::Stray { mark, .. } | Seen::Reset(Some(mark)) => {
            // How pictures would go matters to no deletion, but a session wants to know it.
            if target_run.target.prepare(&mut Learnt::new(), None).await.is_err() {
                return Ok(false);
            }
            let Ok(session) = target_run.target.session().await else { return Ok(false) };
            let mut journal = StoreJournal::of(&context.store, open.id);
            return Ok(session.mend(open, &Mend::Tidy(mark), &mut journal).await.is_ok());
        }
        _ => return Ok(false),
    };
    for event in events {
        context.store.record(open.id, &event).await?;
    }
    Ok(true)
}

async fn look(
    context: &RunContext,
    target_run: &TargetRun,
    open: &mut OpenIntent,
) -> Result<Result<Seen, Failure>, Trouble> {
    open.not_after(unix(context.started));
    let account = context.facts.account(target_run.id(), &open.intent.account)?;
    if let Some(account) = &account {
        open.renamed(&account.name);
    }
    let looks = target_run.target.observe(open, account.as_ref(), unix_now());
    let seen = context.unless_stopped("look at an earlier write", looks).await.and_then(|seen| seen);
    Ok(seen.map(|seen| if open.intent.kind == IntentKind::Probe { no_longer_wanted(seen) } else { seen }))
}

/// A probe's picture is never wanted, shown or not.
fn no_longer_wanted(seen: Seen) -> Seen {
    match seen {
        Seen::HalfDone(mark) | Seen::Shown(mark) => Seen::Leftover(mark),
        other => other,
    }
}
