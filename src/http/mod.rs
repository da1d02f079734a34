//! The only way out to the network: sign-in, pace, retry of reads, caps on bodies, redaction.
//!
//! Owns: the HTTP client, the rate of each server, what is counted for the report, and the words of a failure.
//! Leaves to others: what the answers mean (`extract`, `load`).
//! A newcomer gets wrong: only calls typed as reads are repeated; a write is sent once, or again after a plain 429
//! (docs/architecture.md, "The house").

mod answer;
mod bounded;
mod call;
mod counts;
mod failure;
mod hints;
mod key_pair;
mod line;
#[cfg(test)]
pub(crate) mod loopback;
mod no_proxy;
mod origin;
mod pace;
mod redact;
mod retry;
mod sign_in;
mod stopping;
#[cfg(test)]
mod tests;
mod transport;
mod trust;

pub(crate) use answer::{Answer, Sent};
pub(crate) use bounded::{Salvage, Sparse, entries, records};
pub(crate) use call::{Authorization, Call};
pub(crate) use counts::Counts;
pub(crate) use failure::{Failure, FailureKind};
pub(crate) use line::{Cookies, Line};
pub(crate) use pace::{Pace, Rate};
pub(crate) use redact::{know, redact, redact_known, told};
pub(crate) use reqwest::header::HeaderName;
pub(crate) use retry::{BLOCKED, Pause, Pauses, is_throttled, is_transient, parse_retry_after, retry_after};
pub(crate) use sign_in::{EntraCredential, EntraSignIn, GoogleCredential, GoogleSignIn, TokenFrom, TokenSource};
pub(crate) use stopping::Stopping;
pub(crate) use transport::{ClientCert, Proxy, Transport};
pub(crate) use url::Url;
