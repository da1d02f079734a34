//! What an account is to show: down the list of sources, and by the rules for whoever has no photo
//! (docs/architecture.md, "Precedence").
//!
//! Owns: precedence of sources, the fallback rules. Leaves to others: what follows for the account (`decide`).
//! A newcomer gets wrong: `unknown`, and a source that could not be asked, end the search with nothing changed, even if a
//! later source has a photo.

use super::facts::{Former, Portrait, Rules, SourceState, SourceView, View};
use crate::model::{
    AccountStanding, KeysDigest, Matched, Person, PersonRef, PhotoFact, Place, Reason, Shown, Standing,
};
use crate::settings::{Action, DefaultBy, Ownership, Placed};

/// What the search through the sources ended with.
pub(super) struct Search {
    pub desired: Desired,
    pub reason: Reason,
    pub rule: Place,
    pub person: Option<PersonRef>,
    pub keys: Option<KeysDigest>,
    pub detail: Option<String>,
}

impl Search {
    fn of(self, source: &SourceView) -> Self {
        Self { keys: source.keys, ..self }
    }
}

/// What an account is to show.
pub(super) enum Desired {
    Show(Portrait),
    Default,
    Keep,
    Conflict,
    Skip,
}

/// An account whose match is not clear any more must not keep the picture of a person who opted out, nor an account that is not selected any
/// more: it is recorded for that very person, so no match is needed to take it down.
pub(super) fn opted_out_all_the_same(found: &Search, view: &View<'_>, rules: &Rules<'_>) -> Option<Search> {
    let nobodys = matches!(found.reason, Reason::Ambiguous | Reason::Conflict | Reason::Unmatched);
    if !(nobodys || found.reason == Reason::AccountExcluded) || view.former != Former::Listed(Standing::OptedOut) {
        return None;
    }
    let person = view.placement.and_then(|placement| placement.person.clone());
    let detail = format!("and the account: {}", found.reason.text());
    let opted_out = by_rule(&rules.fallback.opted_out, Reason::OptedOut, person, rules, Some(detail));
    (!matches!(opted_out.desired, Desired::Keep)).then_some(opted_out)
}

/// Down the list of sources: present wins, absent goes on, everything else stops (docs/architecture.md, "Precedence").
pub(super) fn search(view: &View<'_>, rules: &Rules<'_>) -> Search {
    if let Some(found) = not_looked_at(view, rules).or_else(|| frozen(view)) {
        return found;
    }
    let mut absent = None;
    for source in view.sources {
        let stop = |desired, reason, rule: &Place, detail| Search {
            desired,
            reason,
            rule: rule.clone(),
            person: None,
            keys: None,
            detail,
        };
        match source.state {
            SourceState::Disabled => return stop(Desired::Keep, Reason::SourceDisabled, &source.place, None),
            SourceState::Failed => return stop(Desired::Keep, Reason::SourceUnreachable, &source.place, None),
            SourceState::Stopped => return stop(Desired::Keep, Reason::NotAsked, &source.place, None),
            SourceState::Listed => {}
        }
        match &source.matched {
            Matched::Nobody => {}
            Matched::Person(_) => match of_person(source, rules) {
                Some(found) if matches!(found.reason, Reason::Absent) => absent = absent.or(Some(found.of(source))),
                Some(found) => return found.of(source),
                None => {}
            },
            Matched::Ambiguous(words) => {
                return stop(Desired::Conflict, Reason::Ambiguous, &rules.matching, Some(words.clone()));
            }
            Matched::Conflict(words) => {
                return stop(Desired::Conflict, Reason::Conflict, &rules.matching, Some(words.clone()));
            }
        }
    }
    absent.unwrap_or_else(|| nobody(view, rules))
}

fn not_looked_at(view: &View<'_>, rules: &Rules<'_>) -> Option<Search> {
    let found = |desired, reason, rule: &Place, detail| {
        Some(Search { desired, reason, rule: rule.clone(), person: None, keys: None, detail })
    };
    if rules.freeze.value {
        return found(Desired::Keep, Reason::TargetFrozen, &rules.freeze.place, None);
    }
    let left_out = |place, words: &str| found(Desired::Skip, Reason::AccountExcluded, place, Some(words.to_owned()));
    let accounts = rules.accounts;
    match (view.account.standing, &view.account.shown) {
        (AccountStanding::Inactive, _) => found(Desired::Skip, Reason::AccountInactive, &accounts.active.place, None),
        (AccountStanding::NotInGroups, _) => left_out(&accounts.groups.place, "in none of its `groups`"),
        (AccountStanding::Excluded, _) => left_out(&accounts.exclude.place, "named by its `exclude`"),
        (AccountStanding::NotInRollout, _) => {
            left_out(&accounts.rollout.place, "not in the share of its `rollout` yet")
        }
        (AccountStanding::Active, Shown::Unknown(why)) => match by_record(view, rules) {
            ByRecord::Write => None,
            ByRecord::Leave => found(Desired::Keep, Reason::Unsure, &rules.ownership.place, Some(why.clone())),
            ByRecord::No => found(Desired::Keep, Reason::PictureUnknown, &rules.target, Some(why.clone())),
        },
        (AccountStanding::Active, _) => None,
    }
}

