//! Learning what photo each wanted person has, with the fewest requests that keep the promises
//! (docs/architecture.md, "Fetch").
//!
//! Owns: the batches, and the second question for a photo that is gone.
//! Leaves to others: who is asked for what (`question`), the wire (`extract`), rendering (`renderer`), what follows (`plan`).
//! A newcomer gets wrong: a first run asks for bytes at once, a later one for markers first; both are the floor of
//! docs/wire/microsoft-graph.md §8.

mod counts;
mod question;

use std::collections::HashMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};

use counts::FetchCounts;
use question::{First, Marked, Question, Versions, question, was_known};

use crate::error::Trouble;
use crate::extract::{ODD_RECORD, PhotoResult, Source, VersionResult};
use crate::http::{Failure, FailureKind};
use crate::model::{
    Absence, Fault, PersonId, PersonRef, PhotoFact, PhotoHint, PhotoMark, Remembered, SourceId, Version,
};
use crate::run::context::{Mode, RunContext};
use crate::run::pages::{PAGE, each_page};
use crate::run::renderer::{Renderer, Rendering};
use crate::run::source_run::SourceRun;
use crate::state::Again;

/// Whose photos are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PhotosOf {
    /// Everybody's.
    Everybody,
    /// Of those matched to a selected account.
    Selected,
}

/// What one call brought.
enum CallAnswer {
    Versions(Vec<(PersonId, VersionResult)>),
    Photos(Vec<(PersonId, PhotoRendering)>),
}

/// One person's answer, its photo rendered.
enum PhotoRendering {
    Photo { version: Option<Version>, rendering: Rendering },
    Absent(Absence),
    Unknown(Fault),
}

type Call = BoxFuture<'static, Result<Result<CallAnswer, Failure>, Trouble>>;

/// Learns the photos of everybody wanted from one source. A failure of the source is kept in its `SourceRun`.
pub(super) async fn fetch_all(
    context: &RunContext,
    source_run: &mut SourceRun,
    renderer: &Arc<Renderer>,
    concurrency: usize,
    selected: PhotosOf,
) -> Result<(), Trouble> {
    let Some(source) = source_run.source.clone().filter(|_| source_run.failure.is_none()) else { return Ok(()) };
    let work = format!("photos {}", source_run.id());
    context.begins(&work, Some(context.facts.count_wanted(source_run.id())?));
    let mut fetch_run = FetchRun { selected, ..FetchRun::new(context, source_run, &source, renderer, concurrency) };
    let mut outcome = fetch_run.everybody().await;
    let FetchRun { counts, versions, first_lost, .. } = fetch_run;
    source_run.notes.extend(versions.note());
    if let Ok(Ok(())) = outcome {
        let failure = counts.everybody_denied(|| source.remedy()).or_else(|| counts.everybody_lost(first_lost));
        if let Some(failure) = failure.or_else(|| counts.everybody_missed()) {
            outcome = Ok(Err(failure));
        }
    }
    if let Ok(Ok(())) = outcome {
        source_run.notes.extend(counts.note_of_most_missed());
        source_run.counts.mostly_missed = counts.mostly_missed();
    }
    counts.add_to(source_run);
    finish(context, source_run, &work, outcome)
}

/// Fetches the photos again that are unchanged, but whose renditions are not in the spool.
pub(super) async fn fetch_again(
    context: &RunContext,
    source_run: &mut SourceRun,
    renderer: &Arc<Renderer>,
    concurrency: usize,
) -> Result<(), Trouble> {
    let Some(source) = source_run.source.clone().filter(|_| source_run.failure.is_none()) else { return Ok(()) };
    let work = format!("photos {} again", source_run.id());
    context.begins(&work, Some(context.facts.count_again(Again::Missing, source_run.id())?));
    let mut fetch_run = FetchRun::new(context, source_run, &source, renderer, concurrency);
    let outcome = fetch_run.missing().await;
    let FetchRun { counts, .. } = fetch_run;
    source_run.counts.photos.downloaded += counts.photos.downloaded;
    source_run.counts.forecast += counts.calls;
    finish(context, source_run, &work, outcome)
}

fn finish(
    context: &RunContext,
    source_run: &mut SourceRun,
    work: &str,
    outcome: Result<Result<(), Failure>, Trouble>,
) -> Result<(), Trouble> {
    match outcome? {
        Ok(()) => context.ends(work, format!("{} received", source_run.counts.photos.downloaded)),
        Err(failure) => {
            context.ends(work, "failed");
            source_run.fail(failure);
        }
    }
    Ok(())
}

