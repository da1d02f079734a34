//! One target in a run: who answers there, what every account shows, how pictures have to be made.
//!
//! Owns: what is known of a target. Leaves to others: the wire (`load`), learning it (`survey`), deciding
//! (`target_planner`), writing (`apply`).
//! A newcomer gets wrong: a target that fails is kept in the list with its failure, so that the report shows it and
//! nothing is decided about its accounts (promise P8).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::misplaced::Misplaced;
use super::renderer::PictureSize;
use crate::http::Failure;
use crate::load::{Server, Surveyed, Target, Upload};
use crate::model::{Account, AccountId, KeysDigest, StateKey, TargetId};
use crate::settings::{self, Met, Placed};

/// One target in a run.
pub struct TargetRun {
    /// Its element in the file.
    pub entry: settings::Target,
    /// The way there.
    pub target: Arc<dyn Target>,
    /// What stands behind it, once it answered.
    pub open: Option<OpenTarget>,
    /// Writes of earlier runs that are open; what was seen of them is in the facts.
    pub opened: u64,
    /// Pictures of this run that turned up on other accounts.
    pub misplaced: Vec<Misplaced>,
    /// Whose picture each worker uploaded last.
    pub last_written: BTreeSet<AccountId>,
    /// Which patterns of `accounts.exclude` fit an account.
    pub excluded: Met,
    /// Why it was stopped.
    pub failure: Option<Failure>,
    /// Requests sent before the plan was known, repeated ones left out.
    pub sent_for_plan: u64,
    /// Requests that the plan says will be sent from then on.
    pub forecast: u64,
    /// Requests sent for the contact sheet alone, repeated ones left out.
    pub sent_for_pictures: u64,
}

/// A target that answered and was surveyed.
pub struct OpenTarget {
    /// Who answers there.
    pub server: Server,
    /// What the survey said.
    pub surveyed: Surveyed,
    /// How pictures go there.
    pub upload: Upload,
    /// The size and recipe of pictures for it.
    pub size: PictureSize,
    /// What digests of owners are made with; `None`: accounts there have no owner of their own.
    pub owners: Option<StateKey>,
}

impl OpenTarget {
    /// Whose account it says it is, as the journal keeps it.
    pub fn owner(&self, account: &Account) -> Option<KeysDigest> {
        let key = self.owners.as_ref()?;
        Some(KeysDigest::of_owner(key, account.email.as_deref(), &account.display_name))
    }
}

impl TargetRun {
    /// A target that nobody has talked to yet.
    pub fn new(entry: settings::Target, target: Arc<dyn Target>) -> Self {
        let excluded = Met::none(&entry.accounts.exclude.value);
        Self {
            entry,
            target,
            open: None,
            opened: 0,
            misplaced: Vec::new(),
            last_written: BTreeSet::new(),
            excluded,
            failure: None,
            sent_for_plan: 0,
            forecast: 0,
            sent_for_pictures: 0,
        }
    }

    /// The target's id.
    pub fn id(&self) -> &TargetId {
        &self.entry.id
    }

    /// An account of this name is listed.
    pub fn sees(&mut self, name: &str) {
        self.excluded.see(&self.entry.accounts.exclude.value, &[name]);
    }

    /// The patterns of `accounts.exclude` that fit no account; none where not all accounts are known.
    pub fn excludes_nobody(&self) -> impl Iterator<Item = &Placed<String>> {
        self.ready().into_iter().flat_map(|_| self.excluded.missed(&self.entry.accounts.exclude.value))
    }

    /// The target, if it answered and nothing stopped it.
    pub fn ready(&self) -> Option<&OpenTarget> {
        self.open.as_ref().filter(|_| self.failure.is_none())
    }
}
