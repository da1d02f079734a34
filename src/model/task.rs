//! What it takes to carry out a decision, and how that went.
//!
//! Owns: the task that stands beside a decision, and its result.
//! Leaves to others: deciding (`plan`), keeping tasks until they are due (`state`), carrying them out (`run`).
//! A newcomer gets wrong: a task waits in the scratch facts, not in memory, so it must read back as it was written.

use serde::{Deserialize, Serialize};

use super::{
    Account, Decision, Digest, Fault, IntentId, KeysDigest, OpenIntent, PersonRef, PictureRef, Placement, RunId, Shown,
};

/// A picture that shall stand on an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Whose photo, or for whom an image stands in; `None` for an image of which that is not known.
    pub person: Option<PersonRef>,
    /// Digest of the original.
    pub photo: Digest,
    /// Digest of the rendition; `None` while it is not rendered.
    pub rendition: Option<Digest>,
    /// Of the keys by which the person and the account were matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<KeysDigest>,
}

/// Whether a picture that is not recorded looks like the one that would be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// Nobody looked yet.
    NotYet,
    /// It is the same picture: adopt it.
    Alike,
    /// It is another one.
    Differs,
    /// It could not be looked at.
    Failed,
}

/// What stood on an account before a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// What it showed.
    pub shown: Shown,
    /// What leads there, where its mark alone does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lies_in: Option<String>,
    /// The run whose replaced pictures hold it, where the product does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_by: Option<RunId>,
    /// It was a picture of ours, and is on record as one again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ours: bool,
}

/// How a decision is carried out. Which [`super::Change`] it is stands in the decision; this is what it takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A picture is shown.
    Show(Wanted),
    /// The picture there is looked at, then it is decided again (docs/architecture.md, "The state").
    Look(Wanted),
    /// The default is shown.
    Reset,
    /// What stood there before a run is shown again.
    GiveBack(Earlier),
    /// A made picture is shown.
    Finish(OpenIntent, PictureRef),
    /// A leftover goes.
    Tidy(OpenIntent, PictureRef),
    /// The picture there is recorded as ours; nothing is written.
    Adopt(Placement),
}

impl Step {
    /// What an undoing shows again as nobody's of ours. A picture of ours is recorded as one when it is shown.
    pub fn back(&self) -> Option<Shown> {
        match self {
            Self::GiveBack(earlier) if !earlier.ours => Some(earlier.shown.clone()),
            _ => None,
        }
    }
}

/// What it takes to carry out a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// What is done.
    pub step: Step,
    /// What stands there by the state, and by what was seen of open intents.
    pub placement: Option<Placement>,
}

/// A decision, and what it takes if something is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// For plan and report.
    pub decision: Decision,
    /// `None`: the account is left alone.
    pub task: Option<Task>,
}

impl Decided {
    /// Nothing is to be done.
    pub fn left_alone(decision: Decision) -> Self {
        Self { decision, task: None }
    }
}

/// What a run did to one account, by the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrote {
    /// What the account showed before the run's first write to it.
    pub stood: Shown,
    /// That was a picture of ours, which went when the run wrote.
    pub ours: bool,
    /// What the run's last write left there.
    pub left: Left,
    /// The account's name at that time, as a digest: who it was then. `None`: an earlier version wrote it.
    pub named: Option<KeysDigest>,
    /// Of the owner whom it named at that time ([`KeysDigest::of_owner`]). `None`: an earlier version wrote it.
    pub owner: Option<KeysDigest>,
    /// Whose photo it was, if the run knew.
    pub person: Option<PersonRef>,
    /// What leads to what stood there, where its mark alone does not.
    pub stood_in: Option<String>,
    /// Whose photo stood there before the run's first write, where that was on record.
    pub stood_of: Option<PersonRef>,
}

/// What a write left on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// A picture of ours.
    Ours,
    /// The default.
    Default,
}

/// A decision that is to be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// For plan and report.
    pub decision: Decision,
    /// What the account looked like in the survey.
    pub account: Account,
    /// What it takes.
    pub task: Task,
}

/// How a decision went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonResult {
    /// Nothing was to be done.
    None,
    /// It would be done: this is a plan, or the target is on dry run.
    Planned,
    /// Done and seen in the confirming survey.
    Done,
    /// Done by the server's own word, but the confirming survey does not show it.
    NotShown,
    /// It failed.
    Failed,
    /// It may have happened; the next run looks.
    Open,
    /// It was not begun.
    NotDone,
}

/// How one task went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskResult {
    /// In a word.
    pub result: PersonResult,
    /// Why it failed.
    pub error: Option<Fault>,
    /// What the account must show now; `None`: nothing to confirm.
    pub shows: Option<Shown>,
    /// The intent behind it, where a later look may have something to add.
    pub intent: Option<IntentId>,
}
