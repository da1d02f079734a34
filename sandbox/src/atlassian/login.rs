//! Who asks: tokens, basic logins, web sessions, the CAPTCHA.
//!
//! Owns: sign-in by every way (docs/wire/atlassian.md §2.1), the headers that tell a refused login (§2.2), sessions and
//! their nodes.
//! Leaves to others: what a caller may do (`call`), what lies in a session (the product).
//! A newcomer gets wrong: a dead token is not 401 on endpoints open to anonymous; it is 200 as nobody.

use axum::http::{HeaderName, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::ask::{Ask, Fault};
use super::lobby::{Door, Premises, Session};
use super::reply::Reply;
use super::{number_from, switches};

const NODE_COOKIE: &str = "lb-node";
const REASON: HeaderName = HeaderName::from_static("x-seraph-loginreason");
const USER: HeaderName = HeaderName::from_static("x-ausername");
const NODE: HeaderName = HeaderName::from_static("x-anodeid");
const DENIED: HeaderName = HeaderName::from_static("x-authentication-denied-reason");

/// By what a caller is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Not at all.
    Anonymous,
    /// A name and a password in each request.
    Basic,
    /// A personal access token.
    Token,
    /// A session cookie alone.
    Cookie,
}

/// Who asks, and in which session.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The account's key; none for anonymous.
    pub key: Option<String>,
    /// By what it is known.
    pub way: Way,
    /// The node that serves the request.
    pub node: u32,
    /// The session's id.
    pub session: Option<String>,
    /// The answer, if the login itself is refused.
    pub refusal: Option<Reply>,
    reason: &'static str,
    cookies: Vec<String>,
}

impl Caller {
    fn anonymous(node: u32) -> Caller {
        Caller {
            key: None,
            way: Way::Anonymous,
            node,
            session: None,
            refusal: None,
            reason: "OUT",
            cookies: Vec::new(),
        }
    }

    fn known(node: u32, way: Way, key: String) -> Caller {
        Caller { key: Some(key), way, reason: "OK", ..Caller::anonymous(node) }
    }

    fn failed(node: u32) -> Caller {
        Caller { reason: "AUTHENTICATED_FAILED", ..Caller::anonymous(node) }
    }

    fn refused_with(self, answer: Reply) -> Caller {
        Caller { refusal: Some(answer), ..self }
    }

    /// The session's number for logs.
    pub(crate) fn serial<S: Premises>(&self, store: &S) -> Option<u64> {
        store.lobby().sessions.get(self.session.as_ref()?).map(|session| session.serial)
    }

    /// Puts on an answer what every answer carries.
    pub(crate) fn sign<S: Premises>(&self, store: &S, mut reply: Reply) -> Reply {
        let member = self.key.as_ref().and_then(|key| store.keyed(key));
        let name = member.as_ref().map(|member| member.name);
        let carries = |reply: &Reply, name: &HeaderName| reply.headers.iter().any(|(known, _)| known == name);
        if !carries(&reply, &REASON) {
            reply = reply.with(REASON, self.reason);
        }
        // The session resource answers for whom it lets in, not for who asked.
        if !carries(&reply, &USER) {
            reply = reply.with(USER, super::ask::encode(name.unwrap_or("anonymous")));
            reply = reply.with(NODE, format!("node{}", self.node));
        }
        self.cookies.iter().fold(reply, |reply, cookie| reply.with(header::SET_COOKIE, cookie.clone()))
    }
}

/// Finds out who asks.
pub(crate) fn sign_in<D: Door>(door: &D, store: &mut D::Store, ask: &Ask) -> Caller {
    let (node, affinity) = node_of(door, store, ask);
    let mut caller = identify(door, store, ask, node);
    caller.cookies.extend(affinity);
    caller
}

