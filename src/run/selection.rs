//! What `--only`, `--target` and `--plan` leave out of a decided plan.
//!
//! Owns: the three of them, and when a change is one that was reviewed. Leaves to others: whom a name means (`only`), the
//! plan's file (`saved`), flags (`cli`).
//! A newcomer gets wrong: a reviewed plan adds nothing and repeats nothing; a change is made only if it is decided
//! again in this run. It is known by what it is of, never by bytes: those only the reviewing machine had
//! (docs/architecture.md, "Selecting and reviewing").

use std::path::PathBuf;

use super::saved::SavedChange;
use crate::model::{Act, ChangeKind, Picture, Placement, Shown, TargetId};

/// Which of the decided changes are made.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Names, e-mails or ids of people or accounts; empty: everybody.
    pub only: Vec<String>,
    /// Targets; empty: all.
    pub targets: Vec<TargetId>,
    /// The plan that was reviewed.
    pub reviewed: Option<SavedPlan>,
}

impl Selection {
    /// Whether only some accounts are selected.
    pub fn narrows(&self) -> bool {
        !(self.only.is_empty() && self.targets.is_empty())
    }

    /// Whether everybody is served: a reviewed plan is of everybody, too.
    pub fn is_whole(&self) -> bool {
        !self.narrows()
    }

    /// Whether a target is selected.
    pub fn has_target(&self, target: &TargetId) -> bool {
        self.targets.is_empty() || self.targets.contains(target)
    }
}

/// A plan that `plan --out` saved ([`super::saved`]), and that read as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedPlan {
    /// The pipeline's name.
    pub pipeline: String,
    /// Its file.
    pub file: PathBuf,
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
