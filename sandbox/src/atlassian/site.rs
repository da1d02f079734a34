//! One instance of an Atlassian product, and how its product differs from the others.
//!
//! Owns: what every instance has (release, title, addresses, the store), and what a product has to say.
//! Leaves to others: logins (`login`, `filters`), the simulator around it (`simulator`), the endpoints (each product).
//! A newcomer gets wrong: a product is a type without values; what changes lies in the store of its site.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::auth::{AccountStore, AuthPolicy, Session};
use super::caller::Caller;
use super::made_up::made_up_id;
use super::reply::Reply;
use super::request::Request;
use super::version::Version;
use crate::context::Context;
use crate::pictures::Pictures;
use crate::switches::Switch;
use crate::truth::{Avatar, Shown};

/// An answer, or the answer that stops the call early.
pub(crate) type Answer = Result<Reply, Reply>;

/// How a product differs from the others.
pub(crate) trait Product: Send + Sync + Sized + 'static {
    const NAME: &'static str;

    const SESSION_COOKIE: &'static str = "JSESSIONID";

    type Store: ProductStore;

    type Command: DeserializeOwned;

    /// What an account shows, before it is brought to a size.
    type Picture: Clone + Send + Sync;

    /// The switches that only this product has.
    fn switches() -> &'static [Switch];

    fn has_tokens(version: Version) -> bool;

    /// Whether a release takes passwords out of the box.
    fn has_passwords(version: Version) -> bool;

    /// 401 of a resource that needs a login, in the product's error shape.
    fn login_required() -> Reply {
        Reply::login_required()
    }

    /// 400 of a body that could not be read.
    fn unreadable(words: &str) -> Reply;

    /// A request before anybody looks at it.
    fn receive(_site: &Site<Self>, _request: &mut Request) {}

    fn answer(call: &mut Call<'_, Self>) -> Answer;

    /// A whole response before it leaves.
    fn send(_response: &mut Response<Body>) {}

    fn session_ended(_store: &mut Self::Store, _session: Session<SessionData<Self>>) {}

    /// Every session was lost, as on a restart.
    fn sessions_lost(_store: &mut Self::Store) {}

    /// What an account shows now.
    fn picture(site: &Site<Self>, store: &Self::Store, account: &Account<Self>) -> Self::Picture;

    /// What an account showed at the beginning that was not there yet.
    fn first_picture(_store: &Self::Store, now: &Self::Picture) -> Self::Picture {
        now.clone()
    }

    /// A picture as a browser shows it, on the account with that key.
    fn shown(key: &str, picture: Self::Picture) -> Shown;

    /// Every custom picture that lies on the server.
    fn avatars(site: &Site<Self>, store: &Self::Store) -> Vec<Avatar>;

    fn command(site: &Site<Self>, store: &mut Self::Store, command: Self::Command) -> Result<Value, String>;
}

pub(crate) type SessionData<P> = <<P as Product>::Store as AccountStore>::SessionData;
pub(crate) type Account<P> = <<P as Product>::Store as AccountStore>::Account;

/// What an instance holds and keeps: everything but pictures as JSON, in which digests stand for them.
pub(crate) trait ProductStore: AccountStore + Serialize + DeserializeOwned + Send + 'static {
    fn pictures(&self) -> impl Iterator<Item = &Bytes>;

    /// Where each picture goes, by its digest.
    fn pictures_mut(&mut self) -> impl Iterator<Item = (&str, &mut Bytes)>;
}

/// What every world file says of an instance.
pub(crate) struct Settings<'a> {
    pub id: &'a str,
    pub version: Version,
    pub title: &'a str,
    pub server_id: Option<&'a str>,
    pub base_path: &'a str,
    pub base_url: Option<&'a str>,
}

pub(crate) struct Site<P: Product> {
    pub context: Context,
    pub version: Version,
    pub title: String,
    /// The server's own id, the same for the same title.
    pub server_id: String,
    pub base_path: String,
    base_url: Option<String>,
    pub pictures: Pictures,
    /// What each account showed at the beginning of the world.
    pub(super) start: BTreeMap<String, P::Picture>,
    store: Mutex<P::Store>,
}

pub(crate) struct Call<'a, P: Product> {
    pub site: &'a Site<P>,
    pub store: &'a mut P::Store,
    pub request: &'a Request,
    pub caller: &'a Caller,
}

impl<P: Product> Site<P> {
    pub(crate) fn new(context: Context, settings: &Settings<'_>, pictures: &Pictures, store: P::Store) -> Self {
        let mut site = Self {
            context,
            version: settings.version,
            title: settings.title.to_owned(),
            server_id: settings.server_id.map_or_else(|| made_up_id(settings.title), str::to_owned),
            base_path: settings.base_path.trim_end_matches('/').to_owned(),
            base_url: settings.base_url.map(|url| url.trim_end_matches('/').to_owned()),
            pictures: pictures.clone(),
            start: BTreeMap::new(),
            store: Mutex::new(store),
        };
        let store = site.store();
        let shown = |account| (P::Store::view(account).key, P::picture(&site, &store, account));
        let start = store.accounts().map(shown).collect();
        drop(store);
        site.start = start;
        site
    }

    /// A request that panicked half-way must not take the instance down with it.
    pub(crate) fn store(&self) -> MutexGuard<'_, P::Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Product> AuthPolicy for Site<P> {
    type Store = P::Store;

    fn context(&self) -> &Context {
        &self.context
    }

    fn base(&self) -> &str {
        self.base_url.as_deref().unwrap_or_else(|| self.context.base())
    }

    fn cookie_path(&self) -> &str {
        if self.base_path.is_empty() { "/" } else { &self.base_path }
    }

    fn session_cookie(&self) -> &'static str {
        P::SESSION_COOKIE
    }

    fn seed(&self) -> &str {
        &self.server_id
    }

    fn has_tokens(&self) -> bool {
        P::has_tokens(self.version)
    }

    fn has_passwords(&self) -> bool {
        P::has_passwords(self.version)
    }

    fn login_required(&self) -> Reply {
        P::login_required()
    }

    fn ended(&self, store: &mut P::Store, session: Session<SessionData<P>>) {
        P::session_ended(store, session);
    }
}
