//! `auth --probe`: every way that pictures can go is tried on the service account, and nothing is left behind.
//!
//! A newcomer gets wrong: in Confluence and Bitbucket a picture is shown as soon as it is there, so a probe changes the
//! account for a moment. What cannot be put back is not tried.

use avatarpipe_sandbox::faults::{Effect, Fault};
use avatarpipe_sandbox::truth::ShownKind;
use serde_json::{Value, json};

use super::ended::Ended;
use super::harness::Harness;
use super::population::{Population, file};
use super::truth::Shows::{Face, Start};

const PROBE: [&str; 5] = ["auth", "pipeline.yaml", "--probe", "--format", "json"];
const OURS: &str = "svc-avatars";

fn harness() -> Harness {
    Harness::connected(Population::of(&["ada"]).everywhere().world()).with(|pipe| {
        for target in ["jira", "confluence", "bitbucket"] {
            pipe.target(target).set("quiet", "0s");
        }
    })
}

/// What each way of that target told: `session works`.
fn told(ended: &Ended, target: &str) -> Vec<String> {
    let answer: Value = serde_json::from_str(&ended.stdout).expect("the answer is JSON");
    let targets = answer["targets"].as_array().cloned().unwrap_or_default();
    let told = targets.iter().find(|one| one["id"] == target).expect("the target is in the answer")["tried"].clone();
    let words =
        |one: &Value| [&one["route"], &one["told"]].map(|word| word.as_str().unwrap_or("-").to_owned()).join(" ");
    told.as_array().into_iter().flatten().map(words).collect()
}

/// Our own account is as it was everywhere, and nothing lies about.
#[track_caller]
fn expect_put_back(harness: &Harness) {
    for target in ["jira", "confluence", "bitbucket"] {
        harness.expect_shown_in(target, &[(OURS, Start), ("ada", Start)]);
    }
}

#[test]
fn every_product_is_tried_and_put_back() {
    let harness = harness();
    let ended = harness.finish(&PROBE).expect_exit(0);
    assert_eq!(told(&ended, "jira"), ["session works", "one_step works"]);
    assert_eq!(told(&ended, "confluence"), ["xmlrpc works"]);
    assert_eq!(told(&ended, "bitbucket"), ["multipart works"]);
    expect_put_back(&harness);
    let touched = harness.sandbox.truth().writes;
    for simulator in ["jira", "confluence", "bitbucket"] {
        let ours = harness.account_in(simulator, OURS).key;
        let mut touched = touched.iter().filter(|write| write.simulator == simulator).peekable();
        assert!(touched.peek().is_some(), "nothing was tried at {simulator}");
        assert!(touched.all(|write| write.account == ours), "somebody else was written to in {simulator}");
    }
    harness.run().expect_exit(0);
    for target in ["jira", "confluence", "bitbucket"] {
        harness.expect_shown_in(target, &[("ada", Face("ada")), (OURS, Start)]);
    }
}

#[test]
fn what_the_service_account_chose_itself_is_put_back_or_not_touched() {
    for (choice, wiki, git) in [
        (json!({ "upload": { "name": OURS, "picture": file("hand") } }), "xmlrpc works", "multipart not_tried"),
        (json!({ "stock": { "name": OURS, "stock": 1 } }), "xmlrpc works", "multipart works"),
    ] {
        let harness = harness();
        let command = |simulator: &str| harness.sandbox.command(simulator, &choice);
        command("confluence").unwrap_or_else(|fault| panic!("{fault}"));
        // Bitbucket has no pictures to choose from.
        let chosen = command("bitbucket").is_ok();
        let before = ["confluence", "bitbucket"].map(|target| harness.account_in(target, OURS).now.bytes);
        harness.sandbox.reset_writes();
        let ended = harness.finish(&PROBE).expect_exit(0);
        assert_eq!(
            (told(&ended, "confluence"), told(&ended, "bitbucket")),
            (vec![wiki.to_owned()], vec![git.to_owned()])
        );
        assert_eq!(["confluence", "bitbucket"].map(|target| harness.account_in(target, OURS).now.bytes), before);
        let written = harness.sandbox.truth().writes.iter().any(|write| write.simulator == "bitbucket");
        assert_eq!(written, !chosen, "a picture that Bitbucket could not give back");
        harness.expect_promises();
    }
}

#[test]
fn the_endpoint_is_tried_where_the_default_is_shown() {
    let harness = harness().switch("confluence", "endpoint", "installed");
    let harness = harness.with(|pipe| _ = pipe.target("confluence").set("upload", "endpoint"));
    assert_eq!(told(&harness.finish(&PROBE).expect_exit(0), "confluence"), ["endpoint works"]);
    expect_put_back(&harness);
    let choice = json!({ "stock": { "name": OURS, "stock": 1 } });
    harness.sandbox.command("confluence", &choice).unwrap_or_else(|fault| panic!("{fault}"));
    harness.sandbox.reset_writes();
    assert_eq!(told(&harness.finish(&PROBE).expect_exit(0), "confluence"), ["endpoint not_tried"]);
    assert!(!harness.sandbox.truth().writes.iter().any(|write| write.simulator == "confluence"));
}

