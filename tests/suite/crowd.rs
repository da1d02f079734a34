//! A company of thousands, before its first run, or with the state of its last one.
//!
//! Owns: people, accounts, and the rows that a first run would have left. Leaves to others: what is measured.
//! A newcomer gets wrong: everybody has the same photo, so that no time goes into pictures; the limit on that is off.

use avatarpipe::model::{Absence, Before, Digest, PersonRef, PhotoMark, Placement, Provenance, Recipe, Remembered};
use avatarpipe::model::{AccountId, Mark, PersonId, RunId, SourceId, TargetId, Version};
use avatarpipe::sandbox::World;
use avatarpipe::sandbox::entra::world::{NoPhoto, Person, Photo, PhotoStore, Tenant};
use avatarpipe::sandbox::jira::world::Instance;
use avatarpipe::state::{Holder, Lock, Store};
use avatarpipe::transform::Settings;
use serde_json::json;

use super::company::{address, face, file};
use super::stage::Stage;

/// The change marker of everybody's photo.
const ETAG: &str = "0123456789abcdef";

/// A part of the people, as in any company, has no photo: one in so many.
const WITHOUT: usize = 4;

/// What was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Past {
    /// Nothing: the next run is the first.
    None,
    /// A run, of which the state knows everything.
    Kept,
    /// A run, of which the state was lost.
    Lost,
}

/// A stage of so many people.
pub fn crowd(people: usize, past: Past) -> Stage {
    let stage = Stage::of(world(people, past)).with(|pipe| {
        pipe.top("transform", "{ hash: { same_picture: none } }");
        pipe.top("limits", "{ reverts: none, replacements: none, foreign: none, target_drift: none }");
        pipe.jira("upload", "session");
    });
    if past == Past::Kept {
        remember(&stage);
    }
    stage
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
        person.store = PhotoStore::Directory;
        person.etag = Some(ETAG.to_owned());
        let mut account = json!({ "name": name(nth), "email": address(&name(nth)) });
        if nth % WITHOUT == 0 {
            person.photo = Photo::None(NoPhoto::ImageNotFound);
        } else if past != Past::None {
            account["avatars"] = json!([file("same")]);
        }
        accounts.push(account);
        tenant.people.push(person);
    }
    let jira = json!({ "version": "9.12.5", "base_path": "/jira", "accounts": accounts });
    let jira: Instance = serde_json::from_value(jira).expect("an instance as a world file writes it");
    let builder = World::builder().tenant(tenant).jira(jira).picture(&file("same"), face("same"));
    builder.build().unwrap_or_else(|fault| panic!("{fault}"))
}

/// Writes down what a first run would have.
fn remember(stage: &Stage) {
    let holder = Holder::here(RunId::new("2026-11-22T08-00-00Z-0000"), "2026-11-22T08:00:00Z");
    let lock = Lock::acquire(&stage.path("state/stage.db"), &holder).expect("the lock of a new folder");
    let store = Store::open(lock).expect("a new state");
    let truth = stage.sandbox.truth();
    let (source, target) = (SourceId::new("entra"), TargetId::new("jira"));
    let photo = Digest::of(&face("same"));
    let recipe = Recipe::new(format!("{}@256", Settings::default().recipe()));
    let mut marks = Vec::new();
    let mut pictures: std::collections::BTreeMap<_, _> =
        truth.avatars.iter().filter(|avatar| avatar.selected).map(|avatar| (&avatar.owner, &avatar.id)).collect();
    let accounts: std::collections::BTreeMap<_, _> =
        truth.accounts.iter().map(|account| (&account.name, account)).collect();
    for person in &truth.people {
        let who = PersonRef { source: source.clone(), id: PersonId::new(&person.id) };
        let account = accounts.get(&person.display_name).expect("everybody has an account");
        let Some(picture) = pictures.remove(&account.key) else {
            marks.push((who, PhotoMark { version: None, found: Remembered::Absent(Absence::NotFound) }));
            continue;
        };
        let placement = Placement {
            target: target.clone(),
            account: AccountId::new(&account.key),
            person: Some(who.clone()),
            photo,
            recipe: recipe.clone(),
            rendition: photo,
            mark: Mark::new(picture),
            provenance: Provenance::Made,
            before: Before::Default,
        };
        drop(store.adopt(placement));
        marks.push((who, PhotoMark { version: Some(Version::new(ETAG)), found: Remembered::Present(photo) }));
    }
    store.put_marks(marks).wait().expect("the state takes marks");
}
