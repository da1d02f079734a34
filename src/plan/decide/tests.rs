//! One table: what is known of an account, and what must follow from it.

use std::collections::HashMap;
use std::path::PathBuf;

use super::*;
use crate::model::{
    Absence, Account, AccountStanding, Before, Digest, Fault, KeysDigest, Luma, Person, PersonRef, PhotoFact, Place,
    Recipe, Standing,
};
use crate::plan::facts::{SourceState, SourceView};
use crate::settings::{Accounts, Action, Fallback, Placed, Share};

const ADA: &str = "ada";
const GRACE: &str = "grace";

fn photo() -> Digest {
    Digest::of(b"photo")
}

fn rendition_of(photo: &Digest) -> Digest {
    Digest::of(photo.as_bytes())
}

fn rendered(photo: &Digest) -> RenditionRef {
    let looks = Luma::from_values(vec![7; Luma::SIDE * Luma::SIDE]).unwrap().fingerprint();
    RenditionRef { digest: rendition_of(photo), looks: Some(looks) }
}

fn key_of(what: &str) -> KeysDigest {
    KeysDigest::of(&crate::model::StateKey::new([7; 32]), &["email", what])
}

fn place(line: u32) -> Place {
    Place { file: "p.yaml".into(), line }
}

fn placed<T>(value: T, line: u32) -> Placed<T> {
    Placed { value, place: place(line) }
}

fn accounts() -> Accounts {
    Accounts {
        active: placed(true, 33),
        groups: placed(vec!["staff".to_owned()], 34),
        exclude: placed(vec!["svc-*".to_owned()], 35),
        rollout: placed(Share::WHOLE, 36),
    }
}

fn images() -> HashMap<PathBuf, Portrait> {
    let image = |name: &str| {
        let photo = Digest::of(name.as_bytes());
        (name.into(), Portrait { photo, rendition: Some(rendered(&photo)) })
    };
    ["a.png", "b.png"].map(image).into()
}

fn fallback() -> Fallback {
    let rule = |action, line| placed(action, line);
    Fallback {
        absent: rule(Action::Default, 21),
        unreadable: rule(Action::Keep, 22),
        too_small: rule(Action::Keep, 23),
        inactive: rule(Action::Keep, 24),
        out_of_scope: rule(Action::Keep, 25),
        opted_out: rule(Action::Default, 26),
        gone: rule(Action::Keep, 27),
    }
}

/// The facts of a case, all ordinary until changed.
struct Case {
    account: Account,
    placement: Option<Placement>,
    sources: Vec<SourceView>,
    keys: Vec<KeysDigest>,
    former: Former,
    looked: Comparison,
    ownership: Ownership,
    recipe: Recipe,
    rerender: Rerender,
    memory: Memory,
    default_by: DefaultBy,
    fallback: Fallback,
}

fn source(id: &str, person: Option<Person>, photo: Option<PhotoFact>) -> SourceView {
    let matched = match &person {
        Some(person) => Matched::Person(person.id.clone()),
        None => Matched::Nobody,
    };
    SourceView {
        id: id.into(),
        place: place(10),
        state: SourceState::Listed,
        matched,
        person,
        rendition: match &photo {
            Some(PhotoFact::Present { digest }) => Some(rendered(digest)),
            _ => None,
        },
        photo,
        keys: Some(key_of(id)),
        shared_by: None,
        learnt: PhotoLearnt::Before,
    }
}

fn person(id: &str, standing: Standing) -> Person {
    Person::new(id.into(), id, standing)
}

fn has(fact: PhotoFact) -> Case {
    Case {
        account: Account {
            handle: None,
            id: "JIRAUSER10100".into(),
            name: "ada".into(),
            email: None,
            display_name: "Ada".into(),
            standing: AccountStanding::Active,
            shown: Shown::Default,
        },
        placement: None,
        sources: vec![source("entra", Some(person(ADA, Standing::InScope)), Some(fact))],
        keys: vec![key_of("entra")],
        former: Former::Nobody,
        looked: Comparison::NotYet,
        ownership: Ownership::Provider,
        recipe: "r1".into(),
        rerender: Rerender::Changed,
        memory: Memory::Holds,
        default_by: DefaultBy::Choosing,
        fallback: fallback(),
    }
}

