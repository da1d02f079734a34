//! A word about a server that does not answer, while it is asked again.
//!
//! Owns: when that is worth a word, and the word. Leaves to others: asking again (`client.rs`), each further try (`-v`).
//! A newcomer gets wrong: many calls meet the same outage at the same time, and it is told once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use super::retry::Pauses;

/// A silence shorter than this worries nobody.
const WORTH_A_WORD: Duration = Duration::from_secs(10);

/// What failed, and whether it says more than that the server is busy for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// No connection, or no answer.
    NoAnswer,
    /// An answer that is none: 502, 503.
    NoGoodAnswer,
}

/// Whether a server is known not to answer.
#[derive(Debug, Default)]
pub(super) struct Outage(AtomicBool);

impl Outage {
    /// What to tell after the try of this number failed, if that is to be told; `each`: how long a further try takes.
    pub(super) fn word(&self, nth: u32, silence: Silence, first: Duration, each: Duration) -> Option<String> {
        // One answer that is none comes again well after a second.
        let due = nth >= if silence == Silence::NoAnswer { 1 } else { 2 };
        let most = Pauses::longest(first);
        if !due || most < WORTH_A_WORD || self.0.swap(true, Ordering::Relaxed) {
            return None;
        }
        let until = humantime::format_rfc3339_seconds(SystemTime::now() + most + each * Pauses::FURTHER);
        Some(format!("asked again until about {until}"))
    }

    /// It answers.
    pub(super) fn is_over(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_once_and_as_soon_as_it_is_one() {
        let (second, moment) = (Duration::from_secs(1), Duration::from_millis(10));
        for (silence, first, told) in [
            (Silence::NoAnswer, second, [true, false, false]),
            (Silence::NoGoodAnswer, second, [false, true, false]),
            (Silence::NoAnswer, moment, [false, false, false]),
        ] {
            let outage = Outage::default();
            let word = |nth| outage.word(nth, silence, first, Duration::ZERO).is_some();
            assert_eq!([1, 2, 3].map(word), told, "{silence:?} {first:?}");
            outage.is_over();
            assert_eq!([1, 2, 3].map(word), told, "again, {silence:?} {first:?}");
        }
    }
}
