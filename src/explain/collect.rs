//! Putting together what the facts and the state say of whoever is meant.
//!
//! Owns: which accounts stand beside a person, and why others do not. Leaves to others: words for people (`text`).
//! A newcomer gets wrong: what an account is matched to is one thing, whose keys it has another; both are told.

use std::collections::BTreeSet;
use std::path::Path;

use super::advice::{advice, next};
use super::explanation::{
    AccountExplained, DecisionExplained, Explanation, MatchExplained, PersonExplained, PhotoExplained,
    PlacementExplained, WriteExplained,
};
use super::who::{Elements, Meant, meant};
use crate::error::Trouble;
use crate::model::{
    Account, AccountId, AccountKey, Before, Event, Matched, Person, PersonKey, PersonRef, PhotoFact, Picture,
    Placement, Shown, TargetId, rfc3339,
};
use crate::report::Pseudonyms;
use crate::run::{PAGE, each_page, facts_path};
use crate::state::{Facts, MatchRow, StateError, Store};

/// So many people that one name means are explained.
const MOST: usize = 20;

/// How many earlier writes of an account are told.
const WRITES: usize = 5;

/// All that the last plan or run learnt of whoever `who` means, and all that the state at `state` says.
///
/// # Errors
///
/// Nothing was learnt yet, the name means nobody or too many, or a file cannot be read.
pub(crate) fn explain(state: &Path, elements: Elements, who: &str) -> Result<Explanation, Trouble> {
    let path = facts_path(state);
    let learnt = std::fs::metadata(&path).and_then(|found| found.modified()).map_err(|_| {
        Trouble::Usage(format!(
            "nothing is known here yet: {} is missing; it is made by each `plan` and `run`, on the machine that runs them",
            path.display()
        ))
    })?;
    let as_of = learnt.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let known = OnRecord { facts: Facts::open(&path)?, store: Store::view(state)?, elements };
    let pseudonyms = Pseudonyms::new(known.store.key()?);
    let meant = meant(&known.facts, &known.elements, &pseudonyms, who)?;
    expect_some(who, &meant)?;
    let unfinished = known.store.runs(1)?.into_iter().find(|run| run.end.is_none()).map(|run| run.row.id.to_string());
    let (people, accounts) = known.everybody(&meant)?;
    let (pipeline, as_of) = (known.store.pipeline()?.unwrap_or_default(), rfc3339(as_of));
    Ok(Explanation { format: 1, pipeline, who: who.to_owned(), as_of, unfinished, people, accounts })
}

fn expect_some(who: &str, meant: &Meant) -> Result<(), Trouble> {
    let who = who.escape_debug();
    match meant.people.len() + meant.accounts.len() {
        0 if meant.near.is_empty() => Err(Trouble::Usage(format!(
            "{who}: no person and no account has this name, address, id or pseudonym, as the last plan or run listed them"
        ))),
        0 => Err(Trouble::Usage(format!(
            "{who}: no person and no account has this name, address, id or pseudonym, as the last plan or run listed \
             them; near it: {}",
            meant.near.join(", ")
        ))),
        many if many > MOST => Err(Trouble::Usage(format!(
            "{who} means {} people and {} accounts: name one of them by address or id",
            meant.people.len(),
            meant.accounts.len()
        ))),
        _ => Ok(()),
    }
}

/// What there is to read.
struct OnRecord {
    facts: Facts,
    store: Store,
    elements: Elements,
}

impl OnRecord {
    /// The people who are meant, and those of the accounts that are meant; then the accounts of nobody.
    fn everybody(&self, meant: &Meant) -> Result<(Vec<PersonExplained>, Vec<AccountExplained>), StateError> {
        let mut people = meant.people.clone();
        for (target, account) in &meant.accounts {
            for row in self.facts.matches(target, account)? {
                if let Matched::Person(id) = row.matched {
                    people.insert(PersonRef { source: row.source, id });
                }
            }
        }
        let mut told = BTreeSet::new();
        let mut explained = Vec::new();
        for reference in &people {
            if let Some(person) = self.facts.person(reference)? {
                explained.push(self.person(reference, &person, &mut told)?);
            }
        }
        let mut others = Vec::new();
        for (target, id) in meant.accounts.iter().filter(|one| !told.contains(*one)) {
            if let Some(account) = self.facts.account(target, id)? {
                others.push(self.account(target, &account, self.whose_keys(target, &account)?)?);
            }
        }
        Ok((explained, others))
    }