/// The node behind the load balancer: the one of the cookie, else the next in turn.
fn node_of<D: Door>(door: &D, store: &mut D::Store, ask: &Ask) -> (u32, Option<String>) {
    let nodes = door.context().number(&switches::NODES).max(1);
    store.lobby_mut().asked += 1;
    if ask.fault == Some(Fault::AffinityLost) {
        // The next request finds its way again.
        let home =
            ask.cookie(door.session_cookie()).and_then(|id| store.lobby().sessions.get(id)).map_or(1, |s| s.node);
        return (if home == 1 { 2 } else { 1 }, None);
    }
    if nodes == 1 {
        return (1, None);
    }
    let told = ask.cookie(NODE_COOKIE).and_then(|value| value.strip_prefix("node")?.parse::<u32>().ok());
    match told.filter(|node| (1..=nodes).contains(&u64::from(*node))) {
        Some(node) => (node, None),
        None => {
            let node = u32::try_from(store.lobby_mut().asked % nodes).unwrap_or_default() + 1;
            (node, Some(format!("{NODE_COOKIE}=node{node}; Path=/; HttpOnly")))
        }
    }
}

fn identify<D: Door>(door: &D, store: &mut D::Store, ask: &Ask, node: u32) -> Caller {
    match ask.fault {
        Some(Fault::SessionLost) => store.lobby_mut().sessions.clear(),
        Some(Fault::LoginRefused) => return Caller::failed(node),
        _ => {}
    }
    let (scheme, secret) = ask.header("authorization").and_then(|v| v.split_once(' ')).unwrap_or_default();
    let cookie = ask.cookie(door.session_cookie()).map(str::to_owned);
    let live = cookie.clone().filter(|id| store.lobby().sessions.get(id).is_some_and(|session| session.node == node));
    let dead = cookie.is_some() && live.is_none();
    if scheme.eq_ignore_ascii_case("bearer") && door.stands(&switches::TOKENS, door.has_tokens()) {
        if dead && door.context().is(&switches::DEAD_COOKIE, "refused") {
            return Caller::anonymous(node).refused_with(invalid_cookie());
        }
        return by_token(door, store, secret.trim(), live, node);
    }
    if scheme.eq_ignore_ascii_case("basic") {
        return by_password(door, store, secret.trim(), live, node);
    }
    match live {
        Some(id) => {
            let user = store.lobby().sessions[&id].user.clone();
            Caller { session: Some(id), ..Caller::known(node, Way::Cookie, user) }
        }
        None if dead && ask.path.first().is_some_and(|s| s == "rest") => {
            Caller::anonymous(node).refused_with(invalid_cookie())
        }
        None => Caller::anonymous(node),
    }
}

fn by_token<D: Door>(door: &D, store: &mut D::Store, token: &str, live: Option<String>, node: u32) -> Caller {
    match store.holder(token).map(str::to_owned).filter(|key| may_log_in(store, key)) {
        Some(key) => enter(door, store, Caller::known(node, Way::Token, key), live),
        None if door.context().is(&switches::BAD_TOKEN, "refused") => {
            Caller::failed(node).refused_with(door.login_required())
        }
        None => Caller::failed(node),
    }
}

fn by_password<D: Door>(door: &D, store: &mut D::Store, secret: &str, live: Option<String>, node: u32) -> Caller {
    if !door.stands(&switches::BASIC_AUTH, door.has_passwords()) {
        let text = "Basic Authentication has been disabled on this instance.";
        return Caller::anonymous(node).refused_with(Reply::message(403, text));
    }
    let decoded = STANDARD.decode(secret).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let (name, password) = decoded.as_deref().and_then(|text| text.split_once(':')).unwrap_or_default();
    match check_password(door, store, name, password) {
        Ok(key) => enter(door, store, Caller::known(node, Way::Basic, key), live),
        Err(Some(captcha)) => Caller::failed(node).refused_with(captcha),
        Err(None) if door.context().is(&switches::BAD_PASSWORD, "refused") => {
            Caller::failed(node).refused_with(door.login_required())
        }
        Err(None) => Caller::failed(node),
    }
}

