//! A listing under way: noticing that it goes round.
//!
//! Owns: that a listing which brings nobody new, page after page, is a failure of that source or target.
//! Leaves to others: cursors and links that come again, which only the wire shows (`extract`, `load`).
//! A newcomer gets wrong: the memory for it is one size for any number of people (promise P9), so that a stranger may be
//! taken for somebody who was met. For a whole page, and some in a row, that cannot be.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use tokio::sync::Notify;

use crate::http::{Failure, FailureKind};

/// Who was met, in one size: a Bloom filter of 2 MiB.
struct Met(Vec<u64>);

impl Met {
    const BITS: u64 = 1 << 24;
    const HASHES: u64 = 4;

    /// Whether this one was not met before.
    fn is_new(&mut self, id: &str) -> bool {
        if self.0.is_empty() {
            self.0.resize(usize::try_from(Self::BITS / 64).unwrap_or_default(), 0);
        }
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let hash = hasher.finish();
        let (mut at, step) = (hash, (hash >> 32) | 1);
        let mut new = false;
        for _ in 0..Self::HASHES {
            let bit = at % Self::BITS;
            if let Some(word) = usize::try_from(bit / 64).ok().and_then(|word| self.0.get_mut(word)) {
                new |= *word & (1 << (bit % 64)) == 0;
                *word |= 1 << (bit % 64);
            }
            at = at.wrapping_add(step);
        }
        new
    }
}

/// The pages of one listing.
pub(super) struct ListingPages<'a> {
    met: Met,
    stale: u32,
    empty: u32,
    ends: &'a Notify,
}

impl<'a> ListingPages<'a> {
    /// Pages in a row with nobody new. One may be: people come and go while they are listed.
    const MOST: u32 = 10;
    /// Pages in a row with nobody at all, which some servers send on the way. Where the wire knows better, it ends them sooner.
    const EMPTY: u32 = 30;

    /// A listing that begins; `ends` is told when it goes round.
    pub(super) fn new(ends: &'a Notify) -> Self {
        Self { met: Met(Vec::new()), stale: 0, empty: 0, ends }
    }

    /// A page came with these ids.
    pub(super) fn came<'i>(&mut self, ids: impl Iterator<Item = &'i str>) {
        let (mut any, mut new) = (false, false);
        for id in ids {
            any = true;
            new |= self.met.is_new(id);
        }
        // A cursor that moves on for ever is no end.
        self.empty = if any { 0 } else { self.empty + 1 };
        if any {
            self.stale = if new { 0 } else { self.stale + 1 };
        }
        if self.stale >= Self::MOST || self.empty >= Self::EMPTY {
            self.ends.notify_one();
        }
    }
}

/// A listing, ended when it goes round.
pub(super) async fn with_an_end<T>(
    work: &str,
    ends: &Notify,
    listing: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        biased;
        () = ends.notified() => Err(Failure::new(
            FailureKind::Odd,
            work,
            "page after page brings nobody new: the listing has no end",
        )
        .hint("something between answers with the same pages again and again, or the server is in trouble: nothing was decided by such a listing")),
        listed = listing => listed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_listing_that_goes_round_is_ended_and_no_other() {
        let page = |from: u32| (from..from + 100).map(|id| id.to_string()).collect::<Vec<_>>();
        for (pages, ends) in [
            ((0..1000).map(|nth| nth * 100).collect::<Vec<u32>>(), false),
            (vec![0; 11], true),
            (vec![0; 10], false),
            ((0..40).map(|nth| nth % 3 * 100).collect(), true),
            ((0..400).map(|nth| nth * 50).collect(), false),
        ] {
            let notify = Notify::new();
            let mut told = ListingPages::new(&notify);
            let listing = async {
                for from in &pages {
                    told.came(page(*from).iter().map(String::as_str));
                    told.came(std::iter::empty());
                    tokio::task::yield_now().await;
                }
                Ok(())
            };
            assert_eq!(with_an_end("list", &notify, listing).await.is_err(), ends, "{} pages", pages.len());
        }
    }

    #[tokio::test]
    async fn empty_pages_without_an_end_are_ended() {
        for (pages, ends) in [(29, false), (30, true)] {
            let notify = Notify::new();
            let mut told = ListingPages::new(&notify);
            let listing = async {
                for _ in 0..2 {
                    told.came(["somebody"].into_iter());
                    (0..pages).for_each(|_| told.came(std::iter::empty()));
                }
                tokio::task::yield_now().await;
                Ok(())
            };
            assert_eq!(with_an_end("list", &notify, listing).await.is_err(), ends, "{pages}");
        }
    }

    #[test]
    fn of_a_million_hardly_anybody_is_taken_for_another() {
        let mut met = Met(Vec::new());
        let strangers = (0..1_000_000_u32).filter(|id| !met.is_new(&format!("person-{id}"))).count();
        assert!(strangers < 2_000, "{strangers}");
    }
}
