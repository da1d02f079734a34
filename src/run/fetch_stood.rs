//! Asking for the pictures that stand before a planned change, for the contact sheet alone.
//!
//! Owns: whom a plan asks for: one request for each picture that goes or comes back and that nobody looked at yet.
//! Leaves to others: keeping them (`stood`), looking before a write (`look`).
//! A newcomer gets wrong: nothing fails for such a picture, and a run never asks: it sends what the plan said and no more.
//! What is kept beside the state costs no request, so it is shown of an undoing, too.

use std::sync::Arc;

use futures::future::try_join_all;
use futures::stream::{self, StreamExt as _};

use super::clients::Clients;
use super::context::{Mode, RunContext, unix_now};
use super::finished_target::FinishedTarget;
use super::kept::Found;
use super::pages::{PAGE, each_page};
use super::stood::Which;
use super::target_run::TargetRun;
use crate::error::Trouble;
use crate::http::{Failure, FailureKind};
use crate::model::{Account, Change, Earlier, Picture, Planned, Shown, Step};
use crate::settings::Pictures;
use crate::state::DecisionCursor;

/// Changes that take a picture away, what a reviewer most needs to see first.
const CHANGES: [&[Change]; 2] = [&[Change::Revert, Change::Remove], &[Change::Replace]];

/// Asks every target of a plan.
pub(super) async fn fetch_stood(
    context: &RunContext,
    clients: &Clients,
    finished: &mut [FinishedTarget],
) -> Result<(), Trouble> {
    let has_kept = context.is_undo() && context.kept.is_some();
    if context.pictures != Pictures::Changed || (context.mode == Mode::Run && !has_kept) {
        return Ok(());
    }
    let each = finished.iter_mut().map(|done| {
        let concurrency = clients.concurrency(&done.target_run.entry.rate);
        ask(context, &mut done.target_run, concurrency)
    });
    try_join_all(each).await.map(drop)
}

async fn ask(context: &RunContext, target_run: &mut TargetRun, concurrency: usize) -> Result<(), Trouble> {
    if target_run.ready().is_none() {
        return Ok(());
    }
    let before = sent(target_run);
    let work = format!("earlier pictures {}", target_run.id());
    let mut count = Count::default();
    let mut goes_on = true;
    for changes in CHANGES {
        goes_on = goes_on && ask_of(context, target_run, changes, concurrency, (&work, &mut count)).await?;
    }
    let Count { asked, here } = count;
    match goes_on {
        _ if asked == 0 => {}
        true => context.ends(&work, format!("{here} of {asked}")),
        false => context.ends(&work, format!("{here} of {asked}; asked no further")),
    }
    target_run.sent_for_pictures = sent(target_run) - before;
    Ok(())
}

/// How many pictures were asked for, and came.
#[derive(Default)]
struct Count {
    asked: u64,
    here: u64,
}

/// Says whether others may be asked for.
async fn ask_of(
    context: &RunContext,
    target_run: &TargetRun,
    changes: &[Change],
    concurrency: usize,
    (work, count): (&str, &mut Count),
) -> Result<bool, Trouble> {
    let id = target_run.id();
    for page in each_page(
        |after| context.facts.planned(id, changes, after, PAGE),
        |last: &Planned| DecisionCursor::of(&last.decision),
    ) {
        let page = page?;
        let mut wanted: Vec<_> = page.iter().flat_map(|planned| wanted(context, planned)).collect();
        if context.mode == Mode::Run {
            wanted.clear();
        }
        if count.asked == 0 && !wanted.is_empty() {
            context.begins(work, None);
        }
        let looks = wanted.into_iter().map(|(which, account)| {
            let target = Arc::clone(&target_run.target);
            async move {
                let picture = target.look(&account).await;
                (which, account, picture)
            }
        });
        let mut looks = stream::iter(looks).buffer_unordered(concurrency.max(1));
        while let Ok(Some((which, account, picture))) = context.unless_stopped("look at pictures", looks.next()).await {
            count.asked += 1;
            match picture {
                Ok(Some(bytes)) => {
                    context.stood.put(which, id, &account.id, &bytes);
                    count.here += 1;
                }
                Ok(None) => {}
                // Whoever asks further waits for nothing, or is locked out.
                Err(Failure { kind: FailureKind::Unreachable | FailureKind::Refused | FailureKind::Local, .. }) => {
                    return Ok(false);
                }
                Err(failure) => tracing::debug!(%failure, "an earlier picture is not shown on the contact sheet"),
            }
            context.at(work, count.asked);
        }
        if context.stop.requested() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What is asked for of one change: what stands there, and of an undoing what comes back.
fn wanted(context: &RunContext, planned: &Planned) -> Vec<(Which, Account)> {
    let Planned { decision, account, task } = planned;
    let (target, id) = (&decision.target, &account.id);
    let mut wanted = Vec::new();
    if !matches!(decision.from, Picture::Default | Picture::Unknown(_)) && !context.stood.has(Which::Before, target, id)
    {
        wanted.push((Which::Before, account.clone()));
    }
    match &task.step {
        Step::GiveBack(Earlier { kept_by: Some(run), .. }) => {
            if let Some(Found::Picture(kept)) = context.kept.as_ref().map(|kept| kept.get(target, id, run, unix_now()))
            {
                context.stood.put(Which::Back, target, id, &kept.bytes);
            }
        }
        Step::GiveBack(Earlier { shown: shown @ (Shown::Custom(_) | Shown::System(_)), lies_in, .. }) => {
            let handle = lies_in.clone().or_else(|| account.handle.clone());
            wanted.push((Which::Back, Account { shown: shown.clone(), handle, ..account.clone() }));
        }
        _ => {}
    }
    wanted
}

fn sent(target_run: &TargetRun) -> u64 {
    let counts = target_run.target.counts();
    counts.sent.saturating_sub(counts.retried)
}
