//! Jira Data Center, as far as users and their avatars go.
//!
//! Owns: one instance of one release: its endpoints, logins, sessions, avatars with real pixels, and its truth.
//! Leaves to others: listening, faults, the request log, the page (the core of the sandbox).
//! A newcomer gets wrong: nothing here is an improvement on Jira. Crops that zoom off-centre, a delete that does not
//! check the owner, sessions that end with a token: clients must survive them, so they stay as docs/wire/atlassian.md
//! says.

mod avatars;
mod beginning;
mod call;
mod control;
mod listing;
pub(crate) mod pictures;
mod product;
mod site;
mod store;
mod switches;
#[cfg(test)]
mod tests;
mod truth;
mod upload;
mod users;
pub mod version;
mod web;
pub mod world;