#[test]
fn a_way_that_is_closed_is_told_and_the_way_that_is_used_decides() {
    // `upload: auto` with a password uses the session, so a server without the one-step upload is fine.
    let harness = harness().switch("jira", "one_step", "off");
    let ended = harness.finish(&PROBE).expect_exit(0);
    assert_eq!(told(&ended, "jira"), ["session works", "one_step fails"]);
    expect_put_back(&harness);
    let harness = harness.with(|pipe| _ = pipe.jira("upload", "one_step"));
    harness.finish(&PROBE).expect_exit(6).expect_answer("a crop");

    // A token whose session ends uses one step; the answer says both.
    let harness = self::harness().with(|pipe| _ = pipe.by_token());
    let ended = harness.finish(&PROBE).expect_exit(0);
    assert_eq!(told(&ended, "jira"), ["session fails", "one_step works"]);
    expect_put_back(&harness);
    let harness = harness.with(|pipe| _ = pipe.jira("upload", "session"));
    let ended = harness.finish(&PROBE).expect_exit(6);
    let ended =
        ended.expect_answer("atlassian.pats.invalidate.session.enabled").expect_answer("`upload: one_step` works");
    ended.holds_no_answer("pictures go up");
    expect_put_back(&harness);
}

#[test]
fn a_target_on_dry_run_is_not_tried() {
    let harness = harness().with(|pipe| _ = pipe.target("bitbucket").set("dry_run", "true"));
    let ended = harness.finish(&PROBE).expect_exit(0);
    assert_eq!(told(&ended, "bitbucket"), ["multipart not_tried"]);
    assert!(!harness.sandbox.truth().writes.iter().any(|write| write.simulator == "bitbucket"));
}

#[test]
fn a_probe_of_jira_that_was_killed_is_taken_back_by_the_next_run() {
    kill_everywhere("jira");
}

#[test]
fn a_probe_of_confluence_that_was_killed_is_taken_back_by_the_next_run() {
    kill_everywhere("confluence");
}

#[test]
fn a_probe_of_bitbucket_that_was_killed_is_taken_back_by_the_next_run() {
    kill_everywhere("bitbucket");
}

#[test]
fn two_probes_whose_answers_were_lost_leave_nothing() {
    // Their pictures look alike: while both are there, neither can be told to be the one that its intent speaks of.
    let harness = harness().with(|pipe| {
        pipe.without_target("confluence").without_target("bitbucket");
        pipe.jira("upload", "session");
    });
    for _ in 0..2 {
        let create = Fault::new(Effect::HandleThenDrop {}).at("jira").on("POST", "*/user/avatar").times(1);
        harness.sandbox.fault(create);
        let unread = Fault::new(Effect::LoginPage {}).at("jira").on("GET", "*/user/avatars").after(1);
        harness.sandbox.fault(unread);
        harness.finish(&PROBE);
        harness.sandbox.faults().clear();
    }
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada")), (OURS, Start)]);
}

fn kill_everywhere(simulator: &str) {
    let harness = || {
        let others = ["jira", "confluence", "bitbucket"].into_iter().filter(|target| *target != simulator);
        harness().with(|pipe| others.for_each(|target| _ = pipe.without_target(target)))
    };
    let requests = requests_of_a_probe(&harness(), simulator);
    for (nth, killed) in requests.flat_map(|nth| [(nth, Killed::Before), (nth, Killed::After)]) {
        println!("killed {killed:?} request {nth}");
        let harness = harness();
        kill(&harness, simulator, nth, killed);
        harness.run().expect_exit(0);
        assert!(!harness.account_in(simulator, OURS).changed(), "our own account shows another picture than before");
        let truth = harness.sandbox.truth();
        let strays: Vec<_> =
            truth.avatars.iter().filter(|avatar| avatar.creator != "world" && !avatar.selected).collect();
        // A default picture does not show where the account's files are: such a file is a debt
        // (docs/write-protocols.md).
        let owed = usize::from(simulator == "confluence");
        assert!(strays.len() <= owed, "{strays:?}");
        assert_eq!(truth.violations, [""; 0]);
        assert_eq!(harness.account_in(simulator, "ada").now.kind, ShownKind::Custom);
    }
}

/// When the program is killed, seen from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Killed {
    Before,
    After,
}

/// From the request before the first that may write, to the end.
fn requests_of_a_probe(harness: &Harness, simulator: &str) -> std::ops::Range<u32> {
    harness.finish(&PROBE).expect_exit(0);
    let entries: Vec<_> =
        harness.sandbox.requests().entries().into_iter().filter(|e| e.simulator == simulator).collect();
    let write = entries.iter().position(|entry| entry.method != "GET").expect("a probe writes");
    u32::try_from(write - 1).expect("few")..u32::try_from(entries.len()).expect("few")
}

fn kill(harness: &Harness, simulator: &str, nth: u32, killed: Killed) {
    let faults = harness.sandbox.faults();
    let hang = Fault::new(Effect::Delay { ms: 600_000 }).at(simulator);
    match killed {
        Killed::Before => _ = faults.add(hang.after(nth)),
        Killed::After => {
            faults.add(Fault::new(Effect::HandleThenDrop {}).at(simulator).after(nth).times(1));
            faults.add(hang.after(nth + 1));
        }
    }
    let mut child = harness.spawn(&PROBE);
    harness.until("the request arrives", |harness| match killed {
        Killed::Before => harness.sandbox.requests().of(simulator) > u64::from(nth),
        Killed::After => {
            let entries = harness.sandbox.requests().entries();
            entries.iter().any(|entry| entry.fault.as_deref() == Some("handle_then_drop"))
        }
    });
    child.kill().expect("SIGKILL");
    child.wait().expect("the program is gone");
    faults.clear();
}
