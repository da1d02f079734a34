//! One table: what is known of an account, and what must follow from it.

use super::*;
use crate::model::{Absence, Fault};

const ADA: &str = "ada";
const GRACE: &str = "grace";

fn photo() -> Digest {
    Digest::of(b"photo")
}

fn rendition_of(photo: &Digest) -> Digest {
    Digest::of(photo.as_bytes())
}

fn place(line: u32) -> Place {
    Place { file: "p.yaml".into(), line }
}

fn fallback() -> Fallback {
    let rule = |action, line| Rule { action, place: place(line) };
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
    former: Former,
    looked: Looked,
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
    SourceView { id: id.into(), place: place(10), state: SourceState::Listed, matched, person, photo }
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
        former: Former::Nobody,
        looked: Looked::NotYet,
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
            keys: None,
        });
        self.former = Former::Listed;
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
            sources: &self.sources,
            former: self.former,
            looked: self.looked,
        };
        decide(
            &view,
            &Rules {
                target_id: "jira".into(),
                fallback: &self.fallback,
                ownership: (self.ownership, place(31)),
                target: place(30),
                matching: place(32),
                accounts: place(33),
                transform: place(20),
                recipe: &self.recipe,
                rerender: self.rerender,
                memory: self.memory,
                default_by: self.default_by,
                image: Box::new(|_| None),
                rendition: Box::new(|photo| Some(rendition_of(photo))),
            },
        )
    }
}

fn custom(mark: &str) -> Shown {
    Shown::Custom(mark.into())
}

fn lost(looked: Looked) -> impl FnOnce(&mut Case) {
    move |case| (case.ownership, case.memory, case.looked) = (Ownership::Ours, Memory::Empty, looked)
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
            has(present()).shows(custom("7")).with(|c| c.looked = Looked::Differs),
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
            has(present()).shows(custom("7")).with(lost(Looked::Differs)),
            "keep",
            Reason::ChosenByHand,
            31,
        ),
        (
            "ours after all, people may choose, the state is lost",
            has(present()).shows(custom("7")).with(lost(Looked::Alike)),
            "unchanged",
            Reason::Unchanged,
            30,
        ),
        (
            "not readable, people may choose, the state is lost",
            has(present()).shows(custom("7")).with(lost(Looked::Failed)),
            "keep",
            Reason::ChosenByHand,
            31,
        ),
        (
            "looks like the photo",
            has(present()).shows(custom("7")).with(|c| c.looked = Looked::Alike),
            "unchanged",
            Reason::Unchanged,
            30,
        ),
        (
            "could not be looked at",
            has(present()).shows(custom("7")).with(|c| c.looked = Looked::Failed),
            "keep",
            Reason::PictureUnknown,
            30,
        ),
        ("no photo, nothing there", has(absent()), "keep", Reason::Absent, 21),
        ("no photo any more", has(absent()).placed(), "revert", Reason::Absent, 21),
        ("no photo, adopted", has(absent()).placed().with(adopted(DefaultBy::Choosing)), "revert", Reason::Absent, 21),
        (
            "no photo, adopted, to be deleted",
            has(absent()).placed().with(adopted(DefaultBy::Deleting)),
            "keep",
            Reason::NotOurs,
            21,
        ),
        ("no photo, somebody else's upload", has(absent()).shows(custom("7")), "keep", Reason::NotOurs, 21),
        (
            "no photo, the rule keeps",
            has(absent()).placed().with(|c| c.fallback.absent.action = Action::Keep),
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
                c.fallback.gone.action = Action::Default;
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
            "excluded account",
            has(absent()).placed().with(|c| c.account.standing = AccountStanding::Excluded),
            "skip",
            Reason::AccountExcluded,
            33,
        ),
        ("picture not known", has(present()).shows(Shown::Unknown("302".into())), "keep", Reason::PictureUnknown, 30),
    ]
}

#[test]
fn every_fact_has_its_verdict_reason_and_line() {
    for (what, case, verdict, reason, line) in cases() {
        let judged = case.judge();
        let found = (judged.decision.verdict.word(), judged.decision.reason, judged.decision.rule.line);
        assert_eq!(found, (verdict, reason, line), "{what}");
    }
}

#[test]
fn only_changes_have_effects() {
    for (what, case, verdict, ..) in cases() {
        let effect = case.judge().effect;
        let writes = matches!(effect, Effect::Show(_) | Effect::Reset | Effect::Look(_));
        assert_eq!(writes, matches!(verdict, "replace" | "revert" | "remove"), "{what}: {effect:?}");
    }
}

#[test]
fn a_foreign_picture_is_looked_at_before_it_is_written_over() {
    assert!(matches!(has(present()).shows(custom("7")).judge().effect, Effect::Look(_)));
    assert!(has(present()).shows(custom("7")).judge().foreign);
    assert!(matches!(
        has(present()).shows(custom("7")).with(|c| c.looked = Looked::Alike).judge().effect,
        Effect::Adopt(_)
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
        assert_eq!(case.judge().decision.verdict.word(), verdict, "{what}");
        assert_eq!(person_of(case).as_deref(), source, "{what}");
    }
    let both_absent = two(absent()).with(|case| case.sources[1].photo = Some(absent())).placed();
    assert_eq!(both_absent.judge().decision.verdict.word(), "revert");
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