/// Whoever is frozen by any source keeps what the account shows, whatever an earlier source says.
fn frozen(view: &View<'_>) -> Option<Search> {
    let is_frozen = |person: &Person| person.standing == Standing::Frozen;
    let source = view.sources.iter().find(|source| source.person.as_ref().is_some_and(is_frozen))?;
    let person = source.person.as_ref().map(|person| PersonRef { source: source.id.clone(), id: person.id.clone() });
    let rule = source.freeze.clone();
    Some(Search { desired: Desired::Keep, reason: Reason::Frozen, rule, person, keys: None, detail: None })
}

/// Whether the record tells what stands on an account that does not say what it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ByRecord {
    /// The provider owns the picture: it is written again unless the record says that it stands there.
    Write,
    /// It may be the person's own choice.
    Leave,
    /// The product names its pictures otherwise.
    No,
}

/// Bitbucket may show no version of a picture (docs/write-protocols.md, "Bitbucket"). What has no address is never
/// written to.
fn by_record(view: &View<'_>, rules: &Rules<'_>) -> ByRecord {
    match (rules.default_by, rules.ownership.value) {
        (DefaultBy::Deleting, Ownership::Provider) if view.account.handle.is_some() => ByRecord::Write,
        (DefaultBy::Deleting, Ownership::Ours) if view.account.handle.is_some() => ByRecord::Leave,
        _ => ByRecord::No,
    }
}

/// Nobody of any source: the former owner may be gone, or the account is not a person's.
fn nobody(view: &View<'_>, rules: &Rules<'_>) -> Search {
    if view.former == Former::Gone {
        let person = view.placement.and_then(|placement| placement.person.clone());
        let keys = view.placement.and_then(|placement| placement.keys);
        return Search { keys, ..by_rule(&rules.fallback.gone, Reason::Gone, person, rules, None) };
    }
    Search {
        desired: Desired::Skip,
        reason: Reason::Unmatched,
        rule: rules.matching.clone(),
        person: None,
        keys: None,
        detail: None,
    }
}

fn of_person(source: &SourceView, rules: &Rules<'_>) -> Option<Search> {
    let person = source.person.as_ref()?;
    let who = Some(PersonRef { source: source.id.clone(), id: person.id.clone() });
    let fallback = rules.fallback;
    Some(match (person.standing, &source.photo) {
        // Found before any source is asked.
        (Standing::Frozen, _) => return None,
        (Standing::OptedOut, _) => by_rule(&fallback.opted_out, Reason::OptedOut, who, rules, None),
        (Standing::Inactive, _) => by_rule(&fallback.inactive, Reason::Inactive, who, rules, None),
        (Standing::OutOfScope, _) => by_rule(&fallback.out_of_scope, Reason::OutOfScope, who, rules, None),
        // A placeholder that nobody declared is nobody's face, and no proof that there is none.
        (Standing::InScope, Some(PhotoFact::Present { digest })) if source.shared_by.is_some() => Search {
            desired: Desired::Keep,
            reason: Reason::SamePicture,
            rule: rules.same_picture.clone(),
            person: who,
            keys: None,
            detail: source.shared_by.map(|people| format!("{people} people have the photo {digest}")),
        },
        (Standing::InScope, Some(PhotoFact::Present { digest })) => Search {
            desired: Desired::Show(Portrait { photo: *digest, rendition: source.rendition }),
            reason: Reason::PhotoNew,
            rule: rules.target.clone(),
            person: who,
            keys: None,
            detail: None,
        },
        (Standing::InScope, Some(PhotoFact::Absent(_))) => by_rule(&fallback.absent, Reason::Absent, who, rules, None),
        (Standing::InScope, Some(PhotoFact::Unreadable(fault))) => {
            by_rule(&fallback.unreadable, Reason::Unreadable, who, rules, Some(fault.message.clone()))
        }
        (Standing::InScope, Some(PhotoFact::TooSmall { width, height })) => {
            by_rule(&fallback.too_small, Reason::TooSmall, who, rules, Some(format!("{width} x {height} px")))
        }
        (Standing::InScope, Some(PhotoFact::Unknown(fault))) => Search {
            desired: Desired::Keep,
            reason: Reason::PhotoUnknown,
            rule: source.place.clone(),
            person: who,
            keys: None,
            detail: Some(format!("[{}] {}", fault.code, fault.message)),
        },
        (Standing::InScope, None) => Search {
            desired: Desired::Keep,
            reason: Reason::PhotoUnknown,
            rule: source.place.clone(),
            person: who,
            keys: None,
            detail: Some("it was not asked for".to_owned()),
        },
    })
}

fn by_rule(
    rule: &Placed<Action>,
    reason: Reason,
    person: Option<PersonRef>,
    rules: &Rules<'_>,
    detail: Option<String>,
) -> Search {
    let found = |desired, detail| Search {
        desired,
        reason,
        rule: rule.place.clone(),
        person: person.clone(),
        keys: None,
        detail,
    };
    match &rule.value {
        Action::Keep => found(Desired::Keep, detail),
        Action::Default => found(Desired::Default, detail),
        Action::Image(path) => match rules.images.get(path) {
            Some(image) => found(Desired::Show(*image), detail),
            None => found(Desired::Keep, Some(format!("the image {} cannot be used", path.display()))),
        },
    }
}