    fn person(
        &self,
        reference: &PersonRef,
        person: &Person,
        told: &mut BTreeSet<(TargetId, AccountId)>,
    ) -> Result<PersonExplained, StateError> {
        let (mut accounts, mut without_account) = (Vec::new(), Vec::new());
        for (target, compared) in &self.elements.targets {
            let ids = self.accounts_beside(target, compared, reference, person)?;
            if ids.is_empty() {
                without_account.push(target.to_string());
            }
            for id in ids {
                let Some(account) = self.facts.account(target, &id)? else { continue };
                let theirs = self.facts.matches(target, &id)?.iter().any(|row| is_of(row, reference));
                let keys =
                    if theirs { in_common(compared, person, &account) } else { self.whose_keys(target, &account)? };
                accounts.push(self.account(target, &account, keys)?);
                told.insert((target.clone(), id));
            }
        }
        Ok(PersonExplained {
            source: reference.source.to_string(),
            id: reference.id.to_string(),
            name: person.display_name.clone(),
            standing: word(&person.standing),
            keys: person.keys().iter().map(|(key, value)| (key.word().to_owned(), value.clone())).collect(),
            photo: self.photo(reference)?,
            accounts,
            without_account,
        })
    }

    /// The accounts that the person is matched to, or that claim the person, or that have a key of the person.
    fn accounts_beside(
        &self,
        target: &TargetId,
        compared: &Compared,
        reference: &PersonRef,
        person: &Person,
    ) -> Result<BTreeSet<AccountId>, StateError> {
        let (matched, claims) = self.facts.claimants_of(target, reference)?;
        let mut beside: BTreeSet<AccountId> = matched.into_iter().chain(claims).collect();
        for page in each_page(|after| self.facts.accounts(target, after, PAGE), |last| last.id.clone()) {
            beside
                .extend(page?.into_iter().filter(|one| !in_common(compared, person, one).is_empty()).map(|one| one.id));
        }
        Ok(beside)
    }

    /// Whoever has a key of an account: the candidates.
    fn whose_keys(&self, target: &TargetId, account: &Account) -> Result<Vec<String>, StateError> {
        let of_target = self.elements.targets.iter().find(|(id, _)| id == target);
        let compared = of_target.map(|(_, compared)| compared.as_slice()).unwrap_or_default();
        let mut others = Vec::new();
        for source in &self.elements.sources {
            for page in each_page(|after| self.facts.people(source, after, PAGE), |last| last.id.clone()) {
                for person in page? {
                    let keys = in_common(compared, &person, account);
                    others.extend(
                        keys.iter().map(|key| format!("{key} of {} ({source} {})", person.display_name, person.id)),
                    );
                }
            }
        }
        Ok(others)
    }

    fn photo(&self, reference: &PersonRef) -> Result<PhotoExplained, StateError> {
        let mark = self.store.mark(reference)?;
        let version = mark.and_then(|mark| mark.version).map(|version| version.to_string());
        let (found, digest) = match self.facts.photo(reference)? {
            None => ("nobody asked for it: no account needed it".to_owned(), None),
            Some(PhotoFact::Present { digest }) => ("there is one".to_owned(), Some(digest.to_string())),
            Some(PhotoFact::Absent(why)) => (format!("provably none: {}", word(&why)), None),
            Some(PhotoFact::Unknown(fault)) => (format!("not known: [{}] {}", fault.code, fault.message), None),
            Some(PhotoFact::Unreadable(fault)) => {
                (format!("there is one that cannot be read: {}", fault.message), None)
            }
            Some(PhotoFact::TooSmall { width, height }) => {
                (format!("there is one that is too small: {width} x {height} px"), None)
            }
        };
        Ok(PhotoExplained { found, digest, version })
    }

    fn account(
        &self,
        target: &TargetId,
        account: &Account,
        keys_in_common: Vec<String>,
    ) -> Result<AccountExplained, StateError> {
        let placement = self.store.placement(target, &account.id)?;
        let before_was = self.before_was(target, placement.as_ref())?;
        let decisions: Vec<_> = self.decisions(target, &account.id)?;
        let last = decisions.last();
        Ok(AccountExplained {
            target: target.to_string(),
            id: account.id.to_string(),
            name: account.name.clone(),
            display_name: account.display_name.clone(),
            email: account.email.clone(),
            standing: word(&account.standing),
            showed: last.map_or_else(
                || Picture::of(&account.shown, placement.as_ref(), None).label(),
                |decision| decision.from.clone(),
            ),
            keys_in_common,
            matched: self.matched(target, &account.id)?,
            placement: placement.map(|placement| PlacementExplained {
                picture: placement.rendition.to_string(),
                photo: placement.photo.to_string(),
                named: placement.mark.to_string(),
                provenance: word(&placement.provenance),
                before: match placement.before {
                    Before::Default => "default".to_owned(),
                    Before::Picture(mark) => mark.to_string(),
                    Before::Unknown => "unknown".to_owned(),
                },
                before_was: before_was.to_owned(),
            }),
            writes: self.writes(target, &account.id)?,
            next: last.map_or("decides about it: the last plan or run did not come so far", next).to_owned(),
            advice: last.and_then(advice).map(str::to_owned),
            decisions,
        })
    }

