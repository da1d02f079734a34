//! A target that has no accounts of its own: everybody in scope gets one.
//!
//! Owns: giving them. Leaves to others: what an account is called (`load`), what it is to show (`plan`).
//! A newcomer gets wrong: whoever has nothing that a file is named by is told of, and is no failure unless it is everybody.

use super::clients::matching_place;
use super::context::RunContext;
use super::pages::{PAGE, each_page};
use super::target_run::TargetRun;
use crate::error::Trouble;
use crate::http::{Failure, FailureKind};
use crate::model::{AccountStanding, Person, SourceId, Standing, counted};

/// Tells of accounts on record whose they are, where their names do not: whatever a rule says of whoever is left out holds for
/// what stands there of theirs.
async fn name_on_record(
    context: &RunContext,
    target_run: &TargetRun,
    people: impl Iterator<Item = &Person>,
) -> Result<(), Trouble> {
    if target_run.target.names_say_whose() {
        return Ok(());
    }
    let mut known = Vec::new();
    for person in people {
        // Who cannot be named has nothing there.
        for account in target_run.target.accounts_for(person).await.unwrap_or_default() {
            if context.facts.account(target_run.id(), &account.id)?.is_some() {
                known.push(account);
            }
        }
    }
    Ok(context.facts.put_accounts(target_run.id(), &known)?)
}

/// As a run does, for an undoing: it gives nobody an account.
pub(super) async fn name_all_on_record(
    context: &RunContext,
    target_run: &TargetRun,
    sources: &[SourceId],
) -> Result<(), Trouble> {
    if !target_run.target.follows_people() || target_run.ready().is_none() {
        return Ok(());
    }
    for source in sources {
        for people in each_page(|after| context.facts.people(source, after, PAGE), |last| last.id.clone()) {
            name_on_record(context, target_run, people?.iter()).await?;
        }
    }
    Ok(())
}

/// Gives every person in scope an account, where the target has none of its own.
pub(super) async fn follow_people(
    context: &RunContext,
    target_run: &mut TargetRun,
    sources: &[SourceId],
) -> Result<(), Trouble> {
    if !target_run.target.follows_people() || target_run.ready().is_none() {
        return Ok(());
    }
    let (mut count, mut nameless) = (0, 0_u64);
    for source in sources {
        for people in each_page(|after| context.facts.people(source, after, PAGE), |last| last.id.clone()) {
            let people = people?;
            let left_out = people.iter().filter(|person| person.standing != Standing::InScope);
            name_on_record(context, target_run, left_out).await?;
            let mut accounts = Vec::new();
            for person in people.iter().filter(|person| person.standing == Standing::InScope) {
                match target_run.target.accounts_for(person).await {
                    Ok(named) => {
                        nameless += u64::from(named.is_empty());
                        accounts.extend(named);
                    }
                    Err(failure) => {
                        target_run.failure = Some(failure);
                        return Ok(());
                    }
                }
            }
            accounts.iter().for_each(|account| target_run.sees(&account.name));
            count += accounts.iter().filter(|account| account.standing == AccountStanding::Active).count() as u64;
            context.facts.put_accounts(target_run.id(), &accounts)?;
        }
    }
    if let Some(open) = &mut target_run.open {
        open.surveyed.accounts = open.surveyed.accounts.max(count);
        if nameless > 0 {
            let found = counted(nameless, "person in scope has", "people in scope have");
            let found = format!("{found} nothing that `match` names a file by");
            open.surveyed.notes.push(format!("{found}: no picture is written for them"));
            if count == 0 {
                let hint = format!("{}: write keys that they have", matching_place(&target_run.entry));
                let failure = Failure::new(
                    FailureKind::Misconfigured,
                    format!("name the files of {}", target_run.entry.id),
                    found,
                );
                target_run.failure = Some(failure.hint(hint));
            }
        }
    }
    Ok(())
}
