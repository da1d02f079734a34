//! Worlds made in code, for tests.
//!
//! Owns: putting a world together without files.
//! Leaves to others: the parts (`Tenant`, `Person`, `Instance` have their own constructors).
//! A newcomer gets wrong: `build` checks the same things as reading a folder does.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::bitbucket::world::Instance as BitbucketInstance;
use crate::ci::Platform;
use crate::confluence::world::Instance as ConfluenceInstance;
use crate::entra::world::Tenant;
use crate::faults::Fault;
use crate::google::world::Customer;
use crate::jira::world::Instance;
use crate::pictures::Pictures;

use super::error::WorldError;
use super::file::{World, digest_of};

/// A world in the making.
#[derive(Clone, Debug, Default)]
pub struct WorldBuilder {
    name: String,
    entra: Vec<Tenant>,
    google: Vec<Customer>,
    ci: Vec<Platform>,
    jira: Vec<Instance>,
    confluence: Vec<ConfluenceInstance>,
    bitbucket: Vec<BitbucketInstance>,
    switches: BTreeMap<String, BTreeMap<String, String>>,
    faults: Vec<Fault>,
    pictures: BTreeMap<String, Bytes>,
}

impl World {
    /// A world made in code.
    pub fn builder() -> WorldBuilder {
        WorldBuilder::default()
    }
}

impl WorldBuilder {
    /// Names the world; a test need not.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// Adds an Entra tenant.
    #[must_use]
    pub fn tenant(mut self, tenant: Tenant) -> Self {
        self.entra.push(tenant);
        self
    }

    /// Adds a Google customer.
    #[must_use]
    pub fn google(mut self, customer: Customer) -> Self {
        self.google.push(customer);
        self
    }

    /// Adds a CI platform.
    #[must_use]
    pub fn ci(mut self, platform: Platform) -> Self {
        self.ci.push(platform);
        self
    }

    /// Adds a Jira instance.
    #[must_use]
    pub fn jira(mut self, instance: Instance) -> Self {
        self.jira.push(instance);
        self
    }

    /// Adds a Confluence instance.
    #[must_use]
    pub fn confluence(mut self, instance: ConfluenceInstance) -> Self {
        self.confluence.push(instance);
        self
    }

    /// Adds a Bitbucket instance.
    #[must_use]
    pub fn bitbucket(mut self, instance: BitbucketInstance) -> Self {
        self.bitbucket.push(instance);
        self
    }

    /// Adds a picture file.
    #[must_use]
    pub fn picture(mut self, name: &str, bytes: impl Into<Bytes>) -> Self {
        self.pictures.insert(name.to_owned(), bytes.into());
        self
    }

    /// Adds the picture files of a bundled world, so that a test can name them.
    #[cfg(test)]
    pub(crate) fn pictures_of(mut self, world: &World) -> Self {
        self.pictures.extend(world.pictures.iter().map(|(name, bytes)| (name.clone(), bytes.clone())));
        self
    }

    /// Sets a switch from the start.
    #[must_use]
    pub fn switch(mut self, simulator: &str, name: &str, value: &str) -> Self {
        self.switches.entry(simulator.to_owned()).or_default().insert(name.to_owned(), value.to_owned());
        self
    }

    /// Dials a fault in from the start.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// The world, if its parts fit together.
    pub fn build(self) -> Result<World, WorldError> {
        let Self { name, entra, google, ci, jira, confluence, bitbucket, switches, faults, pictures } = self;
        let name = if name.is_empty() { "built".to_owned() } else { name };
        // A built world has no file whose bytes could be hashed; its shape in words does as well.
        let mut hashed = pictures.clone();
        hashed.insert("world".into(), format!("{entra:?}{google:?}{ci:?}{jira:?}{confluence:?}{bitbucket:?}").into());
        let digest = digest_of(&hashed);
        let about = "A world made in code.".to_owned();
        let pictures = Pictures::new(pictures);
        let world =
            World { name, about, digest, entra, google, ci, jira, confluence, bitbucket, switches, faults, pictures };
        world.check().map_err(|(_, fault)| WorldError::File {
            path: world.name.clone(),
            place: "built".into(),
            fault,
        })?;
        Ok(world)
    }
}
