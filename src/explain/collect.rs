//! Putting together what the facts and the state say of whoever is meant.
//!
//! Owns: which accounts stand beside a person, and why others do not. Leaves to others: words for people (`text`).
//! A newcomer gets wrong: what an account is matched to is one thing, whose keys it has another; both are told.

use std::collections::BTreeSet;
use std::path::Path;

use super::advice::{advice, next};
use super::explanation::{
    AccountExplained, DecisionExplained, Explanation, MatchExplained, NotReadExplained, PersonExplained,
    PlacementExplained, WriteExplained, word,
};
use super::page::whereabouts;
use super::who::{Elements, Meant, meant};
use super::{not_read, part, photo};
use crate::error::Trouble;
use crate::model::{
    Account, AccountId, AccountKey, Before, Event, Matched, Person, PersonKey, PersonRef, Picture, Placement,
    Provenance, Reason, Shown, TargetId, counted, rfc3339,
};
use crate::report::Pseudonyms;
use crate::run::{PAGE, each_page, facts_path};
use crate::state::{Facts, MatchRow, Reading, StateError, Store};

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
    let mut meant = meant(&known.facts, &known.elements, &pseudonyms, who)?;
    if meant.people.is_empty() && meant.accounts.is_empty() {
        not_read::meant_by_id(&known.store, &known.elements, who, &mut meant)?;
    }
    if meant.people.is_empty() && meant.accounts.is_empty() {
        part::meant_by_part(&known.facts, who, &mut meant)?;
    }
    let not_read = not_read::all(&known.facts, &known.elements)?;
    expect_some(who, &meant, &not_read)?;
    let unfinished = known.store.runs(1)?.into_iter().find(|run| run.end.is_none()).map(|run| run.row.id.to_string());
    let (people, accounts) = known.everybody(&meant)?;
    let (pipeline, as_of) = (known.store.pipeline()?.unwrap_or_default(), rfc3339(as_of));
    let part = known.facts.is_of_a_part()?;
    Ok(Explanation {
        format: 1,
        pipeline,
        who: who.to_owned(),
        as_of,
        unfinished,
        under_way: None,
        part,
        not_read,
        people,
        accounts,
    })
}

