//! A tenant and a Jira with so many people, which serve until standard input ends.
//!
//! A newcomer gets wrong: a quarter has no photo, as in any company; everybody's photo has bytes of its own, which are made
//! when somebody asks for them. Where pictures are shown already, they are one for all: no quiet run looks at them.

use std::io::Read as _;

use avatarpipe_sandbox::entra::world::{NoPhoto, Person, Photo, PhotoStore, Tenant};
use avatarpipe_sandbox::jira::world::Instance;
use avatarpipe_sandbox::{Options, Sandbox, Secret, World};
use serde_json::json;

use crate::pictures::{jpeg, marked};

/// One in so many has no photo.
const WITHOUT: u32 = 4;

/// The number of the first picture that Jira gives to somebody.
pub(crate) const FIRST_AVATAR: u64 = 20_000;

/// The picture that Jira shows where it shows one from the start.
const SHOWN: &str = "shown.jpg";

/// What Jira shows at the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Defaults,
    Pictures,
}

/// Prints where the servers are and what to sign in with, then waits.
pub(crate) fn serve(people: u32, side: u32, shown: Shown) {
    let running =
        Sandbox::start(world(people, side, shown), Options::default()).unwrap_or_else(|fault| panic!("{fault}"));
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

fn world(people: u32, side: u32, shown: Shown) -> World {
    let photo = jpeg(side);
    let mut tenant = Tenant::new();
    let jira = json!({ "version": "9.12.5", "base_path": "/jira", "next_avatar": FIRST_AVATAR,
        "accounts": [{ "name": "svc-avatars", "role": "admin", "password": "a~Password/1", "tokens": [] }] });
    let mut jira: Instance = serde_json::from_value(jira).expect("an instance as a world file writes it");
    for nth in 0..people {
        let (name, file) = (format!("person{nth:06}"), format!("{nth}.jpg"));
        let address = format!("{name}@contoso.example");
        let mut person = Person::new(&address, &name).photo(&file);
        person.id = id(nth);
        person.store = PhotoStore::Directory;
        person.etag = Some(etag(nth));
        let mut account = json!({ "name": name, "key": key(nth), "email": address });
        if !has_photo(nth) {
            person.photo = Photo::None(NoPhoto::ImageNotFound);
        } else if shown == Shown::Pictures {
            account["avatars"] = json!([SHOWN]);
        }
        tenant.people.push(person);
        jira.accounts.push(serde_json::from_value(account).expect("an account as a world file writes it"));
    }
    let builder = World::builder().tenant(tenant).jira(jira).picture(SHOWN, photo.clone());
    let made = move |name: &str| Some(marked(&photo, name.strip_suffix(".jpg")?.parse().ok()?).into());
    builder.pictures_by(made).build().unwrap_or_else(|fault| panic!("{fault}"))
}

pub(crate) fn has_photo(nth: u32) -> bool {
    !nth.is_multiple_of(WITHOUT)
}

/// The account's key in Jira.
pub(crate) fn key(nth: u32) -> String {
    format!("JIRAUSER{}", 11_000 + nth)
}

/// The change marker of the photo.
pub(crate) fn etag(nth: u32) -> String {
    blake3::hash(id(nth).as_bytes()).to_hex().to_string()
}

/// An object id, in no order, as real ones are.
pub(crate) fn id(nth: u32) -> String {
    let hash = blake3::hash(&nth.to_le_bytes()).to_hex();
    [&hash[..8], &hash[8..12], &hash[12..16], &hash[16..20], &hash[20..32]].join("-")
}
