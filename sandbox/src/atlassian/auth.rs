//! What the login needs of a product, and what it remembers there.
//!
//! Owns: sessions, token buckets, failed logins in a row, the counters of logins; the two traits through which it sees a product.
//! Leaves to others: the rules (`login`, `filters`).
//! A newcomer gets wrong: sessions and buckets end with the process; only counters and failures outlive it.

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::reply::Reply;
use crate::context::Context;
use crate::switches::Switch;

/// How a product differs from the others in who is let in.
pub(crate) trait AuthPolicy {
    type Store: AccountStore;

    fn context(&self) -> &Context;

    /// What the server calls itself in links, without a slash at the end.
    fn base(&self) -> &str;

    /// `Path` of its cookies.
    fn cookie_path(&self) -> &str;

    fn session_cookie(&self) -> &'static str;

    fn seed(&self) -> &str;

    fn has_tokens(&self) -> bool;

    /// Whether the played release takes passwords out of the box.
    fn has_passwords(&self) -> bool;

    fn login_required(&self) -> Reply;

    fn ended(&self, store: &mut Self::Store, session: Session<<Self::Store as AccountStore>::SessionData>);

    /// Whether a switch stands on `on`, or on `version` and the release says so.
    fn stands(&self, switch: &Switch, by_version: bool) -> bool {
        match self.context().switch(switch).as_str() {
            "version" => by_version,
            word => word == "on",
        }
    }
}

pub(crate) trait AccountStore {
    type Account;

    type SessionData: Default;

    fn auth_state(&self) -> &AuthState<Self::SessionData>;

    fn auth_state_mut(&mut self) -> &mut AuthState<Self::SessionData>;

    fn accounts(&self) -> impl Iterator<Item = &Self::Account>;

    fn account(&self, key: &str) -> Option<&Self::Account>;

    /// Takes an account in, or puts another in the place of that with its key. The look-ups stay as they are.
    fn insert(&mut self, account: Self::Account);

    fn view(account: &Self::Account) -> AccountView<'_>;

    /// Rate limiting blocks an account for good, or frees it.
    fn block(&mut self, key: &str, blocked: bool);

    fn keyed(&self, key: &str) -> Option<AccountView<'_>> {
        self.account(key).map(Self::view)
    }

    /// The key of the account with that name, whatever its case.
    fn key_of(&self, name: &str) -> Option<&str> {
        self.auth_state().names.get(&name.to_lowercase()).map(String::as_str)
    }

    /// The same, for a command.
    fn known(&self, name: &str) -> Result<String, String> {
        self.key_of(name).map(str::to_owned).ok_or_else(|| format!("no account {name}"))
    }

    fn by_name(&self, name: &str) -> Option<&Self::Account> {
        self.account(self.key_of(name)?)
    }

    /// The key of the account with that token.
    fn holder(&self, token: &str) -> Option<&str> {
        self.auth_state().tokens.get(token).map(String::as_str)
    }

    /// Takes in an account whose key, name and tokens nobody else has.
    fn enter(&mut self, account: Self::Account) -> Result<(), String> {
        let AccountView { key, name, tokens, .. } = Self::view(&account);
        let name = name.to_lowercase();
        if self.account(&key).is_some() || self.key_of(&name).is_some() {
            return Err(format!("{name}: the name or the key {key} is taken"));
        }
        if tokens.iter().any(|token| self.holder(token).is_some()) {
            return Err(format!("{name}: another account has its token"));
        }
        let state = self.auth_state_mut();
        state.tokens.extend(tokens.iter().map(|token| (token.clone(), key.clone())));
        state.names.insert(name, key);
        self.insert(account);
        Ok(())
    }

    /// Makes the look-ups again, which are not saved.
    fn index(&mut self) {
        let views = || self.accounts().map(Self::view);
        let names = views().map(|account| (account.name.to_lowercase(), account.key)).collect();
        let keys = |account: AccountView<'_>| {
            let of = |token: &String| (token.clone(), account.key.clone());
            account.tokens.iter().map(of).collect::<Vec<_>>()
        };
        let tokens = views().flat_map(keys).collect();
        let state = self.auth_state_mut();
        (state.names, state.tokens) = (names, tokens);
    }
}

/// Global permission of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A plain user.
    #[default]
    User,
    /// Administers the product.
    Admin,
    /// Administers the product and its server.
    SystemAdmin,
}

#[derive(Clone, Debug)]
pub(crate) struct AccountView<'a> {
    /// The key that stays when the name changes.
    pub key: String,
    pub name: &'a str,
    pub display_name: &'a str,
    pub email: Option<&'a str>,
    /// Unset: no password login.
    pub password: Option<&'a str>,
    pub tokens: &'a [String],
    pub in_use: bool,
    pub may_log_in: bool,
    /// Whether rate limiting blocks it for good (docs/wire/atlassian.md §2.4).
    pub blocked: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct AuthState<T> {
    pub counters: Counters,
    /// Failed logins in a row, by name.
    pub failures: BTreeMap<String, u64>,
    #[serde(skip)]
    pub sessions: HashMap<String, Session<T>>,
    /// Token buckets by user and node.
    #[serde(skip)]
    pub buckets: HashMap<(String, u32), Bucket>,
    /// Requests so far, for the load balancer.
    #[serde(skip)]
    pub asked: u64,
    /// Keys by name in lower case.
    #[serde(skip)]
    pub names: HashMap<String, String>,
    /// Keys by token.
    #[serde(skip)]
    pub tokens: HashMap<String, String>,
}

impl<T> Default for AuthState<T> {
    fn default() -> Self {
        AuthState {
            counters: Counters::default(),
            failures: BTreeMap::new(),
            sessions: HashMap::new(),
            buckets: HashMap::new(),
            asked: 0,
            names: HashMap::new(),
            tokens: HashMap::new(),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Session<T> {
    /// A number that is no secret, for logs.
    pub serial: u64,
    pub node: u32,
    /// Key of whose it is.
    pub user: String,
    pub data: T,
}

/// The token bucket of one user on one node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    pub tokens: u64,
    pub filled: SystemTime,
}

/// What is counted besides requests.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Counters {
    pub sessions_opened: u64,
    pub sessions_ended: u64,
    pub failed_logins: u64,
    pub refused_by_rate: u64,
    pub refused_by_xsrf: u64,
}
