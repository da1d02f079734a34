//! One round of questions to one source: everybody who is wanted, or those whose renditions are missing.
//!
//! Owns: the order of the questions, the second one for a photo that is gone, and what a whole round says of the source.
//! Leaves to others: who is asked for what (`question`), sending (`calls`), what an answer comes to (`answers`).
//! A newcomer gets wrong: probes go first, so that what changed joins the last batch of bytes.

use std::sync::Arc;

use super::answers::{Answers, TimesAsked};
use super::calls::{CallAnswer, Calls, FETCH, stopped};
use super::question::{First, Marked, Question, Versions, question, was_known};
use crate::error::Trouble;
use crate::extract::{ODD_RECORD, Source};
use crate::http::Failure;
use crate::model::{Absence, Fault, PersonId, PhotoFact, PhotoHint, PhotoMark, Remembered, SourceId};
use crate::run::context::RunContext;
use crate::run::pages::{PAGE, each_page};
use crate::run::renderer::Renderer;
use crate::run::source_run::SourceRun;
use crate::state::Again;

/// Whose photos are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::run) enum PhotosOf {
    /// Everybody's.
    Everybody,
    /// Of those matched to a selected account.
    Selected,
}

/// Learns the photos of everybody wanted from one source. A failure of the source is kept in its `SourceRun`.
pub(in crate::run) async fn fetch_all(
    context: &RunContext,
    source_run: &mut SourceRun,
    renderer: &Arc<Renderer>,
    concurrency: usize,
    selected: PhotosOf,
) -> Result<(), Trouble> {
    let Some(source) = source_run.source.clone().filter(|_| source_run.failure.is_none()) else { return Ok(()) };
    let work = format!("photos {}", source_run.id());
    let wanted = context.facts.count_wanted(source_run.id())?;
    context.begins(&work, Some(wanted));
    let mut fetch_run = FetchRun { selected, ..FetchRun::new(context, source_run, &source, renderer, concurrency) };
    let mut outcome = fetch_run.everybody(wanted).await;
    fetch_run.answers.flush()?;
    let FetchRun { answers: Answers { counts, first_lost, .. }, calls, versions, .. } = fetch_run;
    source_run.notes.extend(versions.note());
    source_run.counts.forecast += calls.sent;
    if let Ok(Ok(())) = outcome {
        let failure = counts
            .everybody_denied(|| source.remedy())
            .or_else(|| counts.everybody_lost(first_lost, source.where_photos_are()));
        if let Some(failure) = failure.or_else(|| counts.everybody_missed(source.where_photos_are())) {
            outcome = Ok(Err(failure));
        }
    }
    if let Ok(Ok(())) = outcome {
        source_run.notes.extend(counts.note_of_most_missed());
        source_run.counts.mostly_missed = counts.mostly_missed();
    }
    source_run.counts.photos += counts.photos;
    finish(context, source_run, &work, outcome)
}

/// Fetches the photos again that are unchanged, but whose renditions are not in the spool.
pub(in crate::run) async fn fetch_again(
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
    fetch_run.answers.flush()?;
    let FetchRun { answers, calls, .. } = fetch_run;
    source_run.counts.photos.downloaded += answers.counts.photos.downloaded;
    source_run.counts.forecast += calls.sent;
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
            context.ends(work, failure.end());
            source_run.fail(context, failure)?;
        }
    }
    Ok(())
}

