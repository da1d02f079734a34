//! A world: the people, accounts and pictures that the simulators begin with.
//!
//! Owns: reading `world.yaml` with its pictures, from the program or from a folder, and refusing what does not fit together.
//! Leaves to others: the shape of each product's part (`entra::world`, `jira::world`).
//! A newcomer gets wrong: a world is only the beginning; what changes later lives in the simulators and in the state folder.

mod builder;
mod error;
mod file;
mod kinds;
mod part;

pub(crate) use error::WorldError;
pub use kinds::World;
pub(crate) use part::{Assembly, Part};
