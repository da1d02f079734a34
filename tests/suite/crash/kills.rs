//! Ending the program at one request of a write, and holding the next run against the undisturbed one.
//!
//! Owns: the ways pictures go, the kinds of writes, the turns that each of them takes.
//! Leaves to others: which ways and kinds are tried together (the products), what people do meanwhile (`person`).
//! A newcomer gets wrong: after the kill only the state file is carried over, into an empty folder: what the facts, the
//! spool and the first machine knew is lost, as it is in CI.

use avatarpipe_sandbox::faults::{Effect, Fault};
use avatarpipe_sandbox::s3::ObjectStore;

use super::elsewhere::{asked_of_the_store, go_elsewhere, kill_at_the_store};
use crate::suite::harness::Harness;
use crate::suite::population::Population;
use crate::suite::stores::{KilledAt, s3, store};
use crate::suite::truth::Shows;

pub(super) const RUN: [&str; 2] = ["run", "pipeline.yaml"];

/// A way that pictures go to a product.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    /// The product; also the target's id.
    pub target: &'static str,
    /// `upload` of the pipeline file, where the product has a choice.
    pub upload: Option<&'static str>,
    /// So many requests that are no `GET` only ask.
    asks: usize,
    state: State,
}

/// Where the state stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    File,
    Bucket,
}

pub(super) const SESSION: Way = Way { target: "jira", upload: Some("session"), asks: 0, state: State::File };
pub(super) const ONE_STEP: Way = Way { target: "jira", upload: Some("one_step"), asks: 0, state: State::File };
/// With a token, and a probe that tells which way is open.
pub(super) const PROBED: Way = Way { target: "jira", upload: Some("auto"), asks: 0, state: State::File };
pub(super) const XMLRPC: Way = Way { target: "confluence", upload: Some("xmlrpc"), asks: 1, state: State::File };
pub(super) const ENDPOINT: Way = Way { target: "confluence", upload: Some("endpoint"), asks: 0, state: State::File };
pub(super) const MULTIPART: Way = Way { target: "bitbucket", upload: None, asks: 0, state: State::File };

/// Every way, with the writes of which every request is cut off.
pub(super) const WRITES: [(Way, &[&Case]); 5] = [
    (SESSION, &[&FIRST, &OVER_OURS, &OVER_A_CHOICE, &REVERT, &REVERT_OF_A_CHOICE]),
    (ONE_STEP, &[&FIRST, &OVER_OURS, &REVERT_OF_A_CHOICE]),
    (XMLRPC, &[&FIRST, &OVER_OURS, &OVER_A_CHOICE, &REVERT]),
    (ENDPOINT, &[&FIRST, &OVER_OURS, &OVER_A_CHOICE, &REVERT]),
    (MULTIPART, &[&FIRST, &OVER_OURS, &OVER_A_CHOICE, &REVERT]),
];

/// A write of which every request is cut off.
pub(super) struct Case {
    pub name: &'static str,
    /// Whether every turn begins with a new world, because it is about the first run of all.
    pub begins: Begins,
    /// What is done to the world before a turn.
    pub change: fn(&Harness, &Way, u32),
    /// What the account shows after it.
    pub shows: fn(u32) -> Shows<'static>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begins {
    Afresh,
    WithOurs,
}

pub(super) const FIRST: Case =
    Case { name: "the first picture", begins: Begins::Afresh, change: |_, _, _| {}, shows: |_| Shows::Face("ada") };

pub(super) const OVER_OURS: Case = Case {
    name: "over ours",
    begins: Begins::WithOurs,
    change: |harness, _, turn| harness.new_photo("ada", other_face(turn)),
    shows: |turn| Shows::Face(other_face(turn)),
};

pub(super) const OVER_A_CHOICE: Case = Case {
    name: "over a picture chosen by hand",
    begins: Begins::WithOurs,
    change: |harness, way, turn| {
        harness.by_hand_in(way.target, "ada", "hand");
        harness.new_photo("ada", other_face(turn));
    },
    shows: |turn| Shows::Face(other_face(turn)),
};

pub(super) const REVERT: Case = Case {
    name: "back to the default",
    begins: Begins::WithOurs,
    change: |harness, _, _| {
        harness.new_photo("ada", "ada");
        harness.run().expect_exit(0);
        harness.no_photo("ada");
    },
    shows: |_| Shows::Default,
};

pub(super) const REVERT_OF_A_CHOICE: Case = Case {
    name: "a picture chosen by hand, back to the default",
    begins: Begins::Afresh,
    change: |harness, way, _| {
        harness.by_hand_in(way.target, "ada", "hand");
        harness.no_photo("ada");
    },
    shows: |_| Shows::Default,
};