struct FetchRun<'a> {
    context: &'a RunContext,
    id: SourceId,
    calls: Calls<'a>,
    answers: Answers<'a>,
    first: First,
    /// Whether the listing shows markers at all.
    marked: Marked,
    selected: PhotosOf,
    versions: Versions,
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
            calls: Calls::new(context, source, renderer, concurrency),
            answers: Answers::new(context, source_run.id(), source, renderer),
            first: First::No,
            marked: if source_run.counts.marked > 0 { Marked::Yes } else { Marked::No },
            selected: PhotosOf::Everybody,
            versions: Versions::default(),
        }
    }

    async fn everybody(&mut self, wanted: u64) -> Result<Result<(), Failure>, Trouble> {
        self.context.facts.forget_again(Again::Vanished)?;
        let known = self.context.store.count_known(&self.id)?;
        self.first = if known * 2 < wanted { First::Yes } else { First::No };
        let (context, id) = (self.context, self.id.clone());
        for people in each_page(|after| context.facts.wanted_people(&id, after, PAGE), |(person, _)| person.clone()) {
            let people = people?;
            let marks = context.store.marks(&id, people.iter().map(|(person, _)| person))?;
            for ((person, hint), mark) in people.into_iter().zip(marks) {
                self.ask(person, hint, mark)?;
                if let Err(failure) = self.send_full().await? {
                    return Ok(Err(failure));
                }
            }
        }
        // The probes first: what changed joins the last batch of bytes.
        self.calls.send_probe_rest();
        if let Err(failure) = self.drain().await? {
            return Ok(Err(failure));
        }
        self.calls.send_fetch_rest(&mut self.answers.to_fetch);
        if let Err(failure) = self.drain().await? {
            return Ok(Err(failure));
        }
        self.ask_again().await
    }

    /// Promise P2: a photo that was there last time and is gone now is asked for a second time before it counts.
    async fn ask_again(&mut self) -> Result<Result<(), Failure>, Trouble> {
        let batch = self.calls.batch();
        loop {
            let people = self.context.facts.take_again(Again::Vanished, &self.id, batch)?;
            if people.is_empty() {
                return Ok(Ok(()));
            }
            if self.context.stop.requested() {
                return Ok(Err(stopped()));
            }
            let brought = self.calls.fetch_alone(people).await?;
            let brought = match brought {
                Ok(brought) => brought,
                Err(failure) => return Ok(Err(self.failed(failure))),
            };
            if let CallAnswer::Photos(photos) = brought {
                for (person, meal) in photos {
                    self.answers.serve(&person, meal, TimesAsked::Twice)?;
                }
            }
        }
    }

    async fn missing(&mut self) -> Result<Result<(), Failure>, Trouble> {
        self.answers.asks_again = false;
        loop {
            let people = self.context.facts.take_again(Again::Missing, &self.id, PAGE)?;
            if people.is_empty() {
                break;
            }
            for person in people {
                self.answers.to_fetch.push(person);
                if let Err(failure) = self.send_full().await? {
                    return Ok(Err(failure));
                }
            }
        }
        self.calls.send_fetch_rest(&mut self.answers.to_fetch);
        self.drain().await
    }

    /// Decides what a person is asked for.
    fn ask(&mut self, person: PersonId, hint: PhotoHint, mark: Option<PhotoMark>) -> Result<(), Trouble> {
        if self.selected == PhotosOf::Selected && !self.context.facts.is_person_selected(&self.id, &person)? {
            return self.as_remembered(&person, hint, mark);
        }
        if mark.as_ref().is_some_and(was_known) {
            self.answers.counts.photos.known_before += 1;
        }
        self.versions.compare(&hint, mark.as_ref());
        let listed = if let PhotoHint::Version(listed) = &hint { Some(listed.clone()) } else { None };
        match question(hint, mark.clone(), self.first, self.marked) {
            Question::Absent(mark) => {
                self.answers.serve_absent(&person, Absence::NotListed, mark.as_ref(), TimesAsked::Once)?
            }
            Question::Known(mark) => self.answers.known(&person, mark)?,
            Question::Probe => {
                self.answers.probing.extend(mark.map(|mark| (person.clone(), mark)));
                self.calls.to_probe.push(person);
            }
            Question::Fetch => {
                self.answers.told_in_listing(listed.as_ref());
                self.answers.to_fetch.push(person);
            }
            Question::Odd(what) => {
                let fault = Fault::new(ODD_RECORD, format!("the record in the listing is odd: {what}"));
                self.answers.fact(&person, PhotoFact::Unknown(fault))?;
            }
        }
        Ok(())
    }

    /// Of whoever is not selected only what costs no question: the limits are held against everybody
    /// (docs/architecture.md, "Selecting and reviewing").
    fn as_remembered(&mut self, person: &PersonId, hint: PhotoHint, mark: Option<PhotoMark>) -> Result<(), Trouble> {
        let too_small = |mark: &PhotoMark| matches!(mark.found, Remembered::TooSmall { .. });
        match question(hint, mark, self.first, self.marked) {
            Question::Known(mark) if !too_small(&mark) => self.answers.known(person, mark),
            Question::Absent(None) => self.answers.fact(person, PhotoFact::Absent(Absence::NotListed)),
            _ => Ok(()),
        }
    }

    /// Sends what fills a batch, and takes in answers until another call may leave.
    async fn send_full(&mut self) -> Result<Result<(), Failure>, Trouble> {
        self.calls.send_full(&mut self.answers.to_fetch);
        while self.calls.is_busy() {
            if let Err(failure) = self.take_one().await? {
                return Ok(Err(failure));
            }
        }
        if self.context.stop.requested() { self.take_in().await.map(Err) } else { Ok(Ok(())) }
    }

    async fn drain(&mut self) -> Result<Result<(), Failure>, Trouble> {
        while !self.calls.is_idle() {
            if let Err(failure) = self.take_one().await? {
                return Ok(Err(failure));
            }
            self.calls.send_fetch_full(&mut self.answers.to_fetch);
        }
        Ok(if self.context.stop.requested() { Err(stopped()) } else { Ok(()) })
    }

    async fn take_one(&mut self) -> Result<Result<(), Failure>, Trouble> {
        let brought = match self.calls.next_unless_stopped().await {
            Ok(Some(brought)) => brought?,
            Ok(None) => return Ok(Ok(())),
            Err(_stopped) => return self.take_in().await.map(Err),
        };
        match brought {
            Ok(brought) => self.bring(brought)?,
            Err(failure) => return Ok(Err(self.failed(failure))),
        }
        Ok(self.answers.counts.denied_so_far(|| self.calls.remedy()).map_or(Ok(()), Err))
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
                answers.into_iter().try_for_each(|(person, probed)| self.answers.probed(person, probed))
            }
            CallAnswer::Photos(photos) => {
                photos.into_iter().try_for_each(|(person, meal)| self.answers.serve(&person, meal, TimesAsked::Once))
            }
        }
    }

    /// Whatever a call says once the run is asked to stop: it was cut short.
    fn failed(&self, failure: Failure) -> Failure {
        if self.context.stop.requested() { stopped() } else { failure }
    }
}
