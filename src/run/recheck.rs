//! After the writes: whether what this run wrote is kept as it was sent (docs/write-protocols.md, "What holds for all").
//!
//! Owns: which pictures are looked at, and what becomes of all others once one shows another face.
//! Leaves to others: the first look of each session (`load`), pictures that turn up on other accounts (`take_back`).
//! A newcomer gets wrong: the server names the right owner and the right number for a picture with somebody else's face in it. Only
//! its bytes tell.

use std::collections::BTreeMap;

use super::context::RunContext;
use super::misplaced::Misplaced;
use super::pages::{PAGE, each_page};
use super::renderer::PictureFingerprinter;
use super::take_back;
use super::target_run::TargetRun;
use crate::error::Trouble;
use crate::http::{Failure, FailureKind};
use crate::load::{Fingerprinter as _, RECHECKED};
use crate::model::{
    Account, AccountId, Digest, Fault, Luma, PersonResult, Placement, Planned, Shown, Step, TaskResult,
};
use crate::state::{DecisionCursor, Shifted, Written};

/// A picture of this run, as it was written.
struct Made {
    planned: Planned,
    went: TaskResult,
}

enum Looked {
    AsSent,
    Another(Box<Luma>),
    /// The server does not serve it to us (JRASERVER-72378), or what was sent is not in the cache any more.
    Unclear,
    Failed(Failure),
}

/// Whether the server still answers reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ServerAnswers {
    Yes,
    No,
}

/// Looks at some of what was written; if one shows another face, at all of it, and takes back what does.
pub(super) async fn recheck(context: &RunContext, target_run: &mut TargetRun) -> Result<(), Trouble> {
    let target = target_run.target.clone();
    let Some(compared) = target.compared() else { return Ok(()) };
    let mixed = compared.is_mixed() || {
        let mut mixed = false;
        for made in chosen(context, target_run)? {
            match look(context, target_run, &made).await {
                Looked::AsSent => compared.put(&made.planned.account.id, true),
                Looked::Another(_) => mixed = true,
                Looked::Unclear => {}
                Looked::Failed(failure) => {
                    tracing::warn!(%failure, "what was written could not be looked at");
                    if failure.kind == FailureKind::Refused {
                        target_run.failure.get_or_insert(failure);
                    }
                    break;
                }
            }
            if mixed {
                break;
            }
        }
        mixed
    };
    if mixed { take_back_what_differs(context, target_run).await } else { Ok(()) }
}

/// A mix-up was found while the run wrote, and nothing can be looked at any more.
pub(super) async fn suspect_all(context: &RunContext, target_run: &mut TargetRun) -> Result<(), Trouble> {
    match target_run.target.compared() {
        Some(compared) if compared.is_mixed() => take_back_what_differs(context, target_run).await,
        _ => Ok(()),
    }
}

/// The last of every worker, and some of the others.
fn chosen(context: &RunContext, target_run: &TargetRun) -> Result<Vec<Made>, Trouble> {
    let (mut last, mut others) = (Vec::new(), BTreeMap::new());
    each_made(context, target_run, |made| {
        let account = &made.planned.account.id;
        if target_run.target.compared().is_some_and(|compared| compared.has(account)) {
            return;
        }
        if target_run.last_written.contains(account) {
            last.push(made);
            return;
        }
        // At random, and the same for whoever looks at this run again.
        let rank = Digest::of(format!("{} {account}", context.run).as_bytes());
        others.insert(*rank.as_bytes(), made);
        if others.len() > RECHECKED {
            others.pop_last();
        }
    })?;
    last.extend(others.into_values());
    Ok(last)
}

fn each_made(context: &RunContext, target_run: &TargetRun, mut take: impl FnMut(Made)) -> Result<(), Trouble> {
    for page in each_page(
        |after| context.facts.made(target_run.id(), after, PAGE),
        |(last, _)| DecisionCursor::of(&last.decision),
    ) {
        page?.into_iter().for_each(|(planned, went)| take(Made { planned, went }));
    }
    Ok(())
}

/// What was sent for this account.
fn sent(context: &RunContext, target_run: &TargetRun, planned: &Planned) -> Option<Luma> {
    let Step::Show(wanted) = &planned.task.step else { return None };
    context.spool.get(&wanted.photo, &target_run.open.as_ref()?.size.recipe)?.luma
}

async fn look(context: &RunContext, target_run: &TargetRun, made: &Made) -> Looked {
    let (Some(sent), Some(shown)) = (sent(context, target_run, &made.planned), &made.went.shows) else {
        return Looked::Unclear;
    };
    let account = Account { shown: shown.clone(), ..made.planned.account.clone() };
    let looks = target_run.target.look(&account);
    match context.unless_stopped("look at a picture", looks).await.and_then(|looked| looked) {
        Ok(picture) => match picture.and_then(|picture| PictureFingerprinter.luma(&picture)) {
            Some(served) if served.fits(&sent) => Looked::AsSent,
            Some(served) => Looked::Another(Box::new(served)),
            None => Looked::Unclear,
        },
        Err(failure) if failure.kind == FailureKind::Odd => Looked::Unclear,
        Err(failure) => Looked::Failed(failure),
    }
}