fn present() -> PhotoFact {
    PhotoFact::Present { digest: photo() }
}

fn absent() -> PhotoFact {
    PhotoFact::Absent(Absence::NotFound)
}

fn unknown() -> PhotoFact {
    PhotoFact::Unknown(Fault::new("throttled", "429 six times"))
}

impl Case {
    fn shows(mut self, shown: Shown) -> Self {
        self.account.shown = shown;
        self
    }

    /// Our picture, mark 15, of Ada's photo, is recorded; it is shown unless the case says otherwise.
    fn placed(mut self) -> Self {
        self.placement = Some(Placement {
            target: "jira".into(),
            account: self.account.id.clone(),
            person: Some(PersonRef { source: "entra".into(), id: ADA.into() }),
            photo: photo(),
            recipe: "r1".into(),
            rendition: rendition_of(&photo()),
            mark: "15".into(),
            provenance: Provenance::Made,
            before: Before::Default,
            looks: None,
            keys: Some(key_of("entra")),
        });
        self.former = Former::Listed(Standing::InScope);
        self.shows(Shown::Custom("15".into()))
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn judge(&self) -> Judgement {
        let view = View {
            account: &self.account,
            placement: self.placement.as_ref(),
            default: Some(&"100".into()),
            keys: &self.keys,
            sources: &self.sources,
            former: self.former,
            looked: self.looked,
        };
        decide(
            &view,
            &Rules {
                target_id: "jira".into(),
                fallback: &self.fallback,
                ownership: &Placed { value: self.ownership, place: place(31) },
                target: place(30),
                matching: place(32),
                accounts: &accounts(),
                same_picture: place(20),
                recipe: &self.recipe,
                rerender: self.rerender,
                memory: self.memory,
                default_by: self.default_by,
                images: images(),
            },
        )
    }
}

fn custom(mark: &str) -> Shown {
    Shown::Custom(mark.into())
}

fn lost(looked: Comparison) -> impl FnOnce(&mut Case) {
    move |case| (case.ownership, case.memory, case.looked) = (Ownership::Ours, Memory::Empty, looked)
}

fn looked(looked: Comparison) -> impl FnOnce(&mut Case) {
    move |case| (case.ownership, case.looked) = (Ownership::Ours, looked)
}

fn opted_out(case: &mut Case) {
    case.former = Former::Listed(Standing::OptedOut);
}

fn adopted(default_by: DefaultBy) -> impl FnOnce(&mut Case) {
    move |case| {
        case.default_by = default_by;
        if let Some(placement) = &mut case.placement {
            placement.provenance = Provenance::Adopted;
        }
    }
}

fn standing(standing: Standing) -> impl FnOnce(&mut Case) {
    move |case| case.sources = vec![source("entra", Some(person(ADA, standing)), None)]
}

fn matched(matched: Matched) -> impl FnOnce(&mut Case) {
    move |case| case.sources[0].matched = matched
}

fn another(fact: PhotoFact) -> impl FnOnce(&mut Case) {
    move |case| case.sources = vec![source("entra", Some(person(GRACE, Standing::InScope)), Some(fact))]
}

/// (what, the facts, the verdict, the reason, the line of the rule)
fn cases() -> Vec<(&'static str, Case, &'static str, Reason, u32)> {
    vec![
        ("first photo", has(present()), "replace", Reason::PhotoNew, 30),
        ("over a stock picture", has(present()).shows(Shown::System("104".into())), "replace", Reason::PhotoNew, 30),
        (
            "the stock picture that is the default",
            has(present()).shows(Shown::System("100".into())).with(|c| c.ownership = Ownership::Ours),
            "replace",
            Reason::PhotoNew,
            30,
        ),
        ("the same photo", has(present()).placed(), "unchanged", Reason::Unchanged, 30),
        (
            "another photo",
            has(PhotoFact::Present { digest: Digest::of(b"new") }).placed(),
            "replace",
            Reason::PhotoChanged,
            30,
        ),
        (
            "another recipe",
            has(present()).placed().with(|c| c.recipe = "r2".into()),
            "replace",
            Reason::RecipeChanged,
            30,
        ),
        (
            "rendered again",
            has(present()).placed().with(|c| c.rerender = Rerender::All),
            "replace",
            Reason::Rerender,
            30,
        ),
        ("ours went away", has(present()).placed().shows(Shown::Default), "replace", Reason::Drifted, 30),
        (
            "ours went away, people may choose",
            has(present()).placed().shows(Shown::Default).with(|c| c.ownership = Ownership::Ours),
            "keep",
            Reason::ChosenByHand,
            31,
        ),
        (
            "chosen by hand, we replace",
            has(present()).shows(custom("7")).with(|c| c.looked = Comparison::Differs),
            "replace",
            Reason::PhotoNew,
            30,
        ),
        (
            "chosen by hand, people may choose",
            has(present()).shows(custom("7")).with(|c| c.ownership = Ownership::Ours),
            "keep",
            Reason::ChosenByHand,
            31,
        ),
        (
            "chosen by hand, people may choose, the state is lost",
            has(present()).shows(custom("7")).with(lost(Comparison::Differs)),
            "keep",
            Reason::ChosenByHand,
            31,
        ),
        (
            "ours after all, people may choose, the state is lost",
            has(present()).shows(custom("7")).with(lost(Comparison::Alike)),
            "unchanged",
            Reason::Unchanged,
            30,
        ),
        (
            "not readable, people may choose, the state is lost",
            has(present()).shows(custom("7")).with(lost(Comparison::Failed)),
            "keep",
            Reason::ChosenByHand,
            31,
        ),
        (
            "looks like the photo",
            has(present()).shows(custom("7")).with(|c| c.looked = Comparison::Alike),
            "unchanged",
            Reason::Unchanged,
            30,
        ),
        (
            "could not be looked at",
            has(present()).shows(custom("7")).with(|c| c.looked = Comparison::Failed),
            "keep",
            Reason::PictureUnknown,
            30,
        ),
        (
            "an older state, people may choose, it is the photo",
            has(present()).placed().shows(custom("7")).with(looked(Comparison::Alike)),
            "unchanged",
            Reason::Unchanged,
            30,
        ),
        (
            "an older state, people may choose, it is another picture",
            has(present()).placed().shows(custom("7")).with(looked(Comparison::Differs)),
            "keep",
            Reason::ChosenByHand,
            31,
        ),
        (
            "another picture than ours, people may choose, and the photo is the known one",
            has(present()).placed().shows(custom("7")).with(|c| c.ownership = Ownership::Ours),
            "keep",
            Reason::ChosenByHand,
            31,
        ),
        (
            "an older state that placed another photo, people may choose: looked at first",
            has(PhotoFact::Present { digest: Digest::of(b"new") }).placed().shows(custom("7")).with(|c| {
                (c.ownership, c.sources[0].learnt) = (Ownership::Ours, PhotoLearnt::Now);
            }),
            "replace",
            Reason::Drifted,
            30,
        ),
        (
            "an older state that does not know the photo, people may choose: looked at first",
            has(present()).shows(custom("7")).with(|c| {
                (c.ownership, c.sources[0].learnt) = (Ownership::Ours, PhotoLearnt::Now);
            }),
            "replace",
            Reason::PhotoNew,
            30,
        ),
        ("no photo, nothing there", has(absent()), "keep", Reason::Absent, 21),
        ("no photo any more", has(absent()).placed(), "revert", Reason::Absent, 21),
        ("no photo, adopted", has(absent()).placed().with(adopted(DefaultBy::Choosing)), "revert", Reason::Absent, 21),
        (
            "no photo, adopted, to be deleted",
            has(absent()).placed().with(adopted(DefaultBy::Deleting)),
            "revert",
            Reason::Absent,
            21,
        ),
        (
            "no photo, adopted, to be deleted, people may choose",
            has(absent()).placed().with(adopted(DefaultBy::Deleting)).with(|c| c.ownership = Ownership::Ours),
            "keep",
            Reason::NotOurs,
            21,
        ),
        (
            "opted out, adopted, to be deleted",
            has(absent()).placed().with(adopted(DefaultBy::Deleting)).with(standing(Standing::OptedOut)),
            "keep",
            Reason::NotOurs,
            26,
        ),
        (
            "the photo of many",
            has(present()).with(|c| c.sources[0].shared_by = Some(6)),
            "keep",
            Reason::SamePicture,
            20,
        ),
        (
            "the photo of many, shown already",
            has(present()).placed().with(|c| c.sources[0].shared_by = Some(6)),
            "keep",
            Reason::SamePicture,
            20,
        ),
        (
            "another person with the photo of many",
            has(present()).placed().with(another(present())).with(|c| c.sources[0].shared_by = Some(6)),
            "remove",
            Reason::Reassigned,
            32,
        ),
        ("no photo, somebody else's upload", has(absent()).shows(custom("7")), "revert", Reason::Absent, 21),
        ("no photo, a stock picture", has(absent()).shows(Shown::System("104".into())), "revert", Reason::Absent, 21),
        ("no photo, chosen after ours", has(absent()).placed().shows(custom("7")), "revert", Reason::Absent, 21),
        (
            "no photo, somebody else's upload, to be deleted",
            has(absent()).shows(custom("7")).with(|c| c.default_by = DefaultBy::Deleting),
            "revert",
            Reason::Absent,
            21,
        ),
        (
            "no photo, somebody else's file",
            has(absent()).shows(custom("7")).with(|c| c.default_by = DefaultBy::Removing),
            "keep",
            Reason::NotOurs,
            21,
        ),
        (
            "no photo, somebody else's upload, people may choose",
            has(absent()).shows(custom("7")).with(|c| c.ownership = Ownership::Ours),
            "keep",
            Reason::NotOurs,
            21,
        ),
        (
            "no photo, somebody else's upload, the rule keeps",
            has(absent()).shows(custom("7")).with(|c| c.fallback.absent.value = Action::Keep),
            "keep",
            Reason::Absent,
            21,
        ),
        (
            "cannot be read, somebody else's upload: that proves no absence",
            has(PhotoFact::Unreadable(Fault::new("truncated", "cut off"))).shows(custom("7")).with(|c| {
                c.fallback.unreadable.value = Action::Default;
            }),
            "keep",
            Reason::NotOurs,
            22,
        ),
        (
            "disabled person, somebody else's upload: that proves no absence",
            has(present()).shows(custom("7")).with(standing(Standing::Inactive)).with(|c| {
                c.fallback.inactive.value = Action::Default;
            }),
            "keep",
            Reason::NotOurs,
            24,
        ),
        (
            "no photo, the rule keeps",
            has(absent()).placed().with(|c| c.fallback.absent.value = Action::Keep),
            "keep",
            Reason::Absent,
            21,
        ),
        ("not known", has(unknown()).placed(), "keep", Reason::PhotoUnknown, 10),
        ("not asked", has(unknown()).placed().with(|c| c.sources[0].photo = None), "keep", Reason::PhotoUnknown, 10),
        (
            "unreadable",
            has(PhotoFact::Unreadable(Fault::new("truncated", "cut off"))).placed(),
            "keep",
            Reason::Unreadable,
            22,
        ),
        ("too small", has(PhotoFact::TooSmall { width: 40, height: 40 }), "keep", Reason::TooSmall, 23),
        ("disabled person", has(present()).placed().with(standing(Standing::Inactive)), "keep", Reason::Inactive, 24),
        ("out of scope", has(present()).placed().with(standing(Standing::OutOfScope)), "keep", Reason::OutOfScope, 25),
        ("opted out, ours", has(present()).placed().with(standing(Standing::OptedOut)), "remove", Reason::OptedOut, 26),
        (
            "opted out, not ours",
            has(present()).shows(custom("7")).with(standing(Standing::OptedOut)),
            "keep",
            Reason::NotOurs,
            26,
        ),
        (
            "two people",
            has(present()).placed().with(matched(Matched::Ambiguous("fits ada, grace".into()))),
            "conflict",
            Reason::Ambiguous,
            32,
        ),
        (
            "two accounts",
            has(present()).with(matched(Matched::one_of_several(&ADA.into(), &["1".into(), "2".into()]))),
            "conflict",
            Reason::Ambiguous,
            32,
        ),
        (
            "keys contradict",
            has(present()).placed().with(matched(Matched::Conflict("ada differs".into()))),
            "conflict",
            Reason::Conflict,
            32,
        ),
        (
            "two people, and who has our picture opted out",
            has(present()).placed().with(matched(Matched::Ambiguous("fits ada, grace".into()))).with(opted_out),
            "remove",
            Reason::OptedOut,
            26,
        ),
        (
            "keys contradict, and who has our picture opted out",
            has(present()).placed().with(matched(Matched::Conflict("ada differs".into()))).with(opted_out),
            "remove",
            Reason::OptedOut,
            26,
        ),
        (
            "nobody, and who has our picture opted out",
            has(present()).placed().with(matched(Matched::Nobody)).with(opted_out),
            "remove",
            Reason::OptedOut,
            26,
        ),
        (
            "two people, and who had our picture opted out, which is not shown",
            has(present()).placed().shows(custom("7")).with(matched(Matched::Ambiguous("two".into()))).with(opted_out),
            "conflict",
            Reason::Ambiguous,
            32,
        ),
        (
            "another person, and who has our picture opted out",
            has(present()).placed().with(another(present())).with(opted_out),
            "replace",
            Reason::Reassigned,
            30,
        ),
        ("nobody", has(present()).with(matched(Matched::Nobody)), "skip", Reason::Unmatched, 32),
        (
            "nobody any more, the person is gone",
            has(present()).placed().with(matched(Matched::Nobody)).with(|c| c.former = Former::Gone),
            "keep",
            Reason::Gone,
            27,
        ),
        (
            "gone, the rule resets",
            has(present()).placed().with(matched(Matched::Nobody)).with(|c| {
                c.former = Former::Gone;
                c.fallback.gone.value = Action::Default;
            }),
            "revert",
            Reason::Gone,
            27,
        ),
        (
            "nobody any more, the person is still listed",
            has(present()).placed().with(matched(Matched::Nobody)),
            "skip",
            Reason::Unmatched,
            32,
        ),
        (
            "another person with a photo",
            has(present()).placed().with(another(present())),
            "replace",
            Reason::Reassigned,
            30,
        ),
        ("another person without", has(present()).placed().with(another(absent())), "revert", Reason::Absent, 21),
        (
            "another person, not known",
            has(present()).placed().with(another(unknown())),
            "remove",
            Reason::Reassigned,
            32,
        ),
        (
            "another person, the source of the first is off",
            has(present()).placed().with(another(unknown())).with(|c| c.former = Former::Unknown),
            "keep",
            Reason::PhotoUnknown,
            10,
        ),
        (
            "source off",
            has(present()).placed().with(|c| c.sources[0].state = SourceState::Disabled),
            "keep",
            Reason::SourceDisabled,
            10,
        ),
        (
            "source failed",
            has(present()).placed().with(|c| c.sources[0].state = SourceState::Failed),
            "keep",
            Reason::SourceUnreachable,
            10,
        ),
        (
            "disabled account",
            has(present()).with(|c| c.account.standing = AccountStanding::Inactive),
            "skip",
            Reason::AccountInactive,
            33,
        ),
        (
            "account outside the groups",
            has(absent()).placed().with(|c| c.account.standing = AccountStanding::NotInGroups),
            "skip",
            Reason::AccountExcluded,
            34,
        ),
        (
            "excluded account",
            has(absent()).placed().with(|c| c.account.standing = AccountStanding::Excluded),
            "skip",
            Reason::AccountExcluded,
            35,
        ),
        (
            "account not in the rollout yet",
            has(absent()).placed().with(|c| c.account.standing = AccountStanding::NotInRollout),
            "skip",
            Reason::AccountExcluded,
            36,
        ),
        ("picture not known", has(present()).shows(Shown::Unknown("302".into())), "keep", Reason::PictureUnknown, 30),
    ]
}

#[test]
fn every_fact_has_its_verdict_reason_and_line() {
    for (what, case, verdict, reason, line) in cases() {
        let judged = case.judge();
        let found = (judged.decision.change.word(), judged.decision.reason, judged.decision.rule.line);
        assert_eq!(found, (verdict, reason, line), "{what}");
    }
}

#[test]
fn only_changes_write() {
    for (what, case, verdict, ..) in cases() {
        let step = case.judge().step;
        let writes = matches!(step, Some(Step::Show(_) | Step::Reset | Step::Look(_)));
        assert_eq!(writes, matches!(verdict, "replace" | "revert" | "remove"), "{what}: {step:?}");
    }
}

#[test]
fn a_foreign_picture_is_looked_at_before_it_is_written_over() {
    assert!(matches!(has(present()).shows(custom("7")).judge().step, Some(Step::Look(_))));
    assert!(has(present()).shows(custom("7")).judge().foreign);
    assert!(matches!(
        has(present()).shows(custom("7")).with(|c| c.looked = Comparison::Alike).judge().step,
        Some(Step::Adopt(_))
    ));
}

#[test]
fn sources_are_asked_in_order_and_unknown_stops_the_search() {
    let second = || source("google", Some(person("g1", Standing::InScope)), Some(present()));
    let two = |first: PhotoFact| has(first).with(|case| case.sources.push(second()));
    let person_of = |case: Case| case.judge().decision.person.map(|person| person.source.to_string());
    let cases = [
        ("present wins", two(present()), "replace", Some("entra")),
        ("absent goes on", two(absent()), "replace", Some("google")),
        ("unknown stops", two(unknown()), "keep", Some("entra")),
        ("nobody goes on", two(present()).with(matched(Matched::Nobody)), "replace", Some("google")),
        ("off stops", two(absent()).with(|c| c.sources[0].state = SourceState::Disabled), "keep", None),
        ("failed stops", two(absent()).with(|c| c.sources[0].state = SourceState::Failed), "keep", None),
    ];
    for (what, case, verdict, source) in cases {
        assert_eq!(case.judge().decision.change.word(), verdict, "{what}");
        assert_eq!(person_of(case).as_deref(), source, "{what}");
    }
    let both_absent = two(absent()).with(|case| case.sources[1].photo = Some(absent())).placed();
    assert_eq!(both_absent.judge().decision.change.word(), "revert");
}

#[test]
fn a_second_source_for_the_same_account_is_no_reassignment() {
    let case = has(absent()).placed().with(|case| {
        case.sources.push(source("google", Some(person("g1", Standing::InScope)), Some(present())));
    });
    let judged = case.judge();
    assert!(!judged.reassigned);
    assert_eq!(judged.decision.reason, Reason::Unchanged);
}

/// What is taken off without being ours counts as foreign, and the plan says what is lost.
#[test]
fn a_picture_that_goes_without_being_ours_is_counted_and_told() {
    for (shown, default_by, words) in [
        (custom("7"), DefaultBy::Choosing, "among the person's own"),
        (Shown::System("104".into()), DefaultBy::Choosing, "stock picture"),
        (custom("7"), DefaultBy::Deleting, "is lost"),
    ] {
        let judged = has(absent()).shows(shown).with(|case| case.default_by = default_by).judge();
        assert!(judged.foreign && judged.pictured && judged.step == Some(Step::Reset), "{judged:?}");
        assert!(judged.decision.detail.as_deref().unwrap_or_default().contains(words), "{judged:?}");
    }
    let ours = has(absent()).placed().judge();
    assert!(!ours.foreign && ours.pictured);
}

/// Every rule of the file and back again, for each reason: an image stands for its person like a photo, and whatever the
/// rule says later applies to it.
#[test]
fn every_rule_applies_to_the_image_that_an_earlier_one_placed() {
    type Rule = fn(&mut Fallback) -> &mut Placed<Action>;
    type Row = (Reason, fn() -> Case, Rule);
    let reasons: [Row; 7] = [
        (Reason::Absent, || has(absent()), |rules| &mut rules.absent),
        (
            Reason::Unreadable,
            || has(PhotoFact::Unreadable(Fault::new("truncated", "cut off"))),
            |rules| &mut rules.unreadable,
        ),
        (Reason::TooSmall, || has(PhotoFact::TooSmall { width: 9, height: 9 }), |rules| &mut rules.too_small),
        (Reason::Inactive, || has(present()).with(standing(Standing::Inactive)), |rules| &mut rules.inactive),
        (Reason::OutOfScope, || has(present()).with(standing(Standing::OutOfScope)), |rules| &mut rules.out_of_scope),
        (Reason::OptedOut, || has(present()).with(standing(Standing::OptedOut)), |rules| &mut rules.opted_out),
        (Reason::Gone, || has(present()).with(matched(Matched::Nobody)), |rules| &mut rules.gone),
    ];
    let image = |name: &str| Action::Image(name.into());
    for (reason, case, rule) in reasons {
        let mut case = case();
        let former = if reason == Reason::Gone { Former::Gone } else { Former::Listed(Standing::InScope) };
        if reason == Reason::Gone {
            // Nobody is gone of whom nothing is recorded.
            case = case.placed().with(|case| case.former = former);
        }
        // What stands there → the rule → the verdict, what is shown then.
        rule(&mut case.fallback).value = image("a.png");
        let placed = case.judge();
        let Some(Step::Show(wanted)) = placed.step else { panic!("{reason:?}: {placed:?}") };
        assert_eq!(wanted.person, Some(PersonRef { source: "entra".into(), id: ADA.into() }), "{reason:?}");
        let mut case = case.placed();
        case.former = former;
        if let Some(placement) = &mut case.placement {
            (placement.photo, placement.person) = (wanted.photo, wanted.person);
        }
        let goes = if reason == Reason::OptedOut { "remove" } else { "revert" };
        for (action, verdict, why) in [
            (image("a.png"), "unchanged", Reason::Unchanged),
            (image("b.png"), "replace", Reason::PhotoChanged),
            (Action::Default, goes, reason),
            (Action::Keep, "keep", reason),
        ] {
            rule(&mut case.fallback).value = action.clone();
            let judged = case.judge();
            assert_eq!(
                (judged.decision.change.word(), judged.decision.reason),
                (verdict, why),
                "{reason:?} {action:?}"
            );
        }
        // The person changes: there is a photo again, or another rule holds now, or they are gone for good.
        rule(&mut case.fallback).value = image("a.png");
        let back = source("entra", Some(person(ADA, Standing::InScope)), Some(present()));
        let case = case.with(|case| (case.sources, case.former) = (vec![back], Former::Listed(Standing::InScope)));
        assert_eq!(case.judge().decision.reason, Reason::PhotoChanged, "{reason:?}");
        let case = case.with(|case| case.sources[0].photo = Some(absent()));
        let mut case = case.with(|case| case.fallback.absent.value = Action::Default);
        assert_eq!(case.judge().decision.change.word(), "revert", "{reason:?}");
        case.fallback.gone.value = Action::Default;
        let case = case.with(matched(Matched::Nobody)).with(|case| case.former = Former::Gone);
        assert_eq!(case.judge().decision.change.word(), "revert", "{reason:?}");
        let case = case.with(another(unknown())).with(|case| case.former = Former::Listed(Standing::InScope));
        assert_eq!(case.judge().decision.change.word(), "remove", "{reason:?}");
    }
}

/// A picture that is not ours stays with whoever opted out, whatever stands in for a photo.
#[test]
fn an_image_for_who_opted_out_overwrites_nothing_that_is_not_ours() {
    let case = has(present()).shows(custom("7")).with(standing(Standing::OptedOut));
    let case = case.with(|case| case.fallback.opted_out.value = Action::Image("a.png".into()));
    assert_eq!((case.judge().decision.change, case.judge().decision.reason), (Change::Keep, Reason::NotOurs));
}

/// docs/architecture.md, "Matching": with the key that matched unchanged, another source's person is the same human.
#[test]
fn two_sources_know_one_human_as_long_as_the_key_that_matched_is_the_same() {
    let moved = |fact: PhotoFact| {
        has(absent()).placed().with(matched(Matched::Nobody)).with(|case| {
            case.sources.push(source("google", Some(person("g1", Standing::InScope)), Some(fact)));
            case.former = Former::Gone;
        })
    };
    let changed = |case: Case| case.with(|case| case.keys = vec![key_of("another address")]);
    let before = |case: Case| case.with(|case| case.placement.as_mut().unwrap().keys = None);
    let off = |case: Case| case.with(|case| case.sources[1].state = SourceState::Disabled);
    let new = || PhotoFact::Present { digest: Digest::of(b"new") };
    for (what, case, verdict, reason, reassigned) in [
        ("unknown", moved(unknown()), "keep", Reason::PhotoUnknown, false),
        ("its people are switched off", off(moved(present())), "keep", Reason::SourceDisabled, false),
        ("absent", moved(absent()), "revert", Reason::Absent, false),
        ("the same photo", moved(present()), "unchanged", Reason::Unchanged, false),
        ("another photo", moved(new()), "replace", Reason::PhotoChanged, false),
        ("unknown, another key", changed(moved(unknown())), "remove", Reason::Reassigned, true),
        ("the same photo, another key", changed(moved(present())), "replace", Reason::Reassigned, true),
        ("a row without keys", before(moved(unknown())), "remove", Reason::Reassigned, true),
        (
            "still listed where they were",
            moved(unknown()).with(|case| case.former = Former::Listed(Standing::InScope)),
            "keep",
            Reason::PhotoUnknown,
            false,
        ),
        (
            "ambiguous where they were",
            changed(moved(unknown())).with(matched(Matched::Ambiguous("two".into()))),
            "conflict",
            Reason::Ambiguous,
            false,
        ),
        (
            "another id of their own source, the same key",
            has(unknown()).placed().with(another(unknown())),
            "remove",
            Reason::Reassigned,
            true,
        ),
    ] {
        let judged = case.judge();
        let found = (judged.decision.change.word(), judged.decision.reason, judged.reassigned);
        assert_eq!(found, (verdict, reason, reassigned), "{what}");
    }
    // What is right as it stands is recorded for whom it stands for now.
    let Some(Step::Adopt(wanted)) = moved(present()).judge().step else { panic!("a new owner") };
    assert_eq!((wanted.person.map(|who| who.source), wanted.keys), (Some("google".into()), Some(key_of("google"))));
    let ours = has(present()).placed();
    assert_eq!(ours.judge().step, None);
    let unowned = ours.with(|case| case.placement.as_mut().unwrap().person = None);
    assert!(matches!(unowned.judge().step, Some(Step::Adopt(Placement { person: Some(_), .. }))));
}
