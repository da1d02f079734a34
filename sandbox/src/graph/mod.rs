//! Microsoft Graph, app-only: users, groups, photos and batches (docs/wire/microsoft-graph.md §2 to §6).
//!
//! Owns: the way from a request to the one dispatcher that plain calls and parts of batches share.
//! Leaves to others: the directory (`entra`), each family of calls (`users`, `photos`, `batch`), quota (`throttle`).
//! A newcomer gets wrong: a batch is answered 200 whatever becomes of its parts; each part is dispatched like a call of
//! its own, with its own cost, throttling and fault.

mod batch;
mod photos;
mod query;
mod quota;
mod routes;
mod service;
mod sized;
mod switches;
#[cfg(test)]
mod tests;
mod throttle;
mod users;
mod wire;

pub(crate) use service::Graph;
