//! Whether the server still knows us: the login headers of every answer, and the circuit breaker that the first refusal trips.
//!
//! Owns: reading `X-Seraph-LoginReason` and `X-AUSERNAME` (docs/wire/atlassian.md §2.2), the words of a refused login.
//! Leaves to others: sending (`client.rs`).
//! A newcomer gets wrong: a dead login can answer 200 with anonymous data, so the status alone proves nothing.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::lock::{Mutex, MutexGuard};

use crate::http::{BLOCKED, Failure, FailureKind, Response, retry_after};
use crate::settings::AtlassianCredential;

/// Open until the login is refused once; then no worker sends that credential again, or a CAPTCHA would follow.
#[derive(Debug)]
pub(crate) struct CircuitBreaker {
    refused: OnceLock<Failure>,
    kind: CredentialKind,
    /// Whether the server has known us since the newest way in was opened.
    known: AtomicBool,
    /// Held by the one request that goes while that is in doubt.
    alone: Mutex<()>,
}

/// What we sign in with, for the words of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CredentialKind {
    Token,
    Password,
}

/// What an anonymous answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anonymous {
    /// A refused login.
    Refused,
    /// Nothing: the image servlet may not know a token (JRASERVER-72378).
    Allowed,
}

impl CircuitBreaker {
    /// Open, and in doubt.
    pub(crate) fn new(kind: CredentialKind) -> Self {
        Self { refused: OnceLock::new(), kind, known: AtomicBool::new(false), alone: Mutex::new(()) }
    }

    /// A new way in was opened. Between two phases of a run a token may be revoked: the workers that begin now must not
    /// all try it at once.
    pub(crate) fn doubt(&self) {
        self.known.store(false, Ordering::Release);
    }

    /// As [`CircuitBreaker::pass`]; while the login is in doubt, one request goes and the others wait for what it is told. The
    /// guard is kept until the answer was checked.
    pub(crate) async fn enter(&self) -> Result<Option<MutexGuard<'_, ()>>, Failure> {
        self.pass()?;
        if self.known.load(Ordering::Acquire) {
            return Ok(None);
        }
        let alone = self.alone.lock().await;
        self.pass()?;
        Ok((!self.known.load(Ordering::Acquire)).then_some(alone))
    }

    /// Takes note of an answer that only somebody who is signed in gets.
    pub(crate) fn note(&self, response: &Response) {
        if user(response).is_some() || (200..300).contains(&response.status) {
            self.known.store(true, Ordering::Release);
        }
    }

    /// Fails once a login was refused.
    pub(crate) fn pass(&self) -> Result<(), Failure> {
        self.refused.get().map_or(Ok(()), |failure| Err(failure.clone()))
    }

    /// Trips it and gives back the first failure that did so.
    pub(crate) fn trip(&self, failure: Failure) -> Failure {
        self.refused.get_or_init(|| failure).clone()
    }

    /// Trips it if this answer shows a refused login.
    pub(crate) fn check(&self, response: &Response, anonymous: Anonymous) -> Result<(), Failure> {
        match refusal(response, anonymous, self.kind) {
            Some(failure) => Err(self.trip(failure)),
            None => {
                if anonymous == Anonymous::Refused {
                    self.note(response);
                }
                Ok(())
            }
        }
    }
}

/// The failure that an answer stands for, if it shows a refused login.
fn refusal(response: &Response, anonymous: Anonymous, kind: CredentialKind) -> Option<Failure> {
    if matches!(response.status, 502..=504) {
        // In maintenance nobody is known, whatever its headers say: nothing was refused.
        return None;
    }
    let refused = |found: String| response.failure(FailureKind::Refused, found);
    let denied = response.header("x-authentication-denied-reason");
    if let Some(denied) = denied {
        let hint = match denied.split_once("login-url=") {
            Some((_, url)) => format!("sign in once in a browser to clear the CAPTCHA: {}", url.trim()),
            None => "sign in once in a browser, or let an administrator reset the failed login count".to_owned(),
        };
        return Some(refused(format!("{}, X-Authentication-Denied-Reason: {denied}", response.status)).hint(hint));
    }
    let reasons = response.headers.get_all("x-seraph-loginreason").iter().filter_map(|value| value.to_str().ok());
    for reason in reasons.flat_map(|value| value.split(',')).map(str::trim) {
        let hint = match reason {
            "AUTHENTICATED_FAILED" => "the credential is wrong or expired: make a new token, or correct the password",
            "AUTHENTICATION_DENIED" => "the account is locked or has to solve a CAPTCHA: sign in once in a browser",
            // AUTHORISATION_FAILED and OUT are not about the login (§2.2).
            _ => continue,
        };
        return Some(refused(format!("{}, X-Seraph-LoginReason: {reason}", response.status)).hint(hint));
    }
    // Before the words on anonymous answers: such an answer may carry those headers, too (§13).
    if response.status == 403 && contains(&response.body, "Basic Authentication has been disabled") {
        return Some(refused("403, basic authentication is switched off on this instance".to_owned()).hint(
            "write `credential: { token: … }`, or let an administrator allow it under System > Authentication methods",
        ));
    }
    if anonymous == Anonymous::Refused && response.header("x-ausername") == Some("anonymous") {
        let found = format!("{}, X-AUSERNAME: anonymous: the server does not know the credential", response.status);
        return Some(refused(found).hint(match kind {
            CredentialKind::Token => {
                "the token may have expired or been revoked, or this release takes none (Jira before 8.14 and Confluence \
                 before 7.9: write `credential: { username: …, password: … }`); no picture was touched with it"
            }
            CredentialKind::Password => {
                "signing in by password may be switched off, as it is from Jira 11 and Confluence 10 on: write \
                 `credential: { token: … }`, or let an administrator allow it under System > Authentication methods; \
                 no picture was touched with it"
            }
        }));
    }
    if response.status == 429 && retry_after(&response.headers).is_some_and(|wait| wait >= BLOCKED) {
        return Some(
            refused("429, this account is blocked by rate limiting".to_owned())
                .hint("let an administrator exempt the account under System > Rate limiting"),
        );
    }
    None
}

/// What there is to know of a credential's end.
pub(crate) fn lasts(credential: &AtlassianCredential) -> Option<String> {
    credential.is_token().then(|| "when the token expires is told in the account's profile alone".to_owned())
}

/// Who we are by this answer, where the server says so. The header is form-encoded.
pub(crate) fn user(response: &Response) -> Option<String> {
    let name = response.header("x-ausername").filter(|name| !name.is_empty() && *name != "anonymous")?;
    let encoded = format!("n={name}");
    url::form_urlencoded::parse(encoded.as_bytes()).next().map(|(_, name)| name.into_owned())
}

/// Whether a body holds these words, near its beginning.
pub(crate) fn contains(body: &[u8], words: &str) -> bool {
    let head = &body[..body.len().min(4096)];
    String::from_utf8_lossy(head).contains(words)
}
