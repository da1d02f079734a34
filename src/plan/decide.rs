//! What is done with one account: facts in, decision and reason out (docs/architecture.md, "Decide").
//!
//! Owns: ownership, reassignment, what is shown, left or taken away.
//! Leaves to others: what the account is to show (`search`), who matches (`matching`), the limits (`guard`), doing it
//! (`run`, `load`).
//! A newcomer gets wrong: the order of the tests here is the order of the promises.

use super::facts::{Drift, Former, Memory, PhotoLearnt, Portrait, RenditionRef, Rerender, Rules, View};
use super::ours::before;
use super::search::{Desired, Search, opted_out_all_the_same, search};
use crate::model::{
    Before, Change, Comparison, Decision, Digest, Matched, Picture, Placement, Provenance, Reason, Shown, Standing,
    Step, Wanted,
};
use crate::settings::{Action, DefaultBy, Ownership};

/// A decision with what the limits count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// For plan and report.
    pub decision: Decision,
    /// What it takes; `None`: nothing is to be done.
    pub step: Option<Step>,
    /// The account belongs to one person of a source.
    pub matched: bool,
    /// A picture that we did not set would be overwritten or taken off.
    pub foreign: bool,
    /// Somebody's account that shows a picture of its own: what the limit of reverts is a share of.
    pub pictured: bool,
    /// The account belongs to another person than its placement says.
    pub reassigned: bool,
    /// It shows our picture of somebody who is listed and in scope, and nobody matches it any more.
    pub unmatched: bool,
    /// The placement's picture is not shown any more.
    pub drifted: bool,
    /// Whoever opted out shows an upload that is not on record as ours: a choice, or a face that an unknown run put there.
    pub spared: bool,
}

/// Decides about one account.
pub(crate) fn decide(view: &View<'_>, rules: &Rules<'_>) -> Judgement {
    let picture = Picture::of(&view.account.shown, view.placement, view.default);
    let mut found = search(view, rules);
    if matches!(picture, Picture::Ours(_))
        && let Some(opted_out) = opted_out_all_the_same(&found, view, rules)
    {
        found = opted_out;
    }
    let reassigned = found.reason != Reason::TargetFrozen && reassigned(view);
    // Whoever is frozen is not judged any further: what stands there stays, and no limit counts it. But our picture of
    // the account's former owner goes (promise P1).
    let frozen = match found.reason {
        Reason::TargetFrozen => true,
        Reason::Frozen => !(view.astray || reassigned && matches!(picture, Picture::Ours(_))),
        _ => false,
    };
    let judge = Judge { view, rules, picture, reassigned };
    if frozen {
        return Judgement { drifted: false, ..judge.leave(Change::Keep, found) };
    }
    match found.desired {
        Desired::Show(portrait) => judge.show(portrait, found),
        Desired::Default => judge.reset(Change::Revert, found),
        Desired::Keep if reassigned && matches!(judge.picture, Picture::Ours(_)) => judge.take_away(found),
        Desired::Keep | Desired::Conflict | Desired::Skip if view.astray => judge.take_off_astray(found),
        Desired::Keep => judge.leave(Change::Keep, found),
        Desired::Conflict => judge.leave(Change::Conflict, found),
        Desired::Skip => judge.leave(Change::Skip, found),
    }
}

/// Another person owns the account than the placement says (docs/architecture.md, "Matching"): another id of its own
/// source, or somebody of another source if the key that matched has changed, too. With that key unchanged two sources
/// know one human.
fn reassigned(view: &View<'_>) -> bool {
    let Some(placement) = view.placement else { return false };
    let Some(former) = &placement.person else { return false };
    // A source that was not listed cannot say that its person does not own the account any more.
    if view.former == Former::Unknown {
        return false;
    }
    let own = view.sources.iter().find(|source| source.id == former.source);
    match own.map(|source| &source.matched) {
        Some(Matched::Person(id)) => *id != former.id,
        Some(Matched::Ambiguous(_) | Matched::Conflict(_)) => false,
        Some(Matched::Nobody) | None => {
            let somebody = view.sources.iter().any(|source| matches!(source.matched, Matched::Person(_)));
            // A row of before keys were recorded proves nothing in favour of a face (promise P1).
            somebody && !placement.keys.is_some_and(|keys| view.keys.contains(&keys))
        }
    }
}