struct FetchRun<'a> {
    context: &'a RunContext,
    id: SourceId,
    source: Arc<dyn Source>,
    renderer: &'a Arc<Renderer>,
    concurrency: usize,
    calls: FuturesUnordered<Call>,
    to_probe: Vec<PersonId>,
    to_fetch: Vec<PersonId>,
    /// The markers that were learnt of those whose bytes are asked for.
    probed_as: HashMap<PersonId, Version>,
    first: First,
    /// Whether the listing shows markers at all.
    marked: Marked,
    selected: PhotosOf,
    counts: FetchCounts,
    versions: Versions,
    /// Why the first photo that was known last time is not known now.
    first_lost: Option<Fault>,
    done: u64,
}

impl<'a> FetchRun<'a> {
    fn new(
        context: &'a RunContext,
        source_run: &SourceRun,
        source: &Arc<dyn Source>,
        renderer: &'a Arc<Renderer>,
        concurrency: usize,
    ) -> Self {
        Self {
            context,
            id: source_run.id().clone(),
            source: Arc::clone(source),
            renderer,
            concurrency,
            calls: FuturesUnordered::new(),
            to_probe: Vec::new(),
            to_fetch: Vec::new(),
            probed_as: HashMap::new(),
            first: First::No,
            marked: if source_run.counts.marked > 0 { Marked::Yes } else { Marked::No },
            selected: PhotosOf::Everybody,
            counts: FetchCounts::default(),
            versions: Versions::default(),
            first_lost: None,
            done: 0,
        }
    }

    async fn everybody(&mut self) -> Result<Result<(), Failure>, Trouble> {
        self.context.facts.forget_again(Again::Vanished)?;
        let (known, wanted) = (self.context.store.count_known(&self.id)?, self.context.facts.count_wanted(&self.id)?);
        self.first = if known * 2 < wanted { First::Yes } else { First::No };
        let (context, id) = (self.context, self.id.clone());
        for people in each_page(|after| context.facts.wanted_people(&id, after, PAGE), PersonId::clone) {
            let people = people?;
            for person in people {
                self.ask(person)?;
                if let Err(failure) = self.send_full().await? {
                    return Ok(Err(failure));
                }
            }
        }
        // The probes first: what changed joins the last batch of bytes.
        self.send_probe_rest();
        if let Err(failure) = self.drain().await? {
            return Ok(Err(failure));
        }
        self.send_fetch_rest();
        if let Err(failure) = self.drain().await? {
            return Ok(Err(failure));
        }
        self.ask_again().await
    }

    /// Promise P2: a photo that was there last time and is gone now is asked for a second time before it counts.
    async fn ask_again(&mut self) -> Result<Result<(), Failure>, Trouble> {
        let batch = self.source.batch().fetch.max(1);
        loop {
            let people = self.context.facts.take_again(Again::Vanished, &self.id, batch)?;
            if people.is_empty() {
                return Ok(Ok(()));
            }
            if self.context.stop.requested() {
                return Ok(Err(stopped()));
            }
            self.counts.calls += self.source.batch().requests;
            let asked = look(Arc::clone(&self.source), Arc::clone(self.renderer), people);
            let brought = match self.context.in_flight(FETCH, asked).await {
                Ok(brought) => brought?,
                Err(stopped) => Err(stopped),
            };
            let brought = match brought {
                Ok(brought) => brought,
                Err(failure) => return Ok(Err(self.failed(failure))),
            };
            if let CallAnswer::Photos(photos) = brought {
                for (person, meal) in photos {
                    self.serve(&person, meal, TimesAsked::Twice)?;
                }
            }
        }
    }

    async fn missing(&mut self) -> Result<Result<(), Failure>, Trouble> {
        loop {
            let people = self.context.facts.take_again(Again::Missing, &self.id, PAGE)?;
            if people.is_empty() {
                break;
            }
            for person in people {
                self.to_fetch.push(person);
                if let Err(failure) = self.send_full().await? {
                    return Ok(Err(failure));
                }
            }
        }
        self.send_fetch_rest();
        self.drain().await
    }

    fn mark(&self, person: &PersonId) -> Result<Option<PhotoMark>, Trouble> {
        Ok(self.context.store.mark(&self.who(person))?)
    }

    fn who(&self, person: &PersonId) -> PersonRef {
        PersonRef { source: self.id.clone(), id: person.clone() }
    }

    /// What the listing said of this person's photo.
    fn hint(&self, person: &PersonId) -> Result<PhotoHint, Trouble> {
        Ok(self.context.facts.person(&self.who(person))?.map_or(PhotoHint::Silent, |person| person.hint))
    }

