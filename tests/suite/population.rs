//! Worlds of a few people, each with a face of their own.
//!
//! Owns: people, accounts and pictures of a test. Leaves to others: what is done with them (`harness`).
//! A newcomer gets wrong: the secrets are canaries; every output of every test is searched for them.

use std::collections::BTreeMap;
use std::io::Cursor;

use avatarpipe_sandbox::World;
use avatarpipe_sandbox::bitbucket::world::Instance as Git;
use avatarpipe_sandbox::confluence::world::Instance as Wiki;
use avatarpipe_sandbox::entra::world::{Certificate, Person, Photo, Tenant};
use avatarpipe_sandbox::google::world::{Customer, Role, User};
use avatarpipe_sandbox::jira::version::Version;
use avatarpipe_sandbox::jira::world::{AccountWorld, Instance};
use serde_json::json;

/// Pixels a side of a face: large enough for every rule, small enough for a hundred tests.
const SIDE: u32 = 96;

/// People and accounts of one tenant and one Jira, and of the other systems that a test adds.
pub(super) struct Population {
    tenant: Tenant,
    jira: Instance,
    google: Option<Customer>,
    wiki: Option<Wiki>,
    git: Option<Git>,
    second: Option<Instance>,
    pictures: BTreeMap<String, Vec<u8>>,
}

impl Population {
    /// Each has a photo, an address and an account under the same name; the accounts show the default.
    pub(super) fn of(names: &[&str]) -> Self {
        let mut tenant = Tenant::new();
        tenant.app.client_secret = "canary~client/secret+1".into();
        let jira = json!({ "version": "9.12.5", "base_path": "/jira", "accounts": [{
            "name": "svc-avatars", "role": "admin", "password": "canary+password/1", "tokens": ["canaryToken0123456789"],
        }]});
        let jira: Instance = serde_json::from_value(jira).expect("an instance as a world file writes it");
        let (google, wiki, git, second, pictures) = (None, None, None, None, BTreeMap::new());
        let mut population = Self { tenant, jira, google, wiki, git, second, pictures };
        for spare in ["spare", "hand"] {
            population.pictures.insert(file(spare), face(spare));
        }
        names.iter().fold(population, |population, name| population.with_person(name).with_account(name))
    }

    /// One more person with a photo.
    pub(super) fn with_person(mut self, name: &str) -> Self {
        self.pictures.insert(file(name), face(name));
        self.tenant.people.push(Person::new(&address(name), name).photo(&file(name)));
        self
    }

    /// One more picture that people can upload by hand.
    pub(super) fn with_picture(mut self, name: &str, bytes: Vec<u8>) -> Self {
        self.pictures.insert(file(name), bytes);
        self
    }

    /// One more account, which shows the default.
    pub(super) fn with_account(mut self, name: &str) -> Self {
        let account = json!({ "name": name, "email": address(name) });
        self.jira.accounts.push(serde_json::from_value(account).expect("an account as a world file writes it"));
        self
    }

    /// The app of the directory may also prove itself by a certificate.
    pub(super) fn with_certificate(mut self) -> Self {
        let merged = World::bundled("merged").unwrap_or_else(|fault| panic!("{fault}"));
        for part in ["certificate", "private", "public"] {
            let name = format!("keys/entra.{part}.pem");
            let key = merged.pictures.get(&name).expect("a key that the bundled world has, too");
            self.pictures.insert(name, key.to_vec());
        }
        self.tenant.app.certificates.push(Certificate::bundled());
        self
    }

    /// A Google customer with these people, each with a photo and an account in the Jira.
    pub(super) fn with_google(mut self, names: &[&str]) -> Self {
        let merged = World::bundled("merged").unwrap_or_else(|fault| panic!("{fault}"));
        let mut customer = Customer::new();
        customer = customer.user(User::new(&bought("admin"), "Admin", "Fabrikam").role(Role::ReadUsers));
        for file in customer.files() {
            let key = merged.pictures.get(&file.name).expect("a key that the bundled world has, too");
            self.pictures.insert(file.name.clone(), key.to_vec());
        }
        for name in names {
            self.pictures.insert(file(name), face(name));
            customer = customer.user(User::new(&bought(name), name, "Fabrikam").photo(&file(name)));
            let account = json!({ "name": name, "email": bought(name) });
            self.jira.accounts.push(serde_json::from_value(account).expect("an account as a world file writes it"));
        }
        self.google = Some(customer);
        self
    }

    /// Everybody of the Jira has an account in a Confluence and in a Bitbucket, too.
    pub(super) fn everywhere(mut self) -> Self {
        let service = json!({ "name": "svc-avatars", "role": "admin", "password": "canary+password/2",
            "groups": ["confluence-administrators"] });
        let people = self.jira.accounts.iter().filter(|account| account.name != "svc-avatars");
        let people = people.map(|account| json!({ "name": account.name, "email": account.email }));
        let accounts: Vec<_> = people.chain([service]).collect();
        let wiki = json!({ "version": "9.2.0", "base_path": "/wiki", "accounts": accounts });
        let git = json!({ "version": "8.19.1", "base_path": "/git", "accounts": accounts });
        self.wiki = Some(serde_json::from_value(wiki).expect("an instance as a world file writes it"));
        self.git = Some(serde_json::from_value(git).expect("an instance as a world file writes it"));
        self
    }

