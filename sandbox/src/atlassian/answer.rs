//! One request from the login to the headers that every answer carries.

use axum::body::Body;
use axum::http::Response;

use super::auth::{AccountStore, AuthPolicy};
use super::caller::Caller;
use super::filters::{self, RateLimit};
use super::login;
use super::reply::Reply;
use super::request::Request;
use crate::simulator::SimulatedAnswer;

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
