//! What is done with one account: facts in, decision and reason out (docs/architecture.md, "Decide").
//!
//! Owns: precedence of sources, the fallback rules, ownership, reassignment.
//! Leaves to others: who matches (`matching`), the limits (`guard`), doing it (`run`, `load`).
//! A newcomer gets wrong: the order of the tests here is the order of the promises; `unknown`, and a source that could
//! not be asked, end the search with nothing changed, even if a later source has a photo.

use std::collections::HashMap;
use std::path::PathBuf;

use super::matching::Matched;
use crate::model::{
    Account, AccountStanding, Before, Change, Comparison, Decision, Digest, Fingerprint, KeysDigest, Person, PersonRef,
    PhotoFact, Picture, PictureRef, Place, Placement, Provenance, Reason, Recipe, Shown, SourceId, Standing, Step,
    TargetId, Wanted,
};
use crate::settings::{Accounts, Action, Fallback, Ownership, Placed};

/// Whether a source's listing can be relied on in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceState {
    /// Listed to its end.
    Listed,
    /// `enabled: false`.
    Disabled,
    /// It could not be listed.
    Failed,
}

/// What one source says about one account.
#[derive(Clone, Debug)]
pub(crate) struct SourceView {
    /// The source.
    pub id: SourceId,
    /// Its place in the file.
    pub place: Place,
    /// Whether it was listed.
    pub state: SourceState,
    /// Who it was matched to.
    pub matched: Matched,
    /// The matched person.
    pub person: Option<Person>,
    /// What was learnt of the matched person's photo; `None`: it was not asked for.
    pub photo: Option<PhotoFact>,
    /// What the recipe makes of a present photo; `None`: it is not rendered.
    pub rendition: Option<RenditionRef>,
    /// Of the key by which the account was matched to the person.
    pub keys: Option<KeysDigest>,
    /// How many people of the source have this very photo, if that is more than `transform.hash.same_picture`.
    pub shared_by: Option<u64>,
    /// Whether the photo is another than the state knows, or new to it.
    pub learnt: Learnt,
}

/// Whether a photo is known from an earlier run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Learnt {
    /// It is what the state says.
    Before,
    /// This run learnt of it.
    Now,
}

/// Where the person of the account's placement stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Former {
    /// There is no placement, or none that knows its person.
    Nobody,
    /// Still listed by the source, and what `users` says of them.
    Listed(Standing),
    /// The source was listed and does not have the person any more.
    Gone,
    /// The source was not listed, or is not in the file any more.
    Unknown,
}

/// The facts about one account.
#[derive(Clone, Debug)]
pub(crate) struct View<'a> {
    /// The account as surveyed.
    pub account: &'a Account,
    /// What the state says stands there.
    pub placement: Option<&'a Placement>,
    /// The instance's default picture.
    pub default: Option<&'a PictureRef>,
    /// Of every key that `match` names and the account carries now.
    pub keys: &'a [KeysDigest],
    /// Every source, in the file's order.
    pub sources: &'a [SourceView],
    /// Where the person of the placement stands.
    pub former: Former,
    /// Whether the picture shown was looked at.
    pub looked: Comparison,
}

/// A photo, or an image of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Portrait {
    /// Of the original.
    pub photo: Digest,
    /// What the recipe makes of it; `None`: it is not rendered.
    pub rendition: Option<RenditionRef>,
}

/// What a recipe makes of a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RenditionRef {
    /// Of its bytes.
    pub digest: Digest,
    /// What it looks like.
    pub looks: Option<Fingerprint>,
}

/// The rules of the file for one target.
pub(crate) struct Rules<'a> {
    /// The target.
    pub target_id: TargetId,
    /// `fallback`.
    pub fallback: &'a Fallback,
    /// `ownership`.
    pub ownership: &'a Placed<Ownership>,
    /// The target's place.
    pub target: Place,
    /// The place of `match`.
    pub matching: Place,
    /// `accounts`.
    pub accounts: &'a Accounts,
    /// The place of `transform.hash.same_picture`.
    pub same_picture: Place,
    /// The recipe in force for the target, its size included.
    pub recipe: &'a Recipe,
    /// Re-uploads everything that is ours.
    pub rerender: Rerender,
    /// Whether the state knows any picture of ours at the target.
    pub memory: Memory,
    /// How the target goes back to the default.
    pub default_by: DefaultBy,
    /// The images of the file that can be used, by path.
    pub images: HashMap<PathBuf, Portrait>,
}

