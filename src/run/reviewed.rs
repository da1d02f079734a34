//! Changes that were reviewed, and which of them may be made now.
//!
//! Owns: what a reviewed change is known by, and when a decided one is the same.
//! Leaves to others: the plan's file (`saved`), deciding (`plan`).
//! A newcomer gets wrong: a reviewed plan adds nothing and repeats nothing; a change is made only if it is decided
//! again in this run. It is known by what it is of, never by bytes: those only the reviewing machine had
//! (docs/architecture.md, "Selecting and reviewing").

use serde::{Deserialize, Serialize};

use crate::model::{Change, Decision, Picture, Placement, Recipe, Shown, Step};
use crate::report::{PersonLine, PersonWho};
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
    /// For whoever reviews it; nothing is known by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<ToldChange>,
}

/// What somebody who reviews a change wants to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldChange {
    /// The account's name.
    pub account_name: String,
    /// Whom it was matched to.
    pub person: Option<PersonWho>,
    /// What the account is to show.
    pub to: String,
    /// Why: a stable word.
    pub reason: String,
    /// Why, in a sentence.
    pub why: String,
    /// `FILE:LINE` of the rule.
    pub rule: String,
}

impl ToldChange {
    /// As the line of a report tells it.
    pub(super) fn of(line: PersonLine) -> Self {
        Self {
            why: line.why(),
            account_name: line.account.name,
            person: line.person,
            to: line.change.to,
            reason: line.reason,
            rule: line.rule,
        }
    }
}

impl ToldChange {
    /// All that it says, for the digest over what is told.
    pub(super) fn parts(told: Option<&Self>) -> [Option<&str>; 8] {
        let Some(Self { account_name, person, to, reason, why, rule }) = told else { return [None; 8] };
        let who = person.as_ref().map(|PersonWho { source, id, name }| (source, id, name.as_ref()));
        let (source, id, name) = who.map_or((None, None, None), |(source, id, name)| (Some(source), Some(id), name));
        let (to, reason, why, rule) = (Some(to), Some(reason), Some(why), Some(rule));
        [Some(account_name), source, id, name, to, reason, why, rule].map(|part| part.map(String::as_str))
    }
}

impl SavedChange {
    /// Of a decision and what carries it out.
    pub fn of(decision: &Decision, step: &Step, recipe: &Recipe) -> Self {
        let (photo, recipe, picture) = match step {
            Step::Show(wanted) | Step::Look(wanted) => (Some(wanted.photo), Some(recipe), None),
            Step::Finish(open, _) => (open.intent.photo, open.intent.recipe.as_ref(), None),
            Step::Tidy(_, mark) => (None, None, Some(mark)),
            Step::Reset | Step::GiveBack(_) | Step::Adopt(_) => (None, None, None),
        };
        Self {
            target: decision.target.to_string(),
            account: decision.account.to_string(),
            change: decision.change.word().to_owned(),
            from: decision.from.label(),
            photo: photo.map(|digest| digest.to_string()),
            recipe: recipe.map(Recipe::to_string),
            picture: picture.map(ToString::to_string),
            told: None,
        }
    }

    /// All that it does, for the plan's digest; `to`: what the account is to show.
    pub(super) fn parts<'a>(&'a self, to: &'a str) -> [Option<&'a str>; 8] {
        let Self { target, account, change, from, photo, recipe, picture, told: _ } = self;
        let known = [target, account, change, from].map(|part| Some(part.as_str()));
        let [target, account, change, from] = known;
        [target, account, change, from, Some(to), photo.as_deref(), recipe.as_deref(), picture.as_deref()]
    }

    /// What of it is not as it was reviewed.
    pub(super) fn differs_from(&self, reviewed: &Self) -> String {
        let change = (self.change != reviewed.change).then(|| format!("the change would be {}", self.change));
        let from = (self.from != reviewed.from).then(|| format!("what stands there counts as {}", self.from));
        let other = |what: &str, now: &Option<String>, then: &Option<String>| {
            (now != then).then(|| format!("the {what} is another than was reviewed"))
        };
        let photo = other("photo", &self.photo, &reviewed.photo);
        let recipe = other("recipe", &self.recipe, &reviewed.recipe);
        let picture = other("leftover", &self.picture, &reviewed.picture);
        [photo, change, from, recipe, picture].into_iter().flatten().collect::<Vec<_>>().join(", and ")
    }

    /// As it stands in the facts.
    pub(super) fn into_row(self) -> Reviewed<Self> {
        Reviewed {
            target: self.target.as_str().into(),
            account: self.account.as_str().into(),
            change: self.change.clone(),
            picture: self.picture.clone().unwrap_or_default(),
            saved: Self { told: None, ..self },
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
    pub(super) fn passes(&mut self, change: &SavedChange, step: &Step) -> bool {
        let same = |reviewed: &SavedChange| match step {
            // It was begun in another run of this plan: the photo and the recipe say whether it is what was reviewed.
            Step::Finish(..) => {
                let replaces = [Change::Replace, Change::Finish].map(Change::word);
                let (photo, recipe) = (&reviewed.photo, &reviewed.recipe);
                replaces.contains(&&*reviewed.change) && (photo, recipe) == (&change.photo, &change.recipe)
            }
            _ => reviewed == change,
        };
        let mut passes = matches!(step, Step::Tidy(..)) && !self.0.is_empty();
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
    match Change::of_word(&change.change) {
        Some(Change::Replace | Change::Finish) => placement.is_some_and(|placement| {
            *shown == Shown::Custom(placement.mark.clone())
                && change.photo.as_ref() == Some(&placement.photo.to_string())
                && change.recipe.as_deref() == Some(placement.recipe.as_str())
        }),
        Some(Change::Revert | Change::Remove) => *picture == Picture::Default,
        // A leftover that is not there any more.
        Some(Change::Tidy) => true,
        Some(Change::Unchanged | Change::Keep | Change::Conflict | Change::Skip) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_as_reviewed_is_told() {
        let reviewed = SavedChange {
            target: "jira".into(),
            account: "1".into(),
            change: "replace".into(),
            from: "b3:00".into(),
            photo: Some("b3:11".into()),
            recipe: Some("r".into()),
            picture: None,
            told: None,
        };
        let photo = SavedChange { photo: Some("b3:22".into()), ..reviewed.clone() };
        let others = SavedChange { from: "foreign:7".into(), ..reviewed.clone() };
        let gone = SavedChange { change: "revert".into(), photo: None, recipe: None, ..reviewed.clone() };
        for (now, words) in [
            (&reviewed, ""),
            (&photo, "the photo is another than was reviewed"),
            (&others, "what stands there counts as foreign:7"),
            (
                &gone,
                "the photo is another than was reviewed, and the change would be revert, and the recipe is another than was reviewed",
            ),
        ] {
            assert_eq!(now.differs_from(&reviewed), words);
        }
    }
}
