//! The token of a source: asked for once, shared by everybody, renewed before it runs out.
//!
//! Owns: when a token is asked for, and that only one asks at a time. Leaves to others: how ([`Grant`]).
//! A newcomer gets wrong: after a 401 the token that was used is named ([`TokenSource::renew`]); if somebody else has
//! renewed it meanwhile, nothing is asked for again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::grant::{Grant, Granted};
use crate::http::{Counts, Failure, FailureKind};
use crate::secret::Secret;

/// A token this close to its end is not used any more (docs/wire/microsoft-graph.md §1.5).
const MARGIN: Duration = Duration::from_secs(300);

/// The longest that any vendor lets a token live is a day and some hours (§1.5). What an answer says beyond is no time
/// that could be counted with.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// The token of one source, shared by all its requests.
pub(crate) struct TokenSource {
    grant: Box<dyn Grant>,
    held: Mutex<Held>,
}

enum Held {
    Nothing,
    Token {
        token: Secret,
        until: Instant,
        /// The end that the server gave it, for people.
        ends: SystemTime,
    },
    /// Asking again would get the same answer, and could lock the app out.
    Refused(Failure),
}

impl TokenSource {
    /// A source of tokens by this grant. Nothing is asked for yet.
    pub(crate) fn new(grant: impl Grant + 'static) -> Self {
        Self { grant: Box::new(grant), held: Mutex::new(Held::Nothing) }
    }

    /// A token that is good for some minutes yet.
    pub(crate) async fn token(&self) -> Result<Secret, Failure> {
        let mut held = self.held.lock().await;
        match &*held {
            Held::Token { token, until, .. } if Instant::now() < *until => Ok(token.clone()),
            Held::Refused(failure) => Err(failure.clone()),
            _ => self.ask(&mut held).await,
        }
    }

    /// Another token than this one, which was answered with 401.
    pub(crate) async fn renew(&self, used: &Secret) -> Result<Secret, Failure> {
        {
            let mut held = self.held.lock().await;
            if matches!(&*held, Held::Token { token, .. } if token.expose() == used.expose()) {
                *held = Held::Nothing;
            }
        }
        self.token().await
    }

    /// Whose sign-in it is, as far as our own side knows.
    pub(crate) fn who(&self) -> Option<String> {
        self.grant.who()
    }

    /// What else there is to know of the credential's own end.
    pub(crate) fn lasts(&self) -> Option<String> {
        self.grant.lasts()
    }

    /// What expires when, in Unix seconds: the token that is held, and the credential where that can be read.
    pub(crate) async fn expires(&self) -> Vec<(String, u64)> {
        let token = match &*self.held.lock().await {
            Held::Token { ends, .. } => ends.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs()),
            Held::Nothing | Held::Refused(_) => None,
        };
        token.map(|ends| ("token".to_owned(), ends)).into_iter().chain(self.grant.ends()).collect()
    }

    /// What signing in has sent so far.
    pub(crate) fn counts(&self) -> Counts {
        self.grant.counts()
    }

    async fn ask(&self, held: &mut Held) -> Result<Secret, Failure> {
        let asked = Instant::now();
        match self.grant.ask().await {
            Ok(Granted { token, expires_in }) => {
                let expires_in = expires_in.min(LONGEST);
                // A token that lives only minutes is used for half its life.
                let life = expires_in.saturating_sub(MARGIN).max(expires_in / 2);
                *held = Held::Token { token: token.clone(), until: asked + life, ends: SystemTime::now() + expires_in };
                Ok(token)
            }
            Err(failure) => {
                if failure.kind == FailureKind::Refused {
                    *held = Held::Refused(failure.clone());
                }
                Err(failure)
            }
        }
    }
}

impl std::fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenSource(***)")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;

    use super::*;

    /// Grants numbered tokens.
    struct Numbered {
        asked: Arc<AtomicUsize>,
        expires_in: Duration,
        refuses: bool,
    }

    #[async_trait]
    impl Grant for Numbered {
        async fn ask(&self) -> Result<Granted, Failure> {
            let number = self.asked.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            if self.refuses {
                return Err(Failure::new(FailureKind::Refused, "sign-in", "no"));
            }
            Ok(Granted { token: Secret::new(format!("numbered-token-{number}")), expires_in: self.expires_in })
        }

        fn counts(&self) -> Counts {
            Counts::default()
        }
    }

    fn source(expires_in: u64, refuses: bool) -> (TokenSource, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let expires_in = Duration::from_secs(expires_in);
        (TokenSource::new(Numbered { asked: Arc::clone(&asked), expires_in, refuses }), asked)
    }

    #[tokio::test]
    async fn many_who_want_a_token_at_once_cause_one_sign_in() {
        let (source, asked) = source(3599, false);
        let tokens = futures::future::join_all((0..5).map(|_| source.token())).await;
        assert!(tokens.iter().all(|token| token.as_ref().unwrap().expose() == "numbered-token-0"));
        let first = source.token().await.unwrap();
        let renewed = futures::future::join_all((0..5).map(|_| source.renew(&first))).await;
        assert!(renewed.iter().all(|token| token.as_ref().unwrap().expose() == "numbered-token-1"));
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_token_that_has_run_out_is_not_used_again() {
        let (source, asked) = source(0, false);
        source.token().await.unwrap();
        source.token().await.unwrap();
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_token_for_ever_ends_all_the_same() {
        let (source, asked) = source(u64::MAX, false);
        source.token().await.unwrap();
        source.token().await.unwrap();
        let (_, ends) = source.expires().await.pop().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!(asked.load(Ordering::Relaxed) == 1 && ends <= now + LONGEST.as_secs());
    }

    #[tokio::test]
    async fn a_refused_sign_in_is_not_tried_again() {
        let (source, asked) = source(3599, true);
        let first = source.token().await.unwrap_err();
        assert_eq!(source.token().await.unwrap_err(), first);
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }
}
