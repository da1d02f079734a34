//! Simulators of the providers and targets, speaking HTTP on loopback, so that the main job can be tried and tested
//! without a tenant or a server.
//!
//! Owns: the worlds (people, accounts, pictures), one listener for each simulator, the faults and switches that can be
//! dialled in, the log of requests, the page that shows every account's picture, and the truth that tests read.
//! Leaves to others: everything about avatarpipe itself. This room uses nothing of the rest of the crate and is written
//! from the pages under docs/wire alone, so that it cannot share a misunderstanding with the client it is there to
//! test.
//! A newcomer gets wrong: a new product is a new folder plus one line in `world::kinds`; the rest of the core knows no
//! product.

mod atlassian;
pub mod bitbucket;
mod ci;
pub mod confluence;
mod connection;
mod context;
mod control;
pub mod echo;
pub mod entra;
mod error;
pub mod faults;
pub mod google;
mod graph;
mod handle;
pub mod jira;
mod jwt;
mod oauth;
pub mod observer;
mod options;
mod page;
mod pictures;
pub mod requests;
mod running;
pub mod s3;
mod saved;
mod server;
mod server_state;
mod simulator;
mod store;
mod switches;
pub mod truth;
mod world;

pub use error::SandboxError;
pub use options::{Options, Ports};
pub use running::Running;
pub use server::Sandbox;
pub use simulator::Secret;
pub use world::World;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
