//! Noticing that a listing of somebody else's has no end.
//!
//! Owns: a short stand-in for long texts, to know again what was there before. Leaves to others: what a page holds, and where
//! the next one is (`extract`, `bucket`).
//! A newcomer gets wrong: a page that brings nobody is no end, and a few of them no fault.

use std::collections::HashSet;

use crate::model::Digest;

/// The pages of one listing so far, to notice that it has no end.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    seen: HashSet<[u8; 16]>,
    barren: u32,
}

/// What a page brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Brought {
    Somebody,
    NobodyNew,
}

impl Pages {
    /// Pages in a row that bring nobody new: a few may be empty (docs/wire/microsoft-graph.md §2.2).
    const MOST: u32 = 20;

    /// Whether the listing may go on at this cursor or link; else why not.
    pub(crate) fn goes_on(&mut self, next: &str, brought: Brought) -> Result<(), &'static str> {
        self.barren = if brought == Brought::Somebody { 0 } else { self.barren + 1 };
        if !self.seen.insert(short(next)) {
            return Err("the next page leads in a circle");
        }
        if self.barren >= Self::MOST {
            return Err("page after page brings nobody new: the listing has no end");
        }
        Ok(())
    }
}

impl Brought {
    /// By how many were new.
    pub(crate) fn of(count: usize) -> Self {
        if count > 0 { Self::Somebody } else { Self::NobodyNew }
    }
}

/// 16 bytes that stand for a text, for large sets.
pub(crate) fn short(text: &str) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&Digest::of(text.as_bytes()).as_bytes()[..16]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_that_goes_round_or_brings_nobody_ends() {
        let mut pages = Pages::default();
        assert!(pages.goes_on("a", Brought::Somebody).is_ok() && pages.goes_on("b", Brought::Somebody).is_ok());
        assert!(pages.goes_on("a", Brought::Somebody).unwrap_err().contains("circle"));
        let mut pages = Pages::default();
        let barren = |pages: &mut Pages, from: u32, count: u32| {
            (from..from + count).all(|nth| pages.goes_on(&nth.to_string(), Brought::NobodyNew).is_ok())
        };
        assert!(barren(&mut pages, 0, 19) && pages.goes_on("some", Brought::of(1)).is_ok());
        assert!(barren(&mut pages, 20, 19) && !barren(&mut pages, 40, 1));
    }
}
