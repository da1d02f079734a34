//! A population of thousands, before its first run, or with the state of its last one.
//!
//! Owns: people, accounts, and the rows that a first run would have left. Leaves to others: what is measured.
//! A newcomer gets wrong: everybody has the same photo, so that no time goes into pictures; the limit on that is off.

use avatarpipe::inside::Resize;
use avatarpipe::inside::{Absence, Before, Digest, PersonRef, PhotoMark, Placement, Provenance, Recipe, Remembered};
use avatarpipe::inside::{AccountId, PersonId, PictureRef, RunId, SourceId, TargetId, Version};
use avatarpipe::inside::{Holder, Lock, Store};
use avatarpipe_sandbox::World;
use avatarpipe_sandbox::entra::world::{NoPhoto, Person, Photo, PhotoStore, Tenant};
use avatarpipe_sandbox::jira::world::Instance;
use serde_json::json;

use super::harness::Harness;
use super::population::{address, face, file};

/// The change marker of everybody's photo.
const ETAG: &str = "0123456789abcdef";

/// A part of the people, as in any company, has no photo: one in so many.
const WITHOUT: usize = 4;

/// What was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// Nothing: the next run is the first.
    None,
    /// A run, of which the state knows everything.
    Kept,
    /// A run, of which the state was lost.
    Lost,
}

/// A harness with so many people.
pub(super) fn large_population(people: usize, past: Past) -> Harness {
    let harness = Harness::of(world(people, past)).with(|pipe| {
        pipe.top("transform", "{ hash: { same_picture: none } }");
        pipe.top("limits", "{ replacements: { count: 1000000 }, foreign: { count: 1000000 } }");
        pipe.jira("upload", "session");
    });
    if past == Past::Kept {
        remember(&harness, people);
    }
    harness
}

/// The number of the first picture that the world gives to somebody.
const FIRST_AVATAR: u64 = 20_000;

/// The object id in the directory, in no order, as real ones are.
fn id(nth: usize) -> String {
    blake3::hash(&nth.to_le_bytes()).to_hex()[..32].to_owned()
}

/// The key in Jira.
fn key(nth: usize) -> String {
    format!("JIRAUSER{}", 11_000 + nth)
}

fn name(nth: usize) -> String {
    format!("person{nth:06}")
}

fn world(people: usize, past: Past) -> World {
    let mut tenant = Tenant::new();
    tenant.app.client_secret = "canary~client/secret+1".into();
    let mut accounts =
        vec![json!({ "name": "svc-avatars", "role": "admin", "password": "canary+password/1", "tokens": [] })];
    for nth in 0..people {
        let mut person = Person::new(&address(&name(nth)), &name(nth)).photo(&file("same"));
        person.id = id(nth);
        person.store = PhotoStore::Directory;
        person.etag = Some(ETAG.to_owned());
        let mut account = json!({ "name": name(nth), "key": key(nth), "email": address(&name(nth)) });
        if nth % WITHOUT == 0 {
            person.photo = Photo::None(NoPhoto::ImageNotFound);
        } else if past != Past::None {
            account["avatars"] = json!([file("same")]);
        }
        accounts.push(account);
        tenant.people.push(person);
    }
    let jira = json!({ "version": "9.12.5", "base_path": "/jira", "next_avatar": FIRST_AVATAR, "accounts": accounts });
    let jira: Instance = serde_json::from_value(jira).expect("an instance as a world file writes it");
    let builder = World::builder().tenant(tenant).jira(jira).picture(&file("same"), face("same"));
    builder.build().unwrap_or_else(|fault| panic!("{fault}"))
}

/// Writes down what a first run would have.
fn remember(harness: &Harness, people: usize) {
    let holder = Holder::here(RunId::new("2026-11-22T08-00-00Z-0000"), "2026-11-22T08:00:00Z");
    let lock = Lock::acquire(&harness.path("state/stage.db"), &holder).expect("the lock of a new folder");
    let store = Store::open(lock).expect("a new state");
    let (source, target) = (SourceId::new("entra"), TargetId::new("jira"));
    let photo = Digest::of(&face("same"));
    let recipe = Recipe::new(format!("{}@256", Resize::default().recipe()));
    let mut marks = Vec::new();
    let mut pictures = FIRST_AVATAR..;
    for nth in 0..people {
        let who = PersonRef { source: source.clone(), id: PersonId::new(id(nth)) };
        if nth % WITHOUT == 0 {
            marks.push((who, PhotoMark { version: None, found: Remembered::Absent(Absence::NotFound) }));
            continue;
        }
        let placement = Placement {
            target: target.clone(),
            account: AccountId::new(key(nth)),
            person: Some(who.clone()),
            photo,
            recipe: recipe.clone(),
            rendition: photo,
            mark: PictureRef::new(pictures.next().expect("no end of numbers").to_string()),
            provenance: Provenance::Made,
            before: Before::Default,
            looks: Some(avatarpipe::inside::Fingerprint::from_bytes([0; 8])),
            keys: None,
        };
        drop(store.adopt(placement));
        marks.push((who, PhotoMark { version: Some(Version::new(ETAG)), found: Remembered::Present(photo) }));
    }
    store.put_marks(marks).wait().expect("the state takes marks");
}
