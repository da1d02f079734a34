//! One photo for many people of a source: a placeholder that nobody declared (pipelines/README.md, "Transform").
//!
//! Owns: which photos these are, and how many people each stands for.
//! Leaves to others: that their people are left alone (`plan`), the share of them that stops a run (`limits`).
//! A newcomer gets wrong: only photos that were learnt of count, so a run for a few people may see none of them.

use std::collections::BTreeMap;

use super::context::RunContext;
use super::source_run::SourceRun;
use crate::error::Trouble;
use crate::model::{Digest, SourceId};

/// Photos that more people of a source share than the file allows.
#[derive(Debug, Default)]
pub(super) struct SharedPhotos {
    photos: BTreeMap<(SourceId, Digest), u64>,
}

impl SharedPhotos {
    /// What was learnt so far. `most`: as the file says; `None`: any number may.
    pub(super) fn of(context: &RunContext, source_runs: &[SourceRun], most: Option<u32>) -> Result<Self, Trouble> {
        let mut shared = Self::default();
        let Some(most) = most else { return Ok(shared) };
        for source_run in source_runs {
            for (digest, people) in context.facts.digest_counts(source_run.id(), u64::from(most) + 1)? {
                shared.photos.insert((source_run.id().clone(), digest), people);
            }
        }
        Ok(shared)
    }

    /// How many people of a source share this photo, if they are too many.
    pub(super) fn by(&self, source: &SourceId, photo: &Digest) -> Option<u64> {
        self.photos.get(&(source.clone(), *photo)).copied()
    }

    /// The photos that other numbers of people share by now.
    pub(super) fn differing<'a>(&'a self, now: &'a Self) -> impl Iterator<Item = (&'a SourceId, &'a Digest)> {
        let all = self.photos.keys().chain(now.photos.keys());
        all.filter(|photo| self.photos.get(photo) != now.photos.get(photo)).map(|(source, photo)| (source, photo))
    }

    /// How many people of a source share a photo with too many others.
    pub(super) fn people(&self, source: &SourceId) -> u64 {
        self.photos.iter().filter(|((of, _), _)| of == source).map(|(_, people)| people).sum()
    }
}
