//! What is to be done with an account, decided once and carried unchanged into plan, journal and report.
//!
//! Owns: the kinds of change and the decision with its reason. Leaves to others: deciding (`plan`), doing (`load`).
//! A newcomer gets wrong: every account gets a decision; most of them are not changes.

use serde::{Deserialize, Serialize};

use super::{AccountId, PersonRef, Picture, Place, Reason, TargetId};

/// A remote write that a plan asks for. The order is the order of applying: mending first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Complete a write of an earlier run that was half done.
    Finish,
    /// Take away a leftover of ours that is not shown.
    Tidy,
    /// Put the person's photo there.
    Replace,
    /// Put the default back in place of our picture.
    Revert,
    /// Take our picture away since it must not stand there: reassigned, opted out.
    Remove,
}

impl ChangeKind {
    /// The word in `run.json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Finish => "finish",
            Self::Tidy => "tidy",
            Self::Replace => "replace",
            Self::Revert => "revert",
            Self::Remove => "remove",
        }
    }

    /// The kind behind a word of `run.json`.
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Finish, Self::Tidy, Self::Replace, Self::Revert, Self::Remove]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// What was decided for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Something is written.
    Change(ChangeKind),
    /// It is as it should be.
    Unchanged,
    /// It is left alone by a rule.
    Keep,
    /// It is left alone because the keys do not name one person.
    Conflict,
    /// It is not looked at.
    Skip,
}

impl Verdict {
    /// The word in `run.json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Change(kind) => kind.word(),
            Self::Unchanged => "unchanged",
            Self::Keep => "keep",
            Self::Conflict => "conflict",
            Self::Skip => "skip",
        }
    }

    /// The change, if it is one.
    pub fn change(self) -> Option<ChangeKind> {
        match self {
            Self::Change(kind) => Some(kind),
            Self::Unchanged | Self::Keep | Self::Conflict | Self::Skip => None,
        }
    }
}

/// The decision for one account, with everything a reader needs to check it (promise P10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The target.
    pub target: TargetId,
    /// The account.
    pub account: AccountId,
    /// The account's name, for reports and for calls that want it.
    pub account_name: String,
    /// The person that it was matched to.
    pub person: Option<PersonRef>,
    /// What is done.
    pub verdict: Verdict,
    /// What the account shows.
    pub from: Picture,
    /// What it shall show: `default`, a rendition's digest, or the same as `from`.
    pub to: String,
    /// Why.
    pub reason: Reason,
    /// The line of the pipeline file behind the reason.
    pub rule: Place,
    /// More for people: the candidates, the fault, the mark that is tidied.
    pub detail: Option<String>,
}
