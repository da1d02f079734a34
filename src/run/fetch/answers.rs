//! What the answers of one source come to: photo marks for the next run, facts for this one, counts.
//!
//! Owns: what a marker or a photo says in the light of what is remembered, and that who had a photo is asked twice.
//! Leaves to others: the questions (`round`), the calls (`calls`), what follows (`plan`).
//! A newcomer gets wrong: an answer may be a question more: the person then stands in `to_fetch`. And what is learnt waits for
//! others to be written with: whoever ends a round calls [`Answers::flush`].

use std::collections::HashMap;
use std::sync::Arc;

use super::calls::PhotoRendering;
use super::counts::FetchCounts;
use super::question::was_known;
use crate::error::Trouble;
use crate::extract::VersionResult;
use crate::model::{
    Absence, Fault, PersonId, PersonRef, PhotoFact, PhotoHint, PhotoMark, Remembered, SourceId, Version,
};
use crate::run::context::{Mode, RunContext};
use crate::run::renderer::{Renderer, unreadable};
use crate::state::Again;

/// What is learnt of so many people is written at once.
const TOGETHER: usize = 100;

/// How often a person was asked for the photo.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TimesAsked {
    Once,
    Twice,
}

/// What is learnt of one source.
pub(super) struct Answers<'a> {
    context: &'a RunContext,
    id: SourceId,
    renderer: &'a Arc<Renderer>,
    /// People whose bytes are to be asked for.
    pub to_fetch: Vec<PersonId>,
    /// What is remembered of those whose markers are asked for.
    pub probing: HashMap<PersonId, PhotoMark>,
    /// The markers that were learnt of those whose bytes are asked for.
    probed_as: HashMap<PersonId, Version>,
    /// What it comes to.
    pub counts: FetchCounts,
    /// Why the first photo that was known last time is not known now.
    pub first_lost: Option<Fault>,
    done: u64,
    /// Since the last flush: for the next run, and for this one.
    marks: Vec<(PersonRef, PhotoMark)>,
    facts: Vec<(PersonRef, PhotoFact)>,
    new: Vec<PersonRef>,
}

impl<'a> Answers<'a> {
    pub(super) fn new(context: &'a RunContext, id: &SourceId, renderer: &'a Arc<Renderer>) -> Self {
        Self {
            context,
            id: id.clone(),
            renderer,
            to_fetch: Vec::new(),
            probing: HashMap::new(),
            probed_as: HashMap::new(),
            counts: FetchCounts::default(),
            first_lost: None,
            done: 0,
            marks: Vec::new(),
            facts: Vec::new(),
            new: Vec::new(),
        }
    }

    /// What is remembered of this person's photo.
    fn mark(&self, person: &PersonId) -> Result<Option<PhotoMark>, Trouble> {
        Ok(self.context.store.mark(&self.who(person))?)
    }

    fn who(&self, person: &PersonId) -> PersonRef {
        PersonRef { source: self.id.clone(), id: person.clone() }
    }

    /// What the listing said of this person's photo.
    fn hint(&self, person: &PersonId) -> Result<PhotoHint, Trouble> {
        Ok(self.context.facts.hint(&self.who(person))?.unwrap_or(PhotoHint::Silent))
    }

    /// The photo is what the mark says.
    pub(super) fn known(&mut self, person: &PersonId, mark: PhotoMark) -> Result<(), Trouble> {
        let fact = match mark.found {
            Remembered::Present(digest) if self.renderer.is_placeholder(&digest) => {
                PhotoFact::Absent(Absence::Placeholder)
            }
            Remembered::Present(digest) => PhotoFact::Present { digest },
            Remembered::TooSmall { width, height, .. } if width.min(height) >= self.renderer.smallest() => {
                self.to_fetch.push(person.clone());
                return Ok(());
            }
            Remembered::TooSmall { width, height, .. } => PhotoFact::TooSmall { width, height },
            Remembered::Unreadable(fault) => unreadable(fault),
            Remembered::Absent(proof) => PhotoFact::Absent(proof),
        };
        self.fact(person, fact)
    }

    /// The marker of one person's photo, or why it is not known.
    pub(super) fn probed(&mut self, person: PersonId, probed: VersionResult) -> Result<(), Trouble> {
        match &probed {
            VersionResult::Unknown(fault) => self.counts.missed.count(fault),
            VersionResult::Version(_) | VersionResult::Absent(_) => self.counts.answered += 1,
        }
        let mark = self.probing.remove(&person);
        match (probed, mark) {
            (VersionResult::Version(Some(version)), Some(mark)) if mark.version.as_ref() == Some(&version) => {
                self.known(&person, mark)
            }
            (VersionResult::Version(version), _) => {
                self.probed_as.extend(version.map(|version| (person.clone(), version)));
                self.to_fetch.push(person);
                Ok(())
            }
            (VersionResult::Absent(proof), mark) => self.serve_absent(&person, proof, mark.as_ref(), TimesAsked::Once),
            (VersionResult::Unknown(fault), _) => self.fact(&person, PhotoFact::Unknown(fault)),
        }
    }

