//! Changes that were reviewed, and which of them may be made now.
//!
//! Owns: what a reviewed change is known by, and when a decided one is the same.
//! Leaves to others: the plan's file (`saved`), deciding (`plan`).
//! A newcomer gets wrong: a reviewed plan adds nothing and repeats nothing; a change is made only if it is decided
//! again in this run. It is known by what it is of, never by bytes: those only the reviewing machine had
//! (docs/architecture.md, "Selecting and reviewing").

use serde::{Deserialize, Serialize};

use crate::model::{Act, ChangeKind, Decision, Picture, Placement, Recipe, Shown};
use crate::state::Reviewed;

/// A change as it was reviewed: by what it is of, not by bytes that only the reviewing machine had
/// (docs/architecture.md, "Selecting and reviewing").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedChange {
    /// The target's id.
    pub target: String,
    /// The account's id.
    pub account: String,
    /// The kind of change.
    pub change: String,
    /// What the account showed.
    pub from: String,
    /// Digest of the photo that it is to show; `null`: none.
    pub photo: Option<String>,
    /// How the photo is made into a picture.
    pub recipe: Option<String>,
    /// The mark of a leftover that goes.
    pub picture: Option<String>,
}

impl SavedChange {
    /// Of a decision and what carries it out.
    pub fn of(decision: &Decision, act: &Act, recipe: &Recipe) -> Self {
        let (photo, recipe, picture) = match act {
            Act::Show(wanted) | Act::Look(wanted) => (Some(wanted.photo), Some(recipe), None),
            Act::Finish(open, _) => (open.intent.photo, open.intent.recipe.as_ref(), None),
            Act::Tidy(_, mark) => (None, None, Some(mark)),
            Act::Reset | Act::Adopt(_) => (None, None, None),
        };
        Self {
            target: decision.target.to_string(),
            account: decision.account.to_string(),
            change: decision.verdict.word().to_owned(),
            from: decision.from.label(),
            photo: photo.map(|digest| digest.to_string()),
            recipe: recipe.map(Recipe::to_string),
            picture: picture.map(ToString::to_string),
        }
    }

    /// As it stands in the facts.
    pub(super) fn into_row(self) -> Reviewed<Self> {
        Reviewed {
            target: self.target.as_str().into(),
            account: self.account.as_str().into(),
            change: self.change.clone(),
            picture: self.picture.clone().unwrap_or_default(),
            saved: self,
        }
    }
}

/// What was reviewed for one account, and which of it was decided again.
#[derive(Debug, Default)]
pub(super) struct Review(Vec<(SavedChange, bool)>);

impl Review {
    /// Of these changes.
    pub(super) fn of(changes: Vec<SavedChange>) -> Self {
        Self(changes.into_iter().map(|change| (change, false)).collect())
    }

    /// Whether a change may be made: it is one that was reviewed, or it mends what carrying one out left half done.
    pub(super) fn passes(&mut self, change: &SavedChange, act: &Act) -> bool {
        let same = |reviewed: &SavedChange| match act {
            // It was begun in another run of this plan: the photo and the recipe say whether it is what was reviewed.
            Act::Finish(..) => {
                let replaces = [ChangeKind::Replace, ChangeKind::Finish].map(ChangeKind::word);
                let (photo, recipe) = (&reviewed.photo, &reviewed.recipe);
                replaces.contains(&&*reviewed.change) && (photo, recipe) == (&change.photo, &change.recipe)
            }
            _ => reviewed == change,
        };
        let mut passes = matches!(act, Act::Tidy(..)) && !self.0.is_empty();
        for (reviewed, met) in &mut self.0 {
            if same(reviewed) {
                (*met, passes) = (true, true);
            }
        }
        passes
    }

    /// What was reviewed, is not to be made now, and was not made before.
    pub(super) fn missed(
        &self,
        shown: &Shown,
        picture: &Picture,
        placement: Option<&Placement>,
    ) -> Option<&SavedChange> {
        self.0.iter().find(|(change, met)| !met && !stands(change, shown, picture, placement)).map(|(change, _)| change)
    }
}

/// Whether an account is already as this change was to make it.
fn stands(change: &SavedChange, shown: &Shown, picture: &Picture, placement: Option<&Placement>) -> bool {
    match ChangeKind::of_word(&change.change) {
        Some(ChangeKind::Replace | ChangeKind::Finish) => placement.is_some_and(|placement| {
            *shown == Shown::Custom(placement.mark.clone())
                && change.photo.as_ref() == Some(&placement.photo.to_string())
                && change.recipe.as_deref() == Some(placement.recipe.as_str())
        }),
        Some(ChangeKind::Revert | ChangeKind::Remove) => *picture == Picture::Default,
        // A leftover that is not there any more.
        Some(ChangeKind::Tidy) => true,
        None => false,
    }
}
