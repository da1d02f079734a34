//! The live customer: its people as they are now, its service accounts, and what a test may do to both.
//!
//! Owns: that state, and the commands that change it.
//! Leaves to others: the sign-ins (`token`, `sts`, `iam`), the Directory API (`directory`).
//! A newcomer gets wrong: a change shows at once in a direct look, and only later in a search (`indexed`).

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64URL};
use serde::Deserialize;
use serde_json::{Value, json};

use super::errors;
use super::live::{LivePhoto, LiveUser};
use super::thumbnail::thumbnail;
use super::tokens::Tokens;
use super::world::{Customer, ServiceAccount, User};
use crate::ci::Issuer;
use crate::jwt::Key;
use crate::pictures::Pictures;

pub(super) struct Workspace {
    pub(super) world: Customer,
    pub(super) pictures: Pictures,
    pub(super) accounts: BTreeMap<String, LiveAccount>,
    pub(super) issuers: Vec<Arc<Issuer>>,
    pub(super) people: Mutex<People>,
    pub(super) tokens: Tokens,
}

#[derive(Debug)]
pub(super) struct People {
    users: Vec<Arc<LiveUser>>,
    /// Where whom is found by id, address or alias in small letters: benchmarks ask for a hundred thousand.
    places: HashMap<String, usize>,
    /// How often the prefix of all etags was replaced.
    prefix: u32,
    revoked_keys: Vec<String>,
}

#[derive(Debug)]
pub(super) struct LiveAccount {
    pub(super) account: ServiceAccount,
    pub(super) key: Key,
    pub(super) managed: Option<Key>,
}

