//! Learning who answers at a target, what every account shows there, and how pictures have to be made
//! (docs/architecture.md, "Survey").
//!
//! Owns: the order identify, list, bind, prepare, and what stops a single target.
//! Leaves to others: the wire (`load`), open intents (`settle`), what follows (`target_planner`).
//! A newcomer gets wrong: a target is bound to its server only after it was listed whole; a server that is only starting
//! hides its id.

use tokio::sync::Notify;
use tracing::Instrument as _;

use super::context::{Mode, RunContext};
use super::identify::{Halt, bind, check_reviewed, identify};
use super::journal::StoreJournal;
use super::listing::{ListingPages, with_an_end};
use super::recall::recall;
use super::renderer::Renderer;
use super::target_run::{OpenTarget, TargetRun};
use super::{settle, spans};
use crate::error::Trouble;
use crate::http::{Failure, FailureKind};
use crate::load::{Learnt, Probe, Server, Surveyed, Upload};
use crate::model::{Account, counted};
use crate::settings::Resize;
use crate::state::StateError;

/// Talks to a target up to the point where its accounts can be decided about.
pub(super) async fn survey(
    context: &RunContext,
    resize: &Resize,
    mut target_run: TargetRun,
) -> Result<TargetRun, Trouble> {
    let phase = |phase| spans::target(target_run.id(), phase);
    let (before, survey, settle) = (phase("settle"), phase("survey"), phase("settle"));
    settle::wait_until_quiet(context, &target_run).instrument(before).await?;
    list_into_facts(context, resize, &mut target_run).instrument(survey).await?;
    target_run.opened = settle::look_at_open_intents(context, &mut target_run).instrument(settle).await?;
    Ok(target_run)
}

async fn list_into_facts(context: &RunContext, resize: &Resize, target_run: &mut TargetRun) -> Result<(), Trouble> {
    let work = format!("survey {}", target_run.id());
    context.begins(&work, None);
    match open(context, resize, target_run, &work).await {
        Ok(open) => {
            context.facts.put_target_asked(target_run.id(), None)?;
            context.ends(
                &work,
                format!("{} of {}", counted(open.surveyed.accounts, "account", "accounts"), open.server.product),
            );
            target_run.open = Some(open);
            Ok(())
        }
        Err(Halt::Failure(failure)) => {
            context.facts.put_target_asked(target_run.id(), Some(&failure.to_string()))?;
            context.ends(&work, failure.end());
            target_run.failure = Some(failure);
            Ok(())
        }
        Err(Halt::Trouble(trouble)) => Err(trouble),
    }
}

async fn open(
    context: &RunContext,
    resize: &Resize,
    target_run: &mut TargetRun,
    work: &str,
) -> Result<OpenTarget, Halt> {
    let (server, mut learnt) = identify(&context.store, &context.stop, work, target_run).await?;
    check_reviewed(context.reviewed.as_ref(), target_run, &server)?;
    recall(context, target_run)?;
    let surveyed = list(context, target_run, &mut learnt, work).await?;
    // Not before: a server that is only starting hides its id, and its address would stand in for good.
    if context.mode == Mode::Run {
        bind(&context.store, target_run, &server).await?;
    }
    let upload = prepare(context, target_run, &server, &mut learnt).await?;
    if !target_run.entry.is_read_only() && nothing_else_tells(context, target_run)? {
        expect_rights(context, target_run, work).await?;
    }
    if context.mode == Mode::Run {
        context.store.learn(&server.id, &learnt).await?;
    }
    let size = Renderer::size(resize, upload.side);
    let owners = if target_run.target.follows_people() { None } else { Some(context.store.key()?) };
    Ok(OpenTarget { server, surveyed, upload, size, owners })
}

/// A plan writes nothing. A run that has written there before learns at its first write, with little to lose; the first one
/// would fetch everybody's photo before.
fn nothing_else_tells(context: &RunContext, target_run: &TargetRun) -> Result<bool, Halt> {
    Ok(context.mode == Mode::Plan || context.store.count_placements(target_run.id())? == 0)
}

/// Whether a run may write, as far as the product tells without a write.
async fn expect_rights(context: &RunContext, target_run: &TargetRun, work: &str) -> Result<(), Halt> {
    let signed = context.unless_stopped(work, target_run.target.whoami()).await??;
    if signed.missing.is_empty() {
        return Ok(());
    }
    let tried = format!("ask {} whether pictures may be set", target_run.id());
    Err(Failure::new(FailureKind::Refused, tried, signed.missing.join("; ")).hint("`auth` says more").into())
}

async fn list(
    context: &RunContext,
    target_run: &mut TargetRun,
    learnt: &mut Learnt,
    work: &str,
) -> Result<Surveyed, Halt> {
    let mut excluded = target_run.excluded.clone();
    let exclude = &target_run.entry.accounts.exclude.value;
    let mut kept: Result<u64, StateError> = Ok(0);
    let ends = Notify::new();
    let mut pages = ListingPages::new(&ends);
    let mut by_handle = false;
    let mut page = |accounts: Vec<Account>| {
        pages.came(accounts.iter().map(|account| account.id.as_str()));
        accounts.iter().for_each(|account| excluded.see(exclude, &[&account.name]));
        by_handle |= accounts.iter().any(|account| account.handle.is_some());
        if let Ok(done) = kept {
            kept = context.facts.put_accounts(target_run.id(), &accounts).map(|()| done + accounts.len() as u64);
            context.at(work, done);
        }
    };
    let listing = with_an_end(work, &ends, target_run.target.survey(learnt, &mut page));
    let mut surveyed = context.unless_stopped(work, listing).await??;
    kept?;
    target_run.excluded = excluded;
    if by_handle {
        let shared = context.facts.part_shared_handles(target_run.id(), "another account claims the same slug")?;
        if shared > 0 {
            let accounts = counted(
                shared,
                "account shares its slug with another one and is",
                "accounts share a slug with another one and are",
            );
            surveyed.notes.push(format!("{accounts} left alone"));
        }
    }
    Ok(surveyed)
}

async fn prepare(
    context: &RunContext,
    target_run: &TargetRun,
    server: &Server,
    learnt: &mut Learnt,
) -> Result<Upload, Halt> {
    let may_probe = context.mode == Mode::Run && !target_run.entry.is_read_only();
    if !may_probe || !settle::clear_probes(context, target_run, &server.id).await.map_err(Halt::Trouble)? {
        return Ok(target_run.target.prepare(learnt, None).await?);
    }
    let mut journal = StoreJournal::new(&context.store);
    Ok(target_run.target.prepare(learnt, Some(Probe { run: &context.run, journal: &mut journal })).await?)
}