/// All that nobody has looked at is suspect by now.
async fn take_back_what_differs(context: &RunContext, target_run: &mut TargetRun) -> Result<(), Trouble> {
    let target = target_run.target.clone();
    let (mut others, mut unseen, mut looked_at) = (0_u64, 0_u64, 0_u64);
    let mut answers = ServerAnswers::Yes;
    for page in
        each_page(|after| context.facts.made(target.id(), after, PAGE), |(last, _)| DecisionCursor::of(&last.decision))
    {
        let page: Vec<Made> = page?.into_iter().map(|(planned, went)| Made { planned, went }).collect();
        for made in &page {
            let account = &made.planned.account.id;
            if !matches!(made.planned.task.step, Step::Show(_)) {
                continue;
            }
            if target.compared().is_some_and(|compared| compared.knows(account)) {
                continue;
            }
            let looked = match answers {
                ServerAnswers::Yes => look(context, target_run, made).await,
                ServerAnswers::No => Looked::Unclear,
            };
            looked_at += 1;
            match looked {
                Looked::AsSent => {}
                Looked::Another(served) => {
                    others += 1;
                    take_back_one(context, target_run, made, &page, &served).await?;
                }
                Looked::Unclear => {
                    unseen += 1;
                    suspect(context, target_run, made, answers).await?;
                }
                Looked::Failed(_) => {
                    (answers, unseen) = (ServerAnswers::No, unseen + 1);
                    suspect(context, target_run, made, answers).await?;
                }
            }
        }
    }
    let mut found =
        format!("{others} of {looked_at} pictures of this run that were looked at show another one than was sent");
    if unseen > 0 {
        found += &format!("; {unseen} could not be looked at and may have shown another's face");
    }
    let failure = Failure::new(FailureKind::Odd, format!("the pictures that were written to {}", target.id()), found)
        .hint("sessions are mixed up on the way: look for a proxy that shares cookies between clients");
    context.say(crate::report::RunEvent::Failure(failure.to_string()));
    target_run.failure.get_or_insert(failure);
    Ok(())
}

/// It shows somebody else's face: told by name, and taken back.
async fn take_back_one(
    context: &RunContext,
    target_run: &mut TargetRun,
    made: &Made,
    page: &[Made],
    served: &Luma,
) -> Result<(), Trouble> {
    let whose = page.iter().find(|other| {
        other.planned.account.id != made.planned.account.id
            && sent(context, target_run, &other.planned).is_some_and(|sent| served.fits(&sent))
    });
    let (id, name) = match whose {
        Some(Made { planned, .. }) => (planned.account.id.clone(), planned.account.name.clone()),
        None => (AccountId::new(""), "somebody else".to_owned()),
    };
    let written = Written { account: id, name, shows: None, intent: None };
    let Some(mut stray) = stray(made, written) else { return Ok(()) };
    stray.still_there = withdraw(context, target_run, made, &stray).await?;
    let what = if stray.still_there.is_none() { "it was taken back" } else { "it could not be taken back" };
    tell(context, made, Fault::new("misplaced", format!("it showed another picture than was sent: {what}")))?;
    target_run.misplaced.push(stray);
    Ok(())
}

/// Nobody knows what it shows: it goes, too, where the server still answers.
async fn suspect(
    context: &RunContext,
    target_run: &mut TargetRun,
    made: &Made,
    answers: ServerAnswers,
) -> Result<(), Trouble> {
    let Planned { account, .. } = &made.planned;
    let written = Written { account: account.id.clone(), name: account.name.clone(), shows: None, intent: None };
    let Some(stray) = stray(made, written) else { return Ok(()) };
    let gone = match answers {
        ServerAnswers::Yes => withdraw(context, target_run, made, &stray).await?.is_none(),
        ServerAnswers::No => {
            mistrust(context, target_run, made, &stray).await?;
            false
        }
    };
    let what = if gone { "it was taken back" } else { "it may show another's face" };
    let found = format!("pictures were mixed up in this run, and this one could not be looked at: {what}");
    tell(context, made, Fault::new("may_be_another", found))
}

/// What is taken back, as the journal wants to know it.
fn stray(made: &Made, written: Written) -> Option<Misplaced> {
    let (account, Some(Shown::Custom(mark))) = (&made.planned.account, &made.went.shows) else { return None };
    let shifted = Shifted {
        account: account.id.clone(),
        name: account.name.clone(),
        handle: account.handle.clone(),
        before: Some(account.shown.clone()),
        shown: Shown::Custom(mark.clone()),
        meant: made.went.shows.clone(),
    };
    let at = DecisionCursor::of(&made.planned.decision);
    Some(Misplaced { shifted, mark: mark.clone(), written, at, still_there: None })
}

async fn withdraw(
    context: &RunContext,
    target_run: &mut TargetRun,
    made: &Made,
    stray: &Misplaced,
) -> Result<Option<Fault>, Trouble> {
    mistrust(context, target_run, made, stray).await?;
    let Some(server) = target_run.open.as_ref().map(|open| open.server.id.clone()) else { return Ok(None) };
    let draft = take_back::draft(context, target_run, server, stray);
    Ok(take_back::take_back(context, target_run, draft).await)
}

fn tell(context: &RunContext, made: &Made, fault: Fault) -> Result<(), Trouble> {
    let told = TaskResult { result: PersonResult::NotShown, error: Some(fault), ..made.went.clone() };
    Ok(context.facts.put_results(&[(DecisionCursor::of(&made.planned.decision), told)])?)
}

/// The record says no more which photo it is, so that the next run writes it again.
async fn mistrust(context: &RunContext, target_run: &TargetRun, made: &Made, stray: &Misplaced) -> Result<(), Trouble> {
    let Some(placement) = context.store.placement(target_run.id(), &made.planned.account.id)? else { return Ok(()) };
    let Some(server) = target_run.open.as_ref().map(|open| open.server.id.clone()) else { return Ok(()) };
    let photo = Digest::of(format!("{} mixed up", context.run).as_bytes());
    let draft = take_back::draft(context, target_run, server, stray);
    Ok(context.store.adopt_instead(Placement { photo, ..placement }, &draft).await?)
}