/// Whether a picture of ours is a face that must not be there, rather than one that nobody gave a picture for any more.
fn must_go(reason: Reason) -> bool {
    matches!(reason, Reason::OptedOut | Reason::Reassigned)
}

struct Judge<'a> {
    view: &'a View<'a>,
    rules: &'a Rules<'a>,
    picture: Picture,
    reassigned: bool,
}

impl Judge<'_> {
    fn show(&self, Portrait { photo, rendition }: Portrait, found: Search) -> Judgement {
        let reason = match (&self.picture, self.view.placement) {
            (Picture::Ours(_) | Picture::Unknown(_), Some(placement)) => match self.stale(placement, photo) {
                Some(Reason::RecipeChanged) if self.is_the_same(placement, rendition) => {
                    let recipe = self.rules.recipe.clone();
                    let (person, keys) = (found.person.clone(), found.keys.or(placement.keys));
                    let placement = Placement { person, keys, recipe, ..placement.clone() };
                    let detail = Some("other settings make the same picture of the photo".into());
                    let found = Search { reason: Reason::Unchanged, detail, ..found };
                    return self.judgement(Change::Unchanged, Some(Step::Adopt(placement)), found);
                }
                Some(reason) => reason,
                None => {
                    let step = self.owned(placement, &found);
                    return self.judgement(Change::Unchanged, step, Search { reason: Reason::Unchanged, ..found });
                }
            },
            (Picture::Default | Picture::Unknown(_), None) => found.reason,
            _ if self.is_of_another() => Reason::Misplaced,
            // Whoever opted out keeps a picture that is not ours in any case.
            (Picture::Foreign(_) | Picture::System(_), _) if found.reason == Reason::OptedOut => {
                return self.not_ours(found, None);
            }
            _ if self.may_be_chosen() => {
                let rule = self.rules.ownership.place.clone();
                return self.leave(Change::Keep, Search { reason: Reason::ChosenByHand, rule, ..found });
            }
            _ if self.reassigned => Reason::Reassigned,
            (_, Some(_)) => Reason::Drifted,
            _ => found.reason,
        };
        let wanted = Wanted {
            person: found.person.clone(),
            photo,
            rendition: rendition.map(|rendition| rendition.digest),
            keys: found.keys,
        };
        let foreign = matches!(self.picture, Picture::Foreign(_) | Picture::System(_)) && !self.is_nobodys_choice();
        let found = Search { reason, ..found };
        let step = match (&self.picture, self.view.looked) {
            (Picture::Foreign(_), _) if self.is_nobodys_choice() => Step::Show(wanted),
            (Picture::Foreign(_), Comparison::NotYet) => Step::Look(wanted),
            (Picture::Foreign(_), Comparison::Alike) => {
                return self.judgement(
                    Change::Unchanged,
                    rendition.and_then(|rendition| self.adopted(photo, rendition, &found)),
                    Search { reason: Reason::Unchanged, detail: Some("adopted by its looks".into()), ..found },
                );
            }
            (Picture::Foreign(_), Comparison::Failed) => {
                return self.leave(Change::Keep, Search { reason: Reason::PictureUnknown, ..found });
            }
            _ => Step::Show(wanted),
        };
        Judgement { foreign, ..self.judgement(Change::Replace, Some(step), found) }
    }

    /// What is shown counts as the person's own choice. After a lost state, or with an older one, it may as well be
    /// ours: then it is looked at once, and taken for the person's only if it is another picture, which is remembered
    /// where ours stood before (docs/architecture.md, "The state").
    fn may_be_chosen(&self) -> bool {
        if self.rules.ownership.value != Ownership::Ours || self.reassigned || self.is_spoilt() {
            return false;
        }
        if self.is_restored() {
            return false;
        }
        // A photo that is new to the state is one that a later state may know. What was looked at once, with that photo
        // known, is not looked at in every run (promise P5).
        let outdated = || self.view.sources.iter().any(|source| source.learnt == PhotoLearnt::Now);
        let may_be_ours = match self.view.looked {
            Comparison::NotYet => self.rules.memory == Memory::Empty || outdated() || self.view.placement.is_some(),
            Comparison::Alike => true,
            Comparison::Differs | Comparison::Failed => false,
        };
        !(may_be_ours && matches!(self.picture, Picture::Foreign(_)))
    }

    /// The account shows what it showed before our first write, and the server was put back. An upload is left all the same:
    /// whoever made it may have chosen it anew.
    fn is_restored(&self) -> bool {
        let stood = |placement: &Placement| placement.before == Before::from(&self.view.account.shown);
        self.rules.drift == Drift::Restored
            && matches!(self.picture, Picture::Default | Picture::System(_))
            && self.view.placement.is_some_and(stood)
    }

    /// A file of ours that does not hold what we wrote: nobody's picture, and written again
    /// (docs/write-protocols.md, "Folder").
    fn is_spoilt(&self) -> bool {
        self.view.placement.is_some() && matches!(&self.picture, Picture::Foreign(mark) if mark.is_spoilt())
    }

    /// The server says that it is another account's picture: a face that must not stand here (promise P1).
    fn is_of_another(&self) -> bool {
        self.view.astray || matches!(&self.view.account.shown, Shown::Custom(mark) if mark.another().is_some())
    }

    fn is_nobodys_choice(&self) -> bool {
        self.is_spoilt() || self.is_of_another()
    }

    /// The record follows the person: an image of before persons were recorded for it, or one human of two sources.
    fn owned(&self, placement: &Placement, found: &Search) -> Option<Step> {
        if placement.person == found.person && (placement.keys.is_some() || found.keys.is_none()) {
            return None;
        }
        Some(Step::Adopt(Placement { person: found.person.clone(), keys: found.keys, ..placement.clone() }))
    }

    /// What stands there by the record has the very bytes that would be sent (promise P5): as of a photo that is smaller than either
    /// size. Only where the server shows it.
    fn is_the_same(&self, placement: &Placement, rendition: Option<RenditionRef>) -> bool {
        matches!(self.picture, Picture::Ours(_)) && rendition.is_some_and(|made| made.digest == placement.rendition)
    }

    /// The picture shown is the photo already: it is recorded as it stands.
    fn adopted(&self, photo: Digest, rendition: RenditionRef, found: &Search) -> Option<Step> {
        let Shown::Custom(mark) = &self.view.account.shown else { return None };
        Some(Step::Adopt(Placement {
            target: self.rules.target_id.clone(),
            account: self.view.account.id.clone(),
            person: found.person.clone(),
            photo,
            recipe: self.rules.recipe.clone(),
            rendition: rendition.digest,
            mark: mark.clone(),
            provenance: Provenance::Adopted,
            before: before(self.view.account, self.view.placement),
            looks: rendition.looks,
            keys: found.keys,
        }))
    }

    /// Why our picture has to be replaced, if it has to.
    fn stale(&self, placement: &Placement, photo: Digest) -> Option<Reason> {
        if self.reassigned {
            Some(Reason::Reassigned)
        } else if placement.photo != photo {
            Some(Reason::PhotoChanged)
        } else if placement.recipe != *self.rules.recipe {
            Some(Reason::RecipeChanged)
        } else if self.rules.rerender == Rerender::All {
            Some(Reason::Rerender)
        } else {
            None
        }
    }

    fn reset(&self, kind: Change, found: Search) -> Judgement {
        match &self.picture {
            Picture::Ours(_) if self.is_adopted() && !self.may_delete_adopted(&found) => {
                self.stays(found, "it was recognised and not made by us, and what we did not make is not deleted here")
            }
            Picture::Ours(_) => {
                let kind = if found.reason == Reason::OptedOut { Change::Remove } else { kind };
                self.judgement(kind, Some(Step::Reset), found)
            }
            Picture::Foreign(_) if self.is_of_another() => {
                self.judgement(kind, Some(Step::Reset), Search { reason: Reason::Misplaced, ..found })
            }
            Picture::Foreign(_) | Picture::System(_) if self.provider_has_none(&found) => {
                let detail = Some(self.what_is_lost().to_owned());
                let found = Search { detail, ..found };
                Judgement { foreign: true, ..self.judgement(kind, Some(Step::Reset), found) }
            }
            Picture::Foreign(_) | Picture::System(_) => self.not_ours(found, None),
            // By the record it is ours; it is looked at before it goes.
            Picture::Unknown(_) if self.made_with_looks() => {
                let kind = if found.reason == Reason::OptedOut { Change::Remove } else { kind };
                self.judgement(kind, Some(Step::Reset), found)
            }
            Picture::Unknown(_) if self.view.placement.is_some() && must_go(found.reason) => {
                self.stays(found, "it stands there by our record, and cannot be looked at before it is deleted")
            }
            Picture::Default | Picture::Unknown(_) => self.leave(Change::Keep, found),
        }
    }

    /// Where no picture is assigned at the provider, the account goes back to the default,
    /// whoever set what it shows. Only a proven absence says so, and only where the provider owns the picture.
    fn provider_has_none(&self, found: &Search) -> bool {
        found.reason == Reason::Absent
            && self.rules.ownership.value == Ownership::Provider
            && self.rules.default_by != DefaultBy::Removing
    }

    /// Where the file has pictures deleted that are not ours (promise P1), the person's own photo goes with an opt-out, too:
    /// the directory still has it, so nothing is lost.
    fn may_delete_adopted(&self, found: &Search) -> bool {
        let deletes_others =
            self.rules.ownership.value == Ownership::Provider && self.rules.fallback.absent.value == Action::Default;
        match self.rules.default_by {
            DefaultBy::Choosing => true,
            DefaultBy::Deleting => self.provider_has_none(found) || deletes_others && must_go(found.reason),
            DefaultBy::Removing => false,
        }
    }

    fn what_is_lost(&self) -> &'static str {
        match (self.rules.default_by, &self.picture) {
            (DefaultBy::Deleting, _) => "it is not on record as ours, and is lost: this product keeps no earlier one",
            (_, Picture::System(_)) => "it is a stock picture of the product",
            _ => "it is not on record as ours, and stays among the person's own pictures",
        }
    }

    fn not_ours(&self, found: Search, why: Option<&str>) -> Judgement {
        let detail = found.detail.as_deref().or(why);
        let detail = Some(match detail {
            Some(detail) => format!("{}: {detail}", found.reason.text()),
            None => found.reason.text().to_owned(),
        });
        // It would go if the provider owned it.
        let rule = match (found.reason, self.rules.ownership.value) {
            (Reason::Absent, Ownership::Ours) => self.rules.ownership.place.clone(),
            _ => found.rule.clone(),
        };
        let spared = found.reason == Reason::OptedOut && matches!(self.picture, Picture::Foreign(_));
        let left = self.leave(Change::Keep, Search { reason: Reason::NotOurs, rule, detail, ..found });
        Judgement { spared, ..left }
    }

    /// Our picture stays, since no run may delete it. Where the face must not be there, that is told as what somebody has to do.
    fn stays(&self, found: Search, why: &str) -> Judgement {
        let so = found.detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default();
        let detail = Some(format!("{}{so}; {why}", found.reason.text()));
        let reason = if self.reassigned || must_go(found.reason) { Reason::StillShown } else { Reason::Recognised };
        self.leave(Change::Keep, Search { reason, detail, ..found })
    }

    /// The former person's picture goes, whatever the new photo's state.
    fn take_away(&self, found: Search) -> Judgement {
        let detail = Some(format!("and the new person: {}", found.reason.text()));
        let rule = self.rules.matching.clone();
        self.reset(Change::Remove, Search { reason: Reason::Reassigned, rule, detail, ..found })
    }

    /// Another account's face goes, whoever this one belongs to.
    fn take_off_astray(&self, found: Search) -> Judgement {
        let detail = Some(format!("and the account: {}", found.reason.text()));
        let rule = self.rules.target.clone();
        let found = Search { reason: Reason::Misplaced, rule, detail, ..found };
        self.judgement(Change::Remove, Some(Step::Reset), found)
    }

    fn leave(&self, change: Change, found: Search) -> Judgement {
        self.judgement(change, None, found)
    }

    fn made_with_looks(&self) -> bool {
        let made = self.view.placement.filter(|placement| placement.provenance == Provenance::Made);
        made.is_some_and(|placement| placement.looks.is_some())
    }

    fn is_adopted(&self) -> bool {
        self.view.placement.is_some_and(|placement| placement.provenance == Provenance::Adopted)
    }

    fn is_pictured(&self) -> bool {
        let matched = self.view.sources.iter().any(|source| matches!(source.matched, Matched::Person(_)));
        match self.picture {
            Picture::Ours(_) => true,
            Picture::Foreign(_) | Picture::System(_) => matched,
            Picture::Default | Picture::Unknown(_) => false,
        }
    }

    /// That a source knows nobody of the account is no sign of `match` where its person left, or where a source was not
    /// listed.
    fn unmatched(&self) -> bool {
        matches!(self.picture, Picture::Ours(_))
            && self.view.former == Former::Listed(Standing::InScope)
            && self.view.sources.iter().all(|source| matches!(source.matched, Matched::Nobody))
    }

    fn drifted(&self) -> bool {
        let vanished = match &self.picture {
            Picture::Ours(_) | Picture::Unknown(_) => false,
            _ if self.is_spoilt() => false,
            Picture::Default => true,
            // Where people may choose, another picture is their choice and no sign of a restored server.
            Picture::Foreign(_) | Picture::System(_) => self.rules.ownership.value == Ownership::Provider,
        };
        self.view.placement.is_some() && vanished
    }

    fn judgement(&self, change: Change, step: Option<Step>, found: Search) -> Judgement {
        let rendered = |digest: Option<Digest>| digest.map_or_else(|| "not rendered".to_owned(), |it| it.to_string());
        let to = match (&step, &self.picture) {
            (Some(Step::Show(wanted) | Step::Look(wanted)), _) => rendered(wanted.rendition),
            (Some(Step::Adopt(placement)), Picture::Foreign(_)) => placement.rendition.to_string(),
            (Some(Step::Reset), _) => "default".to_owned(),
            _ => self.picture.label(),
        };
        Judgement {
            decision: Decision {
                target: self.rules.target_id.clone(),
                account: self.view.account.id.clone(),
                account_name: self.view.account.name.clone(),
                person: found.person,
                change,
                from: self.picture.clone(),
                to,
                reason: found.reason,
                rule: found.rule,
                detail: found.detail,
            },
            step,
            matched: self.view.sources.iter().any(|source| matches!(source.matched, Matched::Person(_))),
            foreign: false,
            pictured: self.is_pictured(),
            reassigned: self.reassigned,
            unmatched: self.unmatched(),
            drifted: self.drifted(),
            spared: false,
        }
    }
}

#[cfg(test)]
mod tests;
