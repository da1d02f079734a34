//! One more listing of each target that was written to: every write is confirmed, or reported as not shown.
//!
//! Owns: the comparison. Leaves to others: the listing (`load`), pictures that turn up elsewhere (`take_back`).
//! A newcomer gets wrong: a run that is asked to stop leaves it out, and says so. What is not shown is no failure of the
//! write; somebody may have chosen another picture since.

use tokio::sync::Notify;

use super::context::RunContext;
use super::listing::{ListingPages, with_an_end};
use super::pages::{PAGE, each_page};
use super::target_run::TargetRun;
use super::{named, recheck, take_back};
use crate::error::Trouble;
use crate::http::FailureKind;
use crate::model::{Account, Fault, PersonResult, PictureRef, Shown, TaskResult};
use crate::state::{StateError, ToConfirm};

/// Surveys the target again and holds it against what was written.
pub(super) async fn confirm(context: &RunContext, target_run: &mut TargetRun) -> Result<(), Trouble> {
    let wrote = !context.facts.written(target_run.id(), None, 1)?.is_empty();
    // A refused login is not tried again; after any other stop the listing is the one look that is left.
    let silent = target_run.failure.as_ref().is_some_and(|failure| failure.kind != FailureKind::Odd);
    if silent && wrote {
        recheck::suspect_all(context, target_run).await?;
    }
    let Some(open) = target_run.open.as_ref().filter(|_| wrote && !silent) else { return Ok(()) };
    let work = format!("confirm {}", target_run.id());
    context.begins(&work, None);
    let mut learnt = context.store.learnt(&open.server.id)?;
    let mut kept: Result<(), StateError> = Ok(());
    let ends = Notify::new();
    let mut pages = ListingPages::new(&ends);
    let mut page = |accounts: Vec<Account>| {
        pages.came(accounts.iter().map(|account| account.id.as_str()));
        if kept.is_ok() {
            kept = context.facts.put_shown_after(&target_run.entry.id, &accounts);
        }
    };
    let listing = with_an_end(&work, &ends, target_run.target.survey(&mut learnt, &mut page));
    let surveyed = context.unless_stopped(&work, listing).await;
    kept?;
    let surveyed = match surveyed {
        // What is written stays written; the next run's survey shows it, and closes what is open until then.
        Err(_stopped) => {
            context.ends(&work, "left out: the run was asked to stop");
            return recheck::suspect_all(context, target_run).await;
        }
        Ok(Ok(surveyed)) => surveyed,
        Ok(Err(failure)) => {
            context.ends(&work, failure.end());
            target_run.failure.get_or_insert(failure);
            return recheck::suspect_all(context, target_run).await;
        }
    };
    if learnt != context.store.learnt(&open.server.id)? {
        context.store.learn(&open.server.id, &learnt).await?;
    }
    let default = surveyed.default.or_else(|| open.surveyed.default.clone());
    let mut missing = 0;
    for page in each_page(|after| context.facts.to_confirm(target_run.id(), after, PAGE), |last| last.at.clone()) {
        let page = page?;
        let mut amended = Vec::new();
        for written in page {
            let at = written.at.clone();
            if let Some(went) = compare(context, target_run, written, default.as_ref()).await? {
                missing += 1;
                amended.push((at, went));
            }
        }
        context.facts.put_results(&amended)?;
    }
    context.ends(&work, if missing == 0 { "everything is shown".to_owned() } else { format!("{missing} not shown") });
    recheck::recheck(context, target_run).await?;
    take_back::take_back_all(context, target_run).await
}

/// Holds one account against what was written. `Some`: it is not shown.
async fn compare(
    context: &RunContext,
    target_run: &TargetRun,
    written: ToConfirm,
    default: Option<&PictureRef>,
) -> Result<Option<TaskResult>, Trouble> {
    let ToConfirm { at, shows, intent, mut found } = written;
    if target_run.target.follows_people() {
        // Such a target lists what is on record of ours. What an undoing gave back is not; the write saw it there.
        if context.is_undo() && found.is_none() && matches!(shows, Shown::Custom(_)) {
            return Ok(None);
        }
        found = found.or(Some(Shown::Default));
    }
    if let (Shown::Custom(wrote), Some(Shown::Custom(named)), Some(intent)) = (&shows, &found, intent)
        && let Some(mark) = target_run.target.confirm(wrote, named)
    {
        if mark == *wrote {
            return Ok(None);
        }
        // Only now it is known what the target calls it.
        let not_ours = named::learn(context, target_run, at.account(), intent, mark).await?;
        return Ok(not_ours.map(|fault| TaskResult {
            result: PersonResult::NotShown,
            error: Some(fault),
            shows: Some(shows),
            intent: Some(intent),
        }));
    }
    if shows.is_confirmed_by(found.as_ref(), default) {
        return Ok(None);
    }
    if matches!(found, Some(Shown::Unknown(_))) && !target_run.target.tells_what_is_shown() {
        named::take_at_its_word(context, intent).await?;
        return Ok(None);
    }
    let found = found.map_or_else(|| "the account is not listed any more".to_owned(), |shown| words(&shown));
    let error = Fault::new("not_shown", format!("the listing after the writes shows {found}"));
    Ok(Some(TaskResult { result: PersonResult::NotShown, error: Some(error), shows: Some(shows), intent }))
}

fn words(shown: &Shown) -> String {
    match shown {
        Shown::Default => "the default".to_owned(),
        Shown::System(mark) => format!("the stock picture {mark}"),
        Shown::Custom(mark) => format!("picture {mark}"),
        Shown::Unknown(why) => format!("nothing that could be read: {why}"),
    }
}
