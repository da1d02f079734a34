//! Learning what photo each wanted person has, with the fewest requests that keep the promises (design §4, fetch).
//!
//! Owns: who is asked for a change marker and who for bytes, the second question for a photo that is gone, the batches.
//! Leaves to others: the wire (`extract`), rendering (`kitchen`), what follows (`plan`).
//! A newcomer gets wrong: a first run asks for bytes at once, a later one for markers first; both are the floor of
//! reference/microsoft-graph §8.

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};

use super::desk::PAGE;
use super::feed::Feed;
use super::house::{House, Mode};
use super::kitchen::{Cooked, Kitchen};
use crate::error::Trouble;
use crate::extract::{Looked, Probed, Source};
use crate::http::{Failure, FailureKind};
use crate::model::{
    Absence, Fault, PersonId, PersonRef, PhotoFact, PhotoHint, PhotoMark, Remembered, SourceId, Version,
};
use crate::state::Again;

/// What one call brought.
enum Brought {
    Probed(Vec<(PersonId, Probed)>),
    Looked(Vec<(PersonId, Meal)>),
}

/// One person's answer, its photo rendered.
enum Meal {
    Photo { version: Option<Version>, cooked: Cooked },
    Absent(Absence),
    Unknown(Fault),
}

type Call = BoxFuture<'static, Result<Result<Brought, Failure>, Trouble>>;

/// Learns the photos of everybody wanted from one source. A failure of the source is kept in the feed.
pub async fn fetch_all(house: &House, feed: &mut Feed, kitchen: &Arc<Kitchen>, lanes: usize) -> Result<(), Trouble> {
    let Some(source) = feed.source.clone().filter(|_| feed.failure.is_none()) else { return Ok(()) };
    let work = format!("photos {}", feed.id());
    house.begins(&work, Some(house.facts.count_wanted(feed.id())?));
    let mut round = Round::new(house, feed, &source, kitchen, lanes);
    let mut outcome = round.everybody().await;
    let Round { counts, versions, first_lost, .. } = round;
    feed.notes.extend(versions.note());
    if let (Ok(Ok(())), Some(lost)) = (&outcome, counts.everybody_lost(first_lost)) {
        outcome = Ok(Err(lost));
    }
    counts.add_to(feed);
    finish(house, feed, &work, outcome)
}

/// Fetches the photos again that are unchanged, but whose renditions are not in the spool.
pub async fn fetch_again(house: &House, feed: &mut Feed, kitchen: &Arc<Kitchen>, lanes: usize) -> Result<(), Trouble> {
    let Some(source) = feed.source.clone().filter(|_| feed.failure.is_none()) else { return Ok(()) };
    let work = format!("photos {} again", feed.id());
    house.begins(&work, Some(house.facts.count_again(Again::Missing, feed.id())?));
    let mut round = Round::new(house, feed, &source, kitchen, lanes);
    let outcome = round.missing().await;
    let Round { counts, .. } = round;
    feed.counts.downloaded += counts.downloaded;
    feed.counts.forecast += counts.calls;
    finish(house, feed, &work, outcome)
}

fn finish(
    house: &House,
    feed: &mut Feed,
    work: &str,
    outcome: Result<Result<(), Failure>, Trouble>,
) -> Result<(), Trouble> {
    match outcome? {
        Ok(()) => house.ends(work, format!("{} received", feed.counts.downloaded)),
        Err(failure) => {
            house.ends(work, "failed");
            feed.fail(failure);
        }
    }
    Ok(())
}

#[derive(Default)]
struct RoundCounts {
    present: u64,
    absent: u64,
    unknown: u64,
    downloaded: u64,
    known_before: u64,
    lost: u64,
    calls: u64,
}

