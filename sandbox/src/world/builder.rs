//! Worlds made in code, for tests.
//!
//! Owns: putting a world together without files.
//! Leaves to others: its parts (`kinds`), which have their own constructors.
//! A newcomer gets wrong: `build` checks the same things as reading a folder does.

use std::sync::Arc;

use bytes::Bytes;

use super::error::WorldError;
use super::file::digest_of;
use super::kinds::{World, WorldBuilder};
use crate::faults::Fault;
use crate::pictures::{Maker, Pictures};

impl World {
    /// A world made in code.
    pub fn builder() -> WorldBuilder {
        WorldBuilder::default()
    }
}

impl WorldBuilder {
    pub fn picture(mut self, name: &str, bytes: impl Into<Bytes>) -> Self {
        self.pictures.insert(name.to_owned(), bytes.into());
        self
    }

    /// Pictures that are made of their names, and kept by nobody.
    pub fn pictures_by(mut self, maker: impl Fn(&str) -> Option<Bytes> + Send + Sync + 'static) -> Self {
        self.maker = Some(Maker(Arc::new(maker)));
        self
    }

    /// Adds the picture files of a bundled world, so that a test can name them.
    #[cfg(test)]
    pub(crate) fn pictures_of(mut self, world: &World) -> Self {
        self.pictures.extend(world.pictures.iter().map(|(name, bytes)| (name.clone(), bytes.clone())));
        self
    }

    pub fn switch(mut self, simulator: &str, name: &str, value: &str) -> Self {
        let switches = self.world.switches.entry(simulator.to_owned()).or_default();
        switches.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn fault(mut self, fault: Fault) -> Self {
        self.world.faults.push(fault);
        self
    }

    pub fn build(self) -> Result<World, WorldError> {
        let Self { mut world, pictures, maker } = self;
        (world.name, world.about) = ("built".to_owned(), "A world made in code.".to_owned());
        // A built world has no file whose bytes could be hashed; its shape in words does as well.
        let mut hashed = pictures.clone();
        hashed.insert("world".into(), format!("{:?}", world.parts().collect::<Vec<_>>()).into());
        world.digest = digest_of(&hashed);
        world.pictures = Pictures::new(pictures, maker);
        world.check().map_err(|(_, fault)| WorldError::File {
            path: world.name.clone(),
            place: "built".into(),
            fault,
        })?;
        Ok(world)
    }
}
