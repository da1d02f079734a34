//! Whose picture may stand where: every write is held against it at the moment it is made.
//!
//! Owns: which account belongs to whom by the world, and what may be done to it: a picture is its person's photo of now,
//! and it goes back to the default only while that person provably has none.
//! Leaves to others: noticing a write (each target), the photos themselves (each source), remembering what was broken
//! (`truth`).
//! A newcomer gets wrong: nothing is looked at afterwards. A face that stood for a moment on another account stood there,
//! though the next write took it away.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use image::imageops::FilterType;

use super::simulator::Simulator;
use super::truth::Person;

/// The side to which two pictures are shrunk before they are compared.
const SIDE: u32 = 16;
/// Grey values that two renditions of one photo lie apart at most, on average.
const APART: u32 = 8;

/// Whose accounts these are, by the world. An account that is not named is nobody's.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    accounts: BTreeMap<(String, String), Owner>,
    chosen: Chosen,
}

/// Whose an account is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Owner {
    /// This person's, by the source's simulator and its id there.
    Person(String, String),
    /// The client's own: it may try uploads on it that it never shows.
    Client,
    /// It cannot be told: it stays as it is.
    #[default]
    Nobody,
}

/// What becomes of pictures that people chose themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Chosen {
    /// A photo may replace them.
    #[default]
    Replaced,
    /// They stay.
    Left,
}

impl Owners {
    /// Nobody's accounts, where people's own choices are treated so.
    pub fn new(chosen: Chosen) -> Self {
        Self { accounts: BTreeMap::new(), chosen }
    }

    /// Says whose the account of that simulator with that user name is.
    #[must_use]
    pub fn account(mut self, simulator: &str, name: &str, owner: Owner) -> Self {
        self.accounts.insert((simulator.to_owned(), name.to_owned()), owner);
        self
    }
}

/// What a client does to an account.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act<'a> {
    /// Stores this picture, which is not shown yet.
    Stores(&'a [u8]),
    /// Shows this picture in place of another.
    Shows(&'a [u8], Former),
    /// Shows the default or a stock picture in place of an uploaded one.
    Resets,
}

/// What is shown before a picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Former {
    /// A picture that the person uploaded.
    Chosen,
    /// Anything else.
    Other,
}

/// The oracle of a sandbox. Until it is told whose accounts there are, it lets everything pass.
#[derive(Default)]
pub(super) struct Oracle(Mutex<Option<Watch>>);

struct Watch {
    owners: Owners,
    simulators: Vec<Weak<dyn Simulator>>,
    seen: HashMap<blake3::Hash, Option<Looks>>,
}

impl std::fmt::Debug for Oracle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Oracle")
    }
}

impl Oracle {
    pub(super) fn watch(&self, owners: Owners, simulators: &[Arc<dyn Simulator>]) {
        let simulators = simulators.iter().map(Arc::downgrade).collect();
        let mut watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *watch = Some(Watch { owners, simulators, seen: HashMap::new() });
    }

    /// What is wrong with an act, if anything.
    pub(super) fn judge(&self, simulator: &str, account: &str, act: Act<'_>) -> Option<String> {
        let mut watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let watch = watch.as_mut()?;
        let owner = watch.owners.accounts.get(&(simulator.to_owned(), account.to_owned()));
        let wrong = match (owner.unwrap_or(&Owner::Nobody).clone(), act) {
            (Owner::Client, Act::Stores(_)) => None,
            (Owner::Client, _) => Some("it is the client's own account, and nobody's face stands there".to_owned()),
            (Owner::Nobody, _) => Some("it cannot be told whose account that is".to_owned()),
            (Owner::Person(..), Act::Shows(_, Former::Chosen)) if watch.owners.chosen == Chosen::Left => {
                Some("what the person chose was to stay".to_owned())
            }
            (Owner::Person(source, id), act) => watch.person(&source, &id, act),
        }?;
        let what = match act {
            Act::Stores(_) => "got a picture",
            Act::Shows(..) => "was made to show a picture",
            Act::Resets => "was made to show the default",
        };
        Some(format!("{account} {what}: {wrong}"))
    }
}

impl Watch {
    fn person(&mut self, source: &str, id: &str, act: Act<'_>) -> Option<String> {
        let people = self.people(source);
        let person = people.iter().find(|person| person.id == id);
        match act {
            Act::Stores(picture) | Act::Shows(picture, _) => self.face(&people, person, picture),
            Act::Resets => match person {
                None => Some("its person is gone, which proves nothing about a photo".to_owned()),
                Some(person) if !person.enabled => Some(format!("{} is disabled", person.display_name)),
                Some(person) if !person.proven_absent => {
                    let instead = person.instead.as_deref().unwrap_or("a photo");
                    Some(format!("it is not proven that {} has no photo: there is {instead}", person.display_name))
                }
                Some(_) => None,
            },
        }
    }

