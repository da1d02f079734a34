//! Pictures of this run that turned up on accounts they were not meant for (docs/write-protocols.md).
//!
//! Owns: finding them in the confirming survey, and taking them back. Leaves to others: the survey (`confirm`), the steps
//! of taking back (`load`).
//! A newcomer gets wrong: one mark may stand on two accounts by right, since Confluence names a file by its digest. Only
//! who shows it since this run, and was not written it, has it by mistake.

use super::context::{RunContext, unix_now};
use super::journal::StoreJournal;
use super::misplaced::Misplaced;
use super::pages::{PAGE, each_page};
use super::renderer::PictureFingerprinter;
use super::target_run::TargetRun;
use crate::error::Trouble;
use crate::http::Failure;
use crate::load::Fingerprinter as _;
use crate::model::{
    Account, AccountStanding, Before, Fault, Intent, IntentKind, OpenIntent, PersonResult, PictureRef, Placement,
    Reason, ServerId, Shown, Status, TaskResult,
};
use crate::state::{Shifted, Written};

/// Looks at every account of the confirming survey, and takes back what stands where it must not.
pub(super) async fn take_back_all(context: &RunContext, target_run: &mut TargetRun) -> Result<(), Trouble> {
    // A folder has no accounts of its own that a name could lead astray. An undoing makes no picture but of what was kept, and a
    // file that it chooses again may have the name of somebody else's (docs/wire/atlassian.md §4.1).
    let makes_none = context.is_undo() && !target_run.target.loses_what_it_replaces();
    if target_run.target.follows_people() || makes_none {
        return Ok(());
    }
    let mut strays = Vec::new();
    let mut not_seen = None;
    for page in each_page(|after| context.facts.shifted(target_run.id(), after, PAGE), |last| last.account.clone()) {
        let page = page?;
        let suspects = page.into_iter().filter(|shifted| is_suspect(target_run, shifted)).collect();
        strays.append(&mut trace(context, target_run, suspects, &mut not_seen).await?);
    }
    if let Some(failure) = not_seen {
        target_run.failure.get_or_insert(failure);
    }
    let Some(server) = target_run.open.as_ref().map(|open| open.server.id.clone()) else { return Ok(()) };
    for mut stray in strays {
        let draft = draft(context, target_run, server.clone(), &stray);
        record(context, target_run, &stray, &draft).await?;
        stray.still_there = take_back(context, target_run, draft).await;
        target_run.misplaced.push(stray);
    }
    Ok(())
}

/// It shows an upload since this run, and not what was written to it.
fn is_suspect(target_run: &TargetRun, shifted: &Shifted) -> bool {
    let Shown::Custom(now) = &shifted.shown else { return false };
    let meant = matches!(&shifted.meant, Some(Shown::Custom(meant)) if target_run.target.confirm(meant, now).is_some());
    !meant
}

/// Finds out which write of this run each suspect's picture is of, if of any; others chose for themselves meanwhile.
async fn trace(
    context: &RunContext,
    target_run: &TargetRun,
    mut suspects: Vec<Shifted>,
    not_seen: &mut Option<Failure>,
) -> Result<Vec<Misplaced>, Trouble> {
    let mut strays = Vec::new();
    for page in each_page(|after| context.facts.written(target_run.id(), after, PAGE), |(last, _)| last.clone()) {
        let page = page?;
        if suspects.is_empty() {
            break;
        }
        for (at, written) in page {
            let mut left = Vec::with_capacity(suspects.len());
            for shifted in suspects {
                match is_of(context, target_run, &shifted, &written).await? {
                    Traced::No => left.push(shifted),
                    Traced::ByRight => {}
                    Traced::NotSeen(failure) => _ = not_seen.get_or_insert(failure),
                    Traced::Astray(mark) => {
                        let (at, written) = (at.clone(), written.clone());
                        strays.push(Misplaced { shifted, mark, written, at, still_there: None });
                    }
                }
            }
            suspects = left;
        }
    }
    Ok(strays)
}

enum Traced {
    /// It is another picture.
    No,
    /// It was made for this very account.
    ByRight,
    /// It was made for another one.
    Astray(PictureRef),
    /// Only a look can tell, and there was none.
    NotSeen(Failure),
}

async fn is_of(
    context: &RunContext,
    target_run: &TargetRun,
    shifted: &Shifted,
    written: &Written,
) -> Result<Traced, Trouble> {
    let Shown::Custom(now) = &shifted.shown else { return Ok(Traced::No) };
    let own = shifted.account == written.account;
    let found = |is: bool| match (is, own) {
        (false, _) => Traced::No,
        (true, true) => Traced::ByRight,
        (true, false) => Traced::Astray(now.clone()),
    };
    if let Some((owner, mark)) = now.another() {
        // The server says whose it is: made for that account, by this write.
        let wrote = matches!(&written.shows, Some(Shown::Custom(wrote)) if *wrote == mark);
        return Ok(if owner == written.account && wrote { Traced::Astray(now.clone()) } else { Traced::No });
    }
    let intent = || written.intent.map(|id| context.store.open_intent(id)).transpose().map(Option::flatten);
    match &written.shows {
        None => Ok(found(intent()?.is_some_and(|open| names(&open, now)))),
        Some(Shown::Custom(wrote)) if wrote == now => Ok(found(true)),
        // The target's name for it is not known: only what nobody has shown yet can be here, and a look tells.
        Some(Shown::Custom(wrote)) if target_run.target.confirm(wrote, now).is_some() => match intent()? {
            Some(_) if own => Ok(Traced::ByRight),
            Some(open) => Ok(looks_like(context, target_run, shifted, &open).await.map_or_else(Traced::NotSeen, found)),
            None => Ok(Traced::No),
        },
        Some(_) => Ok(Traced::No),
    }
}

