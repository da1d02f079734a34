//! The lines of people in `run.json`, format 1 (docs/command-line.md, "Streams").
//!
//! Owns: field names and their order, and what a line tells people. Leaves to others: the report around them (`run_report`), filling
//! them (`run`).
//! A newcomer gets wrong: fields are added, never renamed or removed; programs read this.

use serde::{Deserialize, Serialize};

use crate::model::{Change, PersonResult, Reason};
use crate::secret::outlet;

/// One account that is not simply unchanged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PersonLine {
    /// The target's id.
    pub target: String,
    /// The account.
    pub account: AccountLine,
    /// Who it was matched to.
    pub person: Option<PersonWho>,
    /// What is done.
    pub change: ChangeLine,
    /// Why: a stable word.
    pub reason: String,
    /// `FILE:LINE` of the rule, or of which key it is the default.
    pub rule: String,
    /// More for people.
    pub detail: Option<String>,
    /// How it went.
    pub result: PersonResult,
    /// Why it failed.
    pub error: Option<PersonFailure>,
    /// `--only` or `--target` did not choose the account: for people, who asked for others.
    #[serde(skip)]
    pub left_out: bool,
}

/// An account in a report.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccountLine {
    /// Immutable.
    pub id: String,
    /// As the server spells it.
    pub name: String,
}

/// A person in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonWho {
    /// The source's id.
    pub source: String,
    /// Immutable in the source.
    pub id: String,
    /// As the source displays it; `null` where it has none.
    #[serde(default)]
    pub name: Option<String>,
}

/// A change in a report.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChangeLine {
    /// `replace`, `revert`, `remove`, `finish`, `tidy`, `unchanged`, `keep`, `conflict`, `skip`.
    pub kind: String,
    /// What the account showed.
    pub from: String,
    /// What it was to show.
    pub to: String,
}

/// Why one person failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PersonFailure {
    /// A stable word.
    pub code: String,
    /// What was tried and found.
    pub message: String,
}

impl PersonLine {
    /// With everything that came from outside as it may be shown ([`crate::secret::outlet`]).
    pub fn shown(mut self) -> Self {
        for field in [&mut self.account.id, &mut self.account.name, &mut self.change.from, &mut self.change.to] {
            *field = outlet::line(field);
        }
        if let Some(person) = &mut self.person {
            person.id = outlet::line(&person.id);
            person.name = person.name.as_deref().map(outlet::line);
        }
        if let Some(detail) = &mut self.detail {
            *detail = outlet::line(detail);
        }
        if let Some(error) = &mut self.error {
            (error.code, error.message) = (outlet::line(&error.code), outlet::line(&error.message));
        }
        self
    }

    /// The reason in a sentence.
    pub fn why(&self) -> String {
        let reason = reason_text(&self.reason);
        self.detail.as_ref().map_or_else(|| reason.to_owned(), |detail| format!("{reason}: {detail}"))
    }

    /// Whether somebody has to take a face off; of whoever was not chosen nothing is told.
    pub fn is_still_shown(&self) -> bool {
        !self.left_out && self.reason == Reason::StillShown.word()
    }

    /// Whether something is or was to be written.
    pub fn is_change(&self) -> bool {
        Change::of_word(&self.change.kind).is_some_and(Change::writes)
    }
}

/// The sentence behind a reason's word; an unknown word (a report of a newer program) stands for itself.
pub(super) fn reason_text(word: &str) -> &str {
    serde_json::from_value(serde_json::Value::from(word)).map_or(word, |reason: Reason| reason.text())
}
