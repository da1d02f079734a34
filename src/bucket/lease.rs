//! The lease: the one object that says who may write, and from which snapshot on the state goes on.
//!
//! Owns: its form. Leaves to others: taking and keeping it (`held`).
//! A newcomer gets wrong: a free lease is not a missing one: its fencing number and its base stay.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Its name below the prefix.
pub(super) const NAME: &str = "lease";

/// The format that this program writes.
pub(super) const FORMAT: u32 = 2;

/// The oldest that it reads: nothing stands in the lease but who has it and the snapshot.
pub(super) const OLDEST: u32 = 1;

/// What stands in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lease {
    pub(super) format: u32,
    /// One more with each holder. Every segment bears it.
    pub(super) fence: u64,
    /// `None`: it is free.
    pub(super) holder: Option<Holder>,
    /// How long it holds after it was last written, in seconds.
    pub(super) seconds: u64,
    /// Where the state goes on from; `None`: there is none yet.
    pub(super) base: Option<Base>,
    /// What came after it, where that is little.
    #[serde(default)]
    pub(super) tail: Option<Tail>,
    /// The store that is known to heed conditions: another one, under the same URL, has to show it.
    #[serde(default)]
    pub(super) heeds: Option<String>,
    /// The first number that no segment had when this was written: a log that ends before it has lost some.
    #[serde(default)]
    pub(super) appended: u64,
    /// Whoever had it did not give it back, and nobody has shut them out since: the log may go on behind `appended`.
    #[serde(default)]
    pub(super) open: bool,
    /// The segment by which the last one who did not give it back was shut out: where they go on, it is in their way, so it
    /// stays.
    #[serde(default)]
    pub(super) shut: Option<u64>,
    /// Copies of the state as it was before its schema was stepped up.
    #[serde(default)]
    pub(super) copies: Vec<String>,
    /// Another one with each writing, so that ours is known from anybody else's.
    pub(super) nonce: String,
}

/// A snapshot, and what stands around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Base {
    /// The object.
    pub(super) snapshot: String,
    /// Its length and digest.
    pub(super) bytes: u64,
    pub(super) digest: String,
    /// The first segment that is not in it.
    pub(super) next: u64,
    /// The first segment that was not removed yet.
    pub(super) kept_from: u64,
    /// The snapshot before, which is removed with the next one.
    pub(super) former: Option<String>,
}

/// What was written after the snapshot, whole: so nobody has to read the segments that it is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tail {
    /// The first segment that is not in it.
    pub(super) next: u64,
    /// A segment, in Base64.
    pub(super) segment: String,
}

/// How far a lease had come when somebody saw it. A later one is never less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Reached {
    fence: u64,
    appended: u64,
}

/// Who has the lease, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leased {
    pub(crate) holder: Holder,
    pub(crate) left: Left,
}

/// How much is left of a lease, by the store's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// It runs out in this time unless it is renewed.
    For(Duration),
    /// It ran out so long ago.
    None(Duration),
    /// The store does not tell the time.
    Unknown,
}

/// Who has the lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The machine.
    pub host: String,
    /// The process on it.
    pub pid: u32,
    /// The run, or the command.
    pub run: String,
    /// Who began it and in which job, if that is known.
    pub started_by: Option<String>,
    /// When it took the lease, as its own clock says.
    pub since: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run {} (process {} on {}, since {}", self.run, self.pid, self.host, self.since)?;
        match &self.started_by {
            Some(who) => write!(f, ", begun by {who})"),
            None => write!(f, ")"),
        }
    }
}

/// Numbers have twelve digits in names.
const NUMBERS: u64 = 1_000_000_000_000;

impl Lease {
    /// Whether its numbers can stand in names.
    pub(super) fn is_sound(&self) -> bool {
        self.base.as_ref().is_none_or(|base| base.next < NUMBERS && base.kept_from < NUMBERS)
            && self.tail.as_ref().is_none_or(|tail| tail.next < NUMBERS)
            && self.appended < NUMBERS
            && self.fence < u64::MAX / 2
    }

    pub(super) fn reached(&self) -> Reached {
        Reached { fence: self.fence, appended: self.appended }
    }

    pub(super) fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    pub(super) fn bytes(&self) -> bytes::Bytes {
        serde_json::to_vec(self).expect("numbers and texts can be written").into()
    }

    /// The same, to be written once more.
    pub(super) fn again(&self) -> Self {
        Self { nonce: uuid::Uuid::new_v4().simple().to_string(), ..self.clone() }
    }
}
