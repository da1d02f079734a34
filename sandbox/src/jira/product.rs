//! How Jira differs from the other products.

use serde_json::Value;

use super::control::{self, Command};
use super::site::{Call, Jira, Product};
use super::store::{Account, Store, Temporary};
use super::version::{Release, Version};
use super::{switches, truth};
use crate::atlassian::auth::Session;
use crate::atlassian::reply::Reply;
use crate::atlassian::site::{self, Answer};
use crate::switches::Switch;
use crate::truth::{Avatar, Shown};

impl site::Product for Product {
    const NAME: &'static str = "Jira";
    type Store = Store;
    type Command = Command;
    type Picture = truth::Picture;

    fn switches() -> &'static [Switch] {
        switches::SWITCHES
    }

    fn has_tokens(version: Version) -> bool {
        version.has_tokens()
    }

    fn has_passwords(version: Version) -> bool {
        version.has_password_logins()
    }

    fn unreadable(words: &str) -> Reply {
        Reply::error(400, words)
    }

    fn answer(call: &mut Call<'_>) -> Answer {
        call.answer()
    }

    fn session_ended(store: &mut Store, session: Session<Option<Temporary>>) {
        store.counters.lost_temporary += u64::from(session.data.is_some());
    }

    fn picture(_site: &Jira, store: &Store, account: &Account) -> truth::Picture {
        truth::picture(store, account)
    }

    fn first_picture(store: &Store, _now: &truth::Picture) -> truth::Picture {
        truth::default_picture(store)
    }

    fn shown(key: &str, picture: truth::Picture) -> Shown {
        truth::shown(key, picture)
    }

    fn avatars(site: &Jira, store: &Store) -> Vec<Avatar> {
        truth::avatars(site, store)
    }

    fn command(site: &Jira, store: &mut Store, command: Command) -> Result<Value, String> {
        control::command(site, store, command)
    }
}
