//! Who asks, and what every answer says of it.
//!
//! Owns: a caller as the login found it, and the headers that tell a refused login (docs/wire/atlassian.md §2.2).
//! Leaves to others: finding out (`login`), what a caller may do (`call` of each product).
//! A newcomer gets wrong: a caller without a key may still have failed to log in; the reason tells.

use axum::http::{HeaderName, header};

use super::auth::AccountStore;
use super::reply::Reply;

pub(super) const REASON: HeaderName = HeaderName::from_static("x-seraph-loginreason");
const USER: HeaderName = HeaderName::from_static("x-ausername");
const NODE: HeaderName = HeaderName::from_static("x-anodeid");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoginMethod {
    Anonymous,
    Basic,
    Token,
    Cookie,
}

#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The account's key; none for anonymous.
    pub key: Option<String>,
    pub method: LoginMethod,
    pub node: u32,
    pub session: Option<String>,
    /// The answer, if the login itself is refused.
    pub refusal: Option<Reply>,
    pub(super) reason: &'static str,
    pub(super) cookies: Vec<String>,
}

impl Caller {
    pub(super) fn anonymous(node: u32) -> Caller {
        Caller {
            key: None,
            method: LoginMethod::Anonymous,
            node,
            session: None,
            refusal: None,
            reason: "OUT",
            cookies: Vec::new(),
        }
    }

    pub(super) fn known(node: u32, method: LoginMethod, key: String) -> Caller {
        Caller { key: Some(key), method, reason: "OK", ..Caller::anonymous(node) }
    }

    pub(super) fn failed(node: u32) -> Caller {
        Caller { reason: "AUTHENTICATED_FAILED", ..Caller::anonymous(node) }
    }

    pub(super) fn refused_with(self, answer: Reply) -> Caller {
        Caller { refusal: Some(answer), ..self }
    }

    /// The session's number for logs.
    pub(crate) fn serial<S: AccountStore>(&self, store: &S) -> Option<u64> {
        store.auth_state().sessions.get(self.session.as_ref()?).map(|session| session.serial)
    }

    pub(crate) fn sign<S: AccountStore>(&self, store: &S, mut reply: Reply) -> Reply {
        let account = self.key.as_ref().and_then(|key| store.keyed(key));
        let name = account.as_ref().map(|account| account.name);
        let carries = |reply: &Reply, name: &HeaderName| reply.headers.iter().any(|(known, _)| known == name);
        if !carries(&reply, &REASON) {
            reply = reply.with(REASON, self.reason);
        }
        // The session resource answers for whom it lets in, not for who asked.
        if !carries(&reply, &USER) {
            reply = reply.with(USER, super::request::encode(name.unwrap_or("anonymous")));
            reply = reply.with(NODE, format!("node{}", self.node));
        }
        self.cookies.iter().fold(reply, |reply, cookie| reply.with(header::SET_COOKIE, cookie.clone()))
    }

    /// A caller whom the session resource lets in on that node.
    pub(crate) fn arriving(node: u32, key: String) -> Caller {
        Caller::known(node, LoginMethod::Cookie, key)
    }

    /// A caller whom the session resource refused on that node.
    pub(crate) fn refused(node: u32) -> Caller {
        Caller::failed(node)
    }
}
