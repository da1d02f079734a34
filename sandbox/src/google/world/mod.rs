//! The Google part of a world.
//!
//! Owns: how a customer, its users, groups, service accounts and delegations stand in `world.yaml`.
//! Leaves to others: how they behave (`google`).
//! A newcomer gets wrong: an admin role is a right inside the customer, a scope a right of a token; reading users needs both.

mod customer;
mod user;

pub(crate) use customer::ServiceAccount;
pub use customer::{Customer, Group};
pub use user::{Photo, Role, User};
