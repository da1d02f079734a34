//! Whose picture may stand where: every write is held against it at the moment it is made.
//!
//! Owns: which account belongs to whom by the world, and what may be done to it: a picture is its person's photo of now,
//! and it goes back to the default only while that person provably has none, or when it was the former owner's.
//! Leaves to others: noticing a write (each target), the photos themselves (each source), remembering what was broken
//! (`sandbox/src/truth.rs`).
//! A newcomer gets wrong: nothing is looked at afterwards. A face that stood for a moment on another account stood there,
//! though the next write took it away.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use avatarpipe_sandbox::observer::{Former, PictureChange, WriteObserver};
use avatarpipe_sandbox::truth::Person;
use image::imageops::FilterType;

/// The side to which two pictures are shrunk before they are compared.
const SIDE: u32 = 16;
/// Grey values that two renditions of one photo lie apart at most, on average.
const APART: u32 = 8;

/// Whose accounts these are, by the world. An account that is not named is nobody's.
#[derive(Clone, Debug, Default)]
pub(super) struct Owners {
    accounts: BTreeMap<(String, String), Owner>,
    /// What these show may be a picture of the former owner: it may go, whatever is known of the new one.
    handed_over: BTreeSet<(String, String)>,
    chosen: Chosen,
}

/// Whose an account is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Owner {
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
pub(super) enum Chosen {
    /// A photo may replace them.
    #[default]
    Replaced,
    /// They stay.
    Left,
}

impl Owners {
    /// Nobody's accounts, where people's own choices are treated so.
    pub(super) fn new(chosen: Chosen) -> Self {
        Self { chosen, ..Self::default() }
    }

    /// Says whose the account of that simulator with that user name is.
    #[must_use]
    pub(super) fn account(mut self, simulator: &str, name: &str, owner: Owner) -> Self {
        self.accounts.insert((simulator.to_owned(), name.to_owned()), owner);
        self
    }

    /// Says that this account had another owner until now.
    #[must_use]
    pub(super) fn handed_over(mut self, simulator: &str, name: &str) -> Self {
        self.handed_over.insert((simulator.to_owned(), name.to_owned()));
        self
    }
}

/// Holds every change against whose accounts there are.
pub(super) struct InvariantChecker {
    owners: Owners,
    seen: HashMap<blake3::Hash, Option<Looks>>,
}

impl InvariantChecker {
    pub(super) fn new(owners: Owners) -> Self {
        Self { owners, seen: HashMap::new() }
    }
}

impl WriteObserver for InvariantChecker {
    fn judge(
        &mut self,
        simulator: &str,
        account: &str,
        change: PictureChange<'_>,
        people: &dyn Fn() -> Vec<Person>,
    ) -> Option<String> {
        let place = (simulator.to_owned(), account.to_owned());
        let owner = self.owners.accounts.get(&place);
        let wrong = match (owner.unwrap_or(&Owner::Nobody).clone(), change) {
            (Owner::Client, PictureChange::Stores(_)) => None,
            (Owner::Client, _) => Some("it is the client's own account, and nobody's face stands there".to_owned()),
            (Owner::Nobody, _) => Some("it cannot be told whose account that is".to_owned()),
            (Owner::People(_), PictureChange::Shows(_, Former::Chosen) | PictureChange::Destroys)
                if self.owners.chosen == Chosen::Left && !self.owners.handed_over.contains(&place) =>
            {
                Some("what the person chose was to stay".to_owned())
            }
            (Owner::People(_), PictureChange::Resets | PictureChange::Destroys)
                if self.owners.handed_over.remove(&place) =>
            {
                None
            }
            (Owner::People(owners), change) => {
                if matches!(change, PictureChange::Shows(..)) {
                    self.owners.handed_over.remove(&place);
                }
                self.judge_for(&owners, change, &people())
            }
        }?;
        let what = match change {
            PictureChange::Stores(_) => "got a picture",
            PictureChange::Shows(..) => "was made to show a picture",
            PictureChange::Resets | PictureChange::Destroys => "was made to show the default",
        };
        Some(format!("{account} {what}: {wrong}"))
    }
}

