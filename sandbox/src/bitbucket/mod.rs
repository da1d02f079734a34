//! Bitbucket Data Center, as far as users and their avatars go.
//!
//! Owns: one instance: listings, upload and removal of an avatar, the served picture, its truth.
//! Leaves to others: logins (`atlassian`), listening, faults, the request log, the page (the core of the sandbox).
//! A newcomer gets wrong: it keeps one picture per account; an upload destroys what the person had.

mod call;
mod control;
mod errors;
mod people;
mod product;
mod site;
mod store;
mod switches;
#[cfg(test)]
mod tests;
mod truth;
pub mod world;
