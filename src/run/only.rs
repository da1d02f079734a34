//! Whom `--only` and `--only-file` name, and which accounts `--only` and `--target` let be changed.
//!
//! Owns: finding the named among people and accounts, before any photo is asked for; the nearest names where there is none.
//! Leaves to others: leaving out what is not selected (`target_planner`, `fetch`).
//! A newcomer gets wrong: a name that selects nobody is a mistake of the command line
//! (docs/architecture.md, "Selecting and reviewing"), unless somebody could not be listed: then nobody knows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::context::RunContext;
use super::finished_target::FinishedTarget;
use super::pages::{PAGE, each_page};
use super::selection::Selection;
use super::source_run::SourceRun;
use super::target_plan::{PlanCount, TargetPlan};
use super::target_run::TargetRun;
use crate::error::Trouble;
use crate::model::{Account, AccountId, Person, PersonKey, TargetId, normalise_key};
use crate::nearest::edits;
use crate::plan::SourceState;
use crate::report::RunEvent;

/// How many near names are told.
const NEAREST: usize = 3;

/// How many names that select nobody are told: the nearest of each are looked for among everybody.
const MOST: usize = 10;

/// Selects accounts.
pub(super) fn select(
    context: &RunContext,
    target_runs: &mut [TargetRun],
    source_runs: &[SourceRun],
    selection: &Selection,
) -> Result<(), Trouble> {
    let several = choose(context, target_runs, source_runs, selection)?;
    for (target, words) in several {
        context.say(RunEvent::Note(format!("{target}: {words}")));
        note(target_runs, &target, words);
    }
    Ok(())
}

/// What `--only` chose and what is as it should be stands on no line of the report.
pub(super) fn tell_unchanged(
    context: &RunContext,
    decided: &mut [(TargetRun, TargetPlan)],
    selection: &Selection,
) -> Result<(), Trouble> {
    if selection.only.is_empty() {
        return Ok(());
    }
    for (target_run, _) in decided {
        let (names, count) = context.facts.selected_unchanged(target_run.id(), MOST)?;
        if count > 0 {
            let more = count.saturating_sub(names.len() as u64);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let words = format!("shows what it should already: {}{more}", names.join(", "));
            let target = target_run.id().clone();
            note(std::slice::from_mut(target_run), &target, words);
        }
    }
    Ok(())
}

fn note(target_runs: &mut [TargetRun], target: &TargetId, words: String) {
    let of_it = target_runs.iter_mut().filter(|target_run| target_run.id() == target);
    of_it.filter_map(|target_run| target_run.open.as_mut()).for_each(|open| open.surveyed.notes.push(words.clone()));
}

/// Selects, and says which name means several accounts of a target.
fn choose(
    context: &RunContext,
    target_runs: &[TargetRun],
    source_runs: &[SourceRun],
    selection: &Selection,
) -> Result<Vec<(TargetId, String)>, Trouble> {
    let ready = || {
        target_runs.iter().filter(|target_run| target_run.ready().is_some() && selection.has_target(target_run.id()))
    };
    if selection.only.is_empty() {
        for target_run in ready() {
            context.facts.select_all(target_run.id())?;
        }
        return Ok(Vec::new());
    }
    let mut chosen = Chosen::new();
    let mut names: OnlyNames =
        selection.only.iter().map(|only| (normalise_key(&only.name), OnlyName::Nobody)).collect();
    for target_run in ready() {
        each_account(context, target_run, |account| {
            let mut named = false;
            for key in account_words(target_run.id(), account) {
                if let Some(found) = names.get_mut(&key) {
                    (*found, named) = (OnlyName::Selects, true);
                    chosen.entry((key, target_run.id().clone())).or_default().insert(account.id.clone());
                }
            }
            if named { context.facts.select(target_run.id(), std::slice::from_ref(&account.id)) } else { Ok(()) }
        })?;
    }
    for source_run in source_runs.iter().filter(|source_run| source_run.state == SourceState::Listed) {
        each_person(context, source_run, |person| {
            for key in person_words(person) {
                let Some(found) = names.get_mut(&key) else { continue };
                *found = (*found).max(OnlyName::NoAccount);
                for target_run in ready() {
                    let accounts = context.facts.accounts_of(target_run.id(), source_run.id(), &person.id)?;
                    if !accounts.is_empty() {
                        *found = OnlyName::Selects;
                        context.facts.select(target_run.id(), &accounts)?;
                        chosen.entry((key.clone(), target_run.id().clone())).or_default().extend(accounts);
                    }
                }
            }
            Ok(())
        })?;
    }
    // Whoever could not be listed may be who is meant.
    let all_listed = ready().count()
        == target_runs.iter().filter(|target_run| selection.has_target(target_run.id())).count()
        && source_runs.iter().all(|source_run| !matches!(source_run.state, SourceState::Failed | SourceState::Stopped));
    if all_listed {
        expect_all(context, target_runs, source_runs, selection, &names)?;
    }
    several(context, selection, &chosen)
}

