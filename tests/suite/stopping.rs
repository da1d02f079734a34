//! Asked to stop, by a signal: what is under way is finished and kept, the next run goes on and repeats nothing.
//!
//! Owns: a stop in every phase and in every pause, and the second signal.
//! Leaves to others: `--max-duration`, which asks in the same way (`exit_codes`), and SIGKILL (`crash`).
//! A newcomer gets wrong: nothing here waits for time to pass. The simulator holds a request back or asks for ten
//! minutes; a program that sits it out is ended by the test's own patience and fails it.

use std::collections::BTreeMap;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use avatarpipe_sandbox::faults::{Answer, Effect, Fault};

use super::ended::Ended;
use super::harness::Harness;
use super::population::{Population, address, face};
use super::truth::Shows::{Default, Face};

pub(super) const RUN: [&str; 4] = ["run", "pipeline.yaml", "--report", "report"];
/// Until a program that was asked to stop counts as not stopping.
const PATIENCE: Duration = Duration::from_secs(60);
const PEOPLE: [&str; 3] = ["ada", "grace", "alan"];

pub(super) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().expect("kill runs");
    assert!(sent.success(), "no process to send {name} to");
}

/// The end of a program that was asked to stop. One that does not end is killed, and has failed.
#[track_caller]
pub(super) fn ended(harness: &Harness, mut child: Child) -> Ended {
    let begun = Instant::now();
    let mut sat_out = false;
    while child.try_wait().expect("a child of ours").is_none() && !sat_out {
        std::thread::park_timeout(Duration::from_millis(2));
        sat_out = begun.elapsed() > PATIENCE;
    }
    if sat_out {
        child.kill().expect("SIGKILL");
    }
    let ended = harness.wait(child, &RUN);
    assert!(!sat_out, "the program did not stop\n{}", ended.stderr);
    harness.expect_no_secret(&ended);
    ended
}

/// Runs until something holds, asks to stop, and waits for the end.
#[track_caller]
fn stopped(harness: &Harness, name: &str, what: &str, when: impl Fn(&Harness) -> bool) -> Ended {
    let child = harness.spawn(&RUN);
    harness.until(what, when);
    signal(&child, name);
    ended(harness, child).expect_exit(8)
}

/// How often the photo of each person was delivered.
fn downloads(harness: &Harness) -> BTreeMap<String, u32> {
    let mut downloads = BTreeMap::new();
    for entry in harness.sandbox.requests().entries().iter().filter(|entry| entry.simulator == "graph") {
        for (part, _) in entry.parts.iter().filter(|(part, status)| part.ends_with("/photo/$value") && *status == 200) {
            *downloads.entry(part.clone()).or_default() += 1;
        }
    }
    downloads
}

/// The next run finishes the work; over both, nothing was downloaded or made twice.
#[track_caller]
fn expect_goes_on(harness: &Harness, people: &[&str]) {
    harness.sandbox.faults().clear();
    harness.run().expect_exit(0);
    harness.expect_shown(&people.iter().map(|name| (*name, Face(name))).collect::<Vec<_>>());
    let downloads = downloads(harness);
    assert_eq!(downloads.len(), people.len());
    assert!(downloads.values().all(|times| *times == 1), "a photo was downloaded again: {downloads:?}");
    let truth = harness.sandbox.truth();
    for name in people {
        let key = harness.account(name).key;
        let made = truth.writes.iter().filter(|write| write.account == key && write.what.starts_with("create "));
        assert_eq!(made.count(), 1, "pictures made for {name}");
    }
    harness.run().expect_exit(0).expect_answer("nothing to do");
}

/// A request that the simulator holds back for a moment, so that the stop meets it under way.
fn held(simulator: &str, method: &str, path: &str) -> Fault {
    Fault::new(Effect::Delay { ms: 300 }).at(simulator).on(method, path)
}

fn arrived(harness: &Harness, simulator: &str, path: &str, times: usize) -> bool {
    harness.calls(simulator).iter().filter(|call| call.contains(path)).count() >= times
}

#[test]
fn a_stop_in_any_phase_loses_nothing_and_repeats_nothing() {
    // Phase, signal, what is held back, and how many such requests must have arrived.
    for (phase, name, (simulator, method, path), call, times) in [
        ("sign in", "INT", ("login", "POST", "*"), "/token", 1),
        ("collect", "TERM", ("graph", "GET", "*/users"), "/users", 1),
        ("survey", "INT", ("jira", "GET", "*/user/search"), "/user/search", 1),
        ("fetch", "TERM", ("graph", "POST", "*batch"), "batch", 1),
        ("apply, the upload", "TERM", ("jira", "POST", "*/temporary"), "/temporary", 1),
        ("apply, the last step", "INT", ("jira", "PUT", "*"), "PUT ", 1),
        ("confirm", "TERM", ("jira", "GET", "*/user/search"), "/user/search", 2),
    ] {
        println!("{phase}, SIG{name}");
        let harness = Harness::with_people(&PEOPLE);
        let after = u32::try_from(times - 1).expect("few");
        harness.sandbox.fault(held(simulator, method, path).after(after));
        let ended = stopped(&harness, name, phase, |harness| arrived(harness, simulator, call, times));
        let by = if name == "INT" { "stopped by Ctrl-C; run again" } else { "stopped by SIGTERM; run again" };
        ended.expect_error("finishing what is under way").expect_answer(by);
        harness.expect_promises();
        expect_goes_on(&harness, &PEOPLE);
    }
}

