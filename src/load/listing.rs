//! What is kept while the accounts of a server are listed, page by page.
//!
//! Owns: whom groups name twice, who is in them, that anybody was listed at all, and what the listing cost.
//! Leaves to others: the pages and their ends, and what a record says (`*/survey.rs`).
//! A newcomer gets wrong: where everybody is listed, nothing is kept of each: it would grow with the instance (promise P9).
//! The few that a page repeats when accounts come and go are handed on twice.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use crate::http::{Brought, Failure, FailureKind, Pages};
use crate::model::{Account, counted};

/// Where the listed accounts go.
pub(super) type TakePage<'a> = &'a mut (dyn FnMut(Vec<Account>) + Send);

/// What was listed so far.
pub(super) struct ListedAccounts<'a> {
    page: TakePage<'a>,
    /// Hashes of the members of `accounts.groups`, where they do not make the listing themselves.
    members: Option<HashSet<u64>>,
    /// Hashes of the ids listed so far, where groups make the listing: they overlap.
    met: Option<HashSet<u64>>,
    accounts: u64,
    /// What it cost.
    pub requests: u64,
    singly: u64,
    /// So many records did not say whose they are.
    pub nameless: u64,
    /// What is said of groups in which nobody is.
    empty: Vec<String>,
}

impl<'a> ListedAccounts<'a> {
    /// Of everybody.
    pub(super) fn new(page: TakePage<'a>) -> Self {
        Self { page, members: None, met: None, accounts: 0, requests: 0, singly: 0, nameless: 0, empty: Vec::new() }
    }

    /// Everybody is listed, and these are in the groups: [`hash`] of each.
    pub(super) fn among(&mut self, members: HashSet<u64>) {
        self.members = Some(members);
    }

    /// The members of groups are listed, and nobody else. Nothing was handed on before.
    pub(super) fn by_groups(&mut self) {
        (self.members, self.met) = (None, Some(HashSet::new()));
    }

    /// Whether an account is still to be handed on.
    pub(super) fn is_new(&mut self, id: &str) -> bool {
        self.met.as_mut().is_none_or(|met| met.insert(hash(id)))
    }

    /// Whether it is in one of the groups, or none is named.
    pub(super) fn is_member(&self, id: &str) -> bool {
        self.members.as_ref().is_none_or(|members| members.contains(&hash(id)))
    }

    /// A group of the file has so many members; one without any is most often a slip of the pen.
    pub(super) fn group(&mut self, name: &str, members: usize) {
        if members == 0 {
            self.empty.push(format!("nobody is in the group `{name}` of `accounts.groups`"));
        }
    }

    /// What is said of groups in which nobody is.
    pub(super) fn empty_groups(&mut self) -> Vec<String> {
        std::mem::take(&mut self.empty)
    }

    /// The listing leaves out what an account shows: it is asked for by itself.
    pub(super) fn asks_singly(&mut self) {
        self.requests += 1;
        self.singly += 1;
    }

    /// Hands a page on.
    pub(super) fn put(&mut self, accounts: Vec<Account>) {
        if accounts.is_empty() && self.met.is_some() {
            // A page of a group whose people are all in an earlier one, too.
            return;
        }
        self.accounts += accounts.len() as u64;
        (self.page)(accounts);
    }

    /// How many accounts there are. None at all is no listing: `hint` says what the account lacks to see others.
    pub(super) fn count(&self, tried: impl FnOnce() -> String, hint: &str) -> Result<u64, Failure> {
        match self.accounts {
            0 => {
                Err(Failure::new(FailureKind::Refused, tried(), "nobody was listed, not even we ourselves").hint(hint))
            }
            accounts => Ok(accounts),
        }
    }

    /// What the report says of accounts that were asked for by themselves.
    pub(super) fn one_by_one(&self) -> Option<String> {
        let accounts = counted(self.singly, "account was", "accounts were");
        (self.singly > 0).then(|| format!("the listing shows no pictures: {accounts} read one by one"))
    }
}

/// The pages of one group's members: noticing that they have no end.
#[derive(Default)]
pub(super) struct GroupPages {
    pages: Pages,
    met: HashSet<u64>,
}

impl GroupPages {
    /// Whether the listing may go on behind a page with these ids, where the next one is at `next`; else why not.
    pub(super) fn goes_on<'i>(&mut self, next: &str, ids: impl Iterator<Item = &'i str>) -> Result<(), &'static str> {
        let new = ids.filter(|id| self.met.insert(hash(id))).count();
        self.pages.goes_on(next, Brought::of(new))
    }
}

/// What is kept of an id.
pub(super) fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}
