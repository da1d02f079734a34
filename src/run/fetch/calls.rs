//! The calls to one source: batches of markers and of photos, as many at a time as its rate allows.
//!
//! Owns: what is under way, and rendering each photo before anything else is asked for.
//! Leaves to others: who is asked for what (`round`), what an answer comes to (`answers`), the wire (`extract`).
//! A newcomer gets wrong: nothing is sent any more once the run is asked to stop; what left is taken in.

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};

use crate::error::Trouble;
use crate::extract::{PhotoResult, Source, VersionResult};
use crate::http::{Failure, FailureKind};
use crate::model::{Absence, Fault, PersonId, Version};
use crate::run::context::RunContext;
use crate::run::renderer::{Renderer, Rendering};

/// What one call brought.
pub(super) enum CallAnswer {
    Versions(Vec<(PersonId, VersionResult)>),
    Photos(Vec<(PersonId, PhotoRendering)>),
}

/// One person's answer, its photo rendered.
pub(super) enum PhotoRendering {
    Photo { version: Option<Version>, rendering: Rendering },
    Absent(Absence),
    Unknown(Fault),
}

/// What a call came to: what it brought, or why the source has to be given up.
pub(super) type Called = Result<Result<CallAnswer, Failure>, Trouble>;

/// The calls to one source.
pub(super) struct Calls<'a> {
    context: &'a RunContext,
    source: Arc<dyn Source>,
    renderer: &'a Arc<Renderer>,
    concurrency: usize,
    under_way: FuturesUnordered<BoxFuture<'static, Called>>,
    /// People whose marker is to be asked for.
    pub to_probe: Vec<PersonId>,
    /// Requests that left, repeated ones left out.
    pub sent: u64,
}

impl<'a> Calls<'a> {
    pub(super) fn new(
        context: &'a RunContext,
        source: &Arc<dyn Source>,
        renderer: &'a Arc<Renderer>,
        concurrency: usize,
    ) -> Self {
        Self {
            context,
            source: Arc::clone(source),
            renderer,
            concurrency: concurrency.max(1),
            under_way: FuturesUnordered::new(),
            to_probe: Vec::new(),
            sent: 0,
        }
    }

    /// Photos in one call.
    pub(super) fn batch(&self) -> usize {
        self.source.batch().fetch.max(1)
    }

    /// Nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }

    /// As much is under way as may be.
    pub(super) fn is_busy(&self) -> bool {
        self.under_way.len() >= self.concurrency
    }

    /// Sends what fills a batch.
    pub(super) fn send_full(&mut self, to_fetch: &mut Vec<PersonId>) {
        if self.to_probe.len() >= self.source.batch().versions.max(1) {
            self.send_probe_rest();
        }
        self.send_fetch_full(to_fetch);
    }

    /// Sends the questions for markers that fill no batch.
    pub(super) fn send_probe_rest(&mut self) {
        let people = std::mem::take(&mut self.to_probe);
        if people.is_empty() || self.context.stop.requested() {
            return;
        }
        self.sent += self.source.batch().requests;
        let source = Arc::clone(&self.source);
        self.under_way.push(Box::pin(async move { Ok(source.versions(&people).await.map(CallAnswer::Versions)) }));
    }

    /// Sends the questions for photos that fill a batch.
    pub(super) fn send_fetch_full(&mut self, to_fetch: &mut Vec<PersonId>) {
        let batch = self.batch();
        while to_fetch.len() >= batch && !self.context.stop.requested() {
            self.send_fetch(to_fetch.drain(..batch).collect());
        }
    }

    /// Sends all questions for photos.
    pub(super) fn send_fetch_rest(&mut self, to_fetch: &mut Vec<PersonId>) {
        self.send_fetch_full(to_fetch);
        let people = std::mem::take(to_fetch);
        if !people.is_empty() && !self.context.stop.requested() {
            self.send_fetch(people);
        }
    }

    fn send_fetch(&mut self, people: Vec<PersonId>) {
        let call = self.photos(people);
        self.under_way.push(Box::pin(call));
    }

    /// The call that asks for photos; counted as sent.
    fn photos(&mut self, people: Vec<PersonId>) -> impl Future<Output = Called> + use<> {
        self.sent += self.source.batch().requests;
        look(Arc::clone(&self.source), Arc::clone(self.renderer), people)
    }

    /// Asks for photos beside all others; a stop cuts it short.
    pub(super) async fn fetch_alone(&mut self, people: Vec<PersonId>) -> Called {
        let call = self.photos(people);
        match self.context.in_flight(FETCH, call).await {
            Ok(called) => called,
            Err(stopped) => Ok(Err(stopped)),
        }
    }

    /// The next call that ends; nothing if none is under way, an error once the run is asked to stop.
    pub(super) async fn next_unless_stopped(&mut self) -> Result<Option<Called>, Failure> {
        self.context.unless_stopped(FETCH, self.under_way.next()).await
    }

    /// The next call that ends, whoever asks to stop.
    pub(super) async fn next(&mut self) -> Option<Called> {
        self.under_way.next().await
    }

    /// What to grant, where photos are denied to all.
    pub(super) fn remedy(&self) -> Option<String> {
        self.source.remedy()
    }
}

/// What is done here, for people.
pub(super) const FETCH: &str = "fetch photos";

pub(super) fn stopped() -> Failure {
    Failure::new(FailureKind::Stopped, FETCH, "asked to stop").hint("run again: what was learnt is remembered")
}

/// One call for bytes; the photos are rendered before anything else is asked for, so that few bytes are in flight.
async fn look(source: Arc<dyn Source>, renderer: Arc<Renderer>, people: Vec<PersonId>) -> Called {
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
