//! The cookies of one session, and whether another session was given the same.
//!
//! Owns: the jar of a session, that what stands in it is told nowhere (promise P7), noticing that its server session is another
//! one by now, or is shared.
//! Leaves to others: what must not go on then (`load`).
//! A newcomer gets wrong: a cache or a balancer on the way can hand one client's cookie to all of them, also in the middle of a
//! run. Jira keeps one temporary avatar a session and does not remember whose it is (docs/wire/atlassian.md §2.1).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::HeaderValue;
use url::Url;

use crate::secret::cover_cookie;

/// What the name of a session's cookie holds: `JSESSIONID`, `BITBUCKETSESSIONID`. A balancer's own cookie changes with every
/// answer, or is one for all.
const SESSION: &str = "SESSIONID";

/// The cookies of one session.
#[derive(Default)]
pub(super) struct SessionJar {
    jar: Jar,
    /// Digests of the session cookies that are held, by name and path.
    held: Mutex<BTreeMap<(String, String), blake3::Hash>>,
    turn: AtomicU64,
}

impl fmt::Debug for SessionJar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionJar").field("turn", &self.turn()).finish_non_exhaustive()
    }
}

impl SessionJar {
    /// How often the server began another session in this jar.
    pub(super) fn turn(&self) -> u64 {
        self.turn.load(Ordering::Acquire)
    }

    fn note(&self, cookie: &str) {
        let mut parts = cookie.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        cover_cookie(name, value);
        if !name.to_ascii_uppercase().contains(SESSION) || value.is_empty() {
            return;
        }
        let path = parts.filter_map(|part| part.split_once('=')).find(|(key, _)| key.eq_ignore_ascii_case("path"));
        let (key, value) = (
            (name.to_owned(), path.map_or_else(String::new, |(_, path)| path.to_owned())),
            blake3::hash(value.as_bytes()),
        );
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.insert(key, value) != Some(value) {
            self.turn.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn holds_one_of(&self, other: &Self) -> bool {
        let others = other.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.values().any(|value| others.values().any(|other| other == value))
    }
}

impl CookieStore for SessionJar {
    fn set_cookies(&self, cookie_headers: &mut dyn Iterator<Item = &HeaderValue>, url: &Url) {
        let headers: Vec<&HeaderValue> = cookie_headers.collect();
        for cookie in headers.iter().filter_map(|header| header.to_str().ok()) {
            self.note(cookie);
        }
        self.jar.set_cookies(&mut headers.into_iter(), url);
    }

    fn cookies(&self, url: &Url) -> Option<HeaderValue> {
        self.jar.cookies(url)
    }
}

/// The jars of all sessions with one server that are in use.
#[derive(Debug, Default)]
pub(super) struct SessionJars(Mutex<Vec<Weak<SessionJar>>>);

impl SessionJars {
    /// One more.
    pub(super) fn open(&self) -> Arc<SessionJar> {
        let jar = Arc::new(SessionJar::default());
        let mut jars = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        jars.retain(|jar| jar.strong_count() > 0);
        jars.push(Arc::downgrade(&jar));
        jar
    }

    /// Whether another jar in use holds a session cookie of this one.
    pub(super) fn share(&self, own: &Arc<SessionJar>) -> bool {
        let jars = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        jars.iter().filter_map(Weak::upgrade).any(|jar| !Arc::ptr_eq(&jar, own) && jar.holds_one_of(own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(jar: &SessionJar, cookies: &[&str]) {
        let url = Url::parse("https://jira.ex.org/jira/rest/api/2/myself").unwrap();
        let headers: Vec<HeaderValue> = cookies.iter().map(|text| HeaderValue::from_str(text).unwrap()).collect();
        jar.set_cookies(&mut headers.iter(), &url);
    }

    #[test]
    fn another_session_is_another_turn_and_a_balancers_cookie_is_none() {
        let jar = SessionJar::default();
        for (cookies, turn) in [
            (&["JSESSIONID=a; Path=/jira; HttpOnly", "AWSALB=1; Path=/"][..], 1),
            (&["JSESSIONID=a; Path=/jira", "AWSALB=2; Path=/", "atlassian.xsrf.token=t"], 1),
            (&["JSESSIONID=b; Path=/jira"], 2),
            (&["JSESSIONID=; Path=/jira; Max-Age=0"], 2),
            (&["JSESSIONID=c; path=/"], 3),
            (&["odd"], 3),
        ] {
            given(&jar, cookies);
            assert_eq!(jar.turn(), turn, "{cookies:?}");
        }
        assert!(!format!("{jar:?}").contains("AWSALB"), "cookies are printed");
    }

    #[test]
    fn a_cookie_of_two_jars_is_shared_while_both_are_in_use() {
        let jars = SessionJars::default();
        let (first, second) = (jars.open(), jars.open());
        given(&first, &["JSESSIONID=a; Path=/jira", "ROUTEID=.1; Path=/"]);
        given(&second, &["JSESSIONID=b; Path=/jira", "ROUTEID=.1; Path=/"]);
        assert!(!jars.share(&first) && !jars.share(&second));
        given(&second, &["JSESSIONID=a; Path=/"]);
        assert!(jars.share(&first) && jars.share(&second));
        drop(second);
        assert!(!jars.share(&first));
    }
}