impl RoundCounts {
    /// One person's failure is that person's; all of them at once are the provider's.
    fn everybody_lost(&self, first: Option<Fault>) -> Option<Failure> {
        let answered = self.present + self.absent + (self.unknown - self.lost);
        let first = first.filter(|_| self.lost > 1 && self.lost == self.known_before && answered == 0)?;
        let tried = format!("learn the photos of {} people", self.lost);
        let found = format!("all were known last time and none is now, the first: [{}] {}", first.code, first.message);
        Some(Failure::new(FailureKind::Odd, tried, found).hint(
            "that proves no absence, and no picture was touched: look at the provider's service health, and run again later",
        ))
    }

    fn add_to(&self, feed: &mut Feed) {
        let counts = &mut feed.counts;
        counts.present += self.present;
        counts.absent += self.absent;
        counts.unknown += self.unknown;
        counts.downloaded += self.downloaded;
        counts.known_before += self.known_before;
        counts.lost += self.lost;
        counts.forecast += self.calls;
    }
}

/// The versions of a listing against those of the last run.
#[derive(Default)]
struct Versions {
    compared: u64,
    other: u64,
}

impl Versions {
    /// Among fewer, all may well have changed.
    const FEW: u64 = 20;

    fn compare(&mut self, hint: &PhotoHint, mark: Option<&PhotoMark>) {
        if let (PhotoHint::Version(now), Some(then)) = (hint, mark.and_then(|mark| mark.version.as_ref())) {
            self.compared += 1;
            self.other += u64::from(now != then);
        }
    }

    /// Above nine tenths it is the way that versions are made which has changed (reference/google-directory §2.3). They are
    /// hints: nothing follows from them but reading, at the usual pace.
    fn note(&self) -> Option<String> {
        let (compared, other) = (self.compared, self.other);
        (compared >= Self::FEW && other * 10 > compared * 9).then(|| {
            format!(
                "{other} of {compared} photos are listed under another version than last time: it seems that the \
                 provider makes them in another way now. They were asked for again, and only what is another photo is \
                 written; `run --max-duration` spreads this over several runs"
            )
        })
    }
}

struct Round<'a> {
    house: &'a House,
    id: SourceId,
    source: Arc<dyn Source>,
    kitchen: &'a Arc<Kitchen>,
    lanes: usize,
    calls: FuturesUnordered<Call>,
    to_probe: Vec<PersonId>,
    to_fetch: Vec<PersonId>,
    first: First,
    /// Whether the listing shows markers at all.
    marked: Marked,
    counts: RoundCounts,
    versions: Versions,
    /// Why the first photo that was known last time is not known now.
    first_lost: Option<Fault>,
    done: u64,
}

/// Whether most people of the source are new to the state. Then bytes are asked for at once, since bytes and marker
/// arrive together; later, a question for the marker rides in a batch that is sent anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    Yes,
    No,
}

/// Whether the listing shows change markers. Only then does a person without one provably have no photo (design §8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marked {
    Yes,
    No,
}

impl<'a> Round<'a> {
    fn new(house: &'a House, feed: &Feed, source: &Arc<dyn Source>, kitchen: &'a Arc<Kitchen>, lanes: usize) -> Self {
        Self {
            house,
            id: feed.id().clone(),
            source: Arc::clone(source),
            kitchen,
            lanes,
            calls: FuturesUnordered::new(),
            to_probe: Vec::new(),
            to_fetch: Vec::new(),
            first: First::No,
            marked: if feed.counts.marked > 0 { Marked::Yes } else { Marked::No },
            counts: RoundCounts::default(),
            versions: Versions::default(),
            first_lost: None,
            done: 0,
        }
    }