/// The terminal is closed, which both the system and the shell tell: it ends as after SIGTERM, and a second one hurries nothing.
#[test]
fn a_session_that_ends_stops_in_good_order_and_not_under_nohup() {
    let harness = Harness::with_people(&PEOPLE);
    harness.sandbox.fault(held("graph", "POST", "*batch"));
    let child = harness.spawn(&RUN);
    harness.until("the batch arrives", |harness| arrived(harness, "graph", "batch", 1));
    signal(&child, "HUP");
    signal(&child, "HUP");
    // Whoever runs the tests under `nohup` hands that down.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.is_none_or(|mask| u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & 1 == 1));
    let ended = ended(&harness, child).expect_exit(if ignored { 0 } else { 8 });
    if !ignored {
        assert_eq!(ended.expect_answer("stopped by SIGHUP").report()["stopped_by"], "SIGHUP");
    }
    expect_goes_on(&harness, &PEOPLE);
}

#[test]
fn photos_that_are_on_their_way_are_kept_and_no_more_are_asked_for() {
    let names: Vec<String> = (0..25).map(|n| format!("p{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let harness = Harness::with_people(&names).with(|pipe| {
        pipe.top("rates", "{ fast: { units: 100000, per: 1s, burst: 100000, concurrency: 1 } }");
    });
    harness.sandbox.fault(held("graph", "POST", "*batch"));
    stopped(&harness, "TERM", "the first batch arrives", |harness| arrived(harness, "graph", "batch", 1));
    assert_eq!(downloads(&harness).len(), 20, "the batch under way, and none after it");
    expect_goes_on(&harness, &names);
}

#[test]
fn the_write_under_way_is_finished_and_no_other_is_begun() {
    let harness = Harness::with_people(&PEOPLE).with(|pipe| {
        pipe.top("rates", "{ fast: { units: 100000, per: 1s, burst: 100000, concurrency: 1 } }");
    });
    harness.sandbox.fault(held("jira", "POST", "*"));
    let ended = stopped(&harness, "INT", "the first upload arrives", |harness| !harness.writes().is_empty());
    assert_eq!(ended.count("jira", "replaced"), 1);
    assert_eq!(ended.report()["outcome"], "stopped");
    expect_goes_on(&harness, &PEOPLE);
}

#[test]
fn quiet_says_what_was_not_begun() {
    let harness = Harness::with_people(&PEOPLE).with(|pipe| {
        pipe.top("rates", "{ fast: { units: 100000, per: 1s, burst: 100000, concurrency: 1 } }");
    });
    harness.sandbox.fault(held("jira", "POST", "*"));
    let child = harness.spawn(&[&RUN[..], &["-q"]].concat());
    harness.until("the first upload arrives", |harness| !harness.writes().is_empty());
    signal(&child, "TERM");
    let ended = ended(&harness, child).expect_exit(8);
    ended.expect_error("error: jira: 2 changes not begun; run again to go on");
}

#[test]
fn a_pause_that_a_server_asked_for_is_not_sat_out() {
    let slower = |status: u16| Effect::Answer(Answer::retry_after(status, "600"));
    for (what, fault, call) in [
        ("sign-in", Fault::new(slower(429)).at("login"), ("login", "/token")),
        ("listing", Fault::new(slower(429)).at("graph").on("GET", "*/users"), ("graph", "/users")),
        ("batch", Fault::new(slower(429)).at("graph").on("POST", "*batch"), ("graph", "batch")),
        ("part of a batch", Fault::new(slower(429)).at("graph").in_parts(), ("graph", "batch")),
        ("survey", Fault::new(slower(503)).at("jira").on("GET", "*/user/search"), ("jira", "/user/search")),
        (
            "read before a write",
            Fault::new(slower(429)).at("jira").on("GET", "*/user/avatars").after(1),
            ("jira", "/user/avatars"),
        ),
        ("upload", Fault::new(slower(429)).at("jira").on("POST", "*/temporary"), ("jira", "/temporary")),
        ("select", Fault::new(slower(429)).at("jira").on("PUT", "*"), ("jira", "PUT ")),
        ("confirm", Fault::new(slower(429)).at("jira").on("GET", "*/user/search").after(1), ("jira", "/user/search")),
    ] {
        println!("{what}");
        let harness = Harness::with_people(&["ada"]).with(|pipe| _ = pipe.jira("quiet", "0s"));
        harness.sandbox.fault(fault);
        stopped(&harness, "TERM", what, |harness| {
            let entries = harness.sandbox.requests().entries();
            let called = |entry: &&_| is(entry, call);
            entries
                .iter()
                .filter(called)
                .any(|entry| entry.status.is_some_and(|status| status != 200) || !entry.parts.is_empty())
        });
        harness.sandbox.faults().clear();
        harness.run().expect_exit(0);
        harness.expect_shown(&[("ada", Face("ada"))]);
    }
}

