//! How fast a server may be asked: a rate in the vendor's units, a bound on requests in flight, and one "not before".
//!
//! Owns: waiting for a turn. Leaves to others: what a unit is (the caller says it with each call) and which answers ask
//! to slow down (`retry.rs`).
//! A newcomer gets wrong: the burst is always said. Left out, the limiter would let a full period go at once
//! (docs/decisions/libraries.md).

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::settings::Rate;

/// One named rate, shared by every stage that names it.
#[derive(Debug)]
pub(crate) struct RateLimit {
    limiter: RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Duration>>,
    clock: Ticks,
    burst: NonZeroU32,
    turns: Semaphore,
    concurrency: usize,
    not_before: Mutex<Option<Instant>>,
    #[cfg(test)]
    recorded: Option<Mutex<Vec<Duration>>>,
}

/// Tokio's clock as the limiter wants it, so that all waiting here follows one clock.
#[derive(Clone, Copy, Debug)]
struct Ticks(Instant);

impl Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

impl RateLimit {
    /// A pace of its own for this rate. Zeroes are read as one.
    pub(crate) fn new(rate: &Rate) -> Arc<Self> {
        Arc::new(Self::build(rate))
    }

    fn build(rate: &Rate) -> Self {
        let burst = at_least_one(rate.burst);
        let each = (rate.per / rate.units.max(1)).max(Duration::from_nanos(1));
        let quota = Quota::with_period(each).expect("the period was made at least one nanosecond").allow_burst(burst);
        let clock = Ticks(Instant::now());
        let concurrency = rate.concurrency.max(1) as usize;
        Self {
            limiter: RateLimiter::direct_with_clock(quota, clock),
            clock,
            burst,
            turns: Semaphore::new(concurrency),
            concurrency,
            not_before: Mutex::new(None),
            #[cfg(test)]
            recorded: None,
        }
    }

    /// How many requests may be in flight.
    pub(crate) fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// Nobody sends before this much time has passed; an earlier and longer wish stays in force. Tells whether that is news:
    /// several calls that are refused together ask for the same.
    pub(crate) fn hold(&self, time: Duration) -> bool {
        #[cfg(test)]
        if self.record(time) {
            return true;
        }
        let now = Instant::now();
        let Some(until) = now.checked_add(time) else { return false };
        let mut not_before = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        let news = not_before.is_none_or(|earlier| until > earlier.max(now) + time / 4);
        *not_before = Some(not_before.map_or(until, |earlier| earlier.max(until)));
        news
    }

    /// Waits until a request of so many units may go. The request is in flight while the turn lives.
    pub(super) async fn turn(&self, units: u32) -> SemaphorePermit<'_> {
        let turn = self.turns.acquire().await.expect("the semaphore is never closed");
        self.wait_out_hold().await;
        for part in parts(units, self.burst) {
            self.take(part).await;
        }
        // Somebody may have been told to slow down while this one waited for units.
        self.wait_out_hold().await;
        turn
    }

    async fn take(&self, units: NonZeroU32) {
        loop {
            match self.limiter.check_n(units).expect("a part is never larger than the burst") {
                Ok(()) => return,
                Err(not_yet) => self.pause(not_yet.wait_time_from(self.clock.now())).await,
            }
        }
    }

    async fn wait_out_hold(&self) {
        loop {
            let until = *self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
            match until {
                Some(until) if until > Instant::now() => tokio::time::sleep_until(until).await,
                _ => return,
            }
        }
    }

    /// Sleeps before a repetition, without keeping anybody else waiting.
    pub(super) async fn pause(&self, time: Duration) {
        #[cfg(test)]
        if self.record(time) {
            return;
        }
        tokio::time::sleep(time).await;
    }
}

/// For tests: a pace without limits that writes down how long it would have slept or held, and does neither.
#[cfg(test)]
impl RateLimit {
    pub(crate) fn recording() -> Arc<Self> {
        let rate = Rate { units: 1_000_000, per: Duration::from_secs(1), burst: 1_000_000, concurrency: 8 };
        Arc::new(Self { recorded: Some(Mutex::default()), ..Self::build(&rate) })
    }

    /// Whole seconds of every rest since the last call, in order.
    pub(crate) fn rests(&self) -> Vec<u64> {
        let recorded = self.recorded.as_ref().expect("made by `recording`");
        std::mem::take(&mut *recorded.lock().unwrap()).iter().map(Duration::as_secs).collect()
    }

    fn record(&self, time: Duration) -> bool {
        if let Some(recorded) = &self.recorded {
            recorded.lock().unwrap().push(time);
        }
        self.recorded.is_some()
    }
}

fn at_least_one(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

/// Units in steps no larger than the burst: the limiter would refuse a larger step for ever.
fn parts(units: u32, burst: NonZeroU32) -> impl Iterator<Item = NonZeroU32> {
    let mut left = units.max(1);
    std::iter::from_fn(move || {
        let part = NonZeroU32::new(left.min(burst.get()))?;
        left -= part.get();
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn units_are_taken_in_steps_no_larger_than_the_burst() {
        for (units, burst, steps) in
            [(1, 1, vec![1]), (0, 5, vec![1]), (20, 80, vec![20]), (20, 8, vec![8, 8, 4]), (3, 1, vec![1, 1, 1])]
        {
            let got: Vec<u32> = parts(units, at_least_one(burst)).map(NonZeroU32::get).collect();
            assert_eq!(got, steps, "{units} units, burst {burst}");
        }
    }

    #[test]
    fn the_burst_goes_at_once_and_then_each_unit_costs_its_share() {
        let rate_limit =
            RateLimit::build(&Rate { units: 2, per: Duration::from_secs(1_000), burst: 3, concurrency: 1 });
        let take = |n: u32| rate_limit.limiter.check_n(at_least_one(n)).unwrap();
        assert!(take(3).is_ok());
        let wait = take(1).unwrap_err().wait_time_from(rate_limit.clock.now());
        assert!(wait > Duration::from_secs(490) && wait <= Duration::from_secs(500), "{wait:?}");
    }

    #[tokio::test]
    async fn no_more_turns_than_the_concurrency_are_handed_out() {
        let rate_limit =
            RateLimit::new(&Rate { units: 1_000, per: Duration::from_secs(1), burst: 1_000, concurrency: 2 });
        let (first, _second) = (rate_limit.turn(1).await, rate_limit.turn(1).await);
        assert!(rate_limit.turn(1).now_or_never().is_none());
        drop(first);
        assert!(rate_limit.turn(1).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_hold_stops_everybody_and_a_shorter_one_does_not_lift_it() {
        let rate_limit =
            RateLimit::new(&Rate { units: 1_000, per: Duration::from_secs(1), burst: 1_000, concurrency: 2 });
        assert!(rate_limit.turn(1).now_or_never().is_some());
        assert!(rate_limit.hold(Duration::from_secs(1_000)), "the first is news");
        assert!(!rate_limit.hold(Duration::from_secs(1_000)) && !rate_limit.hold(Duration::ZERO));
        assert!(rate_limit.turn(1).now_or_never().is_none());
    }
}
