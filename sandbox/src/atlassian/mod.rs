//! What the Atlassian products share: requests taken apart, answers, logins, rate limiting, forged requests.
//!
//! Owns: everything between the socket and a product's endpoints (docs/wire/atlassian.md §2).
//! Leaves to others: the endpoints and the data (`jira`, `confluence`, `bitbucket`).
//! A newcomer gets wrong: a product says through [`AuthPolicy`] how it differs; nothing here asks which product it is.

pub(crate) mod auth;
pub(crate) mod filters;
pub(crate) mod login;
pub(crate) mod manifest;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod switches;
pub(crate) mod version;

use std::time::SystemTime;

use axum::body::Body;
use axum::http::Response;

use self::auth::{AccountStore, AuthPolicy};
use self::filters::RateLimit;
use self::login::Caller;
use self::reply::Reply;
use self::request::Request;
use super::simulator::SimulatedAnswer;

/// Answers one request: login, rate limit, endpoint, and the headers that every answer carries.
pub(crate) fn answer<P: AuthPolicy>(
    policy: &P,
    store: &mut P::Store,
    request: &Request,
    endpoint: impl FnOnce(&mut P::Store, &Caller) -> Reply,
) -> Response<Body> {
    let mut caller = login::sign_in(policy, store, request);
    let serial = caller.serial(store);
    let rate_limit = filters::rate_limit(policy, store, &caller);
    let reply = match (caller.refusal.take(), rate_limit) {
        (Some(refusal), _) => refusal,
        (None, Some(rate_limit)) if rate_limit.over => RateLimit::refusal(request),
        (None, _) => endpoint(store, &caller),
    };
    let reply = caller.sign(store, reply);
    let reply = rate_limit.into_iter().fold(reply, |reply, rate_limit| rate_limit.sign(reply));
    login::leave(policy, store, &caller);
    let who = caller.key.as_ref().and_then(|key| store.keyed(key)).map(|account| account.name.to_owned());
    let mut response = Response::from(reply);
    let session = serial.map(|serial| serial.to_string());
    response.extensions_mut().insert(SimulatedAnswer { who, session, ..SimulatedAnswer::default() });
    response
}

/// A number that is the same for the same words and differs between worlds.
pub(crate) fn number_from(seed: &str, what: &str) -> u64 {
    let digest = blake3::hash(format!("{seed}/{what}").as_bytes());
    digest.as_bytes().iter().take(7).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Milliseconds since the epoch.
pub(crate) fn milliseconds(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A server's own id in the form that all products use, the same for the same title.
pub(crate) fn made_up_id(title: &str) -> String {
    let part = |nth: u64| format!("{:04X}", number_from(title, &nth.to_string()) & 0xFFFF);
    format!("B{}-{}-{}-{}", &part(0)[1..], part(1), part(2), part(3))
}