    /// The mark alone does not tell a stock picture from an upload.
    fn before_was(&self, target: &TargetId, placement: Option<&Placement>) -> Result<&'static str, StateError> {
        let Some(placement) = placement else { return Ok("unknown") };
        let Before::Picture(mark) = &placement.before else {
            return Ok(if placement.before == Before::Default { "default" } else { "unknown" });
        };
        Ok(match self.store.stood_as(target, &placement.account, mark)? {
            Some(Shown::System(_)) => "stock",
            Some(Shown::Custom(_)) => "upload",
            _ => "unknown",
        })
    }

    fn matched(&self, target: &TargetId, account: &AccountId) -> Result<Vec<MatchExplained>, StateError> {
        let rows = self.facts.matches(target, account)?.into_iter().map(|row| {
            let (verdict, person, detail) = match row.matched {
                Matched::Person(person) => ("matched", Some(person.to_string()), None),
                Matched::Ambiguous(words) => ("ambiguous", None, Some(words)),
                Matched::Conflict(words) => ("conflict", None, Some(words)),
                Matched::Nobody => ("none", None, None),
            };
            MatchExplained { source: row.source.to_string(), verdict: verdict.to_owned(), person, detail }
        });
        Ok(rows.collect())
    }

    fn decisions(&self, target: &TargetId, account: &AccountId) -> Result<Vec<DecisionExplained>, StateError> {
        let rows = self.facts.decisions_about(target, account)?.into_iter().map(|(decision, went)| DecisionExplained {
            change: decision.change,
            from: decision.from.label(),
            to: decision.to,
            reason: decision.reason,
            rule: decision.rule.to_string(),
            detail: decision.detail,
            result: went.as_ref().map(|went| went.result),
            error: went.and_then(|went| went.error).map(|fault| format!("[{}] {}", fault.code, fault.message)),
        });
        Ok(rows.collect())
    }

    fn writes(&self, target: &TargetId, account: &AccountId) -> Result<Vec<WriteExplained>, StateError> {
        let writes = self.store.writes_to(target, account, WRITES)?.into_iter().map(|write| WriteExplained {
            run: write.run.to_string(),
            kind: word(&write.kind),
            ended: ended(&write.last),
            open: write.open,
        });
        Ok(writes.collect())
    }
}

/// The keys that a target's `match` compares.
type Compared = [(PersonKey, AccountKey)];

/// The compared keys that a person and an account have in common.
fn in_common(compared: &Compared, person: &Person, account: &Account) -> Vec<String> {
    let same = compared.iter().filter_map(|(of_person, of_account)| {
        let found = account.key(*of_account)?;
        let fits = person.values(*of_person).any(|value| value == found);
        fits.then(|| format!("{} = {}: {found}", of_person.word(), of_account.word()))
    });
    same.collect()
}

/// Whether the account was matched to this person.
fn is_of(row: &MatchRow, person: &PersonRef) -> bool {
    row.source == person.source && row.matched == Matched::Person(person.id.clone())
}

/// What became known last of a write.
fn ended(event: &Event) -> String {
    match event {
        Event::Refused { why } => format!("refused: {why}"),
        Event::Void { why } => format!("nothing happened: {why}"),
        Event::Unsure { why } => format!("not known: {why}"),
        Event::Sent { .. } => "sent; what came of it is not known yet".to_owned(),
        Event::Made { .. } => "made, not shown yet".to_owned(),
        Event::Shown { .. } | Event::Confirmed { .. } => "shown".to_owned(),
        Event::Recognised { .. } => "recognised there".to_owned(),
        Event::Bad { .. } => "the server made another picture of it; taken away".to_owned(),
        Event::Stray { .. } => "went to another account, whose name it had been; taken away".to_owned(),
        Event::Reset => "the default is shown".to_owned(),
        Event::Abandoned { .. } => "not wanted any more; taken away".to_owned(),
        Event::Foreign | Event::Disowned { .. } => "another picture stands there; left alone".to_owned(),
        Event::Closed => "done".to_owned(),
    }
}

/// The stable word of a value.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => "unknown".to_owned(),
    }
}
