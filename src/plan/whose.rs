//! Whose an account is now, held against whose it was when the run that is undone wrote to it.
//!
//! Owns: on whose account the picture of a person may stand again, and whom `users` has left alone by an undoing.
//! Leaves to others: who matches (`matching`), what stood there (`undo`).
//! A newcomer gets wrong: the account may say the same of its owner as then, and belong to somebody else by the directory
//! alone (promise P1).

use std::collections::BTreeSet;

use super::facts::{SourceState, SourceView};
use super::matching::called;
use crate::model::{Change, Matched, PersonRef, Place, Reason, SourceId, Standing};
use crate::settings::{Action, Fallback};

/// Whose an account is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The same person's as when the run wrote.
    Same {
        /// Why no picture of ours may be put there, which a run would not put there either.
        no_ours: Option<LeftAlone>,
    },
    /// It is not known to be the same person's: no picture of a person comes back. What is nobody's face does.
    NotKnown(LeftAlone),
    /// The file has the person left alone, or nobody knows whether it does: nothing comes back.
    LeftAlone(LeftAlone),
}

/// Why an account is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeftAlone {
    /// How the report counts it.
    pub change: Change,
    /// The reason.
    pub reason: Reason,
    /// The line of the file.
    pub rule: Place,
    /// What was found.
    pub detail: Option<String>,
}

impl LeftAlone {
    fn kept(reason: Reason, rule: &Place, detail: Option<String>) -> Self {
        Self { change: Change::Keep, reason, rule: rule.clone(), detail }
    }

    fn passed_on(rule: &Place, detail: impl Into<String>) -> Self {
        Self::kept(Reason::UndoPassedOn, rule, Some(detail.into()))
    }

    /// Of whoever it is not known that they are the same person, since no source was to be asked.
    pub(crate) fn nobody_was_asked(rule: &Place) -> Self {
        Self::passed_on(rule, "no source was asked whose it is now")
    }
}

/// The lines of the file that count here.
pub(crate) struct WhoseRules<'a> {
    /// Of `match`.
    pub matching: &'a Place,
    /// `fallback`.
    pub fallback: &'a Fallback,
    /// Sources whose `users` have some people left alone.
    pub leave_some_alone: &'a BTreeSet<SourceId>,
}

fn no_ours(standing: Option<Standing>, rules: &WhoseRules<'_>) -> Option<LeftAlone> {
    let (reason, rule) = match standing {
        Some(Standing::InScope) => return None,
        Some(Standing::OptedOut) => (Reason::OptedOut, &rules.fallback.opted_out),
        Some(Standing::Inactive) => (Reason::Inactive, &rules.fallback.inactive),
        Some(Standing::OutOfScope | Standing::Frozen) | None => (Reason::OutOfScope, &rules.fallback.out_of_scope),
    };
    Some(LeftAlone::kept(reason, &rule.place, None))
}

