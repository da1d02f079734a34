//! Whose picture may stand where: every write is held against it at the moment it is made.
//!
//! Owns: which account belongs to whom by the world, and what may be done to it: a picture is its person's photo of now,
//! and it goes back to the default only while that person provably has none, or when it was the former owner's.
//! Leaves to others: noticing a write (each target), the photos themselves (each source), remembering what was broken
//! (`truth`).
//! A newcomer gets wrong: nothing is looked at afterwards. A face that stood for a moment on another account stood there,
//! though the next write took it away.

use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    /// What these show may be a picture of the former owner: it may go, whatever is known of the new one.
    handed_over: BTreeSet<(String, String)>,
    chosen: Chosen,
}

/// Whose an account is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Owner {
    /// This person's, by the source's simulator and its id there; with several sources in order of preference. Where the
    /// first has none of them, or one who provably has no photo, the next counts.
    People(Vec<(String, String)>),
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
        Self { chosen, ..Self::default() }
    }

    /// Says whose the account of that simulator with that user name is.
    #[must_use]
    pub fn account(mut self, simulator: &str, name: &str, owner: Owner) -> Self {
        self.accounts.insert((simulator.to_owned(), name.to_owned()), owner);
        self
    }

    /// Says that this account had another owner until now.
    #[must_use]
    pub fn handed_over(mut self, simulator: &str, name: &str) -> Self {
        self.handed_over.insert((simulator.to_owned(), name.to_owned()));
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
    /// The same, and a picture that the person uploaded is gone for good.
    Destroys,
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
    /// Whether it was told whose accounts there are.
    pub(super) fn is_watching(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub(super) fn watch(&self, owners: Owners, simulators: &[Arc<dyn Simulator>]) {
        let simulators = simulators.iter().map(Arc::downgrade).collect();
        let mut watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *watch = Some(Watch { owners, simulators, seen: HashMap::new() });
    }

    /// What is wrong with an act, if anything.
    pub(super) fn judge(&self, simulator: &str, account: &str, act: Act<'_>) -> Option<String> {
        let mut watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let watch = watch.as_mut()?;
        let place = (simulator.to_owned(), account.to_owned());
        let owner = watch.owners.accounts.get(&place);
        let wrong = match (owner.unwrap_or(&Owner::Nobody).clone(), act) {
            (Owner::Client, Act::Stores(_)) => None,
            (Owner::Client, _) => Some("it is the client's own account, and nobody's face stands there".to_owned()),
            (Owner::Nobody, _) => Some("it cannot be told whose account that is".to_owned()),
            (Owner::People(_), Act::Shows(_, Former::Chosen) | Act::Destroys)
                if watch.owners.chosen == Chosen::Left && !watch.owners.handed_over.contains(&place) =>
            {
                Some("what the person chose was to stay".to_owned())
            }
            (Owner::People(_), Act::Resets | Act::Destroys) if watch.owners.handed_over.remove(&place) => None,
            (Owner::People(people), act) => {
                if matches!(act, Act::Shows(..)) {
                    watch.owners.handed_over.remove(&place);
                }
                watch.people_of(&people, act)
            }
        }?;
        let what = match act {
            Act::Stores(_) => "got a picture",
            Act::Shows(..) => "was made to show a picture",
            Act::Resets | Act::Destroys => "was made to show the default",
        };
        Some(format!("{account} {what}: {wrong}"))
    }
}

impl Watch {
    /// Down the list of sources, as the person stands in each.
    fn people_of(&mut self, owners: &[(String, String)], act: Act<'_>) -> Option<String> {
        let mut gone = true;
        for (source, id) in owners {
            let people = self.people(source);
            let Some(person) = people.iter().find(|person| person.id == *id) else { continue };
            let name = &person.display_name;
            match act {
                _ if !person.enabled => return Some(format!("{name} is disabled")),
                Act::Resets | Act::Destroys if !person.proven_absent => {
                    let instead = person.instead.as_deref().unwrap_or("a photo");
                    return Some(format!("it is not proven that {name} has no photo: there is {instead}"));
                }
                Act::Stores(picture) | Act::Shows(picture, _) if !person.proven_absent => {
                    return self.face(person, picture);
                }
                Act::Resets | Act::Destroys | Act::Stores(_) | Act::Shows(..) => gone = false,
            }
        }
        match act {
            _ if gone => Some("its person is gone, which proves nothing about a photo".to_owned()),
            Act::Resets | Act::Destroys => None,
            Act::Stores(picture) | Act::Shows(picture, _) => {
                Some(format!("its person has no photo now, and it is {}", self.whose(picture)))
            }
        }
    }

    /// A picture must be the photo that its person has now.
    fn face(&mut self, person: &Person, picture: &[u8]) -> Option<String> {
        if self.alike(person, picture) {
            return None;
        }
        let whose = self.whose(picture);
        Some(format!("it is not the photo that {} has now, but {whose}", person.display_name))
    }

    /// Whose photo of now it is, which helps to find out why.
    fn whose(&mut self, picture: &[u8]) -> String {
        let living: Vec<_> = self.simulators.iter().filter_map(Weak::upgrade).collect();
        let people: Vec<_> = living.iter().flat_map(|simulator| simulator.people()).collect();
        let other = people.iter().find(|other| self.alike(other, picture));
        other.map_or_else(|| "nobody's photo".to_owned(), |other| format!("that of {}", other.display_name))
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
        let one = |name: &str| ("graph".to_owned(), name.to_owned());
        let owner = |name: &str| Owner::People(vec![one(name)]);
        let mut owners = Owners::new(Chosen::Left).account("jira", "svc", Owner::Client);
        for (name, first) in [("ada after bob", "bob"), ("ada after nobody", "gone"), ("ada after failing", "failing")]
        {
            owners = owners.account("jira", name, Owner::People(vec![one(first), one("ada")]));
        }
        for name in ["new", "newer"] {
            owners = owners.account("jira", name, owner("ada")).handed_over("jira", name);
        }
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
            ("ada after bob", Act::Shows(&small, Former::Other), None),
            ("ada after bob", Act::Resets, Some("not proven")),
            ("ada after nobody", Act::Stores(&small), None),
            ("ada after failing", Act::Stores(&small), Some("but that of ada")),
            ("new", Act::Resets, None),
            ("new", Act::Resets, Some("not proven")),
            ("newer", Act::Shows(&small, Former::Chosen), None),
            ("newer", Act::Shows(&small, Former::Chosen), Some("was to stay")),
            ("newer", Act::Resets, Some("not proven")),
            ("newer", Act::Destroys, Some("was to stay")),
        ] {
            let found = oracle.judge("jira", account, act);
            match wrong {
                None => assert_eq!(found, None, "{account}"),
                Some(words) => assert!(found.clone().is_some_and(|f| f.contains(words)), "{account}: {found:?}"),
            }
        }
    }
}
