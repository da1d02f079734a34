//! Asking for the pictures that stand before a planned change, for the contact sheet alone.
//!
//! Owns: whom a plan asks for: one request for each account that changes and shows a picture which nobody looked at yet.
//! Leaves to others: keeping them (`stood`), looking before a write (`look`).
//! A newcomer gets wrong: nothing fails for such a picture, and a run never asks: it sends what the plan said and no more.

use std::sync::Arc;

use futures::future::try_join_all;
use futures::stream::{self, StreamExt as _};

use super::clients::Clients;
use super::context::{Mode, RunContext};
use super::finished_target::FinishedTarget;
use super::pages::{PAGE, each_page};
use super::target_run::TargetRun;
use crate::error::Trouble;
use crate::http::{Failure, FailureKind};
use crate::model::{Change, Picture, Planned};
use crate::settings::Pictures;
use crate::state::DecisionCursor;

/// Changes that take a picture away.
const CHANGES: [Change; 3] = [Change::Replace, Change::Revert, Change::Remove];

/// Asks every target of a plan.
pub(super) async fn fetch_stood(
    context: &RunContext,
    clients: &Clients,
    finished: &mut [FinishedTarget],
) -> Result<(), Trouble> {
    if context.mode != Mode::Plan || context.pictures != Pictures::Changed {
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
    let id = target_run.id().clone();
    let before = sent(target_run);
    let work = format!("earlier pictures {id}");
    let (mut asked, mut here) = (0, 0);
    for page in each_page(
        |after| context.facts.planned(&id, &CHANGES, after, PAGE),
        |last: &Planned| DecisionCursor::of(&last.decision),
    ) {
        let page = page?;
        let shows = |planned: &&Planned| {
            let Planned { decision, account, .. } = planned;
            let is_known = matches!(decision.from, Picture::Default | Picture::Unknown(_));
            !is_known && !context.stood.has(&id, &account.id)
        };
        let wanted: Vec<_> = page.iter().filter(shows).collect();
        if wanted.is_empty() {
            continue;
        }
        if asked == 0 {
            context.begins(&work, None);
        }
        let looks = wanted.into_iter().map(|planned| {
            let target = Arc::clone(&target_run.target);
            async move { (planned, target.look(&planned.account).await) }
        });
        let mut looks = stream::iter(looks).buffer_unordered(concurrency.max(1));
        while let Ok(Some((planned, picture))) = context.unless_stopped("look at pictures", looks.next()).await {
            asked += 1;
            match picture {
                Ok(Some(bytes)) => {
                    context.stood.put(&id, &planned.account.id, &bytes);
                    here += 1;
                }
                Ok(None) => {}
                Err(Failure { kind: FailureKind::Unreachable | FailureKind::Refused, .. }) => {
                    // Whoever asks further waits for nothing, or is locked out.
                    context.ends(&work, format!("{here} of {asked}; asked no further"));
                    target_run.sent_for_pictures = sent(target_run) - before;
                    return Ok(());
                }
                Err(failure) => tracing::debug!(%failure, "an earlier picture is not shown on the contact sheet"),
            }
            context.at(&work, asked);
        }
        if context.stop.requested() {
            break;
        }
    }
    if asked > 0 {
        context.ends(&work, format!("{here} of {asked}"));
    }
    target_run.sent_for_pictures = sent(target_run) - before;
    Ok(())
}

fn sent(target_run: &TargetRun) -> u64 {
    let counts = target_run.target.counts();
    counts.sent.saturating_sub(counts.retried)
}