/// Whose an account is. `then`: whom the run wrote it for.
pub(crate) fn whose(sources: &[SourceView], then: Option<&PersonRef>, rules: &WhoseRules<'_>) -> Whose {
    let standing = |source: &SourceView| source.person.as_ref().map(|person| person.standing);
    if let Some(frozen) = sources.iter().find(|source| standing(source) == Some(Standing::Frozen)) {
        return Whose::LeftAlone(LeftAlone::kept(Reason::Frozen, &frozen.freeze, None));
    }
    let Some(then) = then else {
        return Whose::NotKnown(LeftAlone::passed_on(rules.matching, "it is not on record whose it was then"));
    };
    let Some(own) = sources.iter().find(|source| source.id == then.source) else {
        let found = format!("the source `{}`, whose person had it then, is not in the file any more", then.source);
        return Whose::NotKnown(LeftAlone::passed_on(rules.matching, found));
    };
    let not_asked = |reason| {
        let why = LeftAlone::kept(reason, &own.place, None);
        if rules.leave_some_alone.contains(&own.id) { Whose::LeftAlone(why) } else { Whose::NotKnown(why) }
    };
    match own.state {
        SourceState::Listed => {}
        SourceState::Disabled => return not_asked(Reason::SourceDisabled),
        SourceState::Failed => return not_asked(Reason::SourceUnreachable),
        SourceState::Stopped => return not_asked(Reason::NotAsked),
    }
    let unclear = |reason, words: &String| {
        let why = LeftAlone::kept(reason, rules.matching, Some(words.clone()));
        Whose::NotKnown(LeftAlone { change: Change::Conflict, ..why })
    };
    match &own.matched {
        Matched::Person(id) if *id != then.id => {
            let now = own.person.as_ref().map_or(id.as_str(), called);
            Whose::NotKnown(LeftAlone::passed_on(rules.matching, format!("it matches {now} now, and another one then")))
        }
        Matched::Person(_)
            if standing(own) == Some(Standing::OutOfScope) && rules.fallback.out_of_scope.value == Action::Keep =>
        {
            Whose::LeftAlone(LeftAlone::kept(Reason::OutOfScope, &rules.fallback.out_of_scope.place, None))
        }
        Matched::Person(_) => Whose::Same { no_ours: no_ours(standing(own), rules) },
        Matched::Ambiguous(words) => unclear(Reason::Ambiguous, words),
        Matched::Conflict(words) => unclear(Reason::Conflict, words),
        Matched::Nobody => Whose::NotKnown(LeftAlone::passed_on(rules.matching, "it matches nobody any more")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Person;
    use crate::plan::PhotoLearnt;
    use crate::settings::Placed;

    fn place(line: u32) -> Place {
        Place { file: Arc::from("f"), line }
    }

    fn source(state: SourceState, matched: Matched, standing: Standing) -> SourceView {
        let person = match &matched {
            Matched::Person(id) => Some(Person::new(id.clone(), id.as_str(), standing)),
            _ => None,
        };
        SourceView {
            id: "entra".into(),
            place: place(1),
            freeze: place(2),
            state,
            matched,
            person,
            photo: None,
            rendition: None,
            keys: None,
            shared_by: None,
            learnt: PhotoLearnt::Before,
        }
    }

    #[test]
    fn only_the_same_person_of_a_source_that_answered_gets_a_face_back() {
        use SourceState::{Disabled, Failed, Listed, Stopped};
        use Standing::{Frozen, InScope, Inactive, OptedOut, OutOfScope};
        let (ada, words) = (|| Matched::Person("ada".into()), || "two".to_owned());
        // State, match, standing; what becomes of a face, and of what is nobody's.
        let table: [(_, _, _, Option<&str>, Option<&str>); 12] = [
            (Listed, ada(), InScope, None, None),
            (Listed, ada(), Inactive, None, None),
            (Listed, ada(), OptedOut, None, None),
            (Listed, ada(), OutOfScope, Some("out_of_scope"), Some("out_of_scope")),
            (Listed, ada(), Frozen, Some("frozen"), Some("frozen")),
            (Listed, Matched::Person("eve".into()), InScope, Some("undo_passed_on"), None),
            (Listed, Matched::Nobody, InScope, Some("undo_passed_on"), None),
            (Listed, Matched::Ambiguous(words()), InScope, Some("ambiguous"), None),
            (Listed, Matched::Conflict(words()), InScope, Some("conflict"), None),
            (Failed, Matched::Nobody, InScope, Some("source_unreachable"), None),
            (Disabled, Matched::Nobody, InScope, Some("source_disabled"), None),
            (Stopped, Matched::Nobody, InScope, Some("not_asked"), None),
        ];
        let rule = |value| Placed { value, place: place(3) };
        let fallback = Fallback {
            absent: rule(Action::Default),
            unreadable: rule(Action::Keep),
            too_small: rule(Action::Keep),
            inactive: rule(Action::Keep),
            out_of_scope: rule(Action::Keep),
            opted_out: rule(Action::Default),
            gone: rule(Action::Keep),
        };
        let (nobody, everybody) = (BTreeSet::new(), BTreeSet::from([SourceId::from("entra")]));
        let matching = place(4);
        let rules = |leave_some_alone| WhoseRules { matching: &matching, fallback: &fallback, leave_some_alone };
        let then = PersonRef { source: "entra".into(), id: "ada".into() };
        for (state, matched, standing, face, nobodys) in table {
            let sources = [source(state, matched, standing)];
            let reason = |whose: &Whose| match whose {
                Whose::Same { .. } => (None, None),
                Whose::NotKnown(why) => (Some(why.reason.word()), None),
                Whose::LeftAlone(why) => (Some(why.reason.word()), Some(why.reason.word())),
            };
            assert_eq!(reason(&whose(&sources, Some(&then), &rules(&nobody))), (face, nobodys), "{sources:?}");
            // Nobody knows who is to be left alone, where the source that says so did not answer.
            let not_answered = state != Listed;
            let nobodys = if not_answered { face } else { nobodys };
            assert_eq!(reason(&whose(&sources, Some(&then), &rules(&everybody))), (face, nobodys), "{sources:?}");
            let is_same = |whose| matches!(whose, Whose::Same { .. });
            assert!(!is_same(whose(&sources, None, &rules(&nobody))), "{sources:?}");
            let elsewhere = PersonRef { source: "google".into(), ..then.clone() };
            assert!(!is_same(whose(&sources, Some(&elsewhere), &rules(&nobody))), "{sources:?}");
            // What a run would not put there, an undoing does not either.
            if let Whose::Same { no_ours } = whose(&sources, Some(&then), &rules(&nobody)) {
                assert_eq!(no_ours.is_none(), standing == Standing::InScope);
            }
        }
    }
}