/// Whether the state knows any picture of ours at a target. If not, it is new, or it was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// It knows some.
    Holds,
    /// It knows none.
    Empty,
}

/// How a target goes back to the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DefaultBy {
    /// The default is chosen, and the picture stays until it is taken away.
    Choosing,
    /// The picture is deleted, and does not come back. An adopted one is deleted only where the provider owns the
    /// picture and there provably is none (docs/write-protocols.md, "Bitbucket").
    Deleting,
    /// Files of ours are removed, and no others (docs/write-protocols.md, "Folder").
    Removing,
}

/// Whether pictures that are right already are made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rerender {
    /// Only what changed.
    Changed,
    /// `--rerender`.
    All,
}

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
    /// The placement's picture is not shown any more.
    pub drifted: bool,
}

/// What the search through the sources ended with.
struct Found {
    wish: Wish,
    reason: Reason,
    rule: Place,
    person: Option<PersonRef>,
    keys: Option<KeysDigest>,
    detail: Option<String>,
}

impl Found {
    fn of(self, source: &SourceView) -> Self {
        Self { keys: source.keys, ..self }
    }
}

enum Wish {
    Show(Portrait),
    Default,
    Keep,
    Conflict,
    Skip,
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
    let reassigned = reassigned(view);
    let judge = Judge { view, rules, picture, reassigned };
    match found.wish {
        Wish::Show(portrait) => judge.show(portrait, found),
        Wish::Default => judge.reset(Change::Revert, found),
        Wish::Keep if reassigned && matches!(judge.picture, Picture::Ours(_)) => judge.take_away(found),
        Wish::Keep => judge.leave(Change::Keep, found),
        Wish::Conflict => judge.leave(Change::Conflict, found),
        Wish::Skip => judge.leave(Change::Skip, found),
    }
}

/// Whoever claims to be somebody must not keep the picture up of who opted out: it is recorded for that very person, so
/// no match is needed to take it down.
fn opted_out_all_the_same(found: &Found, view: &View<'_>, rules: &Rules<'_>) -> Option<Found> {
    let nobodys = matches!(found.reason, Reason::Ambiguous | Reason::Conflict | Reason::Unmatched);
    if !nobodys || view.former != Former::Listed(Standing::OptedOut) {
        return None;
    }
    let person = view.placement.and_then(|placement| placement.person.clone());
    let detail = format!("and the account: {}", found.reason.text());
    let opted_out = by_rule(&rules.fallback.opted_out, Reason::OptedOut, person, rules, Some(detail));
    (!matches!(opted_out.wish, Wish::Keep)).then_some(opted_out)
}

/// Down the list of sources: present wins, absent goes on, everything else stops (docs/architecture.md, "Precedence").
fn search(view: &View<'_>, rules: &Rules<'_>) -> Found {
    if let Some(found) = not_looked_at(view, rules) {
        return found;
    }
    let mut absent = None;
    for source in view.sources {
        let stop = |wish, reason, rule: &Place, detail| Found {
            wish,
            reason,
            rule: rule.clone(),
            person: None,
            keys: None,
            detail,
        };
        match source.state {
            SourceState::Disabled => return stop(Wish::Keep, Reason::SourceDisabled, &source.place, None),
            SourceState::Failed => return stop(Wish::Keep, Reason::SourceUnreachable, &source.place, None),
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
                return stop(Wish::Conflict, Reason::Ambiguous, &rules.matching, Some(words.clone()));
            }
            Matched::Conflict(words) => {
                return stop(Wish::Conflict, Reason::Conflict, &rules.matching, Some(words.clone()));
            }
        }
    }
    absent.unwrap_or_else(|| nobody(view, rules))
}

