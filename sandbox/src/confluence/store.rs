//! What this Confluence holds: accounts, the files on their profiles, what each has chosen.
//!
//! Owns: the data and the rules that concern nothing but data (who is who, what is shown, versions of a file).
//! Leaves to others: who may ask (`atlassian`), how it is asked (`people`, `rpc`, `endpoint`, `web`).
//! A newcomer gets wrong: `chosen` may name a file that is gone. Removing a chosen file leaves the preference as it is,
//! and the account shows the default (docs/wire/atlassian.md §4.4).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::SystemTime;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::stock::{STOCK, STOCK_FOLDER};
use super::world::{AccountWorld, Choice, Instance, Standing};
use crate::atlassian::account::stored;
use crate::atlassian::auth::{AccountStore as _, AuthState};
use crate::atlassian::made_up::number_from;
use crate::atlassian::site::ProductStore;
use crate::pictures::Pictures;

/// The name and type of what people upload in the web page (§4.1).
pub(super) const BY_HAND: (&str, &str) = ("user-avatar", "image/jpeg");

stored! {
    key: String,
    session: (),
    may_log_in: |_| true,
    {
        /// The preference `confluence.user.profile.picture`: a file name, or a path below the stock folder.
        pub chosen: Option<String>,
        /// The id of the personal information, which comes with the first file.
        pub content: Option<u64>,
    }
}

/// One version of a file on a profile, removed ones included.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct File {
    /// Key of whose profile it lies on.
    pub owner: String,
    pub name: String,
    pub mime: String,
    /// From 1.
    pub version: u32,
    /// Name of who stored it; `world` for what was there from the start.
    pub creator: String,
    pub removed_by: Option<String>,
    /// Names the picture among the saved ones.
    pub digest: String,
    #[serde(skip)]
    pub bytes: Bytes,
}

/// A login over RPC.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub key: String,
    pub used: SystemTime,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Store {
    pub accounts: BTreeMap<String, Account>,
    pub groups: BTreeSet<String>,
    /// In the order of their storing.
    pub files: Vec<File>,
    pub next_content: u64,
    pub auth_state: AuthState<()>,
    #[serde(skip)]
    pub tickets: HashMap<String, Ticket>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shows {
    /// The default, for want of another.
    Default,
    /// A path below the stock folder that is not the default's.
    Stock(String),
    /// A file of its profile, as an index of `files`.
    File(usize),
}

impl Store {
    pub(crate) fn new(world: &Instance, pictures: &Pictures) -> Result<Store, String> {
        let mut store = Store {
            groups: world.groups.iter().cloned().collect(),
            next_content: 1_000_000 + number_from(&world.title, "content") % 200_000,
            ..Store::default()
        };
        for written in &world.accounts {
            store.add(&world.title, written, pictures).map_err(|fault| format!("account {fault}"))?;
        }
        Ok(store)
    }

    /// Adds an account. Without a key of its own it gets one that is made of title and name.
    pub(crate) fn add(&mut self, title: &str, written: &AccountWorld, pictures: &Pictures) -> Result<(), String> {
        let name = written.name.to_lowercase();
        let made_up = || format!("4028{:014x}{:014x}", number_from(title, &name), number_from(&name, title));
        let key = written.key.clone().unwrap_or_else(made_up);
        self.groups.extend(written.groups.iter().cloned());
        self.enter(Account::written(written, key.clone(), name.clone()))?;
        let mut put = |file: &str, mime: &str, from: &str| {
            let bytes = pictures.get(from).ok_or_else(|| format!("{name}: no picture named {from}"))?;
            self.put(&key, file, mime, "world", bytes);
            Ok::<_, String>(())
        };
        for (file, from) in &written.files {
            put(file, "image/png", &from.name)?;
        }
        if let Some(from) = &written.picture {
            put(BY_HAND.0, BY_HAND.1, &from.name)?;
        }
        let chosen = match &written.shows {
            None => written.picture.as_ref().map(|_| BY_HAND.0.to_owned()),
            Some(Choice::Default) => None,
            Some(Choice::Stock(nth)) => {
                let stock = STOCK.get(*nth).ok_or_else(|| format!("{name}: no stock picture {nth}"))?;
                Some(format!("{STOCK_FOLDER}{stock}"))
            }
            Some(Choice::File(file)) => Some(file.clone()),
        };
        self.accounts.entry(key).and_modify(|account| account.chosen = chosen);
        Ok(())
    }

    /// Stores a file on a profile: the same name again is a new version.
    pub(crate) fn put(&mut self, owner: &str, name: &str, mime: &str, creator: &str, bytes: Bytes) {
        if let Some(account) = self.accounts.get_mut(owner)
            && account.content.is_none()
        {
            account.content = Some(self.next_content);
            self.next_content += 7;
        }
        let version = self.current(owner, name).map_or(1, |nth| self.files[nth].version + 1);
        let digest = blake3::hash(&bytes).to_hex().to_string();
        let (owner, name) = (owner.to_owned(), name.to_owned());
        let (mime, creator) = (mime.to_owned(), creator.to_owned());
        self.files.push(File { owner, name, mime, version, creator, removed_by: None, digest, bytes });
    }

    /// The newest version of a file that was not removed.
    pub(crate) fn current(&self, owner: &str, name: &str) -> Option<usize> {
        let lies = |file: &File| file.owner == owner && file.name == name && file.removed_by.is_none();
        self.files.iter().rposition(lies)
    }

    /// Removes a file with all its versions.
    pub(crate) fn remove(&mut self, owner: &str, name: &str, who: &str) {
        let lies = |file: &&mut File| file.owner == owner && file.name == name && file.removed_by.is_none();
        self.files.iter_mut().filter(lies).for_each(|file| file.removed_by = Some(who.to_owned()));
    }

    /// Whose personal information has that id.
    pub(crate) fn owner_of(&self, content: u64) -> Option<&Account> {
        self.accounts.values().find(|account| account.content == Some(content))
    }

    pub(crate) fn shows(&self, account: &Account, default: &str) -> Shows {
        match &account.chosen {
            None => Shows::Default,
            Some(path) if path.strip_prefix(STOCK_FOLDER) == Some(default) => Shows::Default,
            Some(path) if path.starts_with(STOCK_FOLDER) => Shows::Stock(path.clone()),
            Some(name) => self.current(&account.key, name).map_or(Shows::Default, Shows::File),
        }
    }

    pub(crate) fn path(&self, account: &Account, default: &str) -> String {
        match self.shows(account, default) {
            Shows::Default => format!("{STOCK_FOLDER}{default}"),
            Shows::Stock(path) => path,
            Shows::File(nth) => {
                let content = account.content.unwrap_or_default();
                format!("/download/attachments/{content}/{}", self.files[nth].name)
            }
        }
    }
}

impl ProductStore for Store {
    fn pictures(&self) -> impl Iterator<Item = &Bytes> {
        self.files.iter().map(|file| &file.bytes)
    }

    fn pictures_mut(&mut self) -> impl Iterator<Item = (&str, &mut Bytes)> {
        self.files.iter_mut().map(|file| (file.digest.as_str(), &mut file.bytes))
    }
}