/// The photo that `turn` brings.
pub(super) fn other_face(turn: u32) -> &'static str {
    if turn.is_multiple_of(2) { "spare" } else { "ada" }
}

impl Way {
    /// The same, with the state in a bucket.
    pub(super) fn in_a_bucket(self) -> Self {
        Self { state: State::Bucket, ..self }
    }

    /// One person, with this product alone.
    pub(super) fn harness(&self, begins: Begins) -> Harness {
        self.harness_of(Population::of(&["ada"]), begins)
    }

    /// This population, with this product alone.
    pub(super) fn harness_of(&self, population: Population, begins: Begins) -> Harness {
        let population = if self.target == "jira" { population } else { population.everywhere() };
        let mut harness = Harness::of(population.world());
        match self.target {
            "confluence" => harness.connect_wiki(),
            "bitbucket" => harness.connect_git(),
            _ => {}
        }
        harness.edit(|pipe| {
            // One worker, so that every run sends the same requests in the same order.
            pipe.top("rates", "{ fast: { units: 100000, per: 1s, burst: 100000, concurrency: 1 } }");
            pipe.top("limits", "{ reverts: { count: 9 }, target_drift: { count: 9 } }");
            if self.target != "jira" {
                pipe.without_target("jira");
            }
            if matches!(self.upload, Some("one_step" | "auto")) {
                pipe.by_token();
            }
            let target = pipe.target(self.target);
            target.set("quiet", "0s");
            if let Some(upload) = self.upload {
                target.set("upload", upload);
            }
        });
        if self.upload == Some("endpoint") {
            harness = harness.switch("confluence", "endpoint", "installed");
        }
        if self.state == State::Bucket {
            let store = store();
            s3(store.url(), "p").for_state(&mut harness, "");
            harness.keep_store(store);
        }
        if begins == Begins::WithOurs {
            harness.run().expect_exit(0);
        }
        harness
    }

    /// What was done on the server since the log of writes was last reset, without ids, in order.
    pub(super) fn done(&self, harness: &Harness) -> Vec<String> {
        let writes = harness.sandbox.truth().writes.into_iter().filter(|write| write.simulator == self.target);
        let mut words: Vec<_> = writes.filter_map(|write| Some(write.what.split(' ').next()?.to_owned())).collect();
        words.sort();
        words
    }
}

/// When the program is killed, seen from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Killed {
    /// The request was not handled and never will be.
    Before,
    /// It was handled, and the answer was lost.
    After,
    /// It is handled once the program is gone.
    Later,
}

/// One run that nobody disturbed.
pub(super) struct Calm {
    /// The methods of its requests to the product.
    methods: Vec<String>,
    /// The first that belongs to the write.
    first: usize,
    /// Its requests to the store of the state.
    asked: usize,
    /// What it did.
    pub done: Vec<String>,
}

impl Calm {
    /// Runs undisturbed.
    pub(super) fn of(harness: &Harness, way: &Way) -> Self {
        Self::of_command(harness, way, &["run", "pipeline.yaml", "--report", "report"])
    }

    /// The same of another command.
    pub(super) fn of_command(harness: &Harness, way: &Way, command: &[&str]) -> Self {
        harness.sandbox.requests().reset();
        harness.sandbox.reset_writes();
        harness.store().into_iter().for_each(ObjectStore::reset_log);
        harness.finish(command).expect_exit(0);
        let asked = asked_of_the_store(harness);
        let entries = harness.sandbox.requests().entries().into_iter().filter(|entry| entry.simulator == way.target);
        let methods: Vec<_> = entries.map(|entry| entry.method).collect();
        let mut writes = methods.iter().enumerate().filter(|(_, method)| *method != "GET");
        let (write, _) = writes.nth(way.asks).expect("the run writes");
        // A read of the account may come first and belong to the write.
        Self { first: write - 1, methods, asked, done: way.done(harness) }
    }

    /// Every request of the write and of the confirmation, with each moment that matters there.
    pub(super) fn turns(&self) -> Vec<(u32, Killed)> {
        let moments = |nth: usize| match self.methods[nth].as_str() {
            "GET" => &[Killed::Before][..],
            _ => &[Killed::Before, Killed::After, Killed::Later],
        };
        let requests = self.first..self.methods.len();
        requests.flat_map(|nth| moments(nth).iter().map(move |killed| (number(nth), *killed))).collect()
    }

