//! The state of a seed in a bucket: a store on a bad line, whose faults the same number decides.
//!
//! Owns: which request to the store fails, and how; what passes of its time between runs.
//! Leaves to others: the faults of the products (`schedule`), the store (`sandbox/src/s3.rs`), the line to it (`bad_line`).
//! A newcomer gets wrong: nothing is judged here. A state in a bucket has the promises of one in a file: the same writes are
//! held against the same world.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use avatarpipe_sandbox::s3::{ObjectStore, Then};

use super::schedule::{DENSITIES, Dice, LENGTHS, LONGEST, OUTAGE, OUTAGES, Struck};
use crate::suite::bad_line::{BadLine, Line};
use crate::suite::harness::Harness;
use crate::suite::stores::{s3, store};

/// Longer than a lease.
const LEASE: Duration = Duration::from_secs(15 * 60 + 1);

/// A store that keeps the state of a seed.
pub(super) struct StateInBucket {
    store: Arc<ObjectStore>,
    seed: u64,
    turn: Arc<Mutex<Option<Turn>>>,
    _line: BadLine,
}

/// The faults of one turn.
struct Turn {
    seed: u64,
    turn: u64,
    /// By what it is: how many requests like it there were.
    like_it: HashMap<String, u32>,
    all: u32,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    /// On the way.
    Line(Line),
    /// At the store.
    Store(Then),
    /// Its clock goes on by more than a lease, and whoever holds that learns it from the answer.
    Clock,
}

impl StateInBucket {
    /// Has the state of a seed stand there.
    pub(super) fn of(seed: u64, struck: Struck, harness: &mut Harness) -> Self {
        let (store, turn) = (Arc::new(store()), Arc::new(Mutex::new(None::<Turn>)));
        let (asked, counted, kept) = (Arc::clone(&turn), struck, Arc::downgrade(&store));
        let due = move |request: &str, wants: fn(Wrong) -> bool| {
            let wrong = locked(&asked).as_mut().and_then(|turn| turn.due(request, wants))?;
            *locked(&counted).entry(wrong.word()).or_default() += 1;
            Some(wrong)
        };
        let at_store = due.clone();
        store.judge(move |request| match at_store(request, |wrong| !matches!(wrong, Wrong::Line(_))) {
            Some(Wrong::Store(then)) => then,
            Some(Wrong::Clock) => {
                kept.upgrade().iter().for_each(|store| store.pass(LEASE));
                Then::Answer
            }
            Some(Wrong::Line(_)) | None => Then::Answer,
        });
        let line =
            BadLine::judged(store.url(), move |request| match due(request, |wrong| matches!(wrong, Wrong::Line(_))) {
                Some(Wrong::Line(line)) => line,
                _ => Line::Whole,
            });
        s3(&line.url, "p").for_state(harness, "");
        Self { store, seed, turn, _line: line }
    }

    /// From now on requests fail as this turn has it.
    pub(super) fn fails_in(&self, turn: u64) {
        *locked(&self.turn) = Some(Turn { seed: self.seed, turn, like_it: HashMap::new(), all: 0 });
    }

    /// None fails any more, and whoever held the lease has lost it.
    pub(super) fn is_well(&self) {
        *locked(&self.turn) = None;
        self.store.pass(LEASE);
    }

    /// Another runner, which has nothing, some time later: mostly after the lease of a run that did not give it back.
    pub(super) fn between_runs(&self, dice: &mut Dice, harness: &Harness) {
        if dice.below(4) > 0 {
            self.store.pass(LEASE);
        }
        if dice.below(2) == 0 {
            _ = std::fs::remove_dir_all(harness.path("state"));
        }
        self.store.reset_log();
    }

    /// Every request so far.
    pub(super) fn log(&self) -> Vec<String> {
        self.store.log()
    }
}

impl Turn {
    /// What is due at this request, of these: the line is asked first, and the store about what came through.
    fn due(&mut self, request: &str, wants: fn(Wrong) -> bool) -> Option<Wrong> {
        let of_line = wants(Wrong::Line(Line::Whole));
        let key = format!("{of_line} {}", plain(request));
        let like_it = self.like_it.entry(key.clone()).or_default();
        let nth = *like_it;
        *like_it += 1;
        if of_line {
            self.all += 1;
        }
        self.outage().or_else(|| self.scheduled(&key, request, nth)).filter(|wrong| wants(*wrong))
    }

