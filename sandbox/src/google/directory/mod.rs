//! The Directory API of the Admin SDK (docs/wire/google-directory.md §2 to §5): users, photos, members, batches.
//!
//! Owns: the way from a request to the one dispatcher that plain calls and parts of batches share: token, quota, scope,
//! role.
//! Leaves to others: the customer (`workspace`), each family of calls (`users`, `photos`, `members`, `batch`).
//! A newcomer gets wrong: a token that may list users need not be one that may read photos; a scope is needed for the
//! call, and a role for the person.

mod batch;
mod call;
mod mask;
mod members;
mod pages;
mod photos;
mod query;
mod quota;
mod routes;
mod service;
mod users;

pub(super) use service::Directory;
