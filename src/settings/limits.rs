//! `limits`, resolved: counts and shares beyond which a scope is stopped.

use super::Placed;

/// What stops a run before it writes (pipelines/README.md, "Limits, report, state").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of the matched accounts of a target that show a picture of their own.
    pub reverts: Placed<Limit>,
    /// Of the matched accounts of a target.
    pub replacements: Placed<Limit>,
    /// Pictures that we did not set, overwritten or taken off.
    pub foreign: Placed<Limit>,
    /// Accounts that belong to another person than last time.
    pub reassigned: Placed<Limit>,
    /// Of the people whose photo was known last time.
    pub unknown: Placed<Limit>,
    /// People of a source fewer than in the last good run.
    pub source_shrink: Placed<Limit>,
    /// Accounts of a target fewer than in the last good run.
    pub target_shrink: Placed<Limit>,
    /// Placements that vanished.
    pub target_drift: Placed<Limit>,
    /// Of the people of a source who have a photo.
    pub same_picture: Placed<Limit>,
    /// Shares count only where the whole is at least this.
    pub shares_from: u64,
}

/// One limit: a count, a share, or both; either breaks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The most that may happen.
    pub count: Option<u64>,
    /// The most that may happen, of the whole.
    pub share: Option<Share>,
}

/// A share of a whole, from 0 % to 100 % in hundredths of a per cent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u16);

impl Share {
    /// Everything.
    pub const WHOLE: Self = Self(10_000);

    /// From hundredths of a per cent; `None` above 100 %.
    pub fn from_hundredths(hundredths: u16) -> Option<Self> {
        (hundredths <= Self::WHOLE.0).then_some(Self(hundredths))
    }

    /// In hundredths of a per cent.
    pub fn hundredths(self) -> u16 {
        self.0
    }

    /// This share of a whole, rounded down.
    pub fn of(self, whole: u64) -> u64 {
        u64::try_from(u128::from(whole) * u128::from(self.0) / 10_000).unwrap_or(whole)
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match (rest, rest % 10) {
            (0, _) => write!(f, "{whole}%"),
            (_, 0) => write!(f, "{whole}.{}%", rest / 10),
            _ => write!(f, "{whole}.{rest:02}%"),
        }
    }
}
