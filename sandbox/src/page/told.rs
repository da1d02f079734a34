//! What open pages have been told.
//!
//! Owns: the rows as they were last told, each with the number of the telling that brought it.
//! Leaves to others: telling (`follower`). A newcomer gets wrong: this is of all pages that are open, not of one.

use std::collections::{BTreeMap, HashMap};

/// The page as it was last told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Which rows there are; a page of other rows is loaded anew.
    pub(super) edition: String,
    /// How often rows were told anew.
    pub(super) version: u64,
    pub(super) lines: Vec<ToldLine>,
    /// How many rows have what the filters ask for.
    pub(super) marks: BTreeMap<String, usize>,
    /// What follows from the truth alone, by the name of its place.
    pub(super) pieces: Vec<(&'static str, String)>,
    /// Name and title of each product.
    pub(super) products: Vec<(String, String)>,
    pub(super) accounts: usize,
    /// The changes that had been made when it was told.
    pub(super) changes: Option<u64>,
    /// The names of accounts, by simulator and key.
    pub(super) names: HashMap<(String, String), String>,
}

#[derive(Debug)]
pub(super) struct ToldLine {
    pub(super) key: String,
    /// Whether a person of a directory stands on it.
    pub(super) is_of_a_person: bool,
    pub(super) html: String,
    /// The version that brought it.
    pub(super) since: u64,
}

impl Told {
    /// The name of whose account it is.
    pub(super) fn name_of<'a>(&'a self, simulator: &str, account: &'a str) -> &'a str {
        self.names.get(&(simulator.to_owned(), account.to_owned())).map_or(account, String::as_str)
    }

    /// What an open page sends, to be told what is new.
    pub(super) fn at(&self) -> String {
        format!("{}.{}", self.edition, self.version)
    }

    /// Those that are new since an earlier telling; none where that was of other rows.
    pub(super) fn since(&self, at: &str) -> Option<impl Iterator<Item = &ToldLine>> {
        let (edition, version) = at.split_once('.')?;
        let version: u64 = version.parse().ok().filter(|_| edition == self.edition)?;
        Some(self.lines.iter().filter(move |line| line.since > version))
    }
}
