//! Killed at every request of the Jira write protocols: after the next run every account is right and nothing is left
//! over (promise P4).
//!
//! A newcomer gets wrong: each request is killed twice, once before the server has done it and once after. What the
//! program could not know then is the whole point.

use avatarpipe::sandbox::faults::{Effect, Fault};

use super::company::face;
use super::stage::Stage;
use super::truth::Shows::{self, Default, Face};
use super::truth::looks;

/// A write of which every request is cut off.
struct Case {
    name: &'static str,
    /// Whether every turn begins with a new world, because it is about the first run of all.
    begins: Begins,
    /// What is done to the world before a turn.
    change: fn(&Stage, u32),
    /// What the account shows after it.
    shows: fn(u32) -> Shows<'static>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    Afresh,
    WithOurs,
}

const FIRST: Case =
    Case { name: "the first picture", begins: Begins::Afresh, change: |_, _| {}, shows: |_| Face("ada") };

const OVER_OURS: Case = Case {
    name: "over ours",
    begins: Begins::WithOurs,
    change: |stage, turn| stage.new_photo("ada", other_face(turn)),
    shows: |turn| Face(other_face(turn)),
};

const OVER_A_CHOICE: Case = Case {
    name: "over a picture chosen by hand",
    begins: Begins::WithOurs,
    change: |stage, _| _ = stage.by_hand("ada", "hand"),
    shows: |_| Face("ada"),
};

const REVERT: Case = Case {
    name: "back to the default",
    begins: Begins::WithOurs,
    change: |stage, _| {
        stage.new_photo("ada", "ada");
        stage.run().expect_exit(0);
        stage.no_photo("ada");
    },
    shows: |_| Default,
};

fn other_face(turn: u32) -> &'static str {
    if turn.is_multiple_of(2) { "spare" } else { "ada" }
}

/// When the program is killed, seen from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Killed {
    Before,
    After,
}

fn stage(route: &str, begins: Begins) -> Stage {
    let stage = Stage::company(&["ada"]).with(|pipe| {
        // One worker, so that every run sends the same requests in the same order.
        pipe.top("rates", "{ fast: { units: 100000, per: 1s, burst: 100000, concurrency: 1 } }");
        pipe.top("limits", "{ reverts: { count: 9 }, target_drift: { count: 9 } }");
        pipe.jira("quiet", "0s").jira("upload", route);
        if route == "one_step" {
            pipe.by_token();
        }
    });
    if begins == Begins::WithOurs {
        stage.run().expect_exit(0);
    }
    stage
}

/// The requests to Jira of one undisturbed run: the first that belongs to the write, and how many there are.
fn requests_of(stage: &Stage) -> std::ops::Range<u32> {
    stage.sandbox.requests().reset();
    stage.run().expect_exit(0);
    let entries: Vec<_> = stage.sandbox.requests().entries().into_iter().filter(|e| e.simulator == "jira").collect();
    let write = entries.iter().position(|entry| entry.method != "GET").expect("the run writes");
    u32::try_from(write - 1).expect("few")..u32::try_from(entries.len()).expect("few")
}

/// Runs until the nth request to Jira, and kills the program there.
fn kill_at(stage: &Stage, nth: u32, killed: Killed) {
    let faults = stage.sandbox.faults();
    stage.sandbox.requests().reset();
    let hang = Fault::new(Effect::Delay { ms: 600_000 }).at("jira");
    match killed {
        Killed::Before => _ = faults.add(hang.after(nth)),
        Killed::After => {
            faults.add(Fault::new(Effect::HandleThenDrop {}).at("jira").after(nth).times(1));
            faults.add(hang.after(nth + 1));
        }
    }
    let mut child = stage.spawn(&["run", "pipeline.yaml"]);
    stage.until("the request arrives", |stage| match killed {
        Killed::Before => stage.sandbox.requests().of("jira") > u64::from(nth),
        Killed::After => {
            let entries = stage.sandbox.requests().entries();
            entries.iter().any(|entry| entry.fault.as_deref() == Some("handle_then_drop"))
        }
    });
    child.kill().expect("SIGKILL");
    child.wait().expect("the program is gone");
    faults.clear();
}