/// The accounts of a target that a name of `--only` means.
type Chosen = BTreeMap<(String, TargetId), BTreeSet<AccountId>>;

/// A name that means several people is taken for all of them: that is told before anything is written.
fn several(context: &RunContext, selection: &Selection, chosen: &Chosen) -> Result<Vec<(TargetId, String)>, Trouble> {
    let mut told = Vec::new();
    for ((name, target), accounts) in chosen.iter().filter(|(_, accounts)| accounts.len() > 1) {
        let Some(only) = selection.only.iter().find(|only| normalise_key(&only.name) == *name) else { continue };
        let mut names = Vec::new();
        for id in accounts.iter().take(MOST) {
            names.extend(context.facts.account(target, id)?.map(|account| format!("{} ({id})", account.name)));
        }
        let more = if accounts.len() > MOST { ", …" } else { "" };
        told.push((target.clone(), format!("{only}: means {} accounts: {}{more}", accounts.len(), names.join(", "))));
    }
    Ok(told)
}

/// Of those who are left out no photo is asked for: so who would lose a picture for having none is counted only where selected.
pub(super) fn lost_alone(selection: &Selection, finished: &[FinishedTarget]) -> Vec<String> {
    let told = |done: &FinishedTarget| {
        let changes = done.plan.changes();
        let lost = changes.revert_made + changes.revert_adopted;
        (lost > 0).then(|| {
            let counted = done.plan.count(PlanCount::Reverts);
            format!(
                "{}: `reverts` counted {counted}: everybody whose picture goes whatever photo they have, and of the rest only whom this \
                 run selects; a plan of everybody counts all",
                done.target_run.id()
            )
        })
    };
    if selection.only.is_empty() { Vec::new() } else { finished.iter().filter_map(told).collect() }
}

type OnlyNames = HashMap<String, OnlyName>;

/// Whether every name is one of an account, or of one that the run which is undone wrote to: then no source has to be asked
/// for it.
pub(super) fn are_known(
    context: &RunContext,
    target_runs: &[TargetRun],
    selection: &Selection,
) -> Result<bool, Trouble> {
    let mut unknown: BTreeSet<String> = selection.only.iter().map(|only| normalise_key(&only.name)).collect();
    for target_run in target_runs.iter().filter(|target_run| selection.has_target(target_run.id())) {
        if unknown.is_empty() {
            break;
        }
        each_account(context, target_run, |account| {
            account_words(target_run.id(), account).for_each(|word| _ = unknown.remove(&word));
            Ok(())
        })?;
    }
    unknown.iter().try_fold(true, |all, name| Ok(all && context.facts.wrote_to(name)?))
}

/// What a name of `--only` turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum OnlyName {
    Nobody,
    /// A person without an account in the selected targets.
    NoAccount,
    Selects,
}

