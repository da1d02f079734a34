//! The access tokens of a customer.
//!
//! Owns: issuing, expiry, revocation, and for whom a token speaks.
//! Leaves to others: who may have one (`token`, `sts`, `iam`), what it may do (`directory`).
//! A newcomer gets wrong: the scopes of a token are those it was asked for, and no more.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;

/// For whom a token speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Principal {
    /// A user, by primary address.
    User(String),
    /// A service account itself, by address.
    Account(String),
    /// Somebody from outside, by subject.
    External(String),
}

impl Principal {
    pub(super) fn name(&self) -> &str {
        let (Self::User(name) | Self::Account(name) | Self::External(name)) = self;
        name
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) who: Principal,
    pub(super) scopes: Vec<String>,
}

/// How long a token lasts: 3599 rather than 3600 is what is really sent (docs/wire/google-directory.md §1.3).
pub(super) const LASTS: u64 = 3599;

#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<Issued>);

/// How many there were, and each with its end.
type Issued = (u64, BTreeMap<String, (Grant, SystemTime)>);

impl Tokens {
    /// Issues a token whose text begins like Google's of that kind.
    pub(super) fn issue(&self, prefix: &str, grant: Grant, now: SystemTime) -> String {
        let mut tokens = self.0.lock().expect(POISON);
        tokens.0 += 1;
        let mut seed = [0; 96];
        blake3::Hasher::new()
            .update(format!("{}{:?}{now:?}", tokens.0, grant).as_bytes())
            .finalize_xof()
            .fill(&mut seed);
        let token = format!("{prefix}{}", BASE64URL.encode(seed));
        tokens.1.insert(token.clone(), (grant, now + Duration::from_secs(LASTS)));
        token
    }

    pub(super) fn find(&self, token: &str, now: SystemTime) -> Option<Grant> {
        let tokens = self.0.lock().expect(POISON);
        tokens.1.get(token).filter(|(_, until)| now < *until).map(|(grant, _)| grant.clone())
    }

    /// Makes every token issued so far invalid; how many there were.
    pub(super) fn revoke_all(&self) -> usize {
        std::mem::take(&mut self.0.lock().expect(POISON).1).len()
    }
}

/// The token in an `Authorization` header; the scheme's letters may be of either case.
pub(super) fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim())
}

const POISON: &str = "no code panics while it holds the tokens";
