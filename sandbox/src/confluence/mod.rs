//! Confluence Data Center, as far as people and their pictures go.
//!
//! Owns: one instance of one release: its REST reads, XML-RPC and JSON-RPC, the internal upload that nobody should call
//! for others, the files it serves, and its truth.
//! Leaves to others: logins (`atlassian`), listening, faults, the request log, the page (the core of the sandbox).
//! A newcomer gets wrong: nothing here is an improvement on Confluence. A failed call is 200 with a fault in it, and
//! the internal upload for another person changes the caller's own profile (docs/wire/atlassian.md §4.3, §4.4).

mod call;
mod control;
mod endpoint;
mod json_rpc;
mod people;
mod rpc;
mod store;
pub mod switches;
#[cfg(test)]
mod tests;
mod truth;
pub mod version;
mod web;
pub mod world;
mod xml;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::http::{Response, header};
use axum::routing::any;

use self::call::Call;
use self::store::{Store, default_of};
use self::truth::InitialPictures;
use self::version::{Release, Version};
use self::world::Instance;
use super::atlassian::auth::AuthPolicy;
use super::atlassian::reply::Reply;
use super::atlassian::request::{Fault, Request};
use super::atlassian::{self, made_up_id};
use super::context::Context;
use super::pictures::Pictures;
use super::saved::Saved;
use super::simulator::{Credential, Secret, Simulator};
use super::switches::Switch;
use super::truth::{Account, Avatar};

/// One Confluence instance.
pub struct Confluence {
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

impl Confluence {
    /// An instance at the beginning of its world.
    pub fn new(context: Context, instance: &Instance, pictures: &Pictures) -> Confluence {
        let store = Store::new(instance, pictures).expect("the world was checked: `Instance::check` found no fault");
        let server_id = instance.server_id.clone().unwrap_or_else(|| made_up_id(&instance.title));
        Confluence {
            version: instance.version,
            title: instance.title.clone(),
            server_id,
            base_path: instance.base_path.trim_end_matches('/').to_owned(),
            base_url: instance.base_url.as_ref().map(|url| url.trim_end_matches('/').to_owned()),
            pictures: pictures.clone(),
            start: InitialPictures::of(&store, instance.version.default_picture()),
            store: Mutex::new(store),
            context,
        }
    }

    fn answer(&self, mut request: Request) -> Response<Body> {
        if !self.listens_to_login(&request) {
            request.headers.remove(header::AUTHORIZATION);
        }
        let mut store = self.store();
        atlassian::answer(self, &mut store, &request, |store, caller| {
            let mut call = Call { site: self, store, request: &request, caller };
            let reply = call.answer().unwrap_or_else(|refusal| refusal);
            match request.fault {
                Some(Fault::EmptyAnswer) => Reply { body: Vec::new(), status: 200, ..reply },
                _ => reply,
            }
        })
    }

    /// Whether the login in the header counts: /rpc is outside of REST, and asks for more (§4.4).
    fn listens_to_login(&self, request: &Request) -> bool {
        let scheme = request.header("authorization").and_then(|value| value.split(' ').next()).unwrap_or_default();
        let typed = request.query("os_authType").is_some_and(|kind| matches!(kind, "basic" | "any"));
        match request.path.first().map(String::as_str) {
            Some("rpc") if scheme.eq_ignore_ascii_case("bearer") => self.context.is(&switches::RPC_TOKENS, "honoured"),
            Some("rpc") => typed || self.context.is(&switches::RPC_AUTH_TYPE, "free"),
            _ => true,
        }
    }

    /// A request that panicked half-way must not take the instance down with it.
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server's own id, the same for the same title.
    pub fn server_id(&self) -> &str {
        &self.server_id
    }

    /// File name of the default picture.
    fn default_picture(&self) -> String {
        default_of(self.version, &self.context.switch(&switches::DEFAULT_PICTURE)).to_owned()
    }
}

impl AuthPolicy for Confluence {
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

    fn login_required(&self) -> Reply {
        let title = "Unauthorized (401)";
        Reply::page(401, title, "Basic Authentication Failure - Reason : AUTHENTICATED_FAILED")
            .with(header::WWW_AUTHENTICATE, "OAuth realm=\"sandbox\"")
    }
}

async fn serve(State(site): State<Arc<Confluence>>, http: HttpRequest) -> Response<Body> {
    match Request::read(http).await {
        Ok(request) => site.answer(request),
        Err(words) => Reply::message(400, &words).into(),
    }
}

impl Simulator for Confluence {
    fn name(&self) -> &str {
        self.context.name()
    }

    fn title(&self) -> String {
        format!("Confluence {}", self.version)
    }

    fn base_path(&self) -> &str {
        &self.base_path
    }

    fn router(self: Arc<Self>) -> Router {
        Router::new().route("/", any(serve)).route("/{*path}", any(serve)).with_state(self)
    }

    fn switches(&self) -> &'static [Switch] {
        switches::ALL
    }

    fn credentials(&self) -> Vec<Credential> {
        let credential =
            |user: &str, secret| Credential { simulator: self.name().to_owned(), user: user.to_owned(), secret };
        let of = |account: &store::Account| {
            let passwords = account.password.iter().map(|word| Secret::Password(word.clone()));
            let secrets = passwords.chain(account.tokens.iter().map(|token| Secret::Token(token.clone())));
            secrets.map(|secret| credential(&account.name, secret)).collect::<Vec<_>>()
        };
        self.store().accounts.values().flat_map(of).collect()
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