    /// A picture must be the photo that its person has now; whose it is instead helps to find out why.
    fn face(&mut self, people: &[Person], person: Option<&Person>, picture: &[u8]) -> Option<String> {
        let Some(person) = person else { return Some("its person is gone".to_owned()) };
        if !person.enabled {
            return Some(format!("{} is disabled", person.display_name));
        }
        if self.alike(person, picture) {
            return None;
        }
        let other = people.iter().find(|other| self.alike(other, picture));
        let whose =
            other.map_or_else(|| "nobody's photo".to_owned(), |other| format!("that of {}", other.display_name));
        Some(format!("it is not the photo that {} has now, but {whose}", person.display_name))
    }

    fn alike(&mut self, person: &Person, picture: &[u8]) -> bool {
        let Some((photo, _)) = &person.photo else { return false };
        match (self.looks(photo), self.looks(picture)) {
            (Some(photo), Some(picture)) => photo.fits(&picture),
            _ => false,
        }
    }

    fn looks(&mut self, picture: &[u8]) -> Option<Looks> {
        let read = || Looks::of(picture);
        self.seen.entry(blake3::hash(picture)).or_insert_with(read).clone()
    }

    fn people(&self, source: &str) -> Vec<Person> {
        let living = self.simulators.iter().filter_map(Weak::upgrade);
        living.filter(|simulator| simulator.name() == source).flat_map(|simulator| simulator.people()).collect()
    }
}

/// Grey values of a picture shrunk to a small square: enough to tell faces apart.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Looks(Vec<u8>);

impl Looks {
    fn of(picture: &[u8]) -> Option<Self> {
        let small = image::load_from_memory(picture).ok()?.resize_exact(SIDE, SIDE, FilterType::Triangle);
        Some(Self(small.into_luma8().into_raw()))
    }

    fn fits(&self, other: &Self) -> bool {
        let apart: u32 = self.0.iter().zip(&other.0).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        apart <= APART * SIDE * SIDE
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use bytes::Bytes;

    use super::*;

    fn picture(side: u32, grey: impl Fn(f32, f32) -> f32) -> Vec<u8> {
        let at = |n: u32| n as f32 / (side - 1) as f32;
        let picture = image::GrayImage::from_fn(side, side, |x, y| image::Luma([(grey(at(x), at(y)) * 255.0) as u8]));
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    fn slope(side: u32) -> Vec<u8> {
        picture(side, |x, _| x)
    }

    fn person(id: &str, photo: Option<Vec<u8>>) -> Person {
        Person {
            simulator: "graph".into(),
            id: id.into(),
            display_name: id.into(),
            user_name: id.into(),
            emails: Vec::new(),
            enabled: true,
            kind: String::new(),
            proven_absent: photo.is_none(),
            photo: photo.map(|bytes| (Bytes::from(bytes), "image/png".into())),
            instead: None,
        }
    }

    struct People(Vec<Person>);

    impl Simulator for People {
        fn name(&self) -> &str {
            "graph"
        }

        fn title(&self) -> String {
            String::new()
        }

        fn router(self: Arc<Self>) -> axum::Router {
            axum::Router::new()
        }

        fn people(&self) -> Vec<Person> {
            self.0.clone()
        }
    }

    #[test]
    fn every_act_is_held_against_the_person_whose_account_it_is() {
        let disabled = Person { enabled: false, ..person("left", None) };
        let failing = Person { proven_absent: false, ..person("failing", None) };
        let people = vec![person("ada", Some(slope(96))), person("bob", None), disabled, failing];
        let people: Arc<dyn Simulator> = Arc::new(People(people));
        let owner = |name: &str| Owner::Person("graph".into(), name.into());
        let mut owners = Owners::new(Chosen::Left).account("jira", "svc", Owner::Client);
        for name in ["ada", "bob", "left", "failing", "gone"] {
            owners = owners.account("jira", name, owner(name));
        }
        let oracle = Oracle::default();
        let (small, other) = (slope(48), picture(48, |_, y| y));
        assert_eq!(oracle.judge("jira", "ada", Act::Stores(&other)), None, "nothing is known yet");
        oracle.watch(owners, std::slice::from_ref(&people));
        for (account, act, wrong) in [
            ("ada", Act::Stores(&small), None),
            ("ada", Act::Shows(&small, Former::Other), None),
            ("ada", Act::Shows(&small, Former::Chosen), Some("was to stay")),
            ("ada", Act::Stores(&other), Some("nobody's photo")),
            ("ada", Act::Stores(b"no picture"), Some("nobody's photo")),
            ("ada", Act::Resets, Some("not proven")),
            ("bob", Act::Stores(&small), Some("that of ada")),
            ("bob", Act::Resets, None),
            ("left", Act::Resets, Some("is disabled")),
            ("failing", Act::Resets, Some("not proven")),
            ("gone", Act::Resets, Some("is gone")),
            ("gone", Act::Stores(&small), Some("is gone")),
            ("svc", Act::Stores(&other), None),
            ("svc", Act::Shows(&other, Former::Other), Some("client's own")),
            ("stranger", Act::Resets, Some("cannot be told")),
        ] {
            let found = oracle.judge("jira", account, act);
            match wrong {
                None => assert_eq!(found, None, "{account}"),
                Some(words) => assert!(found.clone().is_some_and(|f| f.contains(words)), "{account}: {found:?}"),
            }
        }
    }
}
