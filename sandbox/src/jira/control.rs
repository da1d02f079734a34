//! Commands to this instance that no client could give: what people and administrators do by hand.
//!
//! Owns: the commands of `POST /_sandbox/do/NAME`.
//! Leaves to others: commands to every product (`atlassian::simulator`), switches, faults and time (the core).
//! A newcomer gets wrong: what is done here appears in no log of writes; it is the world's doing, not a client's.

use serde::Deserialize;
use serde_json::{Value, json};

use super::beginning::by_hand;
use super::pictures;
use super::site::Jira;
use super::store::Store;
use crate::atlassian::auth::AccountStore as _;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Command {
    /// A person uploads a picture file of the world by hand and chooses it.
    Upload { name: String, picture: String },
    /// A person chooses one of its own or a system avatar; none: nothing was ever chosen.
    Choose { name: String, avatar: Option<u64> },
    /// An administrator renames an account.
    Rename { name: String, to: String },
    /// A person deletes one of its own avatars.
    Delete { avatar: u64 },
    /// Counters, deleted avatars and the looks of every picture.
    Report {},
}

pub(super) fn command(site: &Jira, store: &mut Store, command: Command) -> Result<Value, String> {
    let answer = match command {
        Command::Upload { name, picture } => {
            let bytes = site.pictures.get(&picture).ok_or_else(|| format!("no picture file {picture}"))?;
            let png = by_hand(&bytes).ok_or_else(|| format!("{picture} is no picture"))?;
            let key = store.known(&name)?;
            let id = store.create(&key, "world", png);
            choose(store, &key, Some(id));
            json!({ "avatar": id })
        }
        Command::Choose { name, avatar } => {
            let key = store.known(&name)?;
            choose(store, &key, avatar);
            json!({})
        }
        Command::Rename { name, to } => {
            let (key, to) = (store.known(&name)?, to.to_lowercase());
            if store.auth_state.names.get(&to).is_some_and(|other| *other != key) {
                return Err(format!("{to} is another account's name"));
            }
            store.rename(&name, key, to);
            json!({})
        }
        Command::Delete { avatar } => {
            let found = store.avatars.get_mut(&avatar).ok_or_else(|| format!("no avatar {avatar}"))?;
            found.deleted_by = Some("world".to_owned());
            json!({})
        }
        Command::Report {} => report(store),
    };
    Ok(answer)
}

fn choose(store: &mut Store, key: &str, id: Option<u64>) {
    if let Some(account) = store.accounts.get_mut(key) {
        account.chosen = id;
    }
}

fn report(store: &Store) -> Value {
    let avatar = |(id, avatar): (&u64, &super::store::Avatar)| {
        json!({
            "id": id, "owner": avatar.owner, "creator": avatar.creator, "deleted_by": avatar.deleted_by,
            "looks": pictures::looks(&avatar.png),
        })
    };
    let account = |account: &super::store::Account| {
        let shown = store.shown_id(account);
        let looks = pictures::looks(&store.picture(shown).unwrap_or_default());
        json!({"key": account.key, "name": account.name, "chosen": account.chosen, "shown": shown, "looks": looks})
    };
    let mut counters = json!(store.auth_state.counters);
    if let (Some(all), Value::Object(own)) = (counters.as_object_mut(), json!(store.counters)) {
        all.extend(own);
    }
    json!({
        "default_avatar": store.default_avatar,
        "system_avatars": store.system_ids(),
        "sessions": store.auth_state.sessions.len(),
        "counters": counters,
        "avatars": store.avatars.iter().map(avatar).collect::<Vec<_>>(),
        "accounts": store.accounts.values().map(account).collect::<Vec<_>>(),
    })
}
