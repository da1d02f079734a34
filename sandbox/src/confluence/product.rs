//! How Confluence differs from the other products.

use axum::http::header;
use serde_json::Value;

use super::control::{self, Command};
use super::site::{Call, Confluence, Product};
use super::stock::default_of;
use super::store::{Account, Store};
use super::version::{Release, Version};
use super::{switches, truth};
use crate::atlassian::reply::Reply;
use crate::atlassian::request::{Fault, Request};
use crate::atlassian::site::{self, Answer};
use crate::switches::Switch;
use crate::truth::{Avatar, Shown};

impl site::Product for Product {
    const NAME: &'static str = "Confluence";
    type Store = Store;
    type Command = Command;
    type Picture = Shown;

    fn switches() -> &'static [Switch] {
        switches::SWITCHES
    }

    fn has_tokens(version: Version) -> bool {
        version.has_tokens()
    }

    fn has_passwords(version: Version) -> bool {
        version.has_password_logins()
    }

    fn login_required() -> Reply {
        let title = "Unauthorized (401)";
        Reply::page(401, title, "Basic Authentication Failure - Reason : AUTHENTICATED_FAILED")
            .with(header::WWW_AUTHENTICATE, "OAuth realm=\"sandbox\"")
    }

    fn unreadable(words: &str) -> Reply {
        Reply::message(400, words)
    }

    fn receive(site: &Confluence, request: &mut Request) {
        if !site.listens_to_login(request) {
            request.headers.remove(header::AUTHORIZATION);
        }
    }

    fn answer(call: &mut Call<'_>) -> Answer {
        let reply = call.answer();
        match call.request.fault {
            Some(Fault::EmptyAnswer) => {
                let reply = reply.unwrap_or_else(|refusal| refusal);
                Ok(Reply { body: Vec::new(), status: 200, ..reply })
            }
            _ => reply,
        }
    }

    fn sessions_lost(store: &mut Store) {
        store.tickets.clear();
    }

    fn picture(site: &Confluence, store: &Store, account: &Account) -> Shown {
        truth::shown(store, account, &site.default_picture())
    }

    fn shown(_key: &str, picture: Shown) -> Shown {
        picture
    }

    fn avatars(site: &Confluence, store: &Store) -> Vec<Avatar> {
        truth::avatars(site, store)
    }

    fn command(site: &Confluence, store: &mut Store, command: Command) -> Result<Value, String> {
        control::command(site, store, command)
    }
}

impl Confluence {
    /// Whether the login in the header counts: /rpc is outside of REST, and asks for more (docs/wire/atlassian.md §4.4).
    fn listens_to_login(&self, request: &Request) -> bool {
        let scheme = request.header("authorization").and_then(|value| value.split(' ').next()).unwrap_or_default();
        let typed = request.query("os_authType").is_some_and(|kind| matches!(kind, "basic" | "any"));
        match request.path.first().map(String::as_str) {
            Some("rpc") if scheme.eq_ignore_ascii_case("bearer") => self.context.is(&switches::RPC_TOKENS, "honoured"),
            Some("rpc") => typed || self.context.is(&switches::RPC_AUTH_TYPE, "free"),
            _ => true,
        }
    }

    pub(super) fn default_picture(&self) -> String {
        default_of(self.version, &self.context.switch(&switches::DEFAULT_PICTURE)).to_owned()
    }
}
