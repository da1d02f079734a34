//! A tenant and its groups, as they stand in `world.yaml`.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::app::{App, ManagedIdentity};
use super::person::{Person, Photo};
use crate::jwt::Key;
use crate::pictures::{FileRef, Pictures};

/// One Entra tenant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// The name of the source; `entra` serves as `login` and `graph`, any other as `ID-login` and `ID-graph`.
    #[serde(default = "default_id")]
    pub id: String,
    /// The tenant's GUID.
    pub tenant: String,
    /// The verified domain, which the sign-in takes as well as the GUID.
    pub domain: String,
    /// The app registration.
    pub app: App,
    /// The users of the directory.
    #[serde(default)]
    pub people: Vec<Person>,
    /// The groups of the directory.
    #[serde(default)]
    pub groups: Vec<Group>,
    /// The identities of the machine that the pipeline runs on; with one, there is a metadata service.
    #[serde(default)]
    pub managed_identities: Vec<ManagedIdentity>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The object id.
    pub id: String,
    /// `displayName`.
    pub name: String,
    /// Object ids of people.
    #[serde(default)]
    pub members: Vec<String>,
    /// Object ids of groups inside this one.
    #[serde(default)]
    pub groups: Vec<String>,
}

impl Tenant {
    /// An empty tenant with one working app registration.
    pub fn new() -> Self {
        let tenant = "8f3c0f9e-5f5b-4a38-9d53-0d1f6a0b7c11".to_owned();
        let (people, groups, managed_identities) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            id: default_id(),
            tenant,
            domain: "contoso.example".into(),
            app: App::new(),
            people,
            groups,
            managed_identities,
        }
    }

    /// With this person.
    #[must_use]
    pub fn person(mut self, person: Person) -> Self {
        self.people.push(person);
        self
    }

    /// With this group.
    #[must_use]
    pub fn group(mut self, group: Group) -> Self {
        self.groups.push(group);
        self
    }

    pub(crate) fn endpoint(&self, of: &str) -> String {
        if self.id == default_id() { of.to_owned() } else { format!("{}-{of}", self.id) }
    }

    pub(crate) fn named_files(&self) -> impl Iterator<Item = &FileRef> {
        let photos =
            self.people.iter().filter_map(|p| if let Photo::File(file) = &p.photo { Some(file) } else { None });
        photos.chain(self.app.certificates.iter().flat_map(|c| [&c.certificate, &c.private, &c.public]))
    }

    pub(crate) fn fits_together(&self, pictures: &Pictures) -> Result<(), String> {
        for certificate in &self.app.certificates {
            Key::read(&certificate.key(), pictures)?;
        }
        let mut seen = BTreeSet::new();
        for person in &self.people {
            for key in [&person.id, &person.upn] {
                if !seen.insert(key.to_lowercase()) {
                    return Err(format!("two people of {} have the id or upn {key}", self.id));
                }
            }
        }
        for group in &self.groups {
            if let Some(nobody) = group.members.iter().find(|m| !self.people.iter().any(|p| p.id == **m)) {
                return Err(format!("the group {} has the member {nobody}, who is nobody", group.name));
            }
            if let Some(none) = group.groups.iter().find(|g| !self.groups.iter().any(|o| o.id == **g)) {
                return Err(format!("the group {} holds the group {none}, which there is not", group.name));
            }
        }
        Ok(())
    }
}

impl Default for Tenant {
    fn default() -> Self {
        Self::new()
    }
}

fn default_id() -> String {
    "entra".into()
}