/// What an account is called; also as every table names it, `jira/ada`.
fn account_words(target: &TargetId, account: &Account) -> impl Iterator<Item = String> {
    let Account { id, name, email, display_name, handle, .. } = account;
    let all = [Some(id.as_str()), Some(name), email.as_deref(), Some(display_name), handle.as_deref()];
    let of_target = [id.as_str(), name].map(|word| normalise_key(&format!("{target}/{word}")));
    all.into_iter().flatten().map(normalise_key).filter(|key| !key.is_empty()).chain(of_target)
}

fn person_words(person: &Person) -> impl Iterator<Item = String> {
    let keys = person.keys().iter().map(|(_, value)| value.clone());
    keys.chain([normalise_key(&person.display_name)]).filter(|key| !key.is_empty())
}

fn each_account(
    context: &RunContext,
    target_run: &TargetRun,
    mut take: impl FnMut(&Account) -> Result<(), crate::state::StateError>,
) -> Result<(), Trouble> {
    for page in each_page(|after| context.facts.accounts(target_run.id(), after, PAGE), |last| last.id.clone()) {
        let page = page?;
        page.iter().try_for_each(&mut take)?;
    }
    Ok(())
}

fn each_person(
    context: &RunContext,
    source_run: &SourceRun,
    mut take: impl FnMut(&Person) -> Result<(), crate::state::StateError>,
) -> Result<(), Trouble> {
    for page in each_page(|after| context.facts.people(source_run.id(), after, PAGE), |last| last.id.clone()) {
        let page = page?;
        page.iter().try_for_each(&mut take)?;
    }
    Ok(())
}

fn expect_all(
    context: &RunContext,
    target_runs: &[TargetRun],
    source_runs: &[SourceRun],
    selection: &Selection,
    names: &OnlyNames,
) -> Result<(), Trouble> {
    let mut wrong = Vec::new();
    for only in &selection.only {
        let name = normalise_key(&only.name);
        let found = names.get(&name).copied().unwrap_or(OnlyName::Selects);
        if found == OnlyName::Selects {
            continue;
        }
        // Whose account shows nothing of ours any more, or is none any more: nothing is left to undo.
        if context.is_undo() && (found == OnlyName::NoAccount || context.facts.wrote_to(&name)?) {
            continue;
        }
        if wrong.len() == MOST {
            wrong.push("and more".to_owned());
            break;
        }
        wrong.push(match found {
            OnlyName::Selects | OnlyName::NoAccount => format!(
                "{only}: this person has no account of its own in the selected targets: it matches none, or more than one"
            ),
            OnlyName::Nobody => {
                let nearest = nearest(context, target_runs, source_runs, &name)?;
                let nearest =
                    if nearest.is_empty() { String::new() } else { format!("; near it: {}", nearest.join(", ")) };
                format!("{only}: no person and no account has this name, address or id{nearest}")
            }
        });
    }
    if wrong.is_empty() { Ok(()) } else { Err(Trouble::Usage(format!("{}; nothing was done", wrong.join("\n")))) }
}

fn nearest(
    context: &RunContext,
    target_runs: &[TargetRun],
    source_runs: &[SourceRun],
    name: &str,
) -> Result<Vec<String>, Trouble> {
    let mut near: Vec<(usize, String)> = Vec::new();
    let mut offer = |word: String| {
        let Some(edits) = edits(name, &word) else { return };
        if !near.contains(&(edits, word.clone())) {
            near.push((edits, word));
            near.sort();
            near.truncate(NEAREST);
        }
    };
    for target_run in target_runs.iter().filter(|target_run| target_run.ready().is_some()) {
        each_account(context, target_run, |account| {
            account_words(target_run.id(), account).for_each(&mut offer);
            Ok(())
        })?;
    }
    for source_run in source_runs.iter().filter(|source_run| source_run.state == SourceState::Listed) {
        each_person(context, source_run, |person| {
            let told =
                |(key, _): &&(PersonKey, String)| matches!(key, PersonKey::Email | PersonKey::Upn | PersonKey::Id);
            person.keys().iter().filter(told).for_each(|(_, value)| offer(value.clone()));
            offer(normalise_key(&person.display_name));
            Ok(())
        })?;
    }
    Ok(near.into_iter().map(|(_, word)| word).collect())
}
