//! Stores of several makers under what happens to stores: many runners at once, a bad line, a holder that stands still.
//!
//! Owns: what every store must show. `.ci/run stores` starts some of other makers and says where.
//! Leaves to others: what a run makes of a bucket (`buckets`, `avatar_bucket`), the lease alone (`src/bucket`).
//! A newcomer gets wrong: no clock of a store of another maker can be moved. There a lease runs out as it does in earnest, and
//! the test waits for it.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use avatarpipe_sandbox::faults::{Effect, Fault};
use avatarpipe_sandbox::s3::ObjectStore;

use super::bad_line::{BadLine, Line};
use super::ended::Ended;
use super::harness::Harness;
use super::stores::{Place, azure, google, s3, s3_by_role, store};
use super::truth::Shows::Face;

type PlaceIn = fn(&str, &str) -> Place;

/// A store, and how it is asked.
struct Maker {
    name: &'static str,
    place: PlaceIn,
    endpoint: String,
    _own: Option<ObjectStore>,
}

impl Maker {
    fn own(name: &'static str, place: PlaceIn) -> Self {
        let own = store();
        Self { name, place, endpoint: own.url().to_owned(), _own: Some(own) }
    }

    /// Where `.ci/run stores` says that there is one.
    fn other(name: &'static str, place: PlaceIn, variable: &str) -> Option<Self> {
        Some(Self { name, place, endpoint: std::env::var(variable).ok()?, _own: None })
    }

    fn others() -> impl Iterator<Item = Self> {
        [Self::other("S3 of another maker", s3, "S3_ENDPOINT"), Self::other("Azure's", azure, "AZURE_ENDPOINT")]
            .into_iter()
            .flatten()
    }

    /// Our own, which each test run asks; where there are others, these alone.
    fn all() -> Vec<Self> {
        let others: Vec<_> = Self::others().collect();
        if others.is_empty() { vec![Self::own("S3", s3), Self::own("Google's", google)] } else { others }
    }

    /// A place that no other test uses.
    fn place(&self, endpoint: &str, name: &str) -> Place {
        (self.place)(endpoint, &format!("{name}-{}", std::process::id()))
    }

    /// Ada, whose state stands there.
    fn harness(&self, name: &str, more: &str) -> Harness {
        println!("{}", self.name);
        let mut harness = Harness::with_people(&["ada"]);
        harness.edit(|pipe| _ = pipe.jira("quiet", "0s").jira("upload", "session"));
        self.place(&self.endpoint, name).for_state(&mut harness, more);
        harness
    }
}

/// Another machine.
fn machine(harness: &Harness, name: &str) -> Child {
    let mut shell = Command::new("/bin/sh");
    let script = format!("mkdir -p {name}; cd {name}; exec \"$0\" \"$@\"");
    shell.args(["-c", &script, env!("CARGO_BIN_EXE_avatarpipe")]);
    harness.spawn_by(shell, &RUN)
}

const RUN: [&str; 2] = ["run", "../pipeline.yaml"];

fn ended(harness: &Harness, child: Child) -> Ended {
    harness.wait(child, &RUN)
}

#[test]
fn of_twenty_runners_at_once_one_holds_the_lease_and_the_others_end_in_7() {
    for maker in Maker::all() {
        let harness = maker.harness("race", "");
        harness.sandbox.fault(Fault::new(Effect::HandleOnRelease {}).at("jira").on("POST", "*/temporary").times(1));
        let mut running: Vec<_> = (0..20).map(|number| machine(&harness, &format!("machine-{number}"))).collect();
        let mut out = Vec::new();
        while running.len() > 1 {
            let over = running.iter_mut().position(|child| child.try_wait().expect("a child").is_some());
            match over {
                Some(over) => out.push(ended(&harness, running.swap_remove(over))),
                None => std::thread::park_timeout(Duration::from_millis(5)),
            }
        }
        for ended in out {
            ended.expect_exit(7).expect_error("is leased to run");
        }
        harness.until("the upload of the one that holds arrives", |harness| !harness.writes().is_empty());
        harness.sandbox.faults().release();
        ended(&harness, running.remove(0)).expect_exit(0);
        harness.expect_shown(&[("ada", Face("ada"))]);
        ended(&harness, machine(&harness, "next")).expect_exit(0).expect_answer("nothing to do");
    }
}

