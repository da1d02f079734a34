//! An Atlassian product as a simulator of the sandbox.
//!
//! Owns: answering requests, credentials, saving and restoring, the truth, and the commands that every product knows.
//! Leaves to others: what a product does otherwise (`site::Product`).
//! A newcomer gets wrong: what a command does appears in no log of writes; it is the world's doing, not a client's.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::http::Response;
use axum::routing::any;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::answer;
use super::auth::AccountStore;
use super::request::Request;
use super::site::{Call, Product, ProductStore, Site};
use super::switches::SWITCHES;
use crate::saved::Saved;
use crate::simulator::{Credential, Secret, Simulator};
use crate::switches::Switch;
use crate::truth::{Account, Avatar};

/// Commands to every product.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    ClearCaptcha {
        name: String,
    },
    /// Rate limiting blocks an account, or frees it.
    Block {
        name: String,
        blocked: bool,
    },
    /// Every session is lost, as on a restart.
    EndSessions {},
}

impl Command {
    const WORDS: [&'static str; 3] = ["clear_captcha", "block", "end_sessions"];

    fn is_in(command: &Value) -> bool {
        Self::WORDS.iter().any(|word| command.get(word).is_some())
    }
}

impl<P: Product> Site<P> {
    fn answer(&self, mut request: Request) -> Response<Body> {
        P::receive(self, &mut request);
        let mut response = answer(self, &mut self.store(), &request, |store, caller| {
            let mut call = Call { site: self, store, request: &request, caller };
            P::answer(&mut call).unwrap_or_else(|refusal| refusal)
        });
        P::send(&mut response);
        response
    }

    fn command(&self, command: Command) -> Result<(), String> {
        let mut store = self.store();
        match command {
            Command::ClearCaptcha { name } => {
                store.auth_state_mut().failures.remove(&name.to_lowercase());
            }
            Command::Block { name, blocked } => {
                let key = store.known(&name)?;
                store.block(&key, blocked);
            }
            Command::EndSessions {} => {
                store.auth_state_mut().sessions.clear();
                P::sessions_lost(&mut store);
            }
        }
        Ok(())
    }
}

async fn serve<P: Product>(State(site): State<Arc<Site<P>>>, request: HttpRequest) -> Response<Body> {
    match Request::read(request).await {
        Ok(request) => site.answer(request),
        Err(words) => P::unreadable(&words).into(),
    }
}

impl<P: Product> Simulator for Site<P> {
    fn name(&self) -> &str {
        self.context.name()
    }

    fn title(&self) -> String {
        format!("{} {}", P::NAME, self.version)
    }

    fn base_path(&self) -> &str {
        &self.base_path
    }

    fn router(self: Arc<Self>) -> Router {
        // Routes and not a fallback: the core puts its own fallback around every simulator.
        Router::new().route("/", any(serve::<P>)).route("/{*path}", any(serve::<P>)).with_state(self)
    }

    fn switches(&self) -> Vec<&'static Switch> {
        SWITCHES.iter().chain(P::switches()).collect()
    }

    fn credentials(&self) -> Vec<Credential> {
        let store = self.store();
        let mut all = Vec::new();
        for account in store.accounts().map(P::Store::view) {
            let passwords = account.password.iter().map(|word| Secret::Password((*word).to_owned()));
            let secrets = passwords.chain(account.tokens.iter().map(|token| Secret::Token(token.clone())));
            let (simulator, user) = (self.name().to_owned(), account.name.to_owned());
            all.extend(secrets.map(|secret| Credential { simulator: simulator.clone(), user: user.clone(), secret }));
        }
        all
    }

    fn save(&self) -> Saved {
        let store = self.store();
        let mut saved = Saved::default();
        store.pictures().for_each(|picture| drop(saved.keep(picture)));
        saved.value = serde_json::to_value(&*store).expect("a tree of strings and numbers is always JSON");
        saved
    }

    fn load(&self, saved: &Saved) -> Result<(), String> {
        let mut restored: P::Store = serde_json::from_value(saved.value.clone()).map_err(|fault| fault.to_string())?;
        for (digest, picture) in restored.pictures_mut() {
            *picture = saved.blob(digest)?;
        }
        restored.index();
        *self.store() = restored;
        Ok(())
    }

    fn accounts(&self) -> Vec<Account> {
        let store = self.store();
        let account = |account| {
            let (view, now) = (P::Store::view(account), P::picture(self, &store, account));
            let start = self.start.get(&view.key).cloned().unwrap_or_else(|| P::first_picture(&store, &now));
            Account {
                simulator: self.name().to_owned(),
                name: view.name.to_owned(),
                display_name: view.display_name.to_owned(),
                email: view.email.map(str::to_owned),
                active: view.in_use,
                start: P::shown(&view.key, start),
                now: P::shown(&view.key, now),
                key: view.key,
            }
        };
        store.accounts().map(account).collect()
    }

    fn avatars(&self) -> Vec<Avatar> {
        P::avatars(self, &self.store())
    }

    fn control(&self, command: &Value) -> Result<Value, String> {
        let not_ours = |fault: serde_json::Error| {
            let shared = Command::WORDS.join(", ");
            format!("not a command of {}: {fault}; every product takes {shared}", P::NAME)
        };
        let answer = if Command::is_in(command) {
            self.command(Command::deserialize(command).map_err(not_ours)?)?;
            json!({})
        } else {
            let own = P::Command::deserialize(command).map_err(not_ours)?;
            P::command(self, &mut self.store(), own)?
        };
        self.context.changed();
        Ok(answer)
    }
}
