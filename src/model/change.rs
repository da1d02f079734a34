//! What is to be done with an account, decided once and carried unchanged into plan, journal and report.
//!
//! Owns: the kinds of change and the decision with its reason. Leaves to others: deciding (`plan`), doing (`load`).
//! A newcomer gets wrong: every account gets a decision; most of them are not changes.

use super::{AccountId, PersonRef, Picture, Place, Reason, TargetId};

/// What is done about an account, from the decision to the report (docs/architecture.md, "Words").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
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
    /// None: it is as it should be.
    Unchanged,
    /// None: it is left alone by a rule.
    Keep,
    /// None: the keys do not name one person.
    Conflict,
    /// None: it is not looked at.
    Skip,
}

impl Change {
    const ALL: [Self; 9] = [
        Self::Finish,
        Self::Tidy,
        Self::Replace,
        Self::Revert,
        Self::Remove,
        Self::Unchanged,
        Self::Keep,
        Self::Conflict,
        Self::Skip,
    ];

    /// The word in `run.json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Finish => "finish",
            Self::Tidy => "tidy",
            Self::Replace => "replace",
            Self::Revert => "revert",
            Self::Remove => "remove",
            Self::Unchanged => "unchanged",
            Self::Keep => "keep",
            Self::Conflict => "conflict",
            Self::Skip => "skip",
        }
    }

    /// The one behind a word of `run.json`.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.word() == word)
    }

    /// Whether something is written at the target.
    pub fn writes(self) -> bool {
        match self {
            Self::Finish | Self::Tidy | Self::Replace | Self::Revert | Self::Remove => true,
            Self::Unchanged | Self::Keep | Self::Conflict | Self::Skip => false,
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
    pub change: Change,
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