fn is(entry: &avatarpipe_sandbox::requests::Entry, (simulator, call): (&str, &str)) -> bool {
    entry.simulator == simulator && format!("{} {}", entry.method, entry.path).contains(call)
}

#[test]
fn photos_that_do_not_come_are_not_waited_for() {
    let harness = Harness::with_people(&["ada"]);
    harness.sandbox.fault(Fault::new(Effect::Delay { ms: 600_000 }).at("graph").on("POST", "*batch"));
    stopped(&harness, "TERM", "a batch that hangs", |harness| arrived(harness, "graph", "batch", 1));
    expect_goes_on(&harness, &["ada"]);
}

#[test]
fn a_rate_that_is_used_up_is_not_sat_out() {
    let harness = Harness::with_people(&PEOPLE).with(|pipe| {
        pipe.top("rates", "{ fast: { units: 1, per: 1h, burst: 4, concurrency: 4 } }");
    });
    stopped(&harness, "TERM", "what the rate lets pass", |harness| {
        harness.sandbox.requests().entries().iter().filter(|entry| entry.status.is_some()).count() >= 4
    });
    harness.expect_shown(&[("ada", Default)]);
}

#[test]
fn waiting_until_a_slow_server_is_done_ends_with_the_signal() {
    // After an answer that was lost, in the same run; then in the next one, which looks at what was left open.
    let mut harness = Harness::with_people(&["ada"]).with(|pipe| _ = pipe.jira("quiet", "10m"));
    harness.sandbox.fault(Fault::new(Effect::HandleThenDrop {}).at("jira").on("POST", "*/user/avatar").times(1));
    let lost = |harness: &Harness| {
        let entries = harness.sandbox.requests().entries();
        entries.iter().any(|entry| entry.fault.as_deref() == Some("handle_then_drop"))
    };
    stopped(&harness, "INT", "an answer is lost", lost);
    let listings = |harness: &Harness| harness.calls("graph").iter().filter(|call| call.ends_with("/users")).count();
    let before = listings(&harness);
    stopped(&harness, "TERM", "the next run is under way", |harness| listings(harness) > before);
    harness.edit(|pipe| _ = pipe.jira("quiet", "0s"));
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada"))]);
    let made = harness.sandbox.truth().writes.into_iter().filter(|write| write.what.starts_with("create ")).count();
    assert_eq!(made, 1, "what the server did is finished, not made again");
}

#[test]
fn a_second_signal_ends_at_once_and_the_next_run_mends() {
    // The upload hangs for longer than any test waits.
    let harness = Harness::with_people(&PEOPLE).with(|pipe| {
        pipe.top("http", "{ default: { timeout: 10m } }");
        pipe.jira("quiet", "0s");
    });
    harness.sandbox.fault(Fault::new(Effect::Delay { ms: 600_000 }).at("jira").on("POST", "*/temporary"));
    let mut child = harness.spawn(&RUN);
    harness.until("an upload arrives", |harness| !harness.writes().is_empty());
    signal(&child, "INT");
    // Two that arrive together count as one, so it is sent until it is heard, as whoever presses Ctrl-C does.
    let begun = Instant::now();
    while child.try_wait().expect("a child of ours").is_none() && begun.elapsed() < PATIENCE {
        signal(&child, "INT");
        std::thread::park_timeout(Duration::from_millis(5));
    }
    ended(&harness, child).expect_exit(8).expect_error("ended at once");
    harness.sandbox.faults().clear();
    harness.run().expect_exit(0);
    harness.expect_shown(&PEOPLE.map(|name| (name, Face(name))));
}

#[test]
fn a_photo_that_cannot_be_read_is_fetched_again_only_once_it_changes() {
    let mut cut_off = face("victor");
    cut_off.truncate(cut_off.len() / 2);
    let harness = Harness::of(Population::of(&["ada", "victor"]).picture("victor", cut_off).world());
    harness.run().expect_exit(0).expect_line("victor", "keep", "unreadable", "none");
    assert_eq!(downloads(&harness).values().sum::<u32>(), 2);
    for _ in 0..2 {
        harness.run().expect_exit(0).expect_line("victor", "keep", "unreadable", "none").expect_answer("nothing to do");
    }
    assert_eq!(downloads(&harness).values().sum::<u32>(), 2, "the same photo was fetched again");
    harness.new_photo("victor", "spare");
    harness.run().expect_exit(0).expect_line("victor", "replace", "photo_new", "done");
    harness.expect_shown(&[("victor", Face("spare")), ("ada", Face("ada"))]);
    assert_eq!(downloads(&harness).values().sum::<u32>(), 3, "{}", address("victor"));
}
