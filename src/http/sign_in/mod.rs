//! Tokens: asked for once, shared by everybody, renewed before they run out.
//!
//! Owns: when a token is asked for (`token_source`), and how (one file a kind).
//! Leaves to others: what the token is used for.
//! A newcomer gets wrong: after a 401 the token that was used is named ([`TokenSource::renew`]); if somebody else has
//! renewed it meanwhile, nothing is asked for again.

#[cfg(feature = "bucket")]
mod amazon;
mod ci_token;
mod clock;
mod entra;
mod google;
mod grant;
mod token_source;

#[cfg(feature = "bucket")]
pub(crate) use amazon::{AmazonSignIn, SessionKey};
pub(crate) use entra::EntraSignIn;
#[cfg(feature = "bucket")]
pub(crate) use google::is_of_a_pool;
pub(crate) use google::{GoogleApi, GoogleSignIn};
use grant::{Grant, Granted};
pub(crate) use token_source::TokenSource;
