//! Commands to this instance that no client could give: what people and administrators do by hand.
//!
//! Owns: the commands of `POST /_sandbox/do/NAME`.
//! Leaves to others: commands to every product (`atlassian::simulator`), switches, faults and time (the core).
//! A newcomer gets wrong: what is done here appears in no log of writes; it is the world's doing, not a client's.

use serde::Deserialize;
use serde_json::{Value, json};

use super::site::Confluence;
use super::stock::{STOCK, STOCK_FOLDER};
use super::store::{BY_HAND, Store};
use super::world::AccountWorld;
use crate::atlassian::auth::AccountStore as _;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Command {
    /// A person uploads a picture file of the world in the web page: `user-avatar` is stored and chosen. With a `file`: by
    /// an app that stores it under that name.
    Upload { name: String, picture: String, file: Option<String> },
    /// A person chooses the nth stock picture; none: the default.
    Stock { name: String, stock: Option<usize> },
    /// A person deletes a file of the own profile; none: `user-avatar`.
    Delete { name: String, file: Option<String> },
    /// An administrator renames an account: key, groups, files and choice go with it.
    Rename { name: String, to: String },
    /// An administrator gives an account to somebody else, who keeps its name.
    HandOn { name: String, display_name: String },
    /// An administrator makes an account, as a world file writes it.
    Create { account: Box<AccountWorld> },
    /// Counters, and every version of every file, removed ones included.
    Report {},
}

pub(super) fn command(site: &Confluence, store: &mut Store, command: Command) -> Result<Value, String> {
    let mut answer = json!({});
    match command {
        Command::Upload { name, picture, file } => {
            let bytes = site.pictures.get(&picture).ok_or_else(|| format!("no picture file {picture}"))?;
            let key = store.known(&name)?;
            let file = file.as_deref().unwrap_or(BY_HAND.0);
            store.put(&key, file, BY_HAND.1, "world", bytes);
            choose(store, &key, file.to_owned());
        }
        Command::Stock { name, stock } => {
            let file = match stock {
                None => site.default_picture(),
                Some(nth) => (*STOCK.get(nth).ok_or_else(|| format!("no stock picture {nth}"))?).to_owned(),
            };
            let key = store.known(&name)?;
            choose(store, &key, format!("{STOCK_FOLDER}{file}"));
        }
        Command::Delete { name, file } => {
            let (key, file) = (store.known(&name)?, file.as_deref().unwrap_or(BY_HAND.0));
            store.current(&key, file).ok_or_else(|| format!("{name} has no file {file}"))?;
            store.remove(&key, file, "world");
        }
        Command::Rename { name, to } => {
            let key = store.known(&name)?;
            if store.by_name(&to).is_some_and(|other| other.key != key) {
                return Err(format!("{to} is another account's name"));
            }
            store.accounts.entry(key).and_modify(|account| account.name = to.to_lowercase());
            store.index();
        }
        Command::HandOn { name, display_name } => {
            let key = store.known(&name)?;
            store.accounts.entry(key).and_modify(|account| account.display_name = display_name);
            store.index();
        }
        Command::Create { account } => store.add(&site.title, &account, &site.pictures)?,
        Command::Report {} => answer = report(store),
    }
    Ok(answer)
}

fn choose(store: &mut Store, key: &str, value: String) {
    if let Some(account) = store.accounts.get_mut(key) {
        account.chosen = Some(value);
    }
}

fn report(store: &Store) -> Value {
    let file = |file: &super::store::File| {
        json!({
            "owner": file.owner, "name": file.name, "version": file.version, "creator": file.creator,
            "removed_by": file.removed_by, "mime": file.mime, "length": file.bytes.len(),
        })
    };
    let account = |account: &super::store::Account| json!({"key": account.key, "name": account.name, "chosen": account.chosen, "content": account.content});
    json!({
        "counters": store.auth_state.counters,
        "sessions": store.auth_state.sessions.len(),
        "files": store.files.iter().map(file).collect::<Vec<_>>(),
        "accounts": store.accounts.values().map(account).collect::<Vec<_>>(),
    })
}
