//! Which targets are planned together, and what goes on meanwhile (promise P8).
//!
//! Owns: the surveys and writes under way, and how long a target that was listed waits for one that was not.
//! Leaves to others: planning a pass and writing it (`run`), what a survey is (`target_run`).
//! A newcomer gets wrong: there is one pass, and the whole plan is known before anything is written (promise P3).
//! Only a target that keeps the others waiting is planned on its own, later; its limits are held then, and the photos
//! that were fetched are there for it.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures::future::LocalBoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};

use super::finished_target::FinishedTarget;
use super::target_run::TargetRun;
use crate::error::Trouble;

/// How long a target waits for the others at least. It waits as long again as its own survey took, if that is more:
/// large servers take minutes, and one pass costs fewer requests than two.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether a target is planned before others were listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// It is, once they kept it waiting.
    Some,
    /// It is not: nothing is written after a plan, so it has nobody to hold up.
    Endless,
}

type UnderWay<'a, T> = FuturesUnordered<LocalBoxFuture<'a, Result<T, Trouble>>>;

/// Everything under way beside what is planned at the moment.
pub(super) struct Scheduler<'a> {
    patience: Patience,
    begun: Instant,
    surveys: UnderWay<'a, TargetRun>,
    /// Surveyed, or failed at it, and not planned yet.
    arrived: Vec<TargetRun>,
    /// How long the slowest survey took of those that did not fail.
    took: Duration,
    writes: UnderWay<'a, FinishedTarget>,
    finished: Vec<FinishedTarget>,
    /// The first trouble of something under way.
    trouble: Option<Trouble>,
}

impl<'a> Scheduler<'a> {
    /// Nothing is under way.
    pub(super) fn new(patience: Patience) -> Self {
        Self {
            patience,
            begun: Instant::now(),
            surveys: FuturesUnordered::new(),
            arrived: Vec::new(),
            took: Duration::ZERO,
            writes: FuturesUnordered::new(),
            finished: Vec::new(),
            trouble: None,
        }
    }

    /// Begins a survey.
    pub(super) fn survey(&mut self, survey: impl Future<Output = Result<TargetRun, Trouble>> + 'a) {
        self.surveys.push(Box::pin(survey));
    }

    /// Begins the writes of a target.
    pub(super) fn write(&mut self, write: impl Future<Output = Result<FinishedTarget, Trouble>> + 'a) {
        self.writes.push(Box::pin(write));
    }

    /// Whether a target is not surveyed yet.
    pub(super) fn somebody_is_late(&self) -> bool {
        !self.surveys.is_empty()
    }

    /// Does some work while surveys and writes go on.
    pub(super) async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = self.step(), if !self.surveys.is_empty() || !self.writes.is_empty() => {}
            }
        }
    }

    /// The targets of the next pass; none when all were planned.
    pub(super) async fn next(&mut self) -> Result<Vec<TargetRun>, Trouble> {
        while !self.somebody_is_ready() && self.trouble.is_none() && !self.surveys.is_empty() {
            self.step().await;
        }
        let patience = match self.patience {
            Patience::Some => self.took.max(PATIENCE),
            Patience::Endless => Duration::MAX,
        };
        let mut over = pin!(tokio::time::sleep(patience));
        while !self.surveys.is_empty() {
            tokio::select! {
                () = self.step() => {}
                () = &mut over => break,
            }
        }
        match self.trouble.take() {
            Some(trouble) => Err(trouble),
            None => Ok(std::mem::take(&mut self.arrived)),
        }
    }

    /// Waits for the writes under way, and leaves surveys.
    pub(super) async fn finish(mut self) -> Result<Vec<FinishedTarget>, Trouble> {
        self.surveys.clear();
        while !self.writes.is_empty() {
            self.step().await;
        }
        match self.trouble {
            Some(trouble) => Err(trouble),
            None => Ok(self.finished),
        }
    }

    fn somebody_is_ready(&self) -> bool {
        self.arrived.iter().any(|target_run| target_run.ready().is_some())
    }

    /// Waits until one more survey or write has ended. There must be one.
    async fn step(&mut self) {
        tokio::select! {
            Some(surveyed) = self.surveys.next(), if !self.surveys.is_empty() => match surveyed {
                Ok(target_run) => {
                    if target_run.ready().is_some() {
                        self.took = self.took.max(self.begun.elapsed());
                    }
                    self.arrived.push(target_run);
                }
                Err(trouble) => _ = self.trouble.get_or_insert(trouble),
            },
            Some(written) = self.writes.next(), if !self.writes.is_empty() => match written {
                Ok(finished) => self.finished.push(finished),
                Err(trouble) => _ = self.trouble.get_or_insert(trouble),
            },
        }
    }
}