/// Who issues tokens there believes any.
#[test]
fn a_ci_token_opens_a_store_of_another_maker() {
    if let Some(maker) = Maker::other("S3 of another maker, by a role", s3_by_role, "S3_ENDPOINT") {
        let mut harness = maker.harness("role", "");
        harness.run().expect_exit(0);
        harness.move_with_the_state_alone();
        harness.run().expect_exit(0).expect_answer("nothing to do");
    }
}

/// Each second request goes wrong, in each way.
#[test]
fn a_bad_line_to_a_store_loses_nothing() {
    use Line::*;
    const TURNS: [Line; 10] =
        [Whole, TooMany(503), Whole, CutAmid, Whole, LoseTheAnswer, Whole, TooMany(429), Whole, CutTheAnswer];
    for maker in Maker::all() {
        println!("{}", maker.name);
        let line = BadLine::to(&maker.endpoint, &TURNS);
        let mut harness = Harness::with_people(&["ada", "grace"]);
        maker.place(&line.url, "line-pictures").for_pictures(&mut harness);
        maker.place(&line.url, "line-state").for_state(&mut harness, "");
        assert_eq!(harness.run().expect_exit(0).count("folder", "replaced"), 2);
        let first = line.bad();
        harness.new_photo("ada", "spare");
        harness.move_with_the_state_alone();
        assert_eq!(harness.run().expect_exit(0).count("folder", "replaced"), 1);
        harness.move_with_the_state_alone();
        harness.run().expect_exit(0).expect_answer("nothing to do");
        assert!(first > 5 && line.bad() > first + 5, "{first} and {}", line.bad());
    }
}

/// A holder that was stopped amid an upload, and the store that is to let another in.
struct Asleep {
    harness: Harness,
    child: Child,
}

impl Asleep {
    fn of(harness: Harness) -> Self {
        harness.sandbox.fault(Fault::new(Effect::HandleOnRelease {}).at("jira").on("POST", "*/temporary").times(1));
        let child = machine(&harness, "sleeper");
        harness.until("an upload arrives", |harness| !harness.writes().is_empty());
        signal(&child, "-STOP");
        Self { harness, child }
    }

    /// What was sent before it slept arrives, and nothing after it.
    fn wakes_up(self) {
        let Self { harness, child } = self;
        let before = harness.sandbox.requests().entries().len();
        harness.sandbox.faults().release();
        signal(&child, "-CONT");
        ended(&harness, child).expect_exit(7).expect_error("the lease on the state");
        let sent = harness.sandbox.requests().entries().split_off(before);
        assert!(sent.iter().all(|entry| entry.method == "GET"), "{sent:#?}");
        harness.expect_shown(&[("ada", Face("ada"))]);
        ended(&harness, machine(&harness, "next")).expect_exit(0).expect_answer("nothing to do");
    }
}

fn signal(child: &Child, signal: &str) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
    assert!(status.success(), "{signal}");
}

/// For a minute, which is the shortest lease, in stores whose clocks nobody moves. Where the store's clock alone goes on, who
/// slept cannot know before the next announcement.
#[test]
fn a_holder_that_stood_still_for_longer_than_its_lease_writes_nothing_more() {
    let asleep: Vec<_> = Maker::others().map(|maker| Asleep::of(maker.harness("sleeper", ", lease: 1m"))).collect();
    let begun = Instant::now();
    for asleep in asleep {
        loop {
            let other = ended(&asleep.harness, machine(&asleep.harness, "other"));
            if other.code() == Some(0) {
                break;
            }
            other.expect_exit(7).expect_error("is leased to run");
            assert!(begun.elapsed() < Duration::from_secs(180), "the lease never runs out");
            // Each try is a whole program.
            std::thread::park_timeout(Duration::from_secs(4));
        }
        assert!(begun.elapsed() >= Duration::from_secs(50), "no lease runs out before its time");
        asleep.wakes_up();
    }
}
