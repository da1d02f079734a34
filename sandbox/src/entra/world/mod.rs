//! The Entra part of a world.
//!
//! Owns: how tenants, people, groups and the app registration stand in `world.yaml`.
//! Leaves to others: how they behave (`entra`, `graph`).
//! A newcomer gets wrong: `name` is the display name and need not be unique; `id` and `upn` are.

mod app;
mod person;
mod tenant;

pub use app::Certificate;
pub(crate) use app::{App, Federated, ManagedIdentity};
#[cfg(test)]
pub(crate) use person::Throttled;
pub use person::{NoPhoto, Person, Photo, PhotoFailure, PhotoStore};
#[cfg(test)]
pub(crate) use tenant::Group;
pub use tenant::Tenant;
