//! Outage drills: something large breaks while changes are waiting. Nothing is written or reverted where it broke, the
//! exit code and the message say what happened and what to do, and the next run goes on as if nothing had been.
//!
//! Owns: the frame of a drill; what each run told is kept in `snapshots/drills-*.snap`, without its tables.
//! Leaves to others: one person's failure (`rules`), each limit's number (`limits`), kills (`crash`).
//! A newcomer gets wrong: a photo that is gone waits in every drill, so that a program that takes the outage for an
//! absence, or goes on regardless, reverts somebody and fails.

mod behind; // photos that come under another marker than was told of them
mod clocks; // the program's clock against the servers'
mod reused; // a Jira that gives our ids out again
mod slow; // what is tried again and again, all at once
mod sources;
mod targets;

use super::ended::Ended;
use super::harness::Harness;
use super::population::Population;
use super::redact::{redact, replace};
use super::truth::Shows::{Default, Face};

/// Everybody in the directory, with an account in every product.
const PEOPLE: [&str; 3] = ["ada", "grace", "alan"];

/// A revert of more than one, a shrunken listing, or vanished pictures stop what they concern.
const LIMITS: &str = "{ reverts: { count: 1 }, unknown: { count: 1 }, source_shrink: { count: 1 }, \
                      target_shrink: { count: 1 }, target_drift: { count: 1 } }";

/// One worker at each, so that ids and lines follow the order of the plan.
const ONE_BY_ONE: &str = "{ fast: { units: 100000, per: 1s, burst: 100000, concurrency: 1 } }";

/// Something large that breaks.
struct Drill {
    /// Its heading in the snapshot.
    name: &'static str,
    /// How the run must end.
    exit: i32,
    /// What breaks. Faults and the pipeline file are put right again after the run.
    breaks: fn(&mut Harness),
    /// What else has to be put right.
    mend: fn(&mut Harness),
}

impl Drill {
    const fn new(name: &'static str, exit: i32, breaks: fn(&mut Harness)) -> Self {
        Self { name, exit, breaks, mend: |_| {} }
    }
}

/// A company that was served well; then Ada got another photo and Grace's is gone.
fn served(population: Population) -> Harness {
    let harness = Harness::connected(population.jira(|jira| jira.next_avatar = Some(20_000)).world());
    let harness = harness.with(|pipe| {
        pipe.top("limits", LIMITS).top("rates", ONE_BY_ONE).jira("quiet", "0s");
    });
    harness.run().expect_exit(0);
    harness.new_photo("ada", "spare");
    harness.no_photo("grace");
    harness.sandbox.reset_writes();
    harness.sandbox.requests().reset();
    harness
}

/// What the runs of drills told: how each ended, what stopped it, and what to do.
#[derive(Default)]
struct Book(String);

/// The sections of the answer that say what went wrong.
const TOLD: [&str; 5] = ["failed (", "limits", "stopped", "notes", "nothing to do"];

impl Book {
    fn add(&mut self, name: &str, exit: i32, harness: &Harness, ended: &Ended) {
        let mut sections = ended.stdout.split("\n\n");
        let outcome = sections.next().unwrap_or_default();
        let told: Vec<&str> = sections.filter(|section| TOLD.iter().any(|head| section.starts_with(head))).collect();
        let text = format!("{name}: exit code {exit}\n{outcome}\n{}", told.join("\n"));
        let text = replace(&redact(harness, &text), "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "<guid>");
        self.0 += &replace(&text, "0000-00-00 00:00:00Z", "<time>");
        self.0 += "\n\n";
    }

    fn expect(self, name: &str) {
        insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(format!("drills-{name}"), self.0);
        });
    }
}

/// Nothing at all was written since the company was served.
#[track_caller]
fn expect_untouched(drill: &Drill, harness: &Harness, targets: &[&str]) {
    assert_eq!(harness.sandbox.truth().writes, [], "{}", drill.name);
    for target in targets {
        harness.expect_shown_in(target, &PEOPLE.map(|name| (name, Face(name))));
    }
}

/// The changes that were waiting are made.
#[track_caller]
fn expect_caught_up(harness: &Harness, targets: &[&str]) {
    harness.run().expect_exit(0);
    for target in targets {
        harness.expect_shown_in(target, &[("ada", Face("spare")), ("grace", Default), ("alan", Face("alan"))]);
    }
    harness.run().expect_exit(0).expect_answer("nothing to do");
}

/// Breaks it, runs, puts it right, runs again.
fn hold(drill: &Drill, mut harness: Harness, targets: &[&str], book: &mut Book) {
    println!("drill: {}", drill.name);
    let file = harness.pipe().clone();
    (drill.breaks)(&mut harness);
    let ended = harness.run().expect_exit(drill.exit);
    book.add(drill.name, drill.exit, &harness, &ended);
    expect_untouched(drill, &harness, targets);
    harness.sandbox.faults().clear();
    harness.edit(|pipe| *pipe = file);
    (drill.mend)(&mut harness);
    expect_caught_up(&harness, targets);
}
