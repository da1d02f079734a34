//! What Jira, Confluence and Bitbucket share: the credential, the circuit breaker of the login and the server's
//! own id.
//!
//! Owns: everything of docs/wire/atlassian.md §2 that holds for all three.
//! Leaves to others: pace and rate headers (`http`), every call that names a product.
//! A newcomer gets wrong: the products look alike and answer differently. What is here was the same in all three;
//! anything else belongs to one of them.

pub(crate) mod client;
pub(crate) mod login;
pub(crate) mod manifest;

#[cfg(any(test, fuzzing))]
pub(crate) use manifest::fuzz as fuzz_answers;
