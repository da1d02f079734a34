//! What a round of questions to one source came to.
//!
//! Owns: the counts, and telling one person's failure from the provider's. Leaves to others: the questions.
//! A newcomer gets wrong: `lost` counts only those who were known last time: a photo that never could be read is no loss.

use crate::http::{Failure, FailureKind};
use crate::model::Fault;
use crate::run::feed::Feed;

/// What one round of questions to one source came to.
#[derive(Default)]
pub struct RoundCounts {
    /// Photos known to be there.
    pub present: u64,
    /// Proven to be none.
    pub absent: u64,
    /// Of which nothing is known.
    pub unknown: u64,
    /// Photos whose bytes were received.
    pub downloaded: u64,
    /// Known last time.
    pub known_before: u64,
    /// Of these, not known now.
    pub lost: u64,
    /// Requests, repeated ones left out.
    pub calls: u64,
}

impl RoundCounts {
    /// One person's failure is that person's; all of them at once are the provider's.
    pub fn everybody_lost(&self, first: Option<Fault>) -> Option<Failure> {
        let answered = self.present + self.absent + (self.unknown - self.lost);
        let first = first.filter(|_| self.lost > 1 && self.lost == self.known_before && answered == 0)?;
        let tried = format!("learn the photos of {} people", self.lost);
        let found = format!("all were known last time and none is now, the first: [{}] {}", first.code, first.message);
        Some(Failure::new(FailureKind::Odd, tried, found).hint(
            "that proves no absence, and no picture was touched: look at the provider's service health, and run again later",
        ))
    }

    /// Adds them to those of the source.
    pub fn add_to(&self, feed: &mut Feed) {
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
