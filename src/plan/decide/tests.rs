//! The facts about an account, all ordinary until a case changes them.

mod choices;
mod images;
mod sources;
mod table;

use std::collections::HashMap;
use std::path::PathBuf;

use super::*;
use crate::model::{
    Absence, Account, AccountStanding, Before, Digest, Fault, KeysDigest, Luma, Person, PersonRef, PhotoFact, Place,
    Recipe, Standing,
};
use crate::plan::facts::{SourceState, SourceView};
use crate::settings::{Accounts, Action, Fallback, Patterns, Placed, Share};

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
        exclude: placed(Patterns::somewhere(&["svc-*"]), 35),
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

/// What, the facts, the verdict, the reason, the line of the rule.
type Row = (&'static str, Case, &'static str, Reason, u32);

/// The facts of a case, all ordinary until changed.
struct Case {
    account: Account,
    placement: Option<Placement>,
    sources: Vec<SourceView>,
    keys: Vec<KeysDigest>,
    former: Former,
    looked: Comparison,
    astray: bool,
    ownership: Ownership,
    recipe: Recipe,
    rerender: Rerender,
    drift: Drift,
    memory: Memory,
    default_by: DefaultBy,
    fallback: Fallback,
    freeze: Placed<bool>,
}

fn source(id: &str, person: Option<Person>, photo: Option<PhotoFact>) -> SourceView {
    let matched = match &person {
        Some(person) => Matched::Person(person.id.clone()),
        None => Matched::Nobody,
    };
    SourceView {
        id: id.into(),
        place: place(10),
        freeze: place(11),
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
        astray: false,
        ownership: Ownership::Provider,
        recipe: "r1".into(),
        rerender: Rerender::Changed,
        drift: Drift::Chosen,
        memory: Memory::Holds,
        default_by: DefaultBy::Choosing,
        fallback: fallback(),
        freeze: placed(false, 37),
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
            astray: self.astray,
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
                freeze: &self.freeze,
                same_picture: place(20),
                recipe: &self.recipe,
                rerender: self.rerender,
                drift: self.drift,
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

fn stood(before: Before) -> impl FnOnce(&mut Case) {
    move |case| case.placement.as_mut().expect("a placement").before = before
}

/// People may choose, and the server was put back.
fn restored(case: &mut Case) {
    (case.ownership, case.drift) = (Ownership::Ours, Drift::Restored);
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