    /// Changes the Google customer.
    pub(super) fn google(mut self, change: impl FnOnce(&mut Customer)) -> Self {
        change(self.google.as_mut().expect("a population with a Google customer"));
        self
    }

    /// Changes the Confluence.
    pub(super) fn wiki(mut self, change: impl FnOnce(&mut Wiki)) -> Self {
        change(self.wiki.as_mut().expect("a population that is everywhere"));
        self
    }

    /// Changes the Bitbucket's accounts.
    pub(super) fn git(mut self, change: impl FnOnce(&mut Git)) -> Self {
        change(self.git.as_mut().expect("a population that is everywhere"));
        self
    }

    /// A second Jira with the same accounts.
    pub(super) fn with_second_jira(mut self, id: &str) -> Self {
        self.second = Some(Instance { id: id.to_owned(), title: "Second".to_owned(), ..self.jira.clone() });
        self
    }

    /// Changes a person.
    pub(super) fn person(mut self, name: &str, change: impl FnOnce(&mut Person)) -> Self {
        let person = self.tenant.people.iter_mut().find(|person| person.name == name);
        change(person.unwrap_or_else(|| panic!("nobody is {name}")));
        self
    }

    /// Other bytes in the file of a face.
    pub(super) fn picture(mut self, name: &str, bytes: Vec<u8>) -> Self {
        self.pictures.insert(file(name), bytes);
        self
    }

    /// Puts something in the place of a person's photo.
    pub(super) fn photo(self, name: &str, photo: Photo) -> Self {
        self.person(name, |person| person.photo = photo)
    }

    /// Changes an account.
    pub(super) fn account(mut self, name: &str, change: impl FnOnce(&mut AccountWorld)) -> Self {
        let account = self.jira.accounts.iter_mut().find(|account| account.name == name);
        change(account.unwrap_or_else(|| panic!("no account is {name}")));
        self
    }

    /// The account shows a picture that its owner chose by hand: that of `hand`.
    pub(super) fn chose_by_hand(self, name: &str) -> Self {
        self.account(name, |account| account.avatars = vec![file("hand").as_str().into()])
    }

    /// The release that Jira plays.
    pub(super) fn release(mut self, version: Version) -> Self {
        self.jira.version = version;
        self
    }

    /// A group of the directory: people, and groups inside it by their ids.
    pub(super) fn group(mut self, id: &str, people: &[&str], groups: &[&str]) -> Self {
        let id_of =
            |name: &&str| self.tenant.people.iter().find(|person| person.name == **name).expect("a person").id.clone();
        let members: Vec<String> = people.iter().map(id_of).collect();
        let group = json!({ "id": id, "name": id, "members": members, "groups": groups });
        self.tenant.groups.push(serde_json::from_value(group).expect("a group as a world file writes it"));
        self
    }

    /// What the app of the directory may do.
    pub(super) fn app_roles(mut self, roles: &[&str]) -> Self {
        self.tenant.app.roles = roles.iter().map(|role| (*role).to_owned()).collect();
        self
    }

    /// Changes the Jira.
    pub(super) fn jira(mut self, change: impl FnOnce(&mut Instance)) -> Self {
        change(&mut self.jira);
        self
    }

    /// The world.
    pub(super) fn world(self) -> World {
        let builder = World::builder().tenant(self.tenant).jira(self.jira);
        let builder = self.second.into_iter().fold(builder, |builder, jira| builder.jira(jira));
        let builder = self.google.into_iter().fold(builder, |builder, customer| builder.google(customer));
        let builder = self.wiki.into_iter().fold(builder, |builder, wiki| builder.confluence(wiki));
        let builder = self.git.into_iter().fold(builder, |builder, git| builder.bitbucket(git));
        let builder = self.pictures.into_iter().fold(builder, |builder, (name, bytes)| builder.picture(&name, bytes));
        builder.build().unwrap_or_else(|fault| panic!("{fault}"))
    }
}

/// The address of a person.
pub(super) fn address(name: &str) -> String {
    format!("{name}@contoso.example")
}

/// The address of a person of the company that was bought.
pub(super) fn bought(name: &str) -> String {
    format!("{name}@fabrikam.example")
}

/// The file of a face.
pub(super) fn file(name: &str) -> String {
    format!("faces/{name}.png")
}

/// A picture that no other name has: sixteen grey values with soft slopes between them, as portraits have.
pub(super) fn face(name: &str) -> Vec<u8> {
    face_of(name, SIDE)
}

/// The same with so many pixels a side.
pub(super) fn face_of(name: &str, side: u32) -> Vec<u8> {
    let hash = blake3::hash(name.as_bytes());
    let corner = |column: usize, row: usize| f32::from(hash.as_bytes()[row * 4 + column]);
    let step = 3.0 / (side - 1) as f32;
    let picture = image::GrayImage::from_fn(side, side, |x, y| {
        let (x, y) = (x as f32 * step, y as f32 * step);
        let (column, row) = ((x as usize).min(2), (y as usize).min(2));
        let (right, down) = (x - column as f32, y - row as f32);
        let above = corner(column, row) * (1.0 - right) + corner(column + 1, row) * right;
        let below = corner(column, row + 1) * (1.0 - right) + corner(column + 1, row + 1) * right;
        image::Luma([(above * (1.0 - down) + below * down) as u8])
    });
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Png).expect("a picture in memory");
    bytes
}
