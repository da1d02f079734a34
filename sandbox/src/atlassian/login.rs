//! Who asks: tokens, basic logins, web sessions, the CAPTCHA.
//!
//! Owns: sign-in by every way (docs/wire/atlassian.md §2.1), sessions and their nodes.
//! Leaves to others: what answers say of it (`caller`), what lies in a session (the product).
//! A newcomer gets wrong: a dead token is not 401 on endpoints open to anonymous; it is 200 as nobody.

use axum::http::HeaderName;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::auth::{AccountStore, AuthPolicy, Session};
use super::caller::{Caller, LoginMethod, REASON};
use super::made_up::number_from;
use super::reply::Reply;
use super::request::{Fault, Request};
use super::switches;

const NODE_COOKIE: &str = "lb-node";
const DENIED: HeaderName = HeaderName::from_static("x-authentication-denied-reason");

pub(crate) fn sign_in<P: AuthPolicy>(policy: &P, store: &mut P::Store, request: &Request) -> Caller {
    let (node, affinity) = node_of(policy, store, request);
    let mut caller = identify(policy, store, request, node);
    caller.cookies.extend(affinity);
    caller
}

/// The node behind the load balancer: the one of the cookie, else the next in turn.
fn node_of<P: AuthPolicy>(policy: &P, store: &mut P::Store, request: &Request) -> (u32, Option<String>) {
    let nodes = policy.context().number(&switches::NODES).max(1);
    store.auth_state_mut().asked += 1;
    if request.fault == Some(Fault::AffinityLost) {
        // The next request finds its way again.
        let home = request
            .cookie(policy.session_cookie())
            .and_then(|id| store.auth_state().sessions.get(id))
            .map_or(1, |s| s.node);
        return (if home == 1 { 2 } else { 1 }, None);
    }
    if nodes == 1 {
        return (1, None);
    }
    let told = request.cookie(NODE_COOKIE).and_then(|value| value.strip_prefix("node")?.parse::<u32>().ok());
    match told.filter(|node| (1..=nodes).contains(&u64::from(*node))) {
        Some(node) => (node, None),
        None => {
            let node = u32::try_from(store.auth_state_mut().asked % nodes).unwrap_or_default() + 1;
            (node, Some(format!("{NODE_COOKIE}=node{node}; Path=/; HttpOnly")))
        }
    }
}

fn identify<P: AuthPolicy>(policy: &P, store: &mut P::Store, request: &Request, node: u32) -> Caller {
    match request.fault {
        Some(Fault::SessionLost) => store.auth_state_mut().sessions.clear(),
        Some(Fault::LoginRefused) => return Caller::failed(node),
        _ => {}
    }
    let (scheme, secret) = request.header("authorization").and_then(|v| v.split_once(' ')).unwrap_or_default();
    let cookie = request.cookie(policy.session_cookie()).map(str::to_owned);
    let live =
        cookie.clone().filter(|id| store.auth_state().sessions.get(id).is_some_and(|session| session.node == node));
    let dead = cookie.is_some() && live.is_none();
    if scheme.eq_ignore_ascii_case("bearer") && policy.stands(&switches::TOKENS, policy.has_tokens()) {
        if dead && policy.context().is(&switches::DEAD_COOKIE, "refused") {
            return Caller::anonymous(node).refused_with(invalid_cookie());
        }
        return by_token(policy, store, secret.trim(), live, node);
    }
    if scheme.eq_ignore_ascii_case("basic") {
        return by_password(policy, store, secret.trim(), live, node);
    }
    match live {
        Some(id) => {
            let user = store.auth_state().sessions[&id].user.clone();
            Caller { session: Some(id), ..Caller::known(node, LoginMethod::Cookie, user) }
        }
        None if dead && request.path.first().is_some_and(|s| s == "rest") => {
            Caller::anonymous(node).refused_with(invalid_cookie())
        }
        None => Caller::anonymous(node),
    }
}

fn by_token<P: AuthPolicy>(policy: &P, store: &mut P::Store, token: &str, live: Option<String>, node: u32) -> Caller {
    match store.holder(token).map(str::to_owned).filter(|key| may_log_in(store, key)) {
        Some(key) => enter(policy, store, Caller::known(node, LoginMethod::Token, key), live),
        None if policy.context().is(&switches::BAD_TOKEN, "refused") => {
            Caller::failed(node).refused_with(policy.login_required())
        }
        None => Caller::failed(node),
    }
}

