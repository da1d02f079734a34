//! The only way out to the network: sign-in, pace, retry of reads, caps on bodies, redaction.
//!
//! Owns: the HTTP client, the rate of each server, what is counted for the report, noticing a listing without an end, and the
//! words of a failure.
//! Leaves to others: what the answers mean (`extract`, `load`).
//! A newcomer gets wrong: only calls typed as reads are repeated; a write is sent once, or again after a plain 429
//! (docs/architecture.md, "The house").

mod attempt;
mod bounded;
mod client;
mod client_settings;
mod counts;
mod failure;
mod hints;
mod jar;
mod key_pair;
#[cfg(test)]
pub(crate) mod loopback;
mod no_proxy;
#[cfg(feature = "bucket")]
mod objects;
mod origin;
mod outage;
mod pages;
mod rate_limit;
mod request;
mod response;
mod retry;
mod sign_in;
mod stopping;
#[cfg(test)]
mod tests;
mod transport;
mod trust;

pub(crate) use bounded::{Salvage, Sparse, entries, records};
pub(crate) use client::Client;
pub(crate) use client_settings::ClientSettings;
pub(crate) use counts::Counts;
pub(crate) use failure::{Failure, FailureKind};
pub(crate) use key_pair::certificate_ends;
#[cfg(feature = "bucket")]
pub(crate) use objects::{LARGEST_PART, ObjectsWay, Traffic, failure as object_failure};
pub(crate) use pages::{Brought, Pages, short};
pub(crate) use rate_limit::RateLimit;
pub(crate) use request::{Authorization, Request};
pub(crate) use response::{Response, Sent};
pub(crate) use retry::{BLOCKED, Pause, Pauses, is_throttled, is_transient, parse_retry_after, retry_after};
#[cfg(feature = "bucket")]
pub(crate) use sign_in::{AmazonSignIn, SessionKey, is_of_a_pool};
pub(crate) use sign_in::{EntraSignIn, GoogleApi, GoogleSignIn, TokenSource};
#[cfg(feature = "bucket")]
pub(crate) use stopping::Moment;
pub(crate) use stopping::{Permit, Stopping};
pub(crate) use transport::Cookies;
pub(crate) use url::Url;
