//! Jira Data Center and Server.
//!
//! Owns: what a Jira answers (`target.rs`) and what is known about it during a run (`connection.rs`): each call
//! (`client.rs`), who answers (`server.rs`), the listing (`survey.rs`), the ways to upload (`upload.rs`), trying them out
//! (`probe.rs`) and choosing one (`prepare.rs`), the steps of a write (`session.rs`), what became of one (`observe.rs`).
//! Leaves to others: what holds for Confluence and Bitbucket, too (`atlassian`).
//! A newcomer gets wrong: a user has a key, which never changes, and a name, which every call wants. Calls go by name,
//! answers are checked by key (docs/wire/atlassian.md §8).

mod avatar;
mod back;
mod client;
mod connection;
mod default;
mod forecast;
#[cfg(any(test, fuzzing))]
mod fuzz;
mod mend;
mod observe;
mod prepare;
mod probe;
mod server;
mod session;
mod stray;
mod survey;
mod target;
mod upload;
mod version;
mod wire;

#[cfg(any(test, fuzzing))]
pub(crate) use fuzz::answers as fuzz_answers;
pub(crate) use target::Jira;

#[cfg(test)]
pub(crate) mod tests;
