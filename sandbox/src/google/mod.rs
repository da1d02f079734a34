//! Google Workspace: the customer's people as they are now, its service accounts, and what a test may do to both.
//!
//! Owns: the live customer that all of Google's endpoints share (`workspace`).
//! Leaves to others: listening, faults, the request log (the core of the sandbox).
//! A newcomer gets wrong: the part of an etag before the `/` is the server's, the same for everybody; it changes for
//! all at once, with no photo changed (docs/wire/google-directory.md §2.3).

mod directory;
mod errors;
mod iam;
mod live;
mod refusals;
mod scopes;
mod simulators;
mod sts;
mod switches;
#[cfg(test)]
mod tests;
mod thumbnail;
mod token;
mod tokens;
mod workspace;
pub mod world;