    /// One person's photo, or why there is none.
    pub(super) fn serve(&mut self, person: &PersonId, meal: PhotoRendering, asked: TimesAsked) -> Result<(), Trouble> {
        match &meal {
            PhotoRendering::Unknown(fault) => self.counts.missed.count(fault),
            PhotoRendering::Photo { .. } | PhotoRendering::Absent(_) => self.counts.answered += 1,
        }
        let marked = match &meal {
            PhotoRendering::Photo { .. } => false,
            _ => self.probed_as.remove(person).is_some() || matches!(self.hint(person)?, PhotoHint::Version(_)),
        };
        match meal {
            PhotoRendering::Photo { version, rendering } => {
                let Some(found) = rendering.remembered else {
                    self.probed_as.remove(person);
                    return self.fact(person, rendering.fact);
                };
                let version = self.compared_next(person, version, &found)?;
                self.counts.photos.downloaded += 1;
                let new = self.mark(person)?.is_none_or(|known| known.found != found);
                self.remember(person, PhotoMark { version, found });
                self.fact(person, rendering.fact)?;
                if new {
                    self.new.push(self.who(person));
                }
                Ok(())
            }
            // The marker of a photo and no photo, in one run: a store that lost it, or a removal that the next run sees.
            PhotoRendering::Absent(_) if marked => {
                let found = "the photo's marker was told in this run, and then that there is no photo";
                self.fact(person, PhotoFact::Unknown(Fault::new("contradicted", found)))
            }
            PhotoRendering::Absent(proof) => {
                let mark = self.mark(person)?;
                self.serve_absent(person, proof, mark.as_ref(), asked)
            }
            PhotoRendering::Unknown(fault) => self.fact(person, PhotoFact::Unknown(fault)),
        }
    }

    /// The marker that the next run will compare with: the listing's, else the one that was asked for. That the one
    /// beside the bytes is the same is proven nowhere (docs/wire/microsoft-graph.md §3.6,
    /// docs/wire/google-directory.md §3.1), and with another one every run would fetch everything (promise P5).
    fn compared_next(
        &mut self,
        person: &PersonId,
        beside: Option<Version>,
        found: &Remembered,
    ) -> Result<Option<Version>, Trouble> {
        let probed = self.probed_as.remove(person);
        if let PhotoHint::Version(listed) = self.hint(person)? {
            return Ok(Some(listed));
        }
        if probed.is_some() {
            return Ok(probed);
        }
        // The same photo again, under a marker that has been compared: fetched for its picture alone.
        let same = self.mark(person)?.filter(|mark| mark.found == *found).and_then(|mark| mark.version);
        Ok(same.or(beside))
    }

    /// A photo that is provably not there.
    pub(super) fn serve_absent(
        &mut self,
        person: &PersonId,
        proof: Absence,
        mark: Option<&PhotoMark>,
        asked: TimesAsked,
    ) -> Result<(), Trouble> {
        let was_there = mark.is_some_and(|mark| !matches!(mark.found, Remembered::Absent(_)));
        if was_there && asked == TimesAsked::Once {
            self.context.facts.put_again(Again::Vanished, &self.id, std::slice::from_ref(person))?;
            return Ok(());
        }
        let found = PhotoMark { version: None, found: Remembered::Absent(proof) };
        // What was known already is not written again. Behind a second question another mark may be on its way.
        if asked != TimesAsked::Once || mark != Some(&found) {
            self.remember(person, found);
        }
        self.fact(person, PhotoFact::Absent(proof))
    }

    fn remember(&mut self, person: &PersonId, mark: PhotoMark) {
        if self.context.mode == Mode::Run {
            self.marks.push((self.who(person), mark));
        }
    }

    /// Writes what was learnt since the last time.
    pub(super) fn flush(&mut self) -> Result<(), Trouble> {
        if !self.marks.is_empty() {
            // Not waited for: a mark that is lost in a kill costs one question more next time. The writer keeps order.
            drop(self.context.store.put_marks(std::mem::take(&mut self.marks)));
        }
        self.context.facts.put_photos(&std::mem::take(&mut self.facts))?;
        Ok(self.context.facts.put_new_photos(&std::mem::take(&mut self.new))?)
    }

    /// What this run goes by.
    pub(super) fn fact(&mut self, person: &PersonId, fact: PhotoFact) -> Result<(), Trouble> {
        match &fact {
            PhotoFact::Present { .. } => self.counts.photos.present += 1,
            PhotoFact::Absent(_) => self.counts.photos.absent += 1,
            PhotoFact::Unreadable(_) | PhotoFact::TooSmall { .. } => {
                self.counts.photos.unknown += 1;
                self.counts.photos.unusable += 1;
            }
            PhotoFact::Unknown(fault) => {
                self.counts.photos.unknown += 1;
                if self.mark(person)?.as_ref().is_some_and(was_known) {
                    self.counts.photos.lost += 1;
                    self.first_lost.get_or_insert_with(|| fault.clone());
                }
            }
        }
        self.done += 1;
        self.context.at(&format!("photos {}", self.id), self.done);
        if self.facts.len() >= TOGETHER {
            self.flush()?;
        }
        self.facts.push((self.who(person), fact));
        Ok(())
    }
}
