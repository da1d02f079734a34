//! Secrets, and the one way of text from outside (promise P7).
//!
//! Owns: the type of a secret, the list of those this process holds, covering them in a text, and what a text may hold when
//! it leaves ([`outlet`]).
//! Leaves to others: where a secret may stand in the pipeline file (`pipeline`), whom it is sent to (`http`).
//! A newcomer gets wrong: nobody has to tell the redactor anything; whoever makes a [`Secret`] has done so.

mod cookies;
mod echoes;
mod escapes;
pub(crate) mod outlet;
mod redact;
mod spellings;
mod user_info;
mod value;
mod windows;

pub(crate) use cookies::cover_cookie;
#[cfg(test)]
pub(crate) use redact::REDACTED;
#[cfg(feature = "bucket")]
pub(crate) use redact::cover;
pub(crate) use redact::{brief, cut, holds_secret, redact, redact_known, safe_url, server_message};
pub(crate) use user_info::cover_user_info;
pub(crate) use value::Secret;
