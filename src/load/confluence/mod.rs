//! Confluence Data Center and Server.
//!
//! Owns: everything that is said to a Confluence: what sessions share (`connection.rs`), the reads (`client.rs`), the listing
//! (`survey.rs`), the two ways to write (`remote.rs`), the steps of a write (`session.rs`, `removal.rs`) and of a probe
//! (`probe.rs`), what became of one (`observe.rs`), and the trait before all that (`target.rs`).
//! Leaves to others: what holds for all three products (`atlassian`).
//! A newcomer gets wrong: the internal user-profile REST looks like the call to use. For another person it stores the
//! picture on the *caller's* own profile and then fails (docs/wire/atlassian.md §4.3); it is never called here.

mod answer;
mod client;
mod connection;
mod endpoint;
mod forecast;
mod observe;
mod picture;
mod probe;
mod remote;
mod remote_api;
mod removal;
mod removals;
mod session;
mod survey;
mod target;
#[cfg(test)]
mod tests;
mod version;
mod wire;
mod xmlrpc;

pub(crate) use target::Confluence;
#[cfg(any(test, fuzzing))]
pub(crate) use {wire::fuzz as fuzz_answers, xmlrpc::fuzz as fuzz_xmlrpc};
