//! How Bitbucket differs from the other products.

use axum::body::Body;
use axum::http::Response;
use serde_json::Value;

use super::control::{self, Command};
use super::errors::error;
use super::site::{Bitbucket, Call, Product};
use super::store::{Account, Store};
use super::{switches, truth};
use crate::atlassian::reply::Reply;
use crate::atlassian::site::{self, Answer};
use crate::atlassian::version::Version;
use crate::switches::Switch;
use crate::truth::{Avatar, Shown};

impl site::Product for Product {
    const NAME: &'static str = "Bitbucket";
    const SESSION_COOKIE: &'static str = "BITBUCKETSESSIONID";
    type Store = Store;
    type Command = Command;
    type Picture = Shown;

    fn switches() -> &'static [Switch] {
        switches::SWITCHES
    }

    fn has_tokens(_version: Version) -> bool {
        true
    }

    fn has_passwords(_version: Version) -> bool {
        true
    }

    fn login_required() -> Reply {
        error(
            401,
            "Authentication failed. Please check your credentials and try again.",
            "com.atlassian.bitbucket.auth.IncorrectPasswordAuthenticationException",
        )
    }

    fn unreadable(words: &str) -> Reply {
        error(400, words, "java.io.IOException")
    }

    fn answer(call: &mut Call<'_>) -> Answer {
        call.answer()
    }

    /// Seraph's headers are Jira's and Confluence's (docs/wire/atlassian.md §2.2); here a stranger has no name at all.
    fn send(response: &mut Response<Body>) {
        let headers = response.headers_mut();
        headers.remove("x-seraph-loginreason");
        if headers.get("x-ausername").is_some_and(|name| name == "anonymous") {
            headers.remove("x-ausername");
        }
    }

    fn picture(_site: &Bitbucket, _store: &Store, account: &Account) -> Shown {
        truth::shown(account)
    }

    fn shown(_key: &str, picture: Shown) -> Shown {
        picture
    }

    fn avatars(site: &Bitbucket, store: &Store) -> Vec<Avatar> {
        truth::avatars(site, store)
    }

    fn command(site: &Bitbucket, store: &mut Store, command: Command) -> Result<Value, String> {
        control::command(site, store, command)
    }
}
