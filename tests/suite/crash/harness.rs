//! Ending the program at one request of a write, and holding the next run against the undisturbed one.
//!
//! Owns: the ways pictures go, the kinds of writes, the turns that each of them takes.
//! Leaves to others: which ways and kinds are tried together (the products), what people do meanwhile (`person`).
//! A newcomer gets wrong: after the kill only the state file is carried over, into an empty folder: what the facts, the
//! spool and the first machine knew is lost, as it is in CI.

use avatarpipe_sandbox::faults::{Effect, Fault};

use crate::suite::company::Company;
use crate::suite::stage::Stage;
use crate::suite::truth::Shows;

/// A way that pictures go to a product.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// The product; also the target's id.
    pub target: &'static str,
    /// `upload` of the pipeline file, where the product has a choice.
    pub upload: Option<&'static str>,
    /// So many requests that are no `GET` only ask.
    asks: usize,
}

pub const SESSION: Way = Way { target: "jira", upload: Some("session"), asks: 0 };
pub const ONE_STEP: Way = Way { target: "jira", upload: Some("one_step"), asks: 0 };
/// With a token, and a probe that tells which way is open.
pub const PROBED: Way = Way { target: "jira", upload: Some("auto"), asks: 0 };
pub const XMLRPC: Way = Way { target: "confluence", upload: Some("xmlrpc"), asks: 1 };
pub const ENDPOINT: Way = Way { target: "confluence", upload: Some("endpoint"), asks: 0 };
pub const MULTIPART: Way = Way { target: "bitbucket", upload: None, asks: 0 };

/// A write of which every request is cut off.
pub struct Case {
    pub name: &'static str,
    /// Whether every turn begins with a new world, because it is about the first run of all.
    pub begins: Begins,
    /// What is done to the world before a turn.
    pub change: fn(&Stage, &Way, u32),
    /// What the account shows after it.
    pub shows: fn(u32) -> Shows<'static>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    Afresh,
    WithOurs,
}

pub const FIRST: Case =
    Case { name: "the first picture", begins: Begins::Afresh, change: |_, _, _| {}, shows: |_| Shows::Face("ada") };

pub const OVER_OURS: Case = Case {
    name: "over ours",
    begins: Begins::WithOurs,
    change: |stage, _, turn| stage.new_photo("ada", other_face(turn)),
    shows: |turn| Shows::Face(other_face(turn)),
};

pub const OVER_A_CHOICE: Case = Case {
    name: "over a picture chosen by hand",
    begins: Begins::WithOurs,
    change: |stage, way, turn| {
        stage.by_hand_in(way.target, "ada", "hand");
        stage.new_photo("ada", other_face(turn));
    },
    shows: |turn| Shows::Face(other_face(turn)),
};

pub const REVERT: Case = Case {
    name: "back to the default",
    begins: Begins::WithOurs,
    change: |stage, _, _| {
        stage.new_photo("ada", "ada");
        stage.run().expect_exit(0);
        stage.no_photo("ada");
    },
    shows: |_| Shows::Default,
};

pub const REVERT_OF_A_CHOICE: Case = Case {
    name: "a picture chosen by hand, back to the default",
    begins: Begins::Afresh,
    change: |stage, way, _| {
        stage.by_hand_in(way.target, "ada", "hand");
        stage.no_photo("ada");
    },
    shows: |_| Shows::Default,
};

/// The photo that `turn` brings.
pub fn other_face(turn: u32) -> &'static str {
    if turn.is_multiple_of(2) { "spare" } else { "ada" }
}

impl Way {
    /// A company of one, with this product alone.
    pub fn stage(&self, begins: Begins) -> Stage {
        self.stage_of(Company::of(&["ada"]), begins)
    }

    /// This company, with this product alone.
    pub fn stage_of(&self, company: Company, begins: Begins) -> Stage {
        let company = if self.target == "jira" { company } else { company.everywhere() };
        let mut stage = Stage::of(company.world());
        match self.target {
            "confluence" => stage.connect_wiki(),
            "bitbucket" => stage.connect_git(),
            _ => {}
        }
        stage.edit(|pipe| {
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
            stage = stage.switch("confluence", "endpoint", "installed");
        }
        if begins == Begins::WithOurs {
            stage.run().expect_exit(0);
        }
        stage
    }

    /// What was done on the server since the log of writes was last reset, without ids, in order.
    pub fn done(&self, stage: &Stage) -> Vec<String> {
        let writes = stage.sandbox.truth().writes.into_iter().filter(|write| write.simulator == self.target);
        let mut words: Vec<_> = writes.filter_map(|write| Some(write.what.split(' ').next()?.to_owned())).collect();
        words.sort();
        words
    }
}

/// When the program is killed, seen from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Killed {
    /// The request was not handled and never will be.
    Before,
    /// It was handled, and the answer was lost.
    After,
    /// It is handled once the program is gone.
    Later,
}

