//! Bitbucket Data Center, as far as users and their avatars go.
//!
//! Owns: one instance: listings, upload and removal of an avatar, the served picture, its truth.
//! Leaves to others: logins (`atlassian`), listening, faults, the request log, the page (the core of the sandbox).
//! A newcomer gets wrong: it keeps one picture per account; an upload destroys what the person had.

mod call;
mod control;
mod people;
mod store;
pub mod switches;
#[cfg(test)]
mod tests;
mod truth;
pub mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::http::Response;
use axum::routing::any;

use self::call::{Call, error};
use self::store::Store;
use self::truth::InitialPictures;
use self::world::Instance;
use super::atlassian::auth::AuthPolicy;
use super::atlassian::reply::Reply;
use super::atlassian::request::Request;
use super::atlassian::version::Version;
use super::atlassian::{self, made_up_id};
use super::context::Context;
use super::pictures::Pictures;
use super::saved::Saved;
use super::simulator::{Credential, Secret, Simulator};
use super::switches::Switch;
use super::truth::{Account, Avatar};

/// One Bitbucket instance.
pub struct Bitbucket {
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

impl Bitbucket {
    /// An instance at the beginning of its world.
    pub fn new(context: Context, instance: &Instance, pictures: &Pictures) -> Bitbucket {
        let store = Store::new(instance, pictures).expect("the world was checked: `Instance::check` found no fault");
        let server_id = instance.server_id.clone().unwrap_or_else(|| made_up_id(&instance.title));
        Bitbucket {
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

    fn answer(&self, request: &Request) -> Response<Body> {
        let mut store = self.store();
        let mut response = atlassian::answer(self, &mut store, request, |store, caller| {
            let mut call = Call { site: self, store, request, caller };
            call.answer().unwrap_or_else(|refusal| refusal)
        });
        // Seraph's headers are Jira's and Confluence's (docs/wire/atlassian.md §2.2); here a stranger has no name at
        // all.
        let headers = response.headers_mut();
        headers.remove("x-seraph-loginreason");
        if headers.get("x-ausername").is_some_and(|name| name == "anonymous") {
            headers.remove("x-ausername");
        }
        response
    }

    /// A request that panicked half-way must not take the instance down with it.
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server's own id, the same for the same title.
    pub fn server_id(&self) -> &str {
        &self.server_id
    }
}

impl AuthPolicy for Bitbucket {
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

    fn session_cookie(&self) -> &'static str {
        "BITBUCKETSESSIONID"
    }

    fn seed(&self) -> &str {
        &self.server_id
    }

    fn has_tokens(&self) -> bool {
        true
    }

    fn has_passwords(&self) -> bool {
        true
    }

    fn login_required(&self) -> Reply {
        error(
            401,
            "Authentication failed. Please check your credentials and try again.",
            "com.atlassian.bitbucket.auth.IncorrectPasswordAuthenticationException",
        )
    }
}

async fn serve(State(site): State<Arc<Bitbucket>>, http: HttpRequest) -> Response<Body> {
    match Request::read(http).await {
        Ok(request) => site.answer(&request),
        Err(words) => error(400, &words, "java.io.IOException").into(),
    }
}

impl Simulator for Bitbucket {
    fn name(&self) -> &str {
        self.context.name()
    }

    fn title(&self) -> String {
        format!("Bitbucket {}", self.version)
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
