//! What the answers of one source come to: photo marks for the next run, facts for this one, counts.
//!
//! Owns: what a marker or a photo says in the light of what is remembered, and that who had a photo is asked twice.
//! Leaves to others: the questions (`round`), the calls (`calls`), what follows (`plan`).
//! A newcomer gets wrong: an answer may be a question more: the person then stands in `to_fetch`. And what is learnt waits for
//! others to be written with: whoever ends a round calls [`Answers::flush`].

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::calls::PhotoRendering;
use super::counts::FetchCounts;
use super::question::was_known;
use crate::error::Trouble;
use crate::extract::{Source, VersionResult};
use crate::model::{
    Absence, Digest, Fault, PersonId, PersonRef, PhotoFact, PhotoHint, PhotoMark, Remembered, SourceId, Version,
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

/// Why bytes may not be the person's photo of now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// They came under a marker that was told of somebody else's photo.
    OfAnother,
    /// They came under another marker than was told of theirs.
    Differs,
}

/// A marker without its quotes and without the sign of a weak one, which vendors add and leave out, as a short digest: two
/// that meet by chance cost one question.
fn opaque(marker: &Version) -> u64 {
    let bare = marker.as_str().trim_start_matches("W/").trim_matches('"');
    let mut head = [0; 8];
    head.copy_from_slice(&Digest::of(bare.as_bytes()).as_bytes()[..8]);
    u64::from_le_bytes(head)
}

/// What is learnt of one source.
pub(super) struct Answers<'a> {
    context: &'a RunContext,
    id: SourceId,
    source: Arc<dyn Source>,
    renderer: &'a Arc<Renderer>,
    /// People whose bytes are to be asked for.
    pub to_fetch: Vec<PersonId>,
    /// What is remembered of those whose markers are asked for.
    pub probing: HashMap<PersonId, PhotoMark>,
    /// The markers that were learnt of those whose bytes are asked for; `None`: there is a photo, and no marker.
    probed_as: HashMap<PersonId, Option<Version>>,
    /// Digests of the markers that this run told of anybody whose bytes are asked for.
    told: HashSet<u64>,
    /// A photo is listed under the marker that was remembered: then another marker says something.
    markers_hold: bool,
    /// Whoever is in doubt is asked a second time.
    pub asks_again: bool,
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
    pub(super) fn new(
        context: &'a RunContext,
        id: &SourceId,
        source: &Arc<dyn Source>,
        renderer: &'a Arc<Renderer>,
    ) -> Self {
        Self {
            context,
            id: id.clone(),
            source: Arc::clone(source),
            renderer,
            to_fetch: Vec::new(),
            probing: HashMap::new(),
            probed_as: HashMap::new(),
            told: HashSet::new(),
            markers_hold: false,
            asks_again: true,
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
        self.markers_hold |= mark.version.is_some();
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
                self.told.extend(version.as_ref().map(opaque));
                self.probed_as.insert(person.clone(), version);
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
                match (self.doubt(person, version.as_ref())?, asked) {
                    (Some(_), TimesAsked::Once) => {
                        let again = std::slice::from_ref(person);
                        return Ok(self.context.facts.put_again(Again::Vanished, &self.id, again)?);
                    }
                    (Some(Doubt::OfAnother), TimesAsked::Twice) => {
                        self.probed_as.remove(person);
                        let found = "the photo came under the marker of somebody else's, twice";
                        return self.fact(person, PhotoFact::Unknown(Fault::new("contradicted", found)));
                    }
                    _ => {}
                }
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

    /// Whether the bytes came under another marker than this run told of the person's photo: a batch that mixed its answers
    /// up, or a store that is behind. That the two are the same kind of marker is proven nowhere, so it says something only
    /// where the other marker is somebody else's, or others stayed as they were.
    fn doubt(&self, person: &PersonId, beside: Option<&Version>) -> Result<Option<Doubt>, Trouble> {
        let Some(beside) = beside.filter(|_| self.asks_again).map(opaque) else { return Ok(None) };
        let listed = match self.hint(person)? {
            PhotoHint::Version(listed) => Some(listed),
            _ => self.probed_as.get(person).cloned().flatten(),
        };
        Ok(match listed.as_ref().map(opaque) {
            Some(listed) if listed != beside && self.told.contains(&beside) => Some(Doubt::OfAnother),
            Some(listed) if listed != beside && self.markers_hold => Some(Doubt::Differs),
            _ => None,
        })
    }

    /// The listing told this marker of somebody whose bytes are asked for.
    pub(super) fn told_in_listing(&mut self, marker: Option<&Version>) {
        self.told.extend(marker.map(opaque));
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
        let told = match self.hint(person)? {
            PhotoHint::Version(listed) => Some(listed),
            _ => probed.flatten(),
        };
        if let Some(told) = told {
            // The same bytes under another marker: a store may be behind, so the next run asks once more.
            let same = self.mark(person)?.filter(|mark| mark.found == *found).and_then(|mark| mark.version);
            let behind = self.markers_hold && same.is_some_and(|then| then != told);
            return Ok((!behind).then_some(told));
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
        let fact = match fact {
            PhotoFact::Unreadable(fault) => PhotoFact::Unreadable(self.source.placed(person, fault)),
            PhotoFact::Unknown(fault) => PhotoFact::Unknown(self.source.placed(person, fault)),
            known => known,
        };
        self.facts.push((self.who(person), fact));
        Ok(())
    }
}