fn not_looked_at(view: &View<'_>, rules: &Rules<'_>) -> Option<Found> {
    let found = |wish, reason, rule: &Place, detail| {
        Some(Found { wish, reason, rule: rule.clone(), person: None, keys: None, detail })
    };
    let left_out = |place| found(Wish::Skip, Reason::AccountExcluded, place, None);
    let accounts = rules.accounts;
    match (view.account.standing, &view.account.shown) {
        (AccountStanding::Inactive, _) => found(Wish::Skip, Reason::AccountInactive, &accounts.active.place, None),
        (AccountStanding::NotInGroups, _) => left_out(&accounts.groups.place),
        (AccountStanding::Excluded, _) => left_out(&accounts.exclude.place),
        (AccountStanding::NotInRollout, _) => left_out(&accounts.rollout.place),
        (AccountStanding::Active, Shown::Unknown(why)) => match by_record(view, rules) {
            ByRecord::Write => None,
            ByRecord::Leave => found(Wish::Keep, Reason::Unsure, &rules.ownership.place, Some(why.clone())),
            ByRecord::No => found(Wish::Keep, Reason::PictureUnknown, &rules.target, Some(why.clone())),
        },
        (AccountStanding::Active, _) => None,
    }
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
fn nobody(view: &View<'_>, rules: &Rules<'_>) -> Found {
    if view.former == Former::Gone {
        let person = view.placement.and_then(|placement| placement.person.clone());
        let keys = view.placement.and_then(|placement| placement.keys);
        return Found { keys, ..by_rule(&rules.fallback.gone, Reason::Gone, person, rules, None) };
    }
    Found {
        wish: Wish::Skip,
        reason: Reason::Unmatched,
        rule: rules.matching.clone(),
        person: None,
        keys: None,
        detail: None,
    }
}

fn of_person(source: &SourceView, rules: &Rules<'_>) -> Option<Found> {
    let person = source.person.as_ref()?;
    let who = Some(PersonRef { source: source.id.clone(), id: person.id.clone() });
    let fallback = rules.fallback;
    Some(match (person.standing, &source.photo) {
        (Standing::OptedOut, _) => by_rule(&fallback.opted_out, Reason::OptedOut, who, rules, None),
        (Standing::Inactive, _) => by_rule(&fallback.inactive, Reason::Inactive, who, rules, None),
        (Standing::OutOfScope, _) => by_rule(&fallback.out_of_scope, Reason::OutOfScope, who, rules, None),
        // A stand-in that nobody declared is nobody's face, and no proof that there is none.
        (Standing::InScope, Some(PhotoFact::Present { digest })) if source.shared_by.is_some() => Found {
            wish: Wish::Keep,
            reason: Reason::SamePicture,
            rule: rules.same_picture.clone(),
            person: who,
            keys: None,
            detail: source.shared_by.map(|people| format!("{people} people have the photo {digest}")),
        },
        (Standing::InScope, Some(PhotoFact::Present { digest })) => Found {
            wish: Wish::Show(Portrait { photo: *digest, rendition: source.rendition }),
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
        (Standing::InScope, Some(PhotoFact::Unknown(fault))) => Found {
            wish: Wish::Keep,
            reason: Reason::PhotoUnknown,
            rule: source.place.clone(),
            person: who,
            keys: None,
            detail: Some(format!("[{}] {}", fault.code, fault.message)),
        },
        (Standing::InScope, None) => Found {
            wish: Wish::Keep,
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
) -> Found {
    let found =
        |wish, detail| Found { wish, reason, rule: rule.place.clone(), person: person.clone(), keys: None, detail };
    match &rule.value {
        Action::Keep => found(Wish::Keep, detail),
        Action::Default => found(Wish::Default, detail),
        Action::Image(path) => match rules.images.get(path) {
            Some(image) => found(Wish::Show(*image), detail),
            None => found(Wish::Keep, Some(format!("the image {} cannot be used", path.display()))),
        },
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

struct Judge<'a> {
    view: &'a View<'a>,
    rules: &'a Rules<'a>,
    picture: Picture,
    reassigned: bool,
}

impl Judge<'_> {
    fn show(&self, Portrait { photo, rendition }: Portrait, found: Found) -> Judgement {
        let reason = match (&self.picture, self.view.placement) {
            (Picture::Ours(_) | Picture::Unknown(_), Some(placement)) => match self.stale(placement, photo) {
                Some(reason) => reason,
                None => {
                    let step = self.owned(placement, &found);
                    return self.judgement(Change::Unchanged, step, Found { reason: Reason::Unchanged, ..found });
                }
            },
            (Picture::Default | Picture::Unknown(_), None) => found.reason,
            // Whoever opted out keeps a picture that is not ours in any case.
            (Picture::Foreign(_) | Picture::System(_), _) if found.reason == Reason::OptedOut => {
                return self.not_ours(found, None);
            }
            _ if self.may_be_chosen() => {
                let rule = self.rules.ownership.place.clone();
                return self.leave(Change::Keep, Found { reason: Reason::ChosenByHand, rule, ..found });
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
        let foreign = matches!(self.picture, Picture::Foreign(_) | Picture::System(_)) && !self.is_spoilt();
        let found = Found { reason, ..found };
        let step = match (&self.picture, self.view.looked) {
            (Picture::Foreign(_), _) if self.is_spoilt() => Step::Show(wanted),
            (Picture::Foreign(_), Comparison::NotYet) => Step::Look(wanted),
            (Picture::Foreign(_), Comparison::Alike) => {
                return self.judgement(
                    Change::Unchanged,
                    rendition.and_then(|rendition| self.adopted(photo, rendition, &found)),
                    Found { reason: Reason::Unchanged, detail: Some("adopted by its looks".into()), ..found },
                );
            }
            (Picture::Foreign(_), Comparison::Failed) => {
                return self.leave(Change::Keep, Found { reason: Reason::PictureUnknown, ..found });
            }
            _ => Step::Show(wanted),
        };
        Judgement { foreign, ..self.judgement(Change::Replace, Some(step), found) }
    }

    /// What is shown counts as the person's own choice. After a lost state, or with an older one, it may as well be
    /// ours: then it is looked at once, and taken for the person's only if it is another picture
    /// (docs/architecture.md, "The state").
    fn may_be_chosen(&self) -> bool {
        if self.rules.ownership.value != Ownership::Ours || self.reassigned || self.is_spoilt() {
            return false;
        }
        // A photo that is new to the state is one that a later state may know. What was looked at once, with that photo
        // known, is not looked at in every run (promise P5).
        let outdated = || self.view.sources.iter().any(|source| source.learnt == Learnt::Now);
        let may_be_ours = match self.view.looked {
            Comparison::NotYet => self.rules.memory == Memory::Empty || outdated(),
            Comparison::Alike => true,
            Comparison::Differs | Comparison::Failed => false,
        };
        !(may_be_ours && matches!(self.picture, Picture::Foreign(_)))
    }

    /// A file of ours that does not hold what we wrote: nobody's picture, and written again
    /// (docs/write-protocols.md, "Folder").
    fn is_spoilt(&self) -> bool {
        self.view.placement.is_some() && matches!(&self.picture, Picture::Foreign(mark) if mark.is_spoilt())
    }

    /// The record follows the person: an image of before persons were recorded for it, or one human of two sources.
    fn owned(&self, placement: &Placement, found: &Found) -> Option<Step> {
        if placement.person == found.person && (placement.keys.is_some() || found.keys.is_none()) {
            return None;
        }
        Some(Step::Adopt(Placement { person: found.person.clone(), keys: found.keys, ..placement.clone() }))
    }

    /// The picture shown is the photo already: it is recorded as it stands.
    fn adopted(&self, photo: Digest, rendition: RenditionRef, found: &Found) -> Option<Step> {
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

    fn reset(&self, kind: Change, found: Found) -> Judgement {
        match &self.picture {
            Picture::Ours(_) if self.is_adopted() && !self.may_delete_adopted(&found) => {
                let detail = "adopted pictures are never deleted, and this product shows the default no other way";
                self.not_ours(found, Some(detail))
            }
            Picture::Ours(_) => {
                let kind = if found.reason == Reason::OptedOut { Change::Remove } else { kind };
                self.judgement(kind, Some(Step::Reset), found)
            }
            Picture::Foreign(_) | Picture::System(_) if self.provider_has_none(&found) => {
                let detail = Some(self.what_is_lost().to_owned());
                let found = Found { detail, ..found };
                Judgement { foreign: true, ..self.judgement(kind, Some(Step::Reset), found) }
            }
            Picture::Foreign(_) | Picture::System(_) => self.not_ours(found, None),
            // By the record it is ours; it is looked at before it goes.
            Picture::Unknown(_) if self.made_with_looks() => {
                let kind = if found.reason == Reason::OptedOut { Change::Remove } else { kind };
                self.judgement(kind, Some(Step::Reset), found)
            }
            Picture::Default | Picture::Unknown(_) => self.leave(Change::Keep, found),
        }
    }

    /// The mission's own sentence: if no picture is assigned at the provider, the account goes back to the default,
    /// whoever set what it shows. Only a proven absence says so, and only where the provider owns the picture.
    fn provider_has_none(&self, found: &Found) -> bool {
        found.reason == Reason::Absent
            && self.rules.ownership.value == Ownership::Provider
            && self.rules.default_by != DefaultBy::Removing
    }

    fn may_delete_adopted(&self, found: &Found) -> bool {
        match self.rules.default_by {
            DefaultBy::Choosing => true,
            DefaultBy::Deleting => self.provider_has_none(found),
            DefaultBy::Removing => false,
        }
    }

    fn what_is_lost(&self) -> &'static str {
        match (self.rules.default_by, &self.picture) {
            (DefaultBy::Deleting, _) => "it is not ours, and is lost: this product keeps no earlier one",
            (_, Picture::System(_)) => "it is not ours, but a stock picture of the product",
            _ => "it is not ours, and stays among the person's own pictures",
        }
    }

    fn not_ours(&self, found: Found, why: Option<&str>) -> Judgement {
        let detail = found.detail.as_deref().or(why);
        let detail = Some(match detail {
            Some(detail) => format!("{}: {detail}", found.reason.text()),
            None => found.reason.text().to_owned(),
        });
        self.leave(Change::Keep, Found { reason: Reason::NotOurs, detail, ..found })
    }

    /// The former person's picture goes, whatever the new photo's state.
    fn take_away(&self, found: Found) -> Judgement {
        let detail = Some(format!("and the new person: {}", found.reason.text()));
        let rule = self.rules.matching.clone();
        self.reset(Change::Remove, Found { reason: Reason::Reassigned, rule, detail, ..found })
    }

    fn leave(&self, change: Change, found: Found) -> Judgement {
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

    fn judgement(&self, change: Change, step: Option<Step>, found: Found) -> Judgement {
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
            drifted: self.drifted(),
        }
    }
}

/// What stood on the account before our first write.
pub(crate) fn before(account: &Account, placement: Option<&Placement>) -> Before {
    placement.map_or_else(|| Before::from(&account.shown), |placement| placement.before.clone())
}

/// What the picture that [`old_of_ours`] names looks like.
pub(crate) fn looks_of_ours(placement: Option<&Placement>) -> Option<Fingerprint> {
    placement.filter(|placement| placement.provenance == Provenance::Made).and_then(|placement| placement.looks)
}

/// The picture of ours that goes when another is shown: only one that we made (promise P1).
pub(crate) fn old_of_ours(placement: Option<&Placement>) -> Option<PictureRef> {
    placement.filter(|placement| placement.provenance == Provenance::Made).map(|placement| placement.mark.clone())
}

#[cfg(test)]
mod tests;
