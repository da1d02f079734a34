//! One source in a run: listing everybody.
//!
//! Owns: the state of a source and its counts. Leaves to others: photos (`fetch`), the wire (`extract`).
//! A newcomer gets wrong: a source that is switched off is not asked at all, and stops the search for everybody whose
//! search gets to it (docs/architecture.md, "Precedence").

use std::sync::Arc;

use tokio::sync::Notify;
use tracing::Instrument as _;

use super::context::RunContext;
use super::listing::{ListingPages, with_an_end};
use super::spans;
use crate::error::Trouble;
use crate::extract::{Source, Unmet};
use crate::http::{Failure, FailureKind};
use crate::model::{KeysDigest, SourceId, StateKey, counted};
use crate::plan::SourceState;
use crate::settings;
use crate::state::StateError;

/// One source in a run.
pub(super) struct SourceRun {
    /// Its element in the file.
    pub entry: settings::Source,
    /// The way there; `None` if it is switched off.
    pub source: Option<Arc<dyn Source>>,
    /// Whether its listing can be relied on.
    pub state: SourceState,
    /// Everybody was listed, whatever became of the photos.
    pub knows_people: bool,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// What was counted.
    pub counts: SourceCounts,
    /// Odd things.
    pub notes: Vec<String>,
    /// The groups that `users` names, each with how many members were listed.
    pub groups: Vec<(String, u64)>,
    /// What of `users` fits nobody.
    pub unmet: Vec<Unmet>,
}

/// What was counted of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SourceCounts {
    /// Listed.
    pub people: u64,
    /// Of these, listed with a change marker of a photo.
    pub marked: u64,
    /// Records that named nobody.
    pub nameless: u64,
    /// Of those listed, in scope.
    pub in_scope: u64,
    /// What was learnt of photos.
    pub photos: PhotoCounts,
    /// More photos were missed than are known.
    pub mostly_missed: bool,
    /// Requests that the work so far had to cost.
    pub forecast: u64,
}

/// What was learnt of photos, in one round of questions or in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PhotoCounts {
    /// There.
    pub present: u64,
    /// Provably none.
    pub absent: u64,
    /// Not known, unreadable ones included.
    pub unknown: u64,
    /// Of these, unreadable or too small.
    pub unusable: u64,
    /// Received.
    pub downloaded: u64,
    /// People asked about whose photo was known last time.
    pub known_before: u64,
    /// Of these, not known now.
    pub lost: u64,
}

impl std::ops::AddAssign for PhotoCounts {
    fn add_assign(&mut self, more: Self) {
        let Self { present, absent, unknown, unusable, downloaded, known_before, lost } = more;
        self.present += present;
        self.absent += absent;
        self.unknown += unknown;
        self.unusable += unusable;
        self.downloaded += downloaded;
        self.known_before += known_before;
        self.lost += lost;
    }
}

impl SourceRun {
    /// A source that nobody has talked to yet.
    pub(super) fn new(entry: settings::Source, source: Option<Arc<dyn Source>>) -> Self {
        let state = if source.is_some() { SourceState::Listed } else { SourceState::Disabled };
        Self {
            entry,
            source,
            state,
            knows_people: false,
            failure: None,
            counts: SourceCounts::default(),
            notes: Vec::new(),
            groups: Vec::new(),
            unmet: Vec::new(),
        }
    }

    /// The source's id.
    pub(super) fn id(&self) -> &SourceId {
        &self.entry.id
    }

    /// Lists everybody into the facts.
    pub(super) async fn collect(&mut self, context: &RunContext) -> Result<(), Trouble> {
        let span = spans::source(self.id(), "collect");
        self.list_into_facts(context).instrument(span).await
    }

