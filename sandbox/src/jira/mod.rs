//! Jira Data Center, as far as users and their avatars go.
//!
//! Owns: one instance of one release: its endpoints, logins, sessions, avatars with real pixels, and its truth.
//! Leaves to others: listening, faults, the request log, the page (the core of the sandbox).
//! A newcomer gets wrong: nothing here is an improvement on Jira. Crops that zoom off-centre, a delete that does not
//! check the owner, sessions that end with a token: clients must survive them, so they stay as docs/wire/atlassian.md
//! says.

mod avatars;
mod call;
mod control;
mod listing;
pub(crate) mod pictures;
mod store;
pub mod switches;
#[cfg(test)]
mod tests;
mod truth;
mod upload;
mod users;
pub mod version;
mod web;
pub mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::http::Response;
use axum::routing::any;

use self::call::Call;
use self::store::{Store, Temporary};
use self::truth::InitialPictures;
use self::version::{Release, Version};
use self::world::Instance;
use super::atlassian::auth::{AuthPolicy, Session};
use super::atlassian::login::Caller;
use super::atlassian::reply::Reply;
use super::atlassian::request::Request;
use super::atlassian::{self, made_up_id};
use super::context::Context;
use super::pictures::Pictures;
use super::saved::Saved;
use super::simulator::{Credential, Secret, Simulator};
use super::switches::Switch;
use super::truth::{Account, Avatar};

/// One Jira instance.
pub struct Jira {
    context: Context,
    version: Version,
    title: String,
    server_id: String,
    base_path: String,
    base_url: Option<String>,
    pictures: Pictures,
    start: InitialPictures,
    store: Mutex<Store>,
}

impl Jira {
    /// An instance at the beginning of its world.
    pub fn new(context: Context, instance: &Instance, pictures: &Pictures) -> Jira {
        let store = Store::new(instance, pictures).expect("the world was checked: `Instance::check` found no fault");
        let server_id = instance.server_id.clone().unwrap_or_else(|| made_up_id(&instance.title));
        Jira {
            version: instance.version,
            title: instance.title.clone(),
            server_id,
            base_path: instance.base_path.trim_end_matches('/').to_owned(),
            base_url: instance.base_url.as_ref().map(|url| url.trim_end_matches('/').to_owned()),
            pictures: pictures.clone(),
            start: InitialPictures::of(&store),
            store: Mutex::new(store),
            context,
        }
    }

    /// Answers one request.
    fn answer(&self, request: &Request) -> Response<Body> {
        let mut store = self.store();
        atlassian::answer(self, &mut store, request, |store, caller| self.endpoint(store, request, caller))
    }

    fn endpoint(&self, store: &mut Store, request: &Request, caller: &Caller) -> Reply {
        let mut call = Call { jira: self, store, request, caller };
        call.answer().unwrap_or_else(|refusal| refusal)
    }

    /// A request that panicked half-way must not take the instance down with it.
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server's own id, the same for the same title.
    pub fn server_id(&self) -> &str {
        &self.server_id
    }

    fn now(&self) -> SystemTime {
        self.context.now()
    }

    fn switch(&self, switch: &Switch) -> String {
        self.context.switch(switch)
    }

    fn is(&self, switch: &Switch, value: &str) -> bool {
        self.context.is(switch, value)
    }

    fn number(&self, switch: &Switch) -> u64 {
        self.context.number(switch)
    }
}

impl AuthPolicy for Jira {
    type Store = Store;

    fn context(&self) -> &Context {
        &self.context
    }

    fn base(&self) -> &str {
        self.base_url.as_deref().unwrap_or_else(|| self.context.base())
    }

    fn cookie_path(&self) -> &str {
        if self.base_path.is_empty() { "/" } else { &self.base_path }
    }

    fn seed(&self) -> &str {
        &self.server_id
    }

    fn has_tokens(&self) -> bool {
        self.version.has_tokens()
    }

    fn has_passwords(&self) -> bool {
        self.version.has_password_logins()
    }

    fn ended(&self, store: &mut Store, session: Session<Option<Temporary>>) {
        store.counters.lost_temporary += u64::from(session.data.is_some());
    }
}

async fn serve(State(jira): State<Arc<Jira>>, http: HttpRequest) -> Response<Body> {
    match Request::read(http).await {
        Ok(request) => jira.answer(&request),
        Err(words) => Reply::error(400, &words).into(),
    }
}

impl Simulator for Jira {
    fn name(&self) -> &str {
        self.context.name()
    }

    fn title(&self) -> String {
        format!("Jira {}", self.version)
    }

    fn base_path(&self) -> &str {
        &self.base_path
    }

    fn router(self: Arc<Self>) -> Router {
        // Routes and not a fallback: the core puts its own fallback around every simulator.
        Router::new().route("/", any(serve)).route("/{*path}", any(serve)).with_state(self)
    }

    fn switches(&self) -> &'static [Switch] {
        switches::ALL
    }

    fn credentials(&self) -> Vec<Credential> {
        let store = self.store();
        let credential =
            |user: &str, secret| Credential { simulator: self.name().to_owned(), user: user.to_owned(), secret };
        let of = |account: &store::Account| {
            let passwords =
                account.password.iter().map(|word| credential(&account.name, Secret::Password(word.clone())));
            let tokens = account.tokens.iter().map(|token| credential(&account.name, Secret::Token(token.clone())));
            passwords.chain(tokens).collect::<Vec<_>>()
        };
        store.accounts.values().flat_map(of).collect()
    }

    fn save(&self) -> Saved {
        self.saved()
    }

    fn load(&self, saved: &Saved) -> Result<(), String> {
        self.restore(saved)
    }

    fn accounts(&self) -> Vec<Account> {
        self.true_accounts()
    }

    fn avatars(&self) -> Vec<Avatar> {
        self.true_avatars()
    }

    fn control(&self, command: &serde_json::Value) -> Result<serde_json::Value, String> {
        self.command(command)
    }
}
