//! The Entra tenant: its people and photos as they are now, and the tokens it issued.
//!
//! Owns: the live directory that sign-in and Graph share (`directory`), the sign-in.
//! Leaves to others: the queries (`graph`).
//! A newcomer gets wrong: a photo that is set again to the same bytes gets a new change marker
//! (docs/wire/microsoft-graph.md §3.6), so every photo carries an edition.

mod assertion;
mod directory;
mod live;
mod managed;
mod sign_in;
mod simulators;
mod switches;
#[cfg(test)]
mod tests;
mod token_error;
mod tokens;
pub mod world;

pub(crate) use directory::Directory;
pub(crate) use live::{LivePerson, LivePhoto, PhotoFile};
