//! What every simulator offers to the sandbox.
//!
//! Owns: the trait and the credentials it gives out.
//! Leaves to others: the protocols (one folder each) and what a page or a test sees of them (`truth`).
//! A newcomer gets wrong: the router is written without the base path; the sandbox nests it there.

use std::sync::Arc;

use axum::Router;

use super::saved::Saved;
use super::switches::Switch;
use super::truth::{Account, Avatar, Person};

/// One product behind one listener.
pub(crate) trait Simulator: Send + Sync + 'static {
    /// The name in `running.endpoint(NAME)`, unique in its world.
    fn name(&self) -> &str;

    /// What it is, for the page: `Microsoft Graph`, `Jira 9.12.5`.
    fn title(&self) -> String;

    /// The path under which it is served, such as `/jira`; empty for the root.
    fn base_path(&self) -> &str {
        ""
    }

    /// Whether it takes its port after all others, so that worlds without it keep the order of theirs.
    fn comes_last(&self) -> bool {
        false
    }

    /// Its endpoints, without the base path.
    fn router(self: Arc<Self>) -> Router;

    /// The behaviours that the pages under docs/wire leave open, each with the best guess as default.
    fn switches(&self) -> Vec<&'static Switch> {
        Vec::new()
    }

    fn credentials(&self) -> Vec<Credential> {
        Vec::new()
    }

    /// Everything that must outlive the process.
    fn save(&self) -> Saved {
        Saved::default()
    }

    /// Takes back what [`Simulator::save`] gave. On an error the world starts afresh.
    fn load(&self, _saved: &Saved) -> Result<(), String> {
        Ok(())
    }

    /// The accounts of a target with the picture each showed at the beginning and shows now.
    fn accounts(&self) -> Vec<Account> {
        Vec::new()
    }

    fn people(&self) -> Vec<Person> {
        Vec::new()
    }

    /// All custom pictures that lie on the server, shown or not.
    fn avatars(&self) -> Vec<Avatar> {
        Vec::new()
    }

    /// A command that only this product knows, from `POST /_sandbox/do/NAME`; the answer is shown to the caller.
    fn control(&self, _command: &serde_json::Value) -> Result<serde_json::Value, String> {
        Err(format!("the simulator {} takes no commands", self.name()))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Credential {
    pub simulator: String,
    pub user: String,
    pub secret: Secret,
}

/// The secret part of a credential. These are invented for the world and open no real door.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Secret {
    /// A password for HTTP Basic or a login form.
    Password(String),
    /// A bearer token.
    Token(String),
    /// An app registration; `user` is the client id.
    App {
        /// The directory that issues the token.
        tenant: String,
        /// The client secret.
        client_secret: String,
    },
    /// A certificate of an app registration; `user` is the client id.
    Certificate {
        /// The directory that issues the token.
        tenant: String,
        /// The certificate in PEM.
        certificate: String,
        /// Its private key in PEM.
        private_key: String,
    },
    /// A key file of a Google service account; `user` is the account's address.
    ServiceAccount {
        /// The file's content; its `token_uri` is the simulator's.
        key_file: serde_json::Value,
        /// The administrator in whose name it works; none: in its own.
        subject: Option<String>,
        /// The customer's id.
        customer: String,
    },
    /// What a job of a CI platform has in its environment; `user` is the subject of its tokens.
    Job {
        /// `ACTIONS_ID_TOKEN_REQUEST_URL`.
        request_url: String,
        /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
        request_token: String,
    },
}

/// What a simulator tells the log about an answer, as an extension of the response.
#[derive(Clone, Debug, Default)]
pub(crate) struct SimulatedAnswer {
    /// Who asked, as far as the login says.
    pub who: Option<String>,
    pub session: Option<String>,
    /// The parts of a batch: what was asked for, and the status it got.
    pub parts: Vec<(String, u16)>,
    /// What the vendor's quota counts this request as, where that differs from 1.
    pub units: Option<u64>,
}

/// An effect that only the simulator knows, as an extension of the request.
#[derive(Clone, Debug)]
pub(crate) struct Special(pub String);
