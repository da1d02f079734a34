//! Every account of every target against every source.
//!
//! Owns: looking candidates up page by page, and the second look for people who fit several accounts.
//! Leaves to others: the rule (`plan::matched`).
//! A newcomer gets wrong: disabled accounts do not make a person ambiguous; accounts that are merely not selected do.

use super::desk::{Desk, PAGE};
use super::feed::Feed;
use super::house::House;
use crate::error::Trouble;
use crate::model::{Account, AccountId, AccountStanding, PersonId, PersonRef, SourceId, TargetId};
use crate::pipeline::Matching;
use crate::plan::{Matched, SourceState, lookups, matched};
use crate::state::{Facts, MatchRow, MatchVerdict};

/// Matches everything that was listed.
pub fn match_all(house: &House, desks: &[Desk], feeds: &[Feed]) -> Result<(), Trouble> {
    for desk in desks.iter().filter(|desk| desk.ready().is_some()) {
        for feed in feeds.iter().filter(|feed| feed.state == SourceState::Listed) {
            match_one(&house.facts, desk.id(), feed.id(), &desk.entry.matching)?;
            spread(&house.facts, desk.id(), feed.id())?;
        }
    }
    Ok(())
}

fn match_one(facts: &Facts, target: &TargetId, source: &SourceId, matching: &Matching) -> Result<(), Trouble> {
    let mut after: Option<AccountId> = None;
    loop {
        let accounts = facts.accounts(target, after.as_ref(), PAGE)?;
        let Some(last) = accounts.last() else { return Ok(()) };
        after = Some(last.id.clone());
        let mut rows = Vec::with_capacity(accounts.len());
        for account in accounts.iter().filter(|account| account.standing != AccountStanding::Inactive) {
            rows.push(row(facts, target, source, account, matching)?);
        }
        facts.put_matches(&rows)?;
        // They count for ambiguity, but nothing will be written to them: nobody is asked for their photo.
        let excluded = accounts.iter().filter(|account| account.standing == AccountStanding::Excluded);
        facts.end_searches(target, &excluded.map(|account| account.id.clone()).collect::<Vec<_>>())?;
    }
}

fn row(
    facts: &Facts,
    target: &TargetId,
    source: &SourceId,
    account: &Account,
    matching: &Matching,
) -> Result<MatchRow, Trouble> {
    let mut candidates = Vec::new();
    for (key, value) in lookups(account, matching) {
        for id in facts.people_with(source, key, &value)? {
            candidates.extend(facts.person(&PersonRef { source: source.clone(), id })?);
        }
    }
    Ok(to_row(target, source, &account.id, matched(account, &candidates, matching)))
}

fn to_row(target: &TargetId, source: &SourceId, account: &AccountId, matched: Matched) -> MatchRow {
    let (verdict, detail) = match matched {
        Matched::Person(id) => (MatchVerdict::Matched(id), None),
        Matched::Ambiguous(words) => (MatchVerdict::Ambiguous, Some(words)),
        Matched::Conflict(words) => (MatchVerdict::Conflict, Some(words)),
        Matched::Nobody => (MatchVerdict::None, None),
    };
    MatchRow { target: target.clone(), source: source.clone(), account: account.clone(), verdict, detail }
}

/// Reads a row back as what matching said.
pub fn from_row(row: Option<MatchRow>) -> Matched {
    let Some(row) = row else { return Matched::Nobody };
    let words = row.detail.unwrap_or_default();
    match row.verdict {
        MatchVerdict::Matched(id) => Matched::Person(id),
        MatchVerdict::Ambiguous => Matched::Ambiguous(words),
        MatchVerdict::Conflict => Matched::Conflict(words),
        MatchVerdict::None => Matched::Nobody,
    }
}

/// A person who fits several accounts fits none.
fn spread(facts: &Facts, target: &TargetId, source: &SourceId) -> Result<(), Trouble> {
    let mut after: Option<PersonId> = None;
    loop {
        let people = facts.people_matched_more_than_once(target, source, after.as_ref(), PAGE)?;
        let Some((last, _)) = people.last() else { return Ok(()) };
        let rows = people.iter().flat_map(|(person, accounts)| {
            let row = move |account| to_row(target, source, account, Matched::one_of_several(person, accounts));
            accounts.iter().map(row)
        });
        let rows: Vec<_> = rows.collect();
        after = Some(last.clone());
        facts.put_matches(&rows)?;
    }
}
