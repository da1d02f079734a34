//! What Jira, Confluence and Bitbucket share: the credential, the circuit breaker of the login, the server's own id, which
//! accounts are selected.
//!
//! Owns: everything of docs/wire/atlassian.md §2 that holds for all three.
//! Leaves to others: pace and rate headers (`http`), every call that names a product.
//! A newcomer gets wrong: the products look alike and answer differently. What is here was the same in all three;
//! anything else belongs to one of them.

pub(crate) mod accounts;
pub(crate) mod client;
pub(crate) mod login;
pub(crate) mod manifest;
pub(crate) mod probe;

use std::time::SystemTime;

use crate::secret::Secret;

use crate::http::Authorization;

pub(crate) use accounts::{AccountRules, Inactive};
#[cfg(any(test, fuzzing))]
pub(crate) use manifest::fuzz as fuzz_answers;

/// How we sign in.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// A personal or HTTP access token, or an OAuth 2.0 token. In Jira and Confluence it may end the web session after
    /// each request (§1.1).
    Token(Secret),
    /// User name and password.
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: Secret,
    },
}

impl Credential {
    /// Whether it is a token.
    pub(crate) fn is_token(&self) -> bool {
        matches!(self, Self::Token(_))
    }

    /// What there is to know of its end.
    pub(crate) fn lasts(&self) -> Option<String> {
        self.is_token().then(|| "when the token expires is told in the account's profile alone".to_owned())
    }

    fn authorization(&self) -> Authorization {
        match self {
            Self::Token(token) => Authorization::Bearer(token.clone()),
            Self::Basic { username, password } => {
                Authorization::Basic { user: username.clone(), password: password.clone() }
            }
        }
    }
}

/// Unix seconds.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
