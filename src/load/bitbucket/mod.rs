//! Bitbucket Data Center and Server.
//!
//! Owns: everything that is said to a Bitbucket: what sessions share (`connection.rs`), the calls (`client.rs`), the listing
//! (`survey.rs`), what a picture is known by (`mark.rs`), the steps of a write (`session.rs`) and of a probe (`probe.rs`),
//! what became of one (`observe.rs`), and the trait before all that (`target.rs`).
//! Leaves to others: what holds for all three products (`atlassian`).
//! A newcomer gets wrong: calls go by the slug, which only the listing knows; it is not the name in lower case.

mod client;
mod connection;
mod forecast;
mod mark;
mod observe;
mod probe;
mod session;
mod slug;
mod survey;
mod target;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use target::Bitbucket;
#[cfg(any(test, fuzzing))]
pub(crate) use wire::fuzz as fuzz_answers;
