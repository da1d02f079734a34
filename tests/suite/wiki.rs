//! Confluence: names that pass to somebody else, files that are named like ours, removals that are refused.
//!
//! Owns: what people and administrators do there between the survey and the write.
//! Leaves to others: kills (`crash`), the steps of each write (`load/confluence/tests`).
//! A newcomer gets wrong: the wiki is listed before the photos are asked for, so the first batch is held back while the
//! world changes.

use avatarpipe_sandbox::confluence::world::Instance as Wiki;
use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use avatarpipe_sandbox::truth::ShownKind;
use serde_json::{Value, json};

use super::ended::Ended;
use super::harness::Harness;
use super::population::{Population, face};
use super::truth::Shows::{Default, Face};
use super::truth::looks;

/// The ways that pictures go there.
const WAYS: [&str; 2] = ["xmlrpc", "endpoint"];

const RUN: [&str; 4] = ["run", "pipeline.yaml", "--report", "report"];

/// These people and nothing but a Confluence, one write after the other.
fn harness(names: &[&str], way: &str) -> Harness {
    let mut harness = Harness::connected(Population::of(names).everywhere().world()).with(|pipe| {
        pipe.without_target("jira").without_target("bitbucket");
        pipe.top("rates", "{ fast: { units: 100000, per: 1s, burst: 100000, concurrency: 1 } }");
        pipe.target("confluence").set("upload", way).set("quiet", "0s");
    });
    if way == "endpoint" {
        harness = harness.switch("confluence", "endpoint", "installed");
    }
    harness
}

fn wiki(harness: &Harness, command: &Value) {
    harness.sandbox.command("confluence", command).unwrap_or_else(|fault| panic!("{command}: {fault}"));
}

/// Runs, and changes the world after the survey and before the first write.
fn run_with_a_change(harness: &Harness, change: impl FnOnce(&Harness)) -> Ended {
    harness.sandbox.requests().reset();
    harness.sandbox.fault(Fault::new(Effect::HandleOnRelease {}).at("graph").on("POST", "*").times(1));
    let child = harness.spawn(&RUN);
    harness.until("the photos are asked for", |harness| {
        let asked = |entry: &avatarpipe_sandbox::requests::Entry| entry.simulator == "graph" && entry.method == "POST";
        harness.sandbox.requests().entries().iter().any(asked)
    });
    change(harness);
    harness.sandbox.faults().clear();
    harness.sandbox.faults().release();
    harness.wait(child, &RUN)
}

#[track_caller]
fn expect_line(ended: &Ended, account: &str, words: [&str; 3]) {
    let line = ended.line("confluence", account);
    let found = [&line["change"]["kind"], &line["reason"], &line["result"]].map(|word| word.as_str().unwrap_or("-"));
    ended.holds(found == words, &format!("{account}: {words:?}; found {found:?}"));
}

/// The name of `ada` passes to a newcomer.
fn hand_over(harness: &Harness) {
    wiki(harness, &json!({ "rename": { "name": "ada", "to": "ada.king" } }));
    wiki(harness, &json!({ "create": { "account": { "name": "ada", "key": "4028newcomer" } } }));
}

/// Nothing was ever done to the newcomer.
#[track_caller]
fn expect_untouched_newcomer(harness: &Harness) {
    let touched: Vec<_> =
        harness.sandbox.truth().writes.into_iter().filter(|write| write.account == "4028newcomer").collect();
    assert!(touched.is_empty(), "the newcomer was written to: {touched:?}");
    harness.expect_promises();
}

#[test]
fn a_name_that_passed_to_a_newcomer_since_the_survey_is_not_written_to() {
    for way in WAYS {
        let harness = harness(&["ada", "grace"], way);
        let ended = run_with_a_change(&harness, hand_over).expect_exit(3);
        expect_line(&ended, "ada", ["replace", "photo_new", "not_done"]);
        expect_untouched_newcomer(&harness);
        harness.expect_shown_in("confluence", &[("grace", Face("grace")), ("ada.king", Default)]);
    }
}

#[test]
fn a_name_that_passed_on_is_not_reverted_either() {
    for way in WAYS {
        let harness = harness(&["ada", "grace"], way);
        harness.run().expect_exit(0);
        harness.no_photo("ada");
        let ended = run_with_a_change(&harness, hand_over).expect_exit(3);
        expect_line(&ended, "ada", ["revert", "absent", "not_done"]);
        expect_untouched_newcomer(&harness);
        harness.expect_shown_in("confluence", &[("ada.king", Face("ada"))]);
    }
}

#[test]
fn a_choice_made_since_the_survey_stands() {
    for way in WAYS {
        let harness = harness(&["ada", "grace"], way);
        let ended = run_with_a_change(&harness, |harness| _ = harness.by_hand_in("confluence", "ada", "hand"));
        expect_line(&ended.expect_exit(3), "ada", ["replace", "photo_new", "not_done"]);
        let now = harness.account_in("confluence", "ada").now;
        assert!(now.kind == ShownKind::Custom && looks(&now.bytes).fits(&looks(&face("hand"))), "{way}: {}", now.id);
        harness.expect_shown_in("confluence", &[("grace", Face("grace"))]);
    }
}

/// Files of ours in the wiki, shown or not.
fn ours(harness: &Harness) -> usize {
    let truth = harness.sandbox.truth();
    truth.avatars.iter().filter(|file| file.simulator == "confluence" && file.creator != "world").count()
}

/// What the report says once, for everybody.
#[track_caller]
fn expect_note(ended: &Ended, words: &str) {
    let notes = ended.report()["notes"].to_string();
    ended.holds(notes.matches(words).count() == 1, &format!("one note with `{words}`, found {notes}"));
}