fn kill_at_every_request(route: &str, case: &Case) {
    let mut stage = stage(route, case.begins);
    (case.change)(&stage, 0);
    let requests = requests_of(&stage);
    stage.expect_shown(&[("ada", (case.shows)(0))]);
    let turns = requests.clone().flat_map(|nth| [(nth, Killed::Before), (nth, Killed::After)]);
    for (turn, (nth, killed)) in (1..).zip(turns) {
        println!("{route}, {}: killed {killed:?} request {nth} of {requests:?}", case.name);
        if case.begins == Begins::Afresh {
            stage = self::stage(route, case.begins);
        }
        (case.change)(&stage, turn);
        kill_at(&stage, nth, killed);
        stage.run().expect_exit(0);
        stage.expect_shown(&[("ada", (case.shows)(turn))]);
    }
    stage.run().expect_exit(0).expect_answer("nothing to do");
}

#[test]
fn a_kill_at_any_request_of_the_first_picture_leaves_nothing_behind() {
    kill_at_every_request("session", &FIRST);
    kill_at_every_request("one_step", &FIRST);
}

#[test]
fn a_kill_at_any_request_over_ours_leaves_nothing_behind() {
    kill_at_every_request("session", &OVER_OURS);
    kill_at_every_request("one_step", &OVER_OURS);
}

#[test]
fn a_kill_at_any_request_over_a_choice_leaves_nothing_behind_and_deletes_nothing_foreign() {
    kill_at_every_request("session", &OVER_A_CHOICE);
}

#[test]
fn a_kill_at_any_request_of_a_revert_leaves_nothing_behind() {
    kill_at_every_request("session", &REVERT);
}

#[test]
fn a_connection_that_breaks_at_any_write_is_mended_in_the_same_run() {
    let table: [(&str, &Case, &[&str]); 5] = [
        ("session", &FIRST, &["POST", "PUT"]),
        ("session", &OVER_OURS, &["POST", "PUT", "DELETE"]),
        ("session", &REVERT, &["PUT", "DELETE"]),
        ("one_step", &FIRST, &["POST"]),
        ("one_step", &OVER_OURS, &["POST"]),
    ];
    for (route, case, methods) in table {
        let mut stage = stage(route, case.begins);
        let breaks = methods.iter().flat_map(|method| [(method, Effect::Drop {}), (method, Effect::HandleThenDrop {})]);
        for (turn, (method, effect)) in (1..).zip(breaks) {
            println!("{route}, {}: {effect:?} at the first {method}", case.name);
            if case.begins == Begins::Afresh {
                stage = self::stage(route, case.begins);
            }
            (case.change)(&stage, turn);
            stage.sandbox.fault(Fault::new(effect.clone()).at("jira").on(method, "*").times(1));
            if case.name == REVERT.name && *method == "PUT" && effect == (Effect::Drop {}) {
                // A revert is sent once; what did not happen is decided afresh by the next run.
                stage.run().expect_exit(3);
            }
            stage.run().expect_exit(0);
            stage.expect_shown(&[("ada", (case.shows)(turn))]);
            stage.sandbox.faults().clear();
        }
    }
}

#[test]
fn what_the_person_chooses_after_the_kill_is_not_lost() {
    let counted = stage("session", Begins::WithOurs);
    (OVER_OURS.change)(&counted, 0);
    for nth in requests_of(&counted) {
        let stage = stage("session", Begins::WithOurs).with(|pipe| _ = pipe.jira("ownership", "ours"));
        (OVER_OURS.change)(&stage, 0);
        kill_at(&stage, nth, Killed::After);
        stage.by_hand("ada", "hand");
        stage.run().expect_exit(0);
        let truth = stage.sandbox.truth();
        let shown = looks(&stage.account("ada").now.bytes);
        assert!(shown.fits(&looks(&face("hand"))), "request {nth}: the choice of the person is not shown any more");
        assert_eq!(truth.violations, [""; 0], "request {nth}");
        // A picture of ours that was shown once lies among the person's own; one that never was is a stray.
        for avatar in truth.avatars.iter().filter(|avatar| avatar.creator != "world") {
            let select = format!("select {}", avatar.id);
            assert!(truth.writes.iter().any(|write| write.what == select), "request {nth}: {} is a stray", avatar.id);
        }
    }
}