/// The key of who has that password. An error may hold the CAPTCHA's answer, which comes before any look at the
/// password.
pub(crate) fn check_password<D: Door>(
    door: &D,
    store: &mut D::Store,
    name: &str,
    password: &str,
) -> Result<String, Option<Reply>> {
    let name = name.to_lowercase();
    let allowed = door.context().number(&switches::CAPTCHA_AFTER);
    let failures = store.lobby().failures.get(&name).copied().unwrap_or_default();
    if allowed > 0 && failures >= allowed {
        return Err(Some(captcha(door)));
    }
    let found = store.key_of(&name).filter(|key| {
        let member = store.keyed(key);
        member.is_some_and(|member| member.active && member.password == Some(password))
    });
    match found.map(str::to_owned) {
        Some(key) => {
            store.lobby_mut().failures.remove(&name);
            Ok(key)
        }
        None => {
            *store.lobby_mut().failures.entry(name).or_default() += 1;
            store.lobby_mut().counters.failed_logins += 1;
            Err(None)
        }
    }
}

fn captcha<D: Door>(door: &D) -> Reply {
    let status = if door.context().is(&switches::CAPTCHA_STATUS, "401") { 401 } else { 403 };
    let reason = format!("CAPTCHA_CHALLENGE; login-url={}/login.jsp", door.base());
    Reply::page(status, "Forbidden (403)", "Encountered a CAPTCHA challenge while logging in.")
        .with(DENIED, reason)
        .with(REASON, "AUTHENTICATION_DENIED")
}

/// Goes on in the live session if it is the same user's, else opens a new one: each call without a session cookie
/// does (JRASERVER-27047).
pub(crate) fn enter<D: Door>(door: &D, store: &mut D::Store, mut caller: Caller, live: Option<String>) -> Caller {
    let user = caller.key.clone().unwrap_or_default();
    let id = match live.filter(|id| store.lobby().sessions[id].user == user) {
        Some(id) => id,
        None => {
            store.lobby_mut().counters.sessions_opened += 1;
            let serial = store.lobby_mut().counters.sessions_opened;
            // The time is in it, so that no cookie of an earlier process fits a session of this one.
            let seed = format!("{serial} {:?}", door.context().now());
            let id = format!("{:014X}{serial:06X}.node{}", number_from(door.seed(), &seed), caller.node);
            let session = Session { serial, node: caller.node, user, kept: Default::default() };
            store.lobby_mut().sessions.insert(id.clone(), session);
            caller.cookies.push(format!("{}={id}; Path={}; HttpOnly", door.session_cookie(), door.cookie_path()));
            let xsrf = format!("atlassian.xsrf.token=BSBX-{serial:04X}_lin; Path={}", door.cookie_path());
            caller.cookies.push(xsrf);
            id
        }
    };
    caller.session = Some(id);
    caller
}

/// The end of a request: a token's session goes with it.
pub(crate) fn leave<D: Door>(door: &D, store: &mut D::Store, caller: &Caller) {
    if caller.way == Way::Token && door.context().is(&switches::TOKEN_SESSION, "ends") {
        end_session(door, store, caller);
    }
}

/// Ends the caller's session.
pub(crate) fn end_session<D: Door>(door: &D, store: &mut D::Store, caller: &Caller) {
    let gone = caller.session.as_ref().and_then(|id| store.lobby_mut().sessions.remove(id));
    if let Some(session) = gone {
        store.lobby_mut().counters.sessions_ended += 1;
        door.ended(store, session);
    }
}

/// For the session resource.
impl Caller {
    /// A caller whom the session resource lets in on that node.
    pub(crate) fn arriving(node: u32, key: String) -> Caller {
        Caller::known(node, Way::Cookie, key)
    }

    /// A caller whom the session resource refused on that node.
    pub(crate) fn refused(node: u32) -> Caller {
        Caller::failed(node)
    }
}

fn may_log_in<S: Premises>(store: &S, key: &str) -> bool {
    store.keyed(key).is_some_and(|member| member.active)
}

fn invalid_cookie() -> Reply {
    Reply::page(401, "Unauthorized (401)", "os_authType was 'any' and an invalid cookie was sent.")
}