/// One run that nobody disturbed.
pub struct Calm {
    /// The methods of its requests to the product.
    methods: Vec<String>,
    /// The first that belongs to the write.
    first: usize,
    /// What it did.
    pub done: Vec<String>,
}

impl Calm {
    /// Runs undisturbed.
    pub fn of(stage: &Stage, way: &Way) -> Self {
        stage.sandbox.requests().reset();
        stage.sandbox.reset_writes();
        stage.run().expect_exit(0);
        let entries = stage.sandbox.requests().entries().into_iter().filter(|entry| entry.simulator == way.target);
        let methods: Vec<_> = entries.map(|entry| entry.method).collect();
        let mut writes = methods.iter().enumerate().filter(|(_, method)| *method != "GET");
        let (write, _) = writes.nth(way.asks).expect("the run writes");
        // A read of the account may come first and belong to the write.
        Self { first: write - 1, methods, done: way.done(stage) }
    }

    /// Every request of the write and of the confirmation, with each moment that matters there.
    pub fn turns(&self) -> Vec<(u32, Killed)> {
        let moments = |nth: usize| match self.methods[nth].as_str() {
            "GET" => &[Killed::Before][..],
            _ => &[Killed::Before, Killed::After, Killed::Later],
        };
        let requests = self.first..self.methods.len();
        requests.flat_map(|nth| moments(nth).iter().map(move |killed| (number(nth), *killed))).collect()
    }

    /// The numbers of the requests that write.
    pub fn writes(&self) -> Vec<u32> {
        (self.first..self.methods.len()).filter(|nth| self.methods[*nth] != "GET").map(number).collect()
    }
}

fn number(nth: usize) -> u32 {
    u32::try_from(nth).expect("few requests")
}

/// Runs until the nth request to the product and kills the program there; then moves on with the state alone.
pub fn kill_at(stage: &mut Stage, way: &Way, nth: u32, killed: Killed) {
    let faults = stage.sandbox.faults();
    stage.sandbox.requests().reset();
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
    let mut child = stage.spawn(&["run", "pipeline.yaml"]);
    stage.until("the request arrives", |stage| match killed {
        Killed::Before | Killed::Later => stage.sandbox.requests().of(way.target) > u64::from(nth),
        Killed::After => struck(stage, "handle_then_drop"),
    });
    child.kill().expect("SIGKILL");
    child.wait().expect("the program is gone");
    stage.move_with_the_state_alone();
    let faults = stage.sandbox.faults();
    faults.clear();
    if killed == Killed::Later {
        faults.release();
        stage.until("the server handles what it held", |stage| struck(stage, "handle_on_release"));
    }
}

/// Whether a request was struck by this fault and is over.
pub fn struck(stage: &Stage, fault: &str) -> bool {
    stage.sandbox.requests().entries().iter().any(|entry| entry.fault.as_deref() == Some(fault))
}

/// Kills the program at every request of this write. The next run must leave the server as the undisturbed run did, by
/// the same writes and none twice, and the one after it has nothing to do.
pub fn kill_at_every_request(way: &Way, case: &Case) {
    let mut stage = way.stage(case.begins);
    (case.change)(&stage, way, 0);
    let calm = Calm::of(&stage, way);
    stage.expect_shown_in(way.target, &[("ada", (case.shows)(0))]);
    for (turn, (nth, killed)) in (1..).zip(calm.turns()) {
        println!("{way:?}, {}: killed {killed:?} request {nth}, {}", case.name, calm.methods[nth as usize]);
        if case.begins == Begins::Afresh {
            stage = way.stage(case.begins);
        }
        (case.change)(&stage, way, turn);
        stage.sandbox.reset_writes();
        kill_at(&mut stage, way, nth, killed);
        stage.run().expect_exit(0);
        stage.expect_shown_in(way.target, &[("ada", (case.shows)(turn))]);
        assert_eq!(way.done(&stage), calm.done, "the same writes as undisturbed");
        stage.run().expect_exit(0).expect_answer("nothing to do");
    }
}