    /// Whether the store is gone from some request on, until the turn ends.
    fn outage(&self) -> Option<Wrong> {
        let mut dice = self.dice("store outage", "");
        let begins = dice.below(OUTAGE) == 0 && self.all > dice.one_of(&OUTAGES);
        begins.then(|| dice.one_of(&[Wrong::Line(Line::LoseTheAnswer), Wrong::Store(Then::Refuse(503))]))
    }

    /// A fault that began at this request or at an earlier one like it.
    fn scheduled(&self, key: &str, request: &str, nth: u32) -> Option<Wrong> {
        let density = self.dice("store density", "").one_of(&DENSITIES);
        (nth.saturating_sub(LONGEST - 1)..=nth).find_map(|began| {
            let mut dice = self.dice(key, &began.to_string());
            if dice.below(1000) >= density {
                return None;
            }
            let length = dice.one_of(&LENGTHS);
            let wrong = dice.one_of(&if request.starts_with("PUT ") { WRITES } else { READS });
            let length = length.min(wrong.longest());
            (began + length > nth).then_some(wrong)
        })
    }

    fn dice(&self, what: &str, which: &str) -> Dice {
        Dice::of(&[&self.seed.to_string(), &self.turn.to_string(), what, which])
    }
}

/// What may happen to a write. A store says 409 and 412 of a condition that holds where two writes come at once
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>).
const WRITES: [Wrong; 14] = [
    Wrong::Line(Line::TooMany(429)),
    Wrong::Line(Line::TooMany(503)),
    Wrong::Line(Line::CutAmid),
    Wrong::Line(Line::LoseTheAnswer),
    Wrong::Line(Line::LoseTheAnswer),
    Wrong::Line(Line::CutTheAnswer),
    Wrong::Line(Line::Silent),
    Wrong::Store(Then::Refuse(409)),
    Wrong::Store(Then::Refuse(412)),
    Wrong::Store(Then::Refuse(500)),
    Wrong::Store(Then::Lose(500)),
    Wrong::Store(Then::Lose(503)),
    Wrong::Store(Then::Refuse(403)),
    Wrong::Clock,
];

/// The same of whatever else is asked.
const READS: [Wrong; 14] = [
    Wrong::Line(Line::TooMany(429)),
    Wrong::Line(Line::TooMany(503)),
    Wrong::Line(Line::TooMany(503)),
    Wrong::Line(Line::CutAmid),
    Wrong::Line(Line::LoseTheAnswer),
    Wrong::Line(Line::CutTheAnswer),
    Wrong::Line(Line::CutTheAnswer),
    Wrong::Line(Line::CutTheAnswer),
    Wrong::Line(Line::Silent),
    Wrong::Store(Then::Refuse(500)),
    Wrong::Store(Then::Refuse(500)),
    Wrong::Store(Then::Refuse(503)),
    Wrong::Store(Then::Refuse(403)),
    Wrong::Clock,
];

impl Wrong {
    /// For how many requests in a row.
    fn longest(self) -> u32 {
        match self {
            // It costs the client its patience; or a store that says it again and again is none that can be used.
            Self::Line(Line::Silent) | Self::Store(Then::Refuse(409 | 412)) | Self::Clock => 1,
            _ => LONGEST,
        }
    }

    /// As it is counted.
    fn word(self) -> String {
        match self {
            Self::Line(Line::TooMany(status)) | Self::Store(Then::Refuse(status)) => format!("store: answer {status}"),
            Self::Line(line) => format!("store: {line:?}"),
            Self::Store(Then::Lose(status)) => format!("store: done, answer {status}"),
            Self::Store(then) => format!("store: {then:?}"),
            Self::Clock => "store: an hour later".to_owned(),
        }
    }
}

/// What requests that count as like each other have in common: `PUT p/log/`.
fn plain(request: &str) -> String {
    let request = request.split(" HTTP/").next().unwrap_or_default().split('?').next().unwrap_or_default();
    request.chars().take_while(|letter| !letter.is_ascii_digit()).collect()
}

fn locked<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
