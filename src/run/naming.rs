//! How people are named in what a run tells: by name, or by a pseudonym (`report: { names: … }`).
//!
//! Owns: finding everybody's names, so that no sentence of the run holds one. Leaves to others: the pseudonym (`report`).
//! A newcomer gets wrong: a failure of a whole target may name one person, too: the URL of the call that failed does.

use std::sync::Arc;

use super::pages::{PAGE, each_page};
use crate::error::Trouble;
use crate::model::{Account, Decision, Person, SourceId, StateKey, TargetId};
use crate::report::{Beginnings, Pseudonyms, RunEvent};
use crate::settings::{Names, Pipeline};
use crate::state::{Facts, StateError};

/// How people are named.
pub struct PeopleNaming {
    facts: Arc<Facts>,
    sources: Vec<SourceId>,
    targets: Vec<TargetId>,
    pseudonyms: Option<Pseudonyms>,
}

impl PeopleNaming {
    /// As the pipeline file wants it.
    pub fn new(
        pipeline: &Pipeline,
        facts: &Arc<Facts>,
        key: impl FnOnce() -> Result<StateKey, StateError>,
    ) -> Result<Self, Trouble> {
        let pseudonyms = match pipeline.report.names {
            Names::Full => None,
            Names::Pseudonym => Some(Pseudonyms::new(key()?)),
        };
        Ok(Self {
            facts: Arc::clone(facts),
            sources: pipeline.sources.iter().map(|source| source.id.clone()).collect(),
            targets: pipeline.targets.iter().map(|target| target.id.clone()).collect(),
            pseudonyms,
        })
    }

    /// `None`: people are named as they are.
    pub fn pseudonyms(&self) -> Option<&Pseudonyms> {
        self.pseudonyms.as_ref()
    }

    /// Everything that the account of a decision and its person are called.
    pub fn names_of(&self, decision: &Decision) -> Result<Vec<String>, StateError> {
        let mut names = vec![decision.account_name.clone(), decision.account.to_string()];
        if let Some(account) = self.facts.account(&decision.target, &decision.account)? {
            names.extend([account.email, account.handle, Some(account.display_name)].into_iter().flatten());
        }
        if let Some(reference) = &decision.person {
            names.push(reference.id.to_string());
            if let Some(person) = self.facts.person(reference)? {
                names.push(person.display_name.clone());
                names.extend(person.keys().iter().map(|(_, value)| value.clone()));
            }
        }
        Ok(names)
    }

    /// An event as it may be told.
    pub fn event(&self, event: RunEvent) -> RunEvent {
        let one = |text: String| self.sentences(vec![text]).pop().unwrap_or_default();
        match event {
            RunEvent::Failure(text) => RunEvent::Failure(one(text)),
            RunEvent::Note(text) => RunEvent::Note(one(text)),
            other => other,
        }
    }

    /// Sentences as they may be told.
    pub fn sentences(&self, sentences: Vec<String>) -> Vec<String> {
        let Some(pseudonyms) = &self.pseudonyms else { return sentences };
        // Whoever cannot be looked up cannot be found in a sentence either; then none of it is told.
        self.without_names(pseudonyms, sentences.clone()).unwrap_or_else(|_| {
            sentences.iter().map(|_| "left out: names could not be taken out of it".to_owned()).collect()
        })
    }

    /// Sentences with pseudonyms in place of all names.
    pub fn without_names(
        &self,
        pseudonyms: &Pseudonyms,
        mut sentences: Vec<String>,
    ) -> Result<Vec<String>, StateError> {
        if sentences.is_empty() {
            return Ok(sentences);
        }
        let beginnings = Beginnings::of(&sentences);
        let mut take_out = |names: &[&str]| {
            let names: Vec<&str> = names.iter().copied().filter(|name| beginnings.may_hold(name)).collect();
            for sentence in sentences.iter_mut().filter(|_| !names.is_empty()) {
                *sentence = pseudonyms.sentence(sentence, names.iter().copied());
            }
        };
        for target in &self.targets {
            for page in each_page(|after| self.facts.accounts(target, after, PAGE), |last| last.id.clone()) {
                let page = page?;
                page.iter().for_each(|account| take_out(&of_account(account)));
            }
        }
        for source in &self.sources {
            for page in each_page(|after| self.facts.people(source, after, PAGE), |last| last.id.clone()) {
                let page = page?;
                page.iter().for_each(|person| take_out(&of_person(person)));
            }
        }
        Ok(sentences.iter().map(|sentence| pseudonyms.sentence(sentence, [])).collect())
    }
}

/// Everything that an account is called.
pub(super) fn of_account(account: &Account) -> Vec<&str> {
    let (handle, email) = (account.handle.as_deref(), account.email.as_deref());
    let names = [email, Some(account.display_name.as_str()), Some(&account.name), Some(account.id.as_str()), handle];
    names.into_iter().flatten().collect()
}

/// Everything that a person is called.
pub(super) fn of_person(person: &Person) -> Vec<&str> {
    let keys = person.keys().iter().map(|(_, value)| value.as_str());
    [person.display_name.as_str(), person.id.as_str()].into_iter().chain(keys).collect()
}