#[test]
fn what_may_not_be_removed_is_owed_and_fails_nobody() {
    let harness = harness(&["ada", "grace"], "xmlrpc");
    harness.run().expect_exit(0);
    let harness = harness.switch("confluence", "attachment_remove", "refused");
    for name in ["ada", "grace"] {
        harness.new_photo(name, "spare");
    }
    expect_note(&harness.run().expect_exit(0), "2 files of ours");
    assert!(looks(&harness.account_in("confluence", "ada").now.bytes).fits(&looks(&face("spare"))));
    let quiet = harness.run().expect_exit(0).expect_answer("nothing to do");
    expect_note(&quiet, "2 files of ours");
    assert_eq!(ours(&harness), 4);

    let harness = harness.switch("confluence", "attachment_remove", "allowed");
    harness.new_photo("ada", "hand");
    expect_note(&harness.run().expect_exit(0), "2 files of ours");
    harness.run().expect_exit(0);
    assert_eq!(ours(&harness), 2, "what was owed is gone");
    harness.run().expect_exit(0).expect_answer("nothing to do");
    harness.expect_shown_in("confluence", &[("ada", Face("hand")), ("grace", Face("spare"))]);
}

#[test]
fn a_file_of_the_persons_own_under_our_name_is_never_removed() {
    for way in WAYS {
        let harness = harness(&["ada"], way);
        harness.run().expect_exit(0);
        let file = harness.account_in("confluence", "ada").now.id;
        let upload = json!({ "upload": { "name": "ada", "picture": super::population::file("hand"), "file": file } });
        wiki(&harness, &upload);
        harness.new_photo("ada", "spare");
        expect_note(&harness.run().expect_exit(0), "named like ours");
        harness.run().expect_exit(0).expect_answer("nothing to do");
        let there = |avatar: &avatarpipe_sandbox::truth::Avatar| avatar.id == file && avatar.creator == "world";
        assert!(harness.sandbox.truth().avatars.iter().any(there), "{way}: the person's own file is there");
        harness.expect_shown_in("confluence", &[("ada", Face("spare"))]);
    }
}

#[test]
fn a_gateway_that_finds_nothing_proves_nothing() {
    let mut harness = harness(&["ada"], "xmlrpc");
    harness.run().expect_exit(0);
    let first = harness.account_in("confluence", "ada").now.id;
    harness.new_photo("ada", "spare");
    // Killed at the removal of the former file; at the next run something answers 404 for every file.
    harness.sandbox.fault(Fault::new(Effect::Delay { ms: 600_000 }).at("confluence").about("removeAttachment"));
    let mut child = harness.spawn(&RUN);
    harness.until("the removal arrives", |harness| {
        harness.account_in("confluence", "ada").now.id != first
            && harness.sandbox.requests().entries().iter().any(|entry| entry.path.contains("/download/attachments/"))
    });
    child.kill().expect("SIGKILL");
    child.wait().expect("the program is gone");
    harness.sandbox.faults().clear();
    harness.move_with_the_state_alone();
    let missing = Answer { status: 404, ..Answer::default() };
    harness.sandbox.fault(Fault::new(Effect::Answer(missing)).at("confluence").on("GET", "*/download/attachments/*"));
    harness.run().expect_exit(0);
    assert_eq!(ours(&harness), 2);
    harness.sandbox.faults().clear();
    harness.run().expect_exit(0);
    assert_eq!(ours(&harness), 1, "the file was not forgotten");
    harness.expect_shown_in("confluence", &[("ada", Face("spare"))]);
}

#[test]
fn newer_releases_are_matched_by_address_and_take_any_group() {
    let renamed = |wiki: &mut Wiki| {
        for account in &mut wiki.accounts {
            if account.name != "svc-avatars" {
                account.name = format!("{}.of.the.wiki", account.name);
                account.groups.push("all/people".to_owned());
            }
        }
    };
    let population = Population::of(&["ada", "grace"]).everywhere().wiki(renamed);
    let harness = Harness::connected(population.world()).with(|pipe| {
        pipe.without_target("jira").without_target("bitbucket");
        pipe.target("confluence").set("match", "[email]").set("accounts", "{ groups: ['all/people'] }");
    });
    // An older one is told what to write instead; nothing is written.
    harness.run().expect_exit(2).expect_answer("lists no e-mail addresses");
    let harness = harness.switch("confluence", "active_list", "on");
    harness.run().expect_exit(2).expect_answer("cannot be asked for such a name");
    let harness = harness.switch("confluence", "group_member", "on");
    harness.run().expect_exit(0);
    harness.expect_shown_in(
        "confluence",
        &[("ada.of.the.wiki", Face("ada")), ("grace.of.the.wiki", Face("grace")), ("svc-avatars", Default)],
    );
    harness.run().expect_exit(0).expect_answer("nothing to do");
}

#[test]
fn a_service_account_that_is_no_administrator_is_told_so() {
    let demoted = |wiki: &mut Wiki| {
        let ours = wiki.accounts.iter_mut().find(|account| account.name == "svc-avatars").expect("our account");
        // The role of whoever has none.
        ours.role = std::default::Default::default();
    };
    let harness = Harness::connected(Population::of(&["ada"]).everywhere().wiki(demoted).world()).with(|pipe| {
        pipe.without_target("jira").without_target("bitbucket");
    });
    harness.finish(&["auth", "pipeline.yaml"]).expect_exit(5).expect_answer("Confluence administrator");
    harness.sandbox.reset_writes();
    harness.finish(&["auth", "pipeline.yaml", "--probe"]).expect_exit(5).expect_answer("no Confluence administrator");
    assert!(harness.sandbox.truth().writes.is_empty(), "our own picture would prove nothing");
}