/// Whether the journal names this picture as one that the write makes.
fn names(open: &OpenIntent, mark: &PictureRef) -> bool {
    let made =
        matches!(&open.status, Status::Made(made) | Status::Shown(made) | Status::Leftover(made) if made == mark);
    made || open.intent.making.as_ref() == Some(mark)
}

async fn looks_like(
    context: &RunContext,
    target_run: &TargetRun,
    shifted: &Shifted,
    open: &OpenIntent,
) -> Result<bool, Failure> {
    let Some(sent) = &open.intent.luma else { return Ok(false) };
    let account = Account {
        id: shifted.account.clone(),
        name: shifted.name.clone(),
        handle: shifted.handle.clone(),
        email: None,
        display_name: String::new(),
        standing: AccountStanding::Active,
        shown: shifted.shown.clone(),
    };
    let looks = target_run.target.look(&account);
    let looked = context.unless_stopped("look at a picture", looks).await.flatten().map_err(|failure| {
        let whose = format!("{}/{}", target_run.id(), shifted.name);
        let hint = format!("look at {whose} yourself: it may show the picture of {}", open.intent.account_name);
        Failure { tried: format!("see whose picture {whose} shows by now: {}", failure.tried), ..failure }.hint(hint)
    })?;
    Ok(looked.and_then(|picture| PictureFingerprinter.luma(&picture)).is_some_and(|served| served.fits(sent)))
}

/// What we made stays on record until it is seen gone, also where it must not be (docs/architecture.md, "The state").
async fn record(
    context: &RunContext,
    target_run: &TargetRun,
    stray: &Misplaced,
    draft: &Intent,
) -> Result<(), Trouble> {
    if let Some(meant) = context.store.placement(target_run.id(), &stray.written.account)? {
        let (account, mark) = (stray.shifted.account.clone(), stray.mark.clone());
        let placement = Placement { account, mark, before: before(stray), ..meant };
        context.store.adopt_instead(placement, draft).await?;
    }
    let there = context.facts.shown_after(target_run.id(), &stray.written.account)?;
    let shows = stray.written.shows.clone();
    if shows.as_ref().is_some_and(|shows| !shows.is_confirmed_by(there.as_ref(), None)) {
        let error = Some(Fault::new("misplaced", "another account shows the picture: see `misplaced`"));
        let went = TaskResult { result: PersonResult::NotShown, error, shows, intent: stray.written.intent };
        context.facts.put_results(&[(stray.at.clone(), went)])?;
    }
    Ok(())
}

fn before(stray: &Misplaced) -> Before {
    stray.shifted.before.as_ref().map_or(Before::Unknown, Before::from)
}

pub(super) fn draft(context: &RunContext, target_run: &TargetRun, server: ServerId, stray: &Misplaced) -> Intent {
    Intent {
        run: context.run.clone(),
        target: target_run.id().clone(),
        server,
        account: stray.shifted.account.clone(),
        account_name: stray.shifted.name.clone(),
        handle: stray.shifted.handle.clone(),
        kind: IntentKind::Revert,
        person: None,
        photo: None,
        recipe: None,
        rendition: None,
        luma: None,
        stood: stray.shifted.shown.clone(),
        base: Vec::new(),
        making: None,
        old: Some(stray.mark.clone()),
        // This run made it: there is nothing to compare with.
        old_looks: None,
        keys: None,
        before: before(stray),
        owner: None,
        stood_in: None,
        stood_of: None,
        back: None,
        begun_at: unix_now(),
    }
}

/// Gives the account back the default, as a write of its own. Says why it could not.
pub(super) async fn take_back(context: &RunContext, target_run: &mut TargetRun, draft: Intent) -> Option<Fault> {
    if context.stop.requested() {
        return Some(Fault::new("stopped", "the run was asked to stop"));
    }
    let session = match target_run.target.session().await {
        Ok(session) => session,
        Err(failure) => return Some(Fault::new("no_session", failure.to_string())),
    };
    let error = session.revert(draft, &mut StoreJournal::new(&context.store)).await.err()?;
    Some(error.fault().unwrap_or_else(|failure| {
        let fault = Fault::new(Reason::TargetStopped.word(), failure.to_string());
        target_run.failure.get_or_insert(failure);
        fault
    }))
}
