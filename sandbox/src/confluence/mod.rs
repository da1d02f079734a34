//! Confluence Data Center, as far as people and their pictures go.
//!
//! Owns: one instance of one release: its REST reads, XML-RPC and JSON-RPC, the internal upload that nobody should call
//! for others, the files it serves, and its truth.
//! Leaves to others: logins (`atlassian`), listening, faults, the request log, the page (the core of the sandbox).
//! A newcomer gets wrong: nothing here is an improvement on Confluence. A failed call is 200 with a fault in it, and
//! the internal upload for another person changes the caller's own profile (docs/wire/atlassian.md §4.3, §4.4).

mod call;
mod control;
mod endpoint;
mod errors;
mod json_rpc;
mod people;
mod product;
mod rpc;
mod site;
mod stock;
mod store;
mod switches;
#[cfg(test)]
mod tests;
mod truth;
mod version;
mod web;
pub mod world;
mod xml;