fn by_password<P: AuthPolicy>(
    policy: &P,
    store: &mut P::Store,
    secret: &str,
    live: Option<String>,
    node: u32,
) -> Caller {
    if !policy.stands(&switches::BASIC_AUTH, policy.has_passwords()) {
        let text = "Basic Authentication has been disabled on this instance.";
        return Caller::anonymous(node).refused_with(Reply::message(403, text));
    }
    let decoded = STANDARD.decode(secret).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let (name, password) = decoded.as_deref().and_then(|text| text.split_once(':')).unwrap_or_default();
    match check_password(policy, store, name, password) {
        Ok(key) => enter(policy, store, Caller::known(node, LoginMethod::Basic, key), live),
        Err(Some(captcha)) => Caller::failed(node).refused_with(captcha),
        Err(None) if policy.context().is(&switches::BAD_PASSWORD, "refused") => {
            Caller::failed(node).refused_with(policy.login_required())
        }
        Err(None) => Caller::failed(node),
    }
}

/// The key of who has that password. An error may hold the CAPTCHA's answer, which comes before any look at the
/// password.
pub(crate) fn check_password<P: AuthPolicy>(
    policy: &P,
    store: &mut P::Store,
    name: &str,
    password: &str,
) -> Result<String, Option<Reply>> {
    let name = name.to_lowercase();
    let allowed = policy.context().number(&switches::CAPTCHA_AFTER);
    let failures = store.auth_state().failures.get(&name).copied().unwrap_or_default();
    if allowed > 0 && failures >= allowed {
        return Err(Some(captcha(policy)));
    }
    let found = store.key_of(&name).filter(|key| {
        let account = store.keyed(key);
        account.is_some_and(|account| account.may_log_in && account.password == Some(password))
    });
    match found.map(str::to_owned) {
        Some(key) => {
            store.auth_state_mut().failures.remove(&name);
            Ok(key)
        }
        None => {
            *store.auth_state_mut().failures.entry(name).or_default() += 1;
            store.auth_state_mut().counters.failed_logins += 1;
            Err(None)
        }
    }
}

fn captcha<P: AuthPolicy>(policy: &P) -> Reply {
    let status = if policy.context().is(&switches::CAPTCHA_STATUS, "401") { 401 } else { 403 };
    let reason = format!("CAPTCHA_CHALLENGE; login-url={}/login.jsp", policy.base());
    Reply::page(status, "Forbidden (403)", "Encountered a CAPTCHA challenge while logging in.")
        .with(DENIED, reason)
        .with(REASON, "AUTHENTICATION_DENIED")
}

/// Goes on in the live session if it is the same user's, else opens a new one: each call without a session cookie
/// does (JRASERVER-27047).
pub(crate) fn enter<P: AuthPolicy>(
    policy: &P,
    store: &mut P::Store,
    mut caller: Caller,
    live: Option<String>,
) -> Caller {
    let user = caller.key.clone().unwrap_or_default();
    let id = match live.filter(|id| store.auth_state().sessions[id].user == user) {
        Some(id) => id,
        None => {
            store.auth_state_mut().counters.sessions_opened += 1;
            let serial = store.auth_state_mut().counters.sessions_opened;
            // The time is in it, so that no cookie of an earlier process fits a session of this one.
            let seed = format!("{serial} {:?}", policy.context().now());
            let id = format!("{:014X}{serial:06X}.node{}", number_from(policy.seed(), &seed), caller.node);
            let session = Session { serial, node: caller.node, user, data: Default::default() };
            store.auth_state_mut().sessions.insert(id.clone(), session);
            caller.cookies.push(format!("{}={id}; Path={}; HttpOnly", policy.session_cookie(), policy.cookie_path()));
            let xsrf = format!("atlassian.xsrf.token=BSBX-{serial:04X}_lin; Path={}", policy.cookie_path());
            caller.cookies.push(xsrf);
            id
        }
    };
    caller.session = Some(id);
    caller
}

/// The end of a request: a token's session goes with it.
pub(crate) fn leave<P: AuthPolicy>(policy: &P, store: &mut P::Store, caller: &Caller) {
    if caller.method == LoginMethod::Token && policy.context().is(&switches::TOKEN_SESSION, "ends") {
        end_session(policy, store, caller);
    }
}

pub(crate) fn end_session<P: AuthPolicy>(policy: &P, store: &mut P::Store, caller: &Caller) {
    let gone = caller.session.as_ref().and_then(|id| store.auth_state_mut().sessions.remove(id));
    if let Some(session) = gone {
        store.auth_state_mut().counters.sessions_ended += 1;
        policy.ended(store, session);
    }
}

fn may_log_in<S: AccountStore>(store: &S, key: &str) -> bool {
    store.keyed(key).is_some_and(|account| account.may_log_in)
}

fn invalid_cookie() -> Reply {
    Reply::page(401, "Unauthorized (401)", "os_authType was 'any' and an invalid cookie was sent.")
}
