//! Every account of every target against every source.
//!
//! Owns: looking candidates up page by page, and the second look for people who fit several accounts.
//! Leaves to others: the rule (`plan::matched`).
//! A newcomer gets wrong: nobody asks for the photo of whom only a disabled account names, but such an account counts:
//! whoever takes a leaver's address must not get the leaver's face (docs/architecture.md, "Matching").

use super::context::RunContext;
use super::pages::{PAGE, each_page};
use super::source_run::SourceRun;
use super::target_run::TargetRun;
use crate::error::Trouble;
use crate::model::{Account, AccountId, AccountStanding, Matched, Person, PersonId, PersonRef, SourceId, TargetId};
use crate::plan::{Claimed, lookups, matched, told_apart};
use crate::settings::Matching;
use crate::state::{Facts, MatchRow};

/// Matches everything that was listed.
pub(super) fn match_all(
    context: &RunContext,
    target_runs: &[TargetRun],
    source_runs: &[SourceRun],
) -> Result<(), Trouble> {
    let mut both = Vec::new();
    for target_run in target_runs.iter().filter(|target_run| target_run.ready().is_some()) {
        for source_run in source_runs.iter().filter(|source_run| source_run.knows_people) {
            both.push((target_run, source_run.id()));
        }
    }
    // All matches first: to put one is cheap until people are looked for among them.
    for (target_run, source) in &both {
        match_one(&context.facts, target_run, source)?;
    }
    for (target_run, source) in both {
        tell_apart(&context.facts, target_run.id(), source, &target_run.entry.matching)?;
    }
    Ok(())
}

fn match_one(facts: &Facts, target_run: &TargetRun, source: &SourceId) -> Result<(), Trouble> {
    let (target, matching) = (target_run.id(), &target_run.entry.matching);
    for accounts in each_page(|after| facts.accounts(target, after, PAGE), |last| last.id.clone()) {
        let accounts = accounts?;
        let (mut rows, mut claims) = (Vec::with_capacity(accounts.len()), Vec::new());
        for (account, candidates) in accounts.iter().zip(candidates(facts, source, &accounts, matching)?) {
            let Claimed { matched, claims: claimed } = matched(account, &candidates, matching);
            let inactive = account.standing == AccountStanding::Inactive;
            if inactive || !matches!(matched, Matched::Person(_)) {
                claims.extend(claimed.map(|person| (person, account.id.clone())));
            }
            if !inactive {
                rows.push(to_row(target, source, &account.id, matched));
            }
        }
        facts.put_matches(&rows)?;
        facts.put_claims(target, source, &claims)?;
        // They count for ambiguity, but nothing will be written to them: nobody is asked for their photo.
        let frozen = target_run.entry.freeze.value;
        let left_out = accounts.iter().filter(|account| frozen || account.standing.is_left_out());
        facts.end_searches(target, &left_out.map(|account| account.id.clone()).collect::<Vec<_>>())?;
    }
    Ok(())
}

/// For each account everybody who shares any filled key with it, whatever an earlier key says: all of them are heard.
fn candidates(
    facts: &Facts,
    source: &SourceId,
    accounts: &[Account],
    matching: &Matching,
) -> Result<Vec<Vec<Person>>, Trouble> {
    let lookups: Vec<_> = accounts.iter().map(|account| lookups(account, matching)).collect();
    let mut found = facts.people_with(source, &lookups.concat())?.into_iter();
    Ok(lookups.iter().map(|keys| found.by_ref().take(keys.len()).flatten().collect()).collect())
}

fn to_row(target: &TargetId, source: &SourceId, account: &AccountId, matched: Matched) -> MatchRow {
    MatchRow { target: target.clone(), source: source.clone(), account: account.clone(), matched }
}

/// A person whom several accounts claim is none of theirs, unless the keys tell them apart.
fn tell_apart(facts: &Facts, target: &TargetId, source: &SourceId, matching: &Matching) -> Result<(), Trouble> {
    for people in each_page(|after| facts.people_claimed_more_than_once(target, source, after, PAGE), PersonId::clone) {
        let people = people?;
        for id in people {
            let who = PersonRef { source: source.clone(), id };
            let Some(person) = facts.person(&who)? else { continue };
            let (matched, claiming) = facts.claimants_of(target, &who)?;
            let read = |ids: &[AccountId]| -> Result<Vec<Account>, Trouble> {
                let read = ids.iter().map(|id| Ok(facts.account(target, id)?));
                Ok(read.collect::<Result<Vec<_>, Trouble>>()?.into_iter().flatten().collect())
            };
            let lost = told_apart(&person, &read(&matched)?, &read(&claiming)?, matching);
            let rows = lost.into_iter().map(|(account, matched)| to_row(target, source, &account, matched));
            facts.put_matches(&rows.collect::<Vec<_>>())?;
        }
    }
    Ok(())
}
