//! A tenant and a Jira with so many people, which serve until standard input ends.
//!
//! A newcomer gets wrong: a quarter has no photo, as in any company; everybody's photo has bytes of its own.

use std::io::Read as _;

use avatarpipe_sandbox::entra::world::{NoPhoto, Person, Photo, PhotoStore, Tenant};
use avatarpipe_sandbox::jira::world::Instance;
use avatarpipe_sandbox::{Options, Sandbox, Secret, World};
use serde_json::json;

use crate::pictures::{jpeg, marked};

/// One in so many has no photo.
const WITHOUT: u32 = 4;

/// Prints where the servers are and what to sign in with, then waits.
pub(crate) fn serve(people: u32, side: u32) {
    let running = Sandbox::start(world(people, side), Options::default()).unwrap_or_else(|fault| panic!("{fault}"));
    let mut all = json!({ "people": people, "photos": people - people.div_ceil(WITHOUT), "page": running.page() });
    for (name, url) in running.endpoints() {
        all[name] = json!(url);
    }
    for credential in running.credentials() {
        match credential.secret {
            Secret::App { tenant, client_secret } => {
                all["app"] = json!({ "tenant": tenant, "id": credential.user, "secret": client_secret });
            }
            Secret::Password(password) => all["account"] = json!({ "name": credential.user, "password": password }),
            _ => {}
        }
    }
    println!("{all}");
    std::io::stdin().read_to_end(&mut Vec::new()).expect("standard input ends some time");
}

fn world(people: u32, side: u32) -> World {
    let photo = jpeg(side);
    let mut tenant = Tenant::new();
    let mut builder = World::builder();
    let mut accounts =
        vec![json!({ "name": "svc-avatars", "role": "admin", "password": "a~Password/1", "tokens": [] })];
    for nth in 0..people {
        let (name, file) = (format!("person{nth:06}"), format!("{nth}.jpg"));
        let address = format!("{name}@contoso.example");
        let mut person = Person::new(&address, &name).photo(&file);
        person.id = id(nth);
        person.store = PhotoStore::Directory;
        if nth % WITHOUT == 0 {
            person.photo = Photo::None(NoPhoto::ImageNotFound);
        } else {
            builder = builder.picture(&file, marked(&photo, nth));
        }
        tenant.people.push(person);
        accounts.push(json!({ "name": name, "key": format!("JIRAUSER{}", 11_000 + nth), "email": address }));
    }
    let jira = json!({ "version": "9.12.5", "base_path": "/jira", "accounts": accounts });
    let jira: Instance = serde_json::from_value(jira).expect("an instance as a world file writes it");
    builder.tenant(tenant).jira(jira).build().unwrap_or_else(|fault| panic!("{fault}"))
}

/// An object id, in no order, as real ones are.
fn id(nth: u32) -> String {
    let hash = blake3::hash(&nth.to_le_bytes()).to_hex();
    [&hash[..8], &hash[8..12], &hash[12..16], &hash[16..20], &hash[20..32]].join("-")
}