fn expect_some(who: &str, meant: &Meant, not_read: &[NotReadExplained]) -> Result<(), Trouble> {
    if who.trim().is_empty() {
        return Err(Trouble::Usage("WHO is empty: write a name, an address, an id or an account".to_owned()));
    }
    let who = who.escape_debug();
    match meant.people.len() + meant.accounts.len() {
        0 => {
            let near = if meant.near.is_empty() { vec![] } else { vec![format!("near it: {}", meant.near.join(", "))] };
            let not_read = not_read.iter().map(|one| format!("{} {}", one.id, not_read::words(one.why.as_deref())));
            let known: String = near.into_iter().chain(not_read).map(|words| format!("; {words}")).collect();
            Err(Trouble::Usage(format!(
                "{who}: no person and no account has this name, address, id or pseudonym, as the last plan or run listed them{known}"
            )))
        }
        many if many > MOST => Err(Trouble::Usage(format!(
            "{who} means {} and {}: name one of them by address or id",
            counted(meant.people.len() as u64, "person", "people"),
            counted(meant.accounts.len() as u64, "account", "accounts")
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
            people.extend(self.not_listed_owner(target, account)?);
        }
        let mut told = BTreeSet::new();
        let mut explained = Vec::new();
        for reference in &people {
            explained.push(self.person(reference, self.facts.person(reference)?.as_ref(), &mut told)?);
        }
        let mut others = Vec::new();
        for (target, id) in meant.accounts.iter().filter(|one| !told.contains(*one)) {
            let account = self.facts.account(target, id)?;
            let keys = account.as_ref().map(|account| self.whose_keys(target, account)).transpose()?;
            others.push(self.account(target, id, account.as_ref(), keys.unwrap_or_default())?);
        }
        Ok((explained, others))
    }

    /// Whose picture of ours stands on an account, where one of the two was not listed: nothing was matched then.
    fn not_listed_owner(&self, target: &TargetId, account: &AccountId) -> Result<Option<PersonRef>, StateError> {
        let Some(owner) = self.store.placement(target, account)?.and_then(|placement| placement.person) else {
            return Ok(None);
        };
        let listed = self.facts.account(target, account)?.is_some()
            && (self.facts.person(&owner)?.is_some() || self.facts.source_reading(&owner.source)? == Reading::Whole);
        Ok(Some(owner).filter(|_| !listed))
    }

    /// `person` is `None` where the last plan or run did not list it.
    fn person(
        &self,
        reference: &PersonRef,
        person: Option<&Person>,
        told: &mut BTreeSet<(TargetId, AccountId)>,
    ) -> Result<PersonExplained, StateError> {
        let (mut accounts, mut without_account, mut not_read) = (Vec::new(), Vec::new(), Vec::new());
        for (target, compared) in &self.elements.targets {
            let whole = self.facts.target_reading(target)? == Reading::Whole;
            let mut ids = self.accounts_beside(target, compared, reference, person)?;
            if !whole || person.is_none() {
                ids.extend(self.store.accounts_of(target, reference)?);
            }
            if !whole {
                not_read.push(target.to_string());
            } else if ids.is_empty() && person.is_some() {
                without_account.push(target.to_string());
            }
            for id in ids {
                let account = self.facts.account(target, &id)?;
                let theirs = self.facts.matches(target, &id)?.iter().any(|row| is_of(row, reference));
                let keys = match (&account, person) {
                    (Some(account), Some(person)) if theirs => in_common(compared, person, account),
                    (Some(account), _) => self.whose_keys(target, account)?,
                    (None, _) => Vec::new(),
                };
                accounts.push(self.account(target, &id, account.as_ref(), keys)?);
                told.insert((target.clone(), id));
            }
        }
        Ok(PersonExplained {
            source: reference.source.to_string(),
            id: reference.id.to_string(),
            listed: person.is_some(),
            name: person.map(|person| person.display_name.clone()).unwrap_or_default(),
            standing: person.map_or_else(unknown, |person| word(&person.standing)),
            keys: person.map(keys_of).unwrap_or_default(),
            photo: photo::explained(&self.facts, &self.store, &self.elements, reference, person)?,
            accounts,
            without_account,
            not_read,
        })
    }

    /// The accounts that the person is matched to, or that claim the person, or that have a key of the person.
    fn accounts_beside(
        &self,
        target: &TargetId,
        compared: &Compared,
        reference: &PersonRef,
        person: Option<&Person>,
    ) -> Result<BTreeSet<AccountId>, StateError> {
        let (matched, claims) = self.facts.claimants_of(target, reference)?;
        let mut beside: BTreeSet<AccountId> = matched.into_iter().chain(claims).collect();
        let Some(person) = person else { return Ok(beside) };
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

    /// `account` is `None` where the last plan or run did not list it.
    fn account(
        &self,
        target: &TargetId,
        id: &AccountId,
        account: Option<&Account>,
        keys_in_common: Vec<String>,
    ) -> Result<AccountExplained, StateError> {
        let placement = self.store.placement(target, id)?;
        let before_was = self.before_was(target, placement.as_ref())?;
        let since = self.since(target, id)?;
        let decisions: Vec<_> = self.decisions(target, id)?;
        let last = decisions.last();
        let showed = account.map(|account| Picture::of(&account.shown, placement.as_ref(), None).label());
        Ok(AccountExplained {
            target: target.to_string(),
            id: id.to_string(),
            listed: account.is_some(),
            name: account.map_or_else(|| id.to_string(), |account| account.name.clone()),
            display_name: account.map(|account| account.display_name.clone()).unwrap_or_default(),
            email: account.and_then(|account| account.email.clone()),
            standing: account.map_or_else(unknown, |account| word(&account.standing)),
            showed: last.map(|decision| decision.from.clone()).or(showed).unwrap_or_else(unknown),
            keys_in_common,
            matched: if account.is_some() { self.matched(target, id)? } else { Vec::new() },
            placement: placement.map(|placement| PlacementExplained {
                picture: placement.rendition.to_string(),
                photo: placement.photo.to_string(),
                person: placement.person.map(|person| format!("{} {}", person.source, person.id)),
                named: placement.mark.to_string(),
                since: since.filter(|_| placement.provenance == Provenance::Made),
                provenance: word(&placement.provenance),
                before: match placement.before {
                    // Recognised after a loss of the state: what stood before it nobody knows.
                    Before::Picture(mark) if mark == placement.mark => "unknown".to_owned(),
                    Before::Default => "default".to_owned(),
                    Before::Picture(mark) => mark.to_string(),
                    Before::Unknown => "unknown".to_owned(),
                },
                before_was: before_was.to_owned(),
            }),
            writes: self.writes(target, id)?,
            next: match last {
                Some(last) => next(last, &self.facts.stopped(target)?),
                None => "decides about it: the last plan or run did not come so far".to_owned(),
            },
            advice: last.and_then(|last| self.advice(last, target, account)),
            decisions,
        })
    }

    fn advice(&self, last: &DecisionExplained, target: &TargetId, account: Option<&Account>) -> Option<String> {
        let words = advice(last)?;
        let element = self.elements.written.iter().find(|element| element.id == target.as_str());
        let by_hand = last.reason == Reason::StillShown;
        let at = element.zip(account).filter(|_| by_hand).and_then(|(element, account)| whereabouts(element, account));
        Some(at.map_or_else(|| words.to_owned(), |at| format!("{words}: {at}")))
    }

    /// The mark alone does not tell a stock picture from an upload.
    fn before_was(&self, target: &TargetId, placement: Option<&Placement>) -> Result<&'static str, StateError> {
        let Some(placement) = placement else { return Ok("unknown") };
        let Before::Picture(mark) = &placement.before else {
            return Ok(if placement.before == Before::Default { "default" } else { "unknown" });
        };
        if *mark == placement.mark {
            return Ok("unknown");
        }
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
        let mut told: Vec<_> = rows.collect();
        for source in &self.elements.sources {
            if told.iter().any(|row| row.source == source.as_str()) {
                continue;
            }
            let detail = match self.facts.source_reading(source)? {
                Reading::Whole => continue,
                Reading::Failed(why) => Some(why),
                Reading::NotAsked => None,
            };
            told.push(MatchExplained { source: source.to_string(), verdict: unknown(), person: None, detail });
        }
        Ok(told)
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

    /// When the run began that put there last what was seen there.
    fn since(&self, target: &TargetId, account: &AccountId) -> Result<Option<String>, StateError> {
        let mut writes = self.store.writes_to(target, account, WRITES)?.into_iter();
        let Some(shown) = writes.find(|write| matches!(write.last, Event::Shown { .. } | Event::Confirmed { .. }))
        else {
            return Ok(None);
        };
        Ok(self.store.run(&shown.run)?.map(|run| rfc3339(run.row.started)))
    }

    fn writes(&self, target: &TargetId, account: &AccountId) -> Result<Vec<WriteExplained>, StateError> {
        let writes = self.store.writes_to(target, account, WRITES)?.into_iter().map(|write| {
            let run = self.store.run(&write.run)?;
            let by_undo = run.is_some_and(|run| run.row.command.starts_with("undo"));
            Ok(WriteExplained {
                run: write.run.to_string(),
                kind: if by_undo { "undo".to_owned() } else { word(&write.kind) },
                ended: ended(&write.last, by_undo),
                open: write.open,
            })
        });
        writes.collect()
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
fn ended(event: &Event, by_undo: bool) -> String {
    match event {
        Event::Shown { .. } | Event::Confirmed { .. } | Event::Reset if by_undo => {
            "undone: what stood before is shown again".to_owned()
        }
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

fn keys_of(person: &Person) -> Vec<(String, String)> {
    person.keys().iter().map(|(key, value)| (key.word().to_owned(), value.clone())).collect()
}

fn unknown() -> String {
    "unknown".to_owned()
}
