//! Commands to this instance that no client could give: what people and administrators do by hand.
//!
//! Owns: the commands of `POST /_sandbox/do/NAME`.
//! Leaves to others: switches, faults and time (the core).
//! A newcomer gets wrong: what is done here appears in no log of writes; it is the world's doing, not a client's.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Bitbucket;
use super::store::Picture;
use super::world::AccountWorld;
use crate::atlassian::milliseconds;

/// A command.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    /// A person uploads a picture file of the world.
    Upload { name: String, picture: String },
    /// A person deletes the own picture.
    Delete { name: String },
    /// An administrator renames an account, or a directory does. Its id and its picture stay.
    Rename { name: String, to: String, slug: Option<String> },
    /// Somebody joins, under a name or a slug that may have been another account's.
    Hire(Box<AccountWorld>),
    /// An administrator solves the CAPTCHA.
    ClearCaptcha { name: String },
    /// Rate limiting blocks an account, or frees it.
    Block { name: String, blocked: bool },
    /// Every session is lost, as on a restart.
    EndSessions {},
    /// Counters, and the pictures that are no more.
    Report {},
}

impl Bitbucket {
    pub(super) fn command(&self, command: &Value) -> Result<Value, String> {
        let command = Command::deserialize(command).map_err(|fault| format!("not a command of Bitbucket: {fault}"))?;
        let mut store = self.store();
        let id_of =
            |store: &super::store::Store, name: &str| store.id_of(name).ok_or_else(|| format!("no account {name}"));
        let mut answer = json!({});
        match command {
            Command::Upload { name, picture } => {
                let bytes = self.pictures.get(&picture).ok_or_else(|| format!("no picture file {picture}"))?;
                let (id, version) = (id_of(&store, &name)?, milliseconds(self.context.now()));
                store.replace(id, Some(Picture::new(version, "world", bytes)), "world");
                answer = json!({ "version": version });
            }
            Command::Delete { name } => {
                let id = id_of(&store, &name)?;
                store.replace(id, None, "world");
            }
            Command::Rename { name, to, slug } => {
                let id = id_of(&store, &name)?;
                store.rename(id, &to, slug)?;
            }
            Command::Hire(written) => {
                let id = store.hire(&self.title, &written, &self.pictures)?;
                answer = json!({ "id": id });
            }
            Command::ClearCaptcha { name } => {
                store.auth_state.failures.remove(&name.to_lowercase());
            }
            Command::Block { name, blocked } => {
                let id = id_of(&store, &name)?;
                store.accounts.entry(id).and_modify(|account| account.blocked = blocked);
            }
            Command::EndSessions {} => store.auth_state.sessions.clear(),
            Command::Report {} => {
                answer = json!({
                    "counters": store.auth_state.counters, "sessions": store.auth_state.sessions.len(), "gone": store.gone,
                });
            }
        }
        self.context.changed();
        Ok(answer)
    }
}