    async fn everybody(&mut self) -> Result<Result<(), Failure>, Trouble> {
        self.house.facts.forget_again(Again::Vanished)?;
        let (known, wanted) = (self.house.store.count_known(&self.id)?, self.house.facts.count_wanted(&self.id)?);
        self.first = if known * 2 < wanted { First::Yes } else { First::No };
        let mut after: Option<PersonId> = None;
        loop {
            let people = self.house.facts.wanted_people(&self.id, after.as_ref(), PAGE)?;
            let Some(last) = people.last() else { break };
            after = Some(last.clone());
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
            let people = self.house.facts.take_again(Again::Vanished, &self.id, batch)?;
            if people.is_empty() {
                return Ok(Ok(()));
            }
            if self.house.stop.requested() {
                return Ok(Err(stopped()));
            }
            self.counts.calls += 1;
            let asked = look(Arc::clone(&self.source), Arc::clone(self.kitchen), people);
            let brought = match self.house.in_flight(FETCH, asked).await {
                Ok(brought) => brought?,
                Err(stopped) => Err(stopped),
            };
            let brought = match brought {
                Ok(brought) => brought,
                Err(failure) => return Ok(Err(self.failed(failure))),
            };
            if let Brought::Looked(meals) = brought {
                for (person, meal) in meals {
                    self.serve(&person, meal, Asked::Twice)?;
                }
            }
        }
    }