/// What a test may do to the customer.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    /// Gives a user another photo, or none.
    Photo {
        user: String,
        now: NewPhoto,
    },
    Suspended {
        user: String,
        now: bool,
    },
    Archived {
        user: String,
        now: bool,
    },
    /// Moves a user to another organisational unit.
    Move {
        user: String,
        to: String,
    },
    /// Gives a user another primary address; the old one becomes an alias.
    Rename {
        user: String,
        to: String,
    },
    Delete {
        user: String,
    },
    Restore {
        user: String,
    },
    /// Replaces the prefix of every etag.
    RollOver {},
    /// Makes every token issued so far invalid.
    RevokeTokens {},
    /// Withdraws the key file of a service account.
    RevokeKey {
        account: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum NewPhoto {
    None {},
    Vanished {},
    /// A picture file of the world.
    File(String),
    /// These bytes, in base64.
    Bytes(String),
    /// Refused with this row of the error table.
    Failure(String),
    /// The same bytes, uploaded again: a new etag.
    Same {},
}

impl Workspace {
    pub(super) fn new(world: &Customer, pictures: &Pictures, issuers: Vec<Arc<Issuer>>) -> Self {
        let read = |files| Key::read(files, pictures).expect("a world is checked for its keys");
        let accounts = world.service_accounts.iter().map(|account| {
            let managed = account.managed_key.as_ref().map(read);
            (account.email.clone(), LiveAccount { account: account.clone(), key: read(&account.key), managed })
        });
        let accounts = accounts.collect();
        let users: Vec<_> = world.users.iter().map(|user| Arc::new(LiveUser::new(user, pictures))).collect();
        let keys = |user: &User| user.keys().map(|key| key.to_lowercase()).collect::<Vec<_>>();
        let places =
            world.users.iter().zip(0..).flat_map(|(user, place)| keys(user).into_iter().map(move |k| (k, place)));
        let places = places.collect();
        let people = Mutex::new(People { users, places, prefix: 0, revoked_keys: Vec::new() });
        let (world, pictures, tokens) = (world.clone(), pictures.clone(), Tokens::default());
        Self { world, pictures, accounts, issuers, people, tokens }
    }

    /// Everybody, deleted users included, in the order of the world.
    pub(super) fn users(&self) -> Vec<Arc<LiveUser>> {
        self.lock().users.clone()
    }

    /// A user who is not deleted, by id, primary address or alias.
    pub(super) fn find(&self, key: &str) -> Option<Arc<LiveUser>> {
        let people = self.lock();
        let live = people.users.get(*people.places.get(&key.to_lowercase())?)?;
        (!live.user.deleted).then(|| Arc::clone(live))
    }

    /// A service account by address or numeric id.
    pub(super) fn account(&self, key: &str) -> Option<&LiveAccount> {
        self.accounts.values().find(|a| a.account.email == key || a.account.client_id == key)
    }

    pub(super) fn is_revoked(&self, account: &str) -> bool {
        self.lock().revoked_keys.iter().any(|revoked| revoked == account)
    }

    /// The part of every etag before the `/`: 43 characters, made from nothing that belongs to a user.
    pub(super) fn prefix(&self) -> String {
        let edition = self.lock().prefix;
        BASE64URL.encode(blake3::hash(format!("the server's own constant {edition}").as_bytes()).as_bytes())
    }

    /// An etag as it stands in JSON: with its own quotes.
    pub(super) fn etag(&self, suffix: &str) -> String {
        format!("\"{}/{suffix}\"", self.prefix())
    }

    pub(super) fn command(&self, command: &Value, now: SystemTime) -> Result<Value, String> {
        let command = Command::deserialize(command).map_err(|e| e.to_string())?;
        match &command {
            Command::RevokeTokens {} => return Ok(json!({ "revoked": self.tokens.revoke_all() })),
            Command::RollOver {} => {
                self.lock().prefix += 1;
                return Ok(json!({ "prefix": self.prefix() }));
            }
            Command::RevokeKey { account } => {
                let email = &self.account(account).ok_or_else(|| format!("no service account is {account}"))?.account;
                self.lock().revoked_keys.push(email.email.clone());
                return Ok(json!({ "done": true }));
            }
            _ => {}
        }
        let (Command::Photo { user: key, .. }
        | Command::Suspended { user: key, .. }
        | Command::Archived { user: key, .. }
        | Command::Move { user: key, .. }
        | Command::Rename { user: key, .. }
        | Command::Delete { user: key }
        | Command::Restore { user: key }) = &command
        else {
            return Ok(Value::Null);
        };
        let mut people = self.lock();
        let place = *people.places.get(&key.to_lowercase()).ok_or_else(|| format!("nobody is {key}"))?;
        if let Command::Rename { to, .. } = &command {
            people.places.insert(to.to_lowercase(), place);
        }
        let live = people.users.get_mut(place).map(Arc::make_mut).ok_or_else(|| format!("nobody is {key}"))?;
        live.indexed = Some((now, live.user.clone()));
        match command {
            Command::Photo { now, .. } => self.give(live, now)?,
            Command::Suspended { now, .. } => live.user.suspended = now,
            Command::Archived { now, .. } => live.user.archived = now,
            Command::Move { to, .. } => live.user.org_unit = to,
            Command::Rename { to, .. } => {
                let old = std::mem::replace(&mut live.user.email, to);
                live.user.aliases.push(old);
            }
            Command::Delete { .. } => live.user.deleted = true,
            Command::Restore { .. } => live.user.deleted = false,
            Command::RollOver {} | Command::RevokeTokens {} | Command::RevokeKey { .. } => {}
        }
        Ok(json!({ "done": true }))
    }

    fn give(&self, live: &mut LiveUser, now: NewPhoto) -> Result<(), String> {
        live.edition += 1;
        let present =
            |bytes: &[u8]| Ok::<_, String>(LivePhoto::Present { bytes: thumbnail(bytes)?, suffix: String::new() });
        live.photo = match now {
            NewPhoto::None {} => LivePhoto::None,
            NewPhoto::Vanished {} => LivePhoto::Vanished { suffix: String::new() },
            NewPhoto::Failure(row) => {
                errors::row(&row).ok_or_else(|| format!("no row {row}; there are: {}", errors::names()))?;
                LivePhoto::Failing { row, suffix: String::new() }
            }
            NewPhoto::Same {} => live.photo.clone(),
            NewPhoto::File(name) => {
                present(&self.pictures.get(&name).ok_or_else(|| format!("the world has no picture file {name}"))?)?
            }
            NewPhoto::Bytes(text) => present(&STANDARD.decode(text).map_err(|e| e.to_string())?)?,
        };
        live.mark();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, People> {
        self.people.lock().expect("no code panics while it holds the people")
    }
}
