//! Commands to this instance that no client could give: what people and administrators do by hand.
//!
//! Owns: the commands of `POST /_sandbox/do/NAME`.
//! Leaves to others: commands to every product (`atlassian::simulator`), switches, faults and time (the core).
//! A newcomer gets wrong: what is done here appears in no log of writes; it is the world's doing, not a client's.

use serde::Deserialize;
use serde_json::{Value, json};

use super::site::Bitbucket;
use super::store::{Picture, Store};
use super::world::AccountWorld;
use crate::atlassian::made_up::milliseconds;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Command {
    /// A person uploads a picture file of the world.
    Upload { name: String, picture: String },
    /// A person deletes the own picture.
    Delete { name: String },
    /// An administrator renames an account, or a directory does. Its id and its picture stay.
    Rename { name: String, to: String, slug: Option<String> },
    /// Somebody joins, under a name or a slug that may have been another account's.
    Hire(Box<AccountWorld>),
    /// Counters, and the pictures that are no more.
    Report {},
}

pub(super) fn command(site: &Bitbucket, store: &mut Store, command: Command) -> Result<Value, String> {
    let id_of = |store: &Store, name: &str| store.id_of(name).ok_or_else(|| format!("no account {name}"));
    let mut answer = json!({});
    match command {
        Command::Upload { name, picture } => {
            let bytes = site.pictures.get(&picture).ok_or_else(|| format!("no picture file {picture}"))?;
            let (id, version) = (id_of(store, &name)?, milliseconds(site.context.now()));
            store.replace(id, Some(Picture::new(version, "world", bytes)), "world");
            answer = json!({ "version": version });
        }
        Command::Delete { name } => {
            let id = id_of(store, &name)?;
            store.replace(id, None, "world");
        }
        Command::Rename { name, to, slug } => {
            let id = id_of(store, &name)?;
            store.rename(id, &to, slug)?;
        }
        Command::Hire(written) => {
            let id = store.hire(&site.title, &written, &site.pictures)?;
            answer = json!({ "id": id });
        }
        Command::Report {} => {
            answer = json!({
                "counters": store.auth_state.counters, "sessions": store.auth_state.sessions.len(), "gone": store.gone,
            });
        }
    }
    Ok(answer)
}