    async fn missing(&mut self) -> Result<Result<(), Failure>, Trouble> {
        loop {
            let people = self.house.facts.take_again(Again::Missing, &self.id, PAGE)?;
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
        Ok(self.house.store.mark(&self.who(person))?)
    }

    fn who(&self, person: &PersonId) -> PersonRef {
        PersonRef { source: self.id.clone(), id: person.clone() }
    }

    /// What the listing said of this person's photo.
    fn hint(&self, person: &PersonId) -> Result<PhotoHint, Trouble> {
        Ok(self.house.facts.person(&self.who(person))?.map_or(PhotoHint::Silent, |person| person.hint))
    }

    /// Decides what a person is asked for.
    fn ask(&mut self, person: PersonId) -> Result<(), Trouble> {
        let mark = self.mark(&person)?;
        if mark.as_ref().is_some_and(was_known) {
            self.counts.known_before += 1;
        }
        let hint = self.hint(&person)?;
        self.versions.compare(&hint, mark.as_ref());
        match question(hint, mark, self.first, self.marked) {
            Question::Absent(mark) => self.serve_absent(&person, Absence::NotListed, mark.as_ref(), Asked::Once)?,
            Question::Known(mark) => self.known(&person, mark)?,
            Question::Probe => self.to_probe.push(person),
            Question::Fetch => self.to_fetch.push(person),
        }
        Ok(())
    }

    /// The photo is what the mark says.
    fn known(&mut self, person: &PersonId, mark: PhotoMark) -> Result<(), Trouble> {
        let fact = match mark.found {
            Remembered::Present(digest) if self.kitchen.is_placeholder(&digest) => {
                PhotoFact::Absent(Absence::Placeholder)
            }
            Remembered::Present(digest) => PhotoFact::Present { digest },
            Remembered::TooSmall { width, height, .. } if width.min(height) >= self.kitchen.smallest() => {
                self.to_fetch.push(person.clone());
                return Ok(());
            }
            Remembered::TooSmall { width, height, .. } => PhotoFact::TooSmall { width, height },
            Remembered::Unreadable(fault) => super::kitchen::unreadable(fault),
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
        while self.calls.len() >= self.lanes.max(1) {
            if let Err(failure) = self.take_one().await? {
                return Ok(Err(failure));
            }
        }
        if self.house.stop.requested() { self.take_in().await.map(Err) } else { Ok(Ok(())) }
    }

    fn send_probe_rest(&mut self) {
        let people = std::mem::take(&mut self.to_probe);
        if people.is_empty() || self.house.stop.requested() {
            return;
        }
        self.counts.calls += 1;
        let source = Arc::clone(&self.source);
        self.calls.push(Box::pin(async move { Ok(source.versions(&people).await.map(Brought::Probed)) }));
    }

    fn send_fetch_full(&mut self) {
        let batch = self.source.batch().fetch.max(1);
        while self.to_fetch.len() >= batch && !self.house.stop.requested() {
            let people = self.to_fetch.drain(..batch).collect();
            self.send_fetch(people);
        }
    }

    fn send_fetch_rest(&mut self) {
        self.send_fetch_full();
        let people = std::mem::take(&mut self.to_fetch);
        if !people.is_empty() && !self.house.stop.requested() {
            self.send_fetch(people);
        }
    }

    fn send_fetch(&mut self, people: Vec<PersonId>) {
        self.counts.calls += 1;
        self.calls.push(Box::pin(look(Arc::clone(&self.source), Arc::clone(self.kitchen), people)));
    }

    async fn drain(&mut self) -> Result<Result<(), Failure>, Trouble> {
        while !self.calls.is_empty() {
            if let Err(failure) = self.take_one().await? {
                return Ok(Err(failure));
            }
            self.send_fetch_full();
        }
        Ok(if self.house.stop.requested() { Err(stopped()) } else { Ok(()) })
    }

    async fn take_one(&mut self) -> Result<Result<(), Failure>, Trouble> {
        let brought = match self.house.unless_stopped(FETCH, self.calls.next()).await {
            Ok(Some(brought)) => brought?,
            Ok(None) => return Ok(Ok(())),
            Err(_stopped) => return self.take_in().await.map(Err),
        };
        match brought {
            Ok(brought) => self.bring(brought).map(Ok),
            Err(failure) => Ok(Err(self.failed(failure))),
        }
    }

    /// Takes in what is under way once the run is asked to stop, for a moment: the next run need not ask for it again.
    async fn take_in(&mut self) -> Result<Failure, Trouble> {
        let house = self.house;
        let all = async {
            while let Some(brought) = self.calls.next().await {
                if let Ok(brought) = brought? {
                    self.bring(brought)?;
                }
            }
            Ok::<(), Trouble>(())
        };
        // What did not come in time is given up.
        house.in_flight(FETCH, all).await.unwrap_or(Ok(()))?;
        Ok(stopped())
    }

    fn bring(&mut self, brought: Brought) -> Result<(), Trouble> {
        match brought {
            Brought::Probed(answers) => {
                answers.into_iter().try_for_each(|(person, probed)| self.probed(person, probed))
            }
            Brought::Looked(meals) => {
                meals.into_iter().try_for_each(|(person, meal)| self.serve(&person, meal, Asked::Once))
            }
        }
    }

    /// Whatever a call says once the run is asked to stop: it was cut short.
    fn failed(&self, failure: Failure) -> Failure {
        if self.house.stop.requested() { stopped() } else { failure }
    }

    fn probed(&mut self, person: PersonId, probed: Probed) -> Result<(), Trouble> {
        let mark = self.mark(&person)?;
        match (probed, mark) {
            (Probed::Version(Some(version)), Some(mark)) if mark.version.as_ref() == Some(&version) => {
                self.known(&person, mark)
            }
            (Probed::Version(_), _) => {
                self.to_fetch.push(person);
                Ok(())
            }
            (Probed::Absent(proof), mark) => self.serve_absent(&person, proof, mark.as_ref(), Asked::Once),
            (Probed::Unknown(fault), _) => self.fact(&person, PhotoFact::Unknown(fault)),
        }
    }

    fn serve(&mut self, person: &PersonId, meal: Meal, asked: Asked) -> Result<(), Trouble> {
        match meal {
            Meal::Photo { version, cooked } => {
                let Some(found) = cooked.remembered else { return self.fact(person, cooked.fact) };
                // The next listing is compared with this one's marker; that the photo's own is the same is not proven
                // (reference/google-directory §3.1).
                let version = match self.hint(person)? {
                    PhotoHint::Version(listed) => Some(listed),
                    _ => version,
                };
                self.counts.downloaded += 1;
                self.remember(person, PhotoMark { version, found })?;
                self.fact(person, cooked.fact)
            }
            Meal::Absent(proof) => {
                let mark = self.mark(person)?;
                self.serve_absent(person, proof, mark.as_ref(), asked)
            }
            Meal::Unknown(fault) => self.fact(person, PhotoFact::Unknown(fault)),
        }
    }

    fn serve_absent(
        &mut self,
        person: &PersonId,
        proof: Absence,
        mark: Option<&PhotoMark>,
        asked: Asked,
    ) -> Result<(), Trouble> {
        let was_there = mark.is_some_and(|mark| !matches!(mark.found, Remembered::Absent(_)));
        if was_there && asked == Asked::Once {
            self.house.facts.put_again(Again::Vanished, &self.id, std::slice::from_ref(person))?;
            return Ok(());
        }
        self.remember(person, PhotoMark { version: None, found: Remembered::Absent(proof) })?;
        self.fact(person, PhotoFact::Absent(proof))
    }

    fn remember(&self, person: &PersonId, mark: PhotoMark) -> Result<(), Trouble> {
        if self.house.mode == Mode::Run {
            // Not waited for: a mark that is lost in a kill costs one question more next time. The writer keeps order.
            drop(self.house.store.put_mark(&self.who(person), &mark));
        }
        Ok(())
    }

    fn fact(&mut self, person: &PersonId, fact: PhotoFact) -> Result<(), Trouble> {
        match &fact {
            PhotoFact::Present { .. } => self.counts.present += 1,
            PhotoFact::Absent(_) => self.counts.absent += 1,
            PhotoFact::Unreadable(_) | PhotoFact::TooSmall { .. } => self.counts.unknown += 1,
            PhotoFact::Unknown(fault) => {
                self.counts.unknown += 1;
                if self.mark(person)?.as_ref().is_some_and(was_known) {
                    self.counts.lost += 1;
                    self.first_lost.get_or_insert_with(|| fault.clone());
                }
            }
        }
        self.done += 1;
        self.house.at(&format!("photos {}", self.id), self.done);
        Ok(self.house.facts.put_photo(&self.who(person), &fact)?)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Once,
    Twice,
}

/// The photo, or its absence, was known last time: what `limits.unknown` counts.
fn was_known(mark: &PhotoMark) -> bool {
    !matches!(mark.found, Remembered::Unreadable(_))
}

/// What a person is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Question {
    /// Nothing: the photo is what the mark says.
    Known(PhotoMark),
    /// Nothing: the listing proves that there is none.
    Absent(Option<PhotoMark>),
    /// The marker.
    Probe,
    /// The bytes.
    Fetch,
}

fn question(hint: PhotoHint, mark: Option<PhotoMark>, first: First, marked: Marked) -> Question {
    match (hint, mark) {
        (PhotoHint::Unmarked, mark) if marked == Marked::Yes => Question::Absent(mark),
        (PhotoHint::Version(version), Some(mark)) if mark.version.as_ref() == Some(&version) => Question::Known(mark),
        (PhotoHint::Silent | PhotoHint::Unmarked, Some(mark)) if probe_first(&mark) => Question::Probe,
        (PhotoHint::Silent | PhotoHint::Unmarked, None) if first == First::No => Question::Probe,
        _ => Question::Fetch,
    }
}

/// A photo under a marker that may have changed, or none that may have appeared. A photo without a marker is fetched:
/// there is nothing to compare.
fn probe_first(mark: &PhotoMark) -> bool {
    mark.version.is_some() || matches!(mark.found, Remembered::Absent(_))
}

/// What is done here, for people.
const FETCH: &str = "fetch photos";

fn stopped() -> Failure {
    Failure::new(FailureKind::Stopped, FETCH, "asked to stop").hint("run again: what was learnt is remembered")
}

/// One call for bytes; the photos are rendered before anything else is asked for, so that few bytes are in flight.
async fn look(
    source: Arc<dyn Source>,
    kitchen: Arc<Kitchen>,
    people: Vec<PersonId>,
) -> Result<Result<Brought, Failure>, Trouble> {
    let answers = match source.fetch(&people).await {
        Ok(answers) => answers,
        Err(failure) => return Ok(Err(failure)),
    };
    let meals = answers.into_iter().map(|(person, looked)| {
        let kitchen = Arc::clone(&kitchen);
        async move {
            let meal = match looked {
                Looked::Photo { version, bytes } => Meal::Photo { version, cooked: kitchen.cook(bytes).await? },
                Looked::Absent(proof) => Meal::Absent(proof),
                Looked::Unknown(fault) => Meal::Unknown(fault),
            };
            Ok((person, meal))
        }
    });
    let meals: Result<Vec<_>, Trouble> = futures::future::join_all(meals).await.into_iter().collect();
    Ok(Ok(Brought::Looked(meals?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Digest;

    fn mark(version: Option<&str>) -> PhotoMark {
        PhotoMark { version: version.map(Version::from), found: Remembered::Present(Digest::of(b"photo")) }
    }

    fn none() -> PhotoMark {
        PhotoMark { version: None, found: Remembered::Absent(Absence::NotListed) }
    }

    /// Design §8: no marker means no photo only if others of the same listing have one.
    #[test]
    fn a_missing_marker_is_a_proof_only_in_a_listing_that_shows_markers() {
        use First::{No, Yes};
        let version = |word: &str| PhotoHint::Version(word.into());
        for (hint, known, first, marked, asked) in [
            (PhotoHint::Unmarked, None, Yes, Marked::Yes, Question::Absent(None)),
            (PhotoHint::Unmarked, Some(mark(Some("a"))), No, Marked::Yes, Question::Absent(Some(mark(Some("a"))))),
            (PhotoHint::Unmarked, None, Yes, Marked::No, Question::Fetch),
            (PhotoHint::Unmarked, None, No, Marked::No, Question::Probe),
            (PhotoHint::Unmarked, Some(mark(Some("a"))), No, Marked::No, Question::Probe),
            (PhotoHint::Unmarked, Some(none()), No, Marked::No, Question::Probe),
            (PhotoHint::Unmarked, Some(mark(None)), No, Marked::No, Question::Fetch),
            (version("a"), Some(mark(Some("a"))), No, Marked::Yes, Question::Known(mark(Some("a")))),
            (version("b"), Some(mark(Some("a"))), No, Marked::Yes, Question::Fetch),
            (version("a"), Some(none()), No, Marked::Yes, Question::Fetch),
            (version("a"), None, No, Marked::Yes, Question::Fetch),
            (PhotoHint::Silent, Some(mark(Some("a"))), No, Marked::No, Question::Probe),
            (PhotoHint::Silent, Some(mark(None)), No, Marked::No, Question::Fetch),
            (PhotoHint::Silent, None, Yes, Marked::No, Question::Fetch),
            (PhotoHint::Silent, None, No, Marked::No, Question::Probe),
        ] {
            let shown = format!("{hint:?} {known:?}");
            assert_eq!(question(hint, known, first, marked), asked, "{shown}");
        }
    }

    /// reference/google-directory §2.3: more than nine tenths of the known ones.
    #[test]
    fn versions_that_nearly_all_changed_are_told_of() {
        let version = |word: &str| PhotoHint::Version(word.into());
        for (same, other, told) in
            [(0, 19, false), (0, 20, true), (2, 18, false), (1, 19, true), (10, 90, false), (9, 91, true)]
        {
            let mut versions = Versions::default();
            (0..same).for_each(|_| versions.compare(&version("a"), Some(&mark(Some("a")))));
            (0..other).for_each(|_| versions.compare(&version("b"), Some(&mark(Some("a")))));
            // Nothing to compare.
            for (hint, known) in
                [(version("b"), None), (version("b"), Some(none())), (PhotoHint::Unmarked, Some(mark(Some("a"))))]
            {
                (0..100).for_each(|_| versions.compare(&hint, known.as_ref()));
            }
            assert_eq!(versions.note().is_some(), told, "{same} the same, {other} others");
        }
    }
}