    /// Decides what a person is asked for.
    fn ask(&mut self, person: PersonId) -> Result<(), Trouble> {
        let mark = self.mark(&person)?;
        if self.selected == PhotosOf::Selected && !self.context.facts.is_person_selected(&self.id, &person)? {
            return self.as_remembered(&person, mark);
        }
        if mark.as_ref().is_some_and(was_known) {
            self.counts.photos.known_before += 1;
        }
        let hint = self.hint(&person)?;
        self.versions.compare(&hint, mark.as_ref());
        match question(hint, mark, self.first, self.marked) {
            Question::Absent(mark) => {
                self.serve_absent(&person, Absence::NotListed, mark.as_ref(), TimesAsked::Once)?
            }
            Question::Known(mark) => self.known(&person, mark)?,
            Question::Probe => self.to_probe.push(person),
            Question::Fetch => self.to_fetch.push(person),
            Question::Odd(what) => {
                let fault = Fault::new(ODD_RECORD, format!("the record in the listing is odd: {what}"));
                self.fact(&person, PhotoFact::Unknown(fault))?;
            }
        }
        Ok(())
    }

    /// Of whoever is not selected only what costs no question: the limits are held against everybody
    /// (docs/architecture.md, "Selecting and reviewing").
    fn as_remembered(&mut self, person: &PersonId, mark: Option<PhotoMark>) -> Result<(), Trouble> {
        let too_small = |mark: &PhotoMark| matches!(mark.found, Remembered::TooSmall { .. });
        match question(self.hint(person)?, mark, self.first, self.marked) {
            Question::Known(mark) if !too_small(&mark) => self.known(person, mark),
            Question::Absent(None) => self.fact(person, PhotoFact::Absent(Absence::NotListed)),
            _ => Ok(()),
        }
    }

