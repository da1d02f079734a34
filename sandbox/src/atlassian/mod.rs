//! What the Atlassian products share: requests taken apart, answers, logins, rate limiting, forged requests.
//!
//! Owns: everything between the socket and a product's endpoints (docs/wire/atlassian.md §2).
//! Leaves to others: the endpoints and the data (`jira`, `confluence`, `bitbucket`).
//! A newcomer gets wrong: a product says through [`site::Product`] how it differs; nothing here asks which product it is.

pub(crate) mod account;
mod answer;
pub(crate) mod auth;
pub(crate) mod caller;
pub(crate) mod filters;
pub(crate) mod instance;
pub(crate) mod login;
pub(crate) mod made_up;
pub(crate) mod manifest;
pub(crate) mod reply;
pub(crate) mod request;
mod simulator;
pub(crate) mod site;
pub(crate) mod switches;
pub(crate) mod version;
pub(crate) mod world;