impl InvariantChecker {
    /// Down the list of sources, as the person stands in each.
    fn judge_for(
        &mut self,
        owners: &[(String, String)],
        change: PictureChange<'_>,
        people: &[Person],
    ) -> Option<String> {
        let mut gone = true;
        for (source, id) in owners {
            let Some(person) = people.iter().find(|person| person.simulator == *source && person.id == *id) else {
                continue;
            };
            let name = &person.display_name;
            match change {
                _ if !person.enabled => return Some(format!("{name} is disabled")),
                PictureChange::Resets | PictureChange::Destroys if !person.proven_absent => {
                    let instead = person.instead.as_deref().unwrap_or("a photo");
                    return Some(format!("it is not proven that {name} has no photo: there is {instead}"));
                }
                PictureChange::Stores(picture) | PictureChange::Shows(picture, _) if !person.proven_absent => {
                    return self.face(person, picture, people);
                }
                _ => gone = false,
            }
        }
        match change {
            _ if gone => Some("its person is gone, which proves nothing about a photo".to_owned()),
            PictureChange::Resets | PictureChange::Destroys => None,
            PictureChange::Stores(picture) | PictureChange::Shows(picture, _) => {
                Some(format!("its person has no photo now, and it is {}", self.whose(picture, people)))
            }
        }
    }

    /// A picture must be the photo that its person has now.
    fn face(&mut self, person: &Person, picture: &[u8], people: &[Person]) -> Option<String> {
        if self.alike(person, picture) {
            return None;
        }
        let whose = self.whose(picture, people);
        Some(format!("it is not the photo that {} has now, but {whose}", person.display_name))
    }

    /// Whose photo of now it is, which helps to find out why.
    fn whose(&mut self, picture: &[u8], people: &[Person]) -> String {
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

    #[test]
    fn every_change_is_held_against_the_person_whose_account_it_is() {
        let disabled = Person { enabled: false, ..person("left", None) };
        let failing = Person { proven_absent: false, ..person("failing", None) };
        let people = vec![person("ada", Some(slope(96))), person("bob", None), disabled, failing];
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
        let (small, other) = (slope(48), picture(48, |_, y| y));
        let mut checker = InvariantChecker::new(owners);
        for (account, change, wrong) in [
            ("ada", PictureChange::Stores(&small), None),
            ("ada", PictureChange::Shows(&small, Former::Other), None),
            ("ada", PictureChange::Shows(&small, Former::Chosen), Some("was to stay")),
            ("ada", PictureChange::Stores(&other), Some("nobody's photo")),
            ("ada", PictureChange::Stores(b"no picture"), Some("nobody's photo")),
            ("ada", PictureChange::Resets, Some("not proven")),
            ("bob", PictureChange::Stores(&small), Some("that of ada")),
            ("bob", PictureChange::Resets, None),
            ("left", PictureChange::Resets, Some("is disabled")),
            ("failing", PictureChange::Resets, Some("not proven")),
            ("gone", PictureChange::Resets, Some("is gone")),
            ("gone", PictureChange::Stores(&small), Some("is gone")),
            ("svc", PictureChange::Stores(&other), None),
            ("svc", PictureChange::Shows(&other, Former::Other), Some("client's own")),
            ("stranger", PictureChange::Resets, Some("cannot be told")),
            ("ada after bob", PictureChange::Shows(&small, Former::Other), None),
            ("ada after bob", PictureChange::Resets, Some("not proven")),
            ("ada after nobody", PictureChange::Stores(&small), None),
            ("ada after failing", PictureChange::Stores(&small), Some("but that of ada")),
            ("new", PictureChange::Resets, None),
            ("new", PictureChange::Resets, Some("not proven")),
            ("newer", PictureChange::Shows(&small, Former::Chosen), None),
            ("newer", PictureChange::Shows(&small, Former::Chosen), Some("was to stay")),
            ("newer", PictureChange::Resets, Some("not proven")),
            ("newer", PictureChange::Destroys, Some("was to stay")),
        ] {
            let found = checker.judge("jira", account, change, &|| people.clone());
            match wrong {
                None => assert_eq!(found, None, "{account}"),
                Some(words) => assert!(found.clone().is_some_and(|f| f.contains(words)), "{account}: {found:?}"),
            }
        }
    }
}