    async fn list_into_facts(&mut self, context: &RunContext) -> Result<(), Trouble> {
        let Some(source) = self.source.clone() else { return Ok(()) };
        let work = format!("collect {}", self.id());
        context.begins(&work, None);
        let mut kept: Result<u64, StateError> = Ok(0);
        let ends = Notify::new();
        let mut pages = ListingPages::new(&ends);
        let mut page = |people: Vec<crate::model::Person>| {
            pages.came(people.iter().map(|person| person.id.as_str()));
            if let Ok(done) = kept {
                kept = context.facts.put_people(&self.entry.id, &people).map(|()| done + people.len() as u64);
                context.at(&work, done);
            }
        };
        let listing = with_an_end(&work, &ends, source.list(&mut page));
        let listed = context.unless_stopped(&work, listing).await.and_then(|listed| listed);
        kept?;
        match listed {
            Ok(_) if context.facts.count_people(self.id())? == 0 => {
                context.ends(&work, "failed");
                self.fail(context, nobody(self.id(), source.where_people_are()))?;
            }
            Ok(listing) => {
                self.counts.people = context.facts.count_people(self.id())?;
                self.counts.in_scope = context.facts.count_standing(self.id(), crate::model::Standing::InScope)?;
                (self.counts.marked, self.counts.nameless) = (listing.marked, listing.nameless);
                self.notes.extend(listing.notes);
                (self.groups, self.unmet) = (listing.groups, listing.unmet);
                let sent = source.counts();
                self.counts.forecast = sent.sent.saturating_sub(sent.retried);
                context.facts.put_source_asked(self.id(), None)?;
                if let Some(failure) = self.emptied(context)? {
                    context.ends(&work, "failed");
                    return Ok(self.fail(context, failure)?);
                }
                self.knows_people = true;
                context.ends(
                    &work,
                    format!("{}, {} in scope", counted(self.counts.people, "person", "people"), self.counts.in_scope),
                );
            }
            Err(failure) => {
                context.ends(&work, failure.end());
                self.fail(context, failure)?;
            }
        }
        Ok(())
    }

    /// A group that had members in the last good run and has none: a right that was taken away, or a directory in trouble,
    /// answers so, too, and whoever asked to show no photo would be shown (docs/architecture.md, "Collect").
    fn emptied(&self, context: &RunContext) -> Result<Option<Failure>, StateError> {
        for (group, _) in self.groups.iter().filter(|(_, members)| *members == 0) {
            let before = context.store.last_members(self.id(), group_digest(&context.store.key()?, group))?;
            if let Some(before @ 1..) = before {
                let before = counted(before, "person was", "people were");
                let found = format!("nobody is in the group `{group}`, where {before} in the last good run");
                return Ok(Some(Failure::new(FailureKind::Odd, format!("list the people of {}", self.id()), found).hint(
                    "nobody's picture was touched: look at the group, and whether its members may still be read; if nobody is \
                     to be in it, take it out of `users` for one run",
                )));
            }
        }
        Ok(None)
    }

    /// How many members are gone, since the last good run, of the groups by which people are left alone or show no photo, and how
    /// many there were; `None`: none of them was counted. Whoever is missing in a list that is not whole would be shown.
    pub(super) fn members_gone(&self, context: &RunContext) -> Result<Option<(u64, u64)>, StateError> {
        let key = context.store.key()?;
        let of_wishes = |group: &str| self.entry.provider.as_ref().is_some_and(|known| known.users.is_of_wishes(group));
        let mut all = None;
        for (group, members) in self.groups.iter().filter(|(group, _)| of_wishes(group)) {
            if let Some(before) = context.store.last_members(self.id(), group_digest(&key, group))? {
                let (gone, of) = all.unwrap_or_default();
                all = Some((gone + before.saturating_sub(*members), of + before));
            }
        }
        Ok(all)
    }

    /// Nothing of this source counts in this run, but for whose an account is, where everybody was listed.
    pub(super) fn fail(&mut self, context: &RunContext, failure: Failure) -> Result<(), StateError> {
        self.state = if failure.kind == FailureKind::Stopped { SourceState::Stopped } else { SourceState::Failed };
        let told = context.facts.put_source_asked(self.id(), Some(&failure.to_string()));
        self.failure = Some(failure);
        told
    }
}

/// A group as the state knows it.
pub(super) fn group_digest(key: &StateKey, group: &str) -> KeysDigest {
    KeysDigest::of(key, &["group", group])
}

/// Every directory has somebody, if only whoever set it up: a listing without anybody is a fault and not a fact.
fn nobody(source: &SourceId, look_at: &str) -> Failure {
    Failure::new(FailureKind::Odd, format!("list the people of {source}"), "nobody is listed")
        .hint(format!("nobody's picture was touched: {look_at}"))
}