    /// The photo is what the mark says.
    fn known(&mut self, person: &PersonId, mark: PhotoMark) -> Result<(), Trouble> {
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
            Remembered::Unreadable(fault) => crate::run::renderer::unreadable(fault),
            Remembered::Absent(proof) => PhotoFact::Absent(proof),
        };
        self.fact(person, fact)
    }

    async fn send_full(&mut self) -> Result<Result<(), Failure>, Trouble> {
        let batch = self.source.batch();
        if self.to_probe.len() >= batch.versions.max(1) {
            self.send_probe_rest();
        }
        self.send_fetch_full();
        while self.calls.len() >= self.concurrency.max(1) {
            if let Err(failure) = self.take_one().await? {
                return Ok(Err(failure));
            }
        }
        if self.context.stop.requested() { self.take_in().await.map(Err) } else { Ok(Ok(())) }
    }

    fn send_probe_rest(&mut self) {
        let people = std::mem::take(&mut self.to_probe);
        if people.is_empty() || self.context.stop.requested() {
            return;
        }
        self.counts.calls += self.source.batch().requests;
        let source = Arc::clone(&self.source);
        self.calls.push(Box::pin(async move { Ok(source.versions(&people).await.map(CallAnswer::Versions)) }));
    }

    fn send_fetch_full(&mut self) {
        let batch = self.source.batch().fetch.max(1);
        while self.to_fetch.len() >= batch && !self.context.stop.requested() {
            let people = self.to_fetch.drain(..batch).collect();
            self.send_fetch(people);
        }
    }

    fn send_fetch_rest(&mut self) {
        self.send_fetch_full();
        let people = std::mem::take(&mut self.to_fetch);
        if !people.is_empty() && !self.context.stop.requested() {
            self.send_fetch(people);
        }
    }

    fn send_fetch(&mut self, people: Vec<PersonId>) {
        self.counts.calls += self.source.batch().requests;
        self.calls.push(Box::pin(look(Arc::clone(&self.source), Arc::clone(self.renderer), people)));
    }

    async fn drain(&mut self) -> Result<Result<(), Failure>, Trouble> {
        while !self.calls.is_empty() {
            if let Err(failure) = self.take_one().await? {
                return Ok(Err(failure));
            }
            self.send_fetch_full();
        }
        Ok(if self.context.stop.requested() { Err(stopped()) } else { Ok(()) })
    }

    async fn take_one(&mut self) -> Result<Result<(), Failure>, Trouble> {
        let brought = match self.context.unless_stopped(FETCH, self.calls.next()).await {
            Ok(Some(brought)) => brought?,
            Ok(None) => return Ok(Ok(())),
            Err(_stopped) => return self.take_in().await.map(Err),
        };
        match brought {
            Ok(brought) => self.bring(brought)?,
            Err(failure) => return Ok(Err(self.failed(failure))),
        }
        Ok(self.counts.denied_so_far(|| self.source.remedy()).map_or(Ok(()), Err))
    }

    /// Takes in what is under way once the run is asked to stop, for a moment: the next run need not ask for it again.
    async fn take_in(&mut self) -> Result<Failure, Trouble> {
        let context = self.context;
        let all = async {
            while let Some(brought) = self.calls.next().await {
                if let Ok(brought) = brought? {
                    self.bring(brought)?;
                }
            }
            Ok::<(), Trouble>(())
        };
        // What did not come in time is given up.
        context.in_flight(FETCH, all).await.unwrap_or(Ok(()))?;
        Ok(stopped())
    }

    fn bring(&mut self, brought: CallAnswer) -> Result<(), Trouble> {
        match brought {
            CallAnswer::Versions(answers) => {
                answers.into_iter().try_for_each(|(person, probed)| self.probed(person, probed))
            }
            CallAnswer::Photos(photos) => {
                photos.into_iter().try_for_each(|(person, meal)| self.serve(&person, meal, TimesAsked::Once))
            }
        }
    }

    /// Whatever a call says once the run is asked to stop: it was cut short.
    fn failed(&self, failure: Failure) -> Failure {
        if self.context.stop.requested() { stopped() } else { failure }
    }

    fn probed(&mut self, person: PersonId, probed: VersionResult) -> Result<(), Trouble> {
        match &probed {
            VersionResult::Unknown(fault) => self.counts.missed.count(fault),
            VersionResult::Version(_) | VersionResult::Absent(_) => self.counts.answered += 1,
        }
        let mark = self.mark(&person)?;
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

    fn serve(&mut self, person: &PersonId, meal: PhotoRendering, asked: TimesAsked) -> Result<(), Trouble> {
        match &meal {
            PhotoRendering::Unknown(fault) => self.counts.missed.count(fault),
            PhotoRendering::Photo { .. } | PhotoRendering::Absent(_) => self.counts.answered += 1,
        }
        if !matches!(meal, PhotoRendering::Photo { .. }) {
            self.probed_as.remove(person);
        }
        match meal {
            PhotoRendering::Photo { version, rendering } => {
                let Some(found) = rendering.remembered else {
                    self.probed_as.remove(person);
                    return self.fact(person, rendering.fact);
                };
                let version = self.compared_next(person, version, &found)?;
                self.counts.photos.downloaded += 1;
                let new = self.mark(person)?.is_none_or(|known| known.found != found);
                self.remember(person, PhotoMark { version, found })?;
                self.fact(person, rendering.fact)?;
                if new { Ok(self.context.facts.put_new_photo(&self.who(person))?) } else { Ok(()) }
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

    fn serve_absent(
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
        self.remember(person, PhotoMark { version: None, found: Remembered::Absent(proof) })?;
        self.fact(person, PhotoFact::Absent(proof))
    }

    fn remember(&self, person: &PersonId, mark: PhotoMark) -> Result<(), Trouble> {
        if self.context.mode == Mode::Run {
            // Not waited for: a mark that is lost in a kill costs one question more next time. The writer keeps order.
            drop(self.context.store.put_mark(&self.who(person), &mark));
        }
        Ok(())
    }

    fn fact(&mut self, person: &PersonId, fact: PhotoFact) -> Result<(), Trouble> {
        match &fact {
            PhotoFact::Present { .. } => self.counts.photos.present += 1,
            PhotoFact::Absent(_) => self.counts.photos.absent += 1,
            PhotoFact::Unreadable(_) | PhotoFact::TooSmall { .. } => self.counts.photos.unknown += 1,
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
        Ok(self.context.facts.put_photo(&self.who(person), &fact)?)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TimesAsked {
    Once,
    Twice,
}

/// What is done here, for people.
const FETCH: &str = "fetch photos";

fn stopped() -> Failure {
    Failure::new(FailureKind::Stopped, FETCH, "asked to stop").hint("run again: what was learnt is remembered")
}

/// One call for bytes; the photos are rendered before anything else is asked for, so that few bytes are in flight.
async fn look(
    source: Arc<dyn Source>,
    renderer: Arc<Renderer>,
    people: Vec<PersonId>,
) -> Result<Result<CallAnswer, Failure>, Trouble> {
    let answers = match source.fetch(&people).await {
        Ok(answers) => answers,
        Err(failure) => return Ok(Err(failure)),
    };
    let photos = answers.into_iter().map(|(person, looked)| {
        let renderer = Arc::clone(&renderer);
        async move {
            let meal = match looked {
                PhotoResult::Photo { version, bytes } => {
                    PhotoRendering::Photo { version, rendering: renderer.render(bytes).await? }
                }
                PhotoResult::Absent(proof) => PhotoRendering::Absent(proof),
                PhotoResult::Unknown(fault) => PhotoRendering::Unknown(fault),
            };
            Ok((person, meal))
        }
    });
    let photos: Result<Vec<_>, Trouble> = futures::future::join_all(photos).await.into_iter().collect();
    Ok(Ok(CallAnswer::Photos(photos?)))
}
