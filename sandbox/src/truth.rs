//! What really stands on the simulated servers: for the page, and for tests that believe no report.
//!
//! Owns: the shapes of accounts, people, pictures and writes as a looker-on sees them.
//! Leaves to others: filling them (each simulator), showing them (`page`).
//! A newcomer gets wrong: `Shown::bytes` are the bytes that a browser would get now, not those that were uploaded.

use std::sync::Mutex;

use bytes::Bytes;
use serde::Serialize;

/// A picture as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What kind of picture this is.
    pub kind: ShownKind,
    /// The id or file name by which the product knows it.
    pub id: String,
    /// Whose picture it is, by the product's own key; empty for default and system pictures.
    pub owner: String,
    /// What a browser would get.
    pub bytes: Bytes,
    /// The type that the product gives it.
    pub content_type: String,
}

/// The kinds of a shown picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ShownKind {
    /// The picture of whoever has none.
    Default,
    /// One of the product's own pictures, chosen by the person.
    System,
    /// An uploaded picture.
    Custom,
}

impl ShownKind {
    /// The word on the page.
    pub fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::System => "system",
            Self::Custom => "custom",
        }
    }
}

/// An account of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Which simulator.
    pub simulator: String,
    /// The immutable key.
    pub key: String,
    /// The user name.
    pub name: String,
    /// The name that people see.
    pub display_name: String,
    /// The e-mail address, if any.
    pub email: Option<String>,
    /// Whether the person may log in.
    pub active: bool,
    /// The picture at the beginning of the world.
    pub start: Shown,
    /// The picture now.
    pub now: Shown,
}

impl Account {
    /// Whether the account shows another picture than at the beginning.
    pub fn changed(&self) -> bool {
        (self.start.kind, &self.start.bytes) != (self.now.kind, &self.now.bytes)
    }
}

/// A person of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Which simulator.
    pub simulator: String,
    /// The immutable id.
    pub id: String,
    /// The name that people see.
    pub display_name: String,
    /// The sign-in name.
    pub user_name: String,
    /// All e-mail addresses.
    pub emails: Vec<String>,
    /// Whether the person may sign in.
    pub enabled: bool,
    /// `Member`, `Guest`, or what the provider calls it.
    pub kind: String,
    /// The photo's bytes and type, if there is one.
    pub photo: Option<(Bytes, String)>,
    /// What the provider answers in place of a photo, if it has none to give.
    pub instead: Option<String>,
    /// Whether that proves that there is no photo.
    pub proven_absent: bool,
}

/// A custom picture that lies on a server, shown or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Avatar {
    /// Which simulator.
    pub simulator: String,
    /// The id or file name.
    pub id: String,
    /// Whose picture it is, by the product's own key.
    pub owner: String,
    /// Who uploaded it: a user name, or `world` for what was there from the start.
    pub creator: String,
    /// Whether its owner's account shows it.
    pub selected: bool,
    /// The largest size that the server keeps.
    pub bytes: Bytes,
}

/// A change that a client made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Write {
    /// The order of the writes, from 1.
    pub number: u64,
    /// Which simulator.
    pub simulator: String,
    /// What was done, such as `create 15017`.
    pub what: String,
    /// To whose account, by key.
    pub account: String,
    /// In whose name.
    pub who: String,
    /// In which session.
    pub session: Option<String>,
}

/// All that tests need to judge a run.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    /// Every account of every target.
    pub accounts: Vec<Account>,
    /// Every person of every source.
    pub people: Vec<Person>,
    /// Every custom picture that lies on a server.
    pub avatars: Vec<Avatar>,
    /// Every write since the sandbox started.
    pub writes: Vec<Write>,
    /// Every rule that a client broke, as the simulators saw it at once.
    pub violations: Vec<String>,
}

impl Truth {
    /// The account of that simulator with that user name or key.
    pub fn account(&self, simulator: &str, name: &str) -> Option<&Account> {
        self.accounts.iter().find(|a| a.simulator == simulator && (a.name == name || a.key == name))
    }
}

/// The end of the log of writes.
pub(super) struct LogEnd {
    /// How many writes there were.
    pub(super) count: usize,
    pub(super) last: Option<Write>,
    /// All broken rules.
    pub(super) violations: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct Writes(Mutex<(Vec<Write>, Vec<String>)>);

impl Writes {
    pub(super) fn add(&self, write: Write) {
        let mut log = self.0.lock().expect(POISON);
        let number = log.0.len() as u64 + 1;
        log.0.push(Write { number, ..write });
    }

    pub(super) fn violate(&self, what: String) {
        self.0.lock().expect(POISON).1.push(what);
    }

    pub(super) fn snapshot(&self) -> (Vec<Write>, Vec<String>) {
        self.0.lock().expect(POISON).clone()
    }

    /// The last of them, how many there are, and what was broken.
    pub(super) fn end(&self) -> LogEnd {
        let log = self.0.lock().expect(POISON);
        LogEnd { count: log.0.len(), last: log.0.last().cloned(), violations: log.1.clone() }
    }

    pub(super) fn reset(&self) {
        *self.0.lock().expect(POISON) = Default::default();
    }
}

const POISON: &str = "no code panics while it holds the log of writes";