    /// Before and after each request to the store of the state.
    pub(super) fn turns_at_the_store(&self) -> Vec<KilledAt> {
        KilledAt::each("", self.asked).collect()
    }

    /// The numbers of the requests that write.
    pub(super) fn writes(&self) -> Vec<u32> {
        (self.first..self.methods.len()).filter(|nth| self.methods[*nth] != "GET").map(number).collect()
    }
}

fn number(nth: usize) -> u32 {
    u32::try_from(nth).expect("few requests")
}

/// Runs until the nth request to the product and kills the program there; then moves on with the state alone.
pub(super) fn kill_at(harness: &mut Harness, way: &Way, nth: u32, killed: Killed) {
    kill_command_at(harness, way, &RUN, nth, killed);
}

/// The same of another command.
pub(super) fn kill_command_at(harness: &mut Harness, way: &Way, command: &[&str], nth: u32, killed: Killed) {
    let faults = harness.sandbox.faults();
    harness.sandbox.requests().reset();
    let hang = Fault::new(Effect::Delay { ms: 600_000 }).at(way.target);
    let strike = |effect| Fault::new(effect).at(way.target).after(nth).times(1);
    match killed {
        Killed::Before => _ = faults.add(hang.after(nth)),
        Killed::Later => _ = faults.add(strike(Effect::HandleOnRelease {})),
        Killed::After => {
            faults.add(strike(Effect::HandleThenDrop {}));
            faults.add(hang.after(nth + 1));
        }
    }
    let mut child = harness.spawn(command);
    harness.until("the request arrives", |harness| match killed {
        Killed::Before | Killed::Later => harness.sandbox.requests().of(way.target) > u64::from(nth),
        Killed::After => struck(harness, "handle_then_drop"),
    });
    child.kill().expect("SIGKILL");
    child.wait().expect("the program is gone");
    go_elsewhere(harness);
    let faults = harness.sandbox.faults();
    faults.clear();
    if killed == Killed::Later {
        faults.release();
        harness.until("the server handles what it held", |harness| struck(harness, "handle_on_release"));
    }
}

/// Whether a request was struck by this fault and is over.
pub(super) fn struck(harness: &Harness, fault: &str) -> bool {
    harness.sandbox.requests().entries().iter().any(|entry| entry.fault.as_deref() == Some(fault))
}

/// Kills the program at every request of this write. The next run must leave the server as the undisturbed run did, by
/// the same writes and none twice, and the one after it has nothing to do.
pub(super) fn kill_at_every_request(way: &Way, case: &Case) {
    kill_at_each(way, case, |_| true);
}

/// The same at the requests whose number is chosen: those to the product first, then those to the store of the state.
pub(super) fn kill_at_each(way: &Way, case: &Case, chosen: impl Fn(usize) -> bool) {
    let mut harness = way.harness(case.begins);
    (case.change)(&harness, way, 0);
    let calm = Calm::of(&harness, way);
    harness.expect_shown_in(way.target, &[("ada", (case.shows)(0))]);
    let turns = calm.turns();
    let behind = turns.len();
    let turns = (0..).zip(turns).filter(|(number, _)| chosen(*number));
    for (turn, (_, (nth, killed))) in (1..).zip(turns) {
        println!("{way:?}, {}: killed {killed:?} request {nth}, {}", case.name, calm.methods[nth as usize]);
        if case.begins == Begins::Afresh {
            harness = way.harness(case.begins);
        }
        (case.change)(&harness, way, turn);
        harness.sandbox.reset_writes();
        kill_at(&mut harness, way, nth, killed);
        expect_mended(&harness, way, case, turn, &calm);
    }
    let at_the_store = (behind..).zip(calm.turns_at_the_store()).filter(|(number, _)| chosen(*number));
    for (_, killed) in at_the_store {
        println!("{way:?}, {}: {killed:?}", case.name);
        // Another state would ask for other objects.
        harness = way.harness(case.begins);
        (case.change)(&harness, way, 0);
        harness.sandbox.reset_writes();
        kill_at_the_store(&mut harness, &RUN, killed);
        expect_mended(&harness, way, case, 0, &calm);
    }
}

#[track_caller]
fn expect_mended(harness: &Harness, way: &Way, case: &Case, turn: u32, calm: &Calm) {
    harness.run().expect_exit(0);
    harness.expect_shown_in(way.target, &[("ada", (case.shows)(turn))]);
    assert_eq!(way.done(harness), calm.done, "the same writes as undisturbed");
    harness.run().expect_exit(0).expect_answer("nothing to do");
}
