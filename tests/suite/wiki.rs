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

use super::company::{Company, face};
use super::ended::Ended;
use super::stage::Stage;
use super::truth::Shows::{Default, Face};
use super::truth::looks;

/// The ways that pictures go there.
const WAYS: [&str; 2] = ["xmlrpc", "endpoint"];

const RUN: [&str; 4] = ["run", "pipeline.yaml", "--report", "report"];

/// These people and nothing but a Confluence, one write after the other.
fn stage(names: &[&str], way: &str) -> Stage {
    let mut stage = Stage::connected(Company::of(names).everywhere().world()).with(|pipe| {
        pipe.without_target("jira").without_target("bitbucket");
        pipe.top("rates", "{ fast: { units: 100000, per: 1s, burst: 100000, concurrency: 1 } }");
        pipe.target("confluence").set("upload", way).set("quiet", "0s");
    });
    if way == "endpoint" {
        stage = stage.switch("confluence", "endpoint", "installed");
    }
    stage
}

fn wiki(stage: &Stage, command: &Value) {
    stage.sandbox.command("confluence", command).unwrap_or_else(|fault| panic!("{command}: {fault}"));
}

/// Runs, and changes the world after the survey and before the first write.
fn run_with_a_change(stage: &Stage, change: impl FnOnce(&Stage)) -> Ended {
    stage.sandbox.requests().reset();
    stage.sandbox.fault(Fault::new(Effect::HandleOnRelease {}).at("graph").on("POST", "*").times(1));
    let child = stage.spawn(&RUN);
    stage.until("the photos are asked for", |stage| {
        let asked = |entry: &avatarpipe_sandbox::requests::Entry| entry.simulator == "graph" && entry.method == "POST";
        stage.sandbox.requests().entries().iter().any(asked)
    });
    change(stage);
    stage.sandbox.faults().clear();
    stage.sandbox.faults().release();
    stage.wait(child, &RUN)
}

#[track_caller]
fn expect_line(ended: &Ended, account: &str, words: [&str; 3]) {
    let line = ended.line("confluence", account);
    let found = [&line["change"]["kind"], &line["reason"], &line["result"]].map(|word| word.as_str().unwrap_or("-"));
    ended.holds(found == words, &format!("{account}: {words:?}; found {found:?}"));
}

/// The name of `ada` passes to a newcomer.
fn hand_over(stage: &Stage) {
    wiki(stage, &json!({ "rename": { "name": "ada", "to": "ada.king" } }));
    wiki(stage, &json!({ "create": { "account": { "name": "ada", "key": "4028newcomer" } } }));
}

/// Nothing was ever done to the newcomer.
#[track_caller]
fn expect_untouched_newcomer(stage: &Stage) {
    let touched: Vec<_> =
        stage.sandbox.truth().writes.into_iter().filter(|write| write.account == "4028newcomer").collect();
    assert!(touched.is_empty(), "the newcomer was written to: {touched:?}");
    stage.expect_promises();
}

#[test]
fn a_name_that_passed_to_a_newcomer_since_the_survey_is_not_written_to() {
    for way in WAYS {
        let stage = stage(&["ada", "grace"], way);
        let ended = run_with_a_change(&stage, hand_over).expect_exit(3);
        expect_line(&ended, "ada", ["replace", "photo_new", "not_done"]);
        expect_untouched_newcomer(&stage);
        stage.expect_shown_in("confluence", &[("grace", Face("grace")), ("ada.king", Default)]);
    }
}

#[test]
fn a_name_that_passed_on_is_not_reverted_either() {
    for way in WAYS {
        let stage = stage(&["ada", "grace"], way);
        stage.run().expect_exit(0);
        stage.no_photo("ada");
        let ended = run_with_a_change(&stage, hand_over).expect_exit(3);
        expect_line(&ended, "ada", ["revert", "absent", "not_done"]);
        expect_untouched_newcomer(&stage);
        stage.expect_shown_in("confluence", &[("ada.king", Face("ada"))]);
    }
}

#[test]
fn a_choice_made_since_the_survey_stands() {
    for way in WAYS {
        let stage = stage(&["ada", "grace"], way);
        let ended = run_with_a_change(&stage, |stage| _ = stage.by_hand_in("confluence", "ada", "hand"));
        expect_line(&ended.expect_exit(3), "ada", ["replace", "photo_new", "not_done"]);
        let now = stage.account_in("confluence", "ada").now;
        assert!(now.kind == ShownKind::Custom && looks(&now.bytes).fits(&looks(&face("hand"))), "{way}: {}", now.id);
        stage.expect_shown_in("confluence", &[("grace", Face("grace"))]);
    }
}

/// Files of ours in the wiki, shown or not.
fn ours(stage: &Stage) -> usize {
    let truth = stage.sandbox.truth();
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
    let stage = stage(&["ada", "grace"], "xmlrpc");
    stage.run().expect_exit(0);
    let stage = stage.switch("confluence", "attachment_remove", "refused");
    for name in ["ada", "grace"] {
        stage.new_photo(name, "spare");
    }
    expect_note(&stage.run().expect_exit(0), "2 files of ours");
    assert!(looks(&stage.account_in("confluence", "ada").now.bytes).fits(&looks(&face("spare"))));
    let quiet = stage.run().expect_exit(0).expect_answer("nothing to do");
    expect_note(&quiet, "2 files of ours");
    assert_eq!(ours(&stage), 4);

    let stage = stage.switch("confluence", "attachment_remove", "allowed");
    stage.new_photo("ada", "hand");
    expect_note(&stage.run().expect_exit(0), "2 files of ours");
    stage.run().expect_exit(0);
    assert_eq!(ours(&stage), 2, "what was owed is gone");
    stage.run().expect_exit(0).expect_answer("nothing to do");
    stage.expect_shown_in("confluence", &[("ada", Face("hand")), ("grace", Face("spare"))]);
}

#[test]
fn a_file_of_the_persons_own_under_our_name_is_never_removed() {
    for way in WAYS {
        let stage = stage(&["ada"], way);
        stage.run().expect_exit(0);
        let file = stage.account_in("confluence", "ada").now.id;
        let upload = json!({ "upload": { "name": "ada", "picture": super::company::file("hand"), "file": file } });
        wiki(&stage, &upload);
        stage.new_photo("ada", "spare");
        expect_note(&stage.run().expect_exit(0), "named like ours");
        stage.run().expect_exit(0).expect_answer("nothing to do");
        let there = |avatar: &avatarpipe_sandbox::truth::Avatar| avatar.id == file && avatar.creator == "world";
        assert!(stage.sandbox.truth().avatars.iter().any(there), "{way}: the person's own file is there");
        stage.expect_shown_in("confluence", &[("ada", Face("spare"))]);
    }
}

#[test]
fn a_gateway_that_finds_nothing_proves_nothing() {
    let mut stage = stage(&["ada"], "xmlrpc");
    stage.run().expect_exit(0);
    let first = stage.account_in("confluence", "ada").now.id;
    stage.new_photo("ada", "spare");
    // Killed at the removal of the former file; at the next run something answers 404 for every file.
    stage.sandbox.fault(Fault::new(Effect::Delay { ms: 600_000 }).at("confluence").about("removeAttachment"));
    let mut child = stage.spawn(&RUN);
    stage.until("the removal arrives", |stage| {
        stage.account_in("confluence", "ada").now.id != first
            && stage.sandbox.requests().entries().iter().any(|entry| entry.path.contains("/download/attachments/"))
    });
    child.kill().expect("SIGKILL");
    child.wait().expect("the program is gone");
    stage.sandbox.faults().clear();
    stage.move_with_the_state_alone();
    let missing = Answer { status: 404, ..Answer::default() };
    stage.sandbox.fault(Fault::new(Effect::Answer(missing)).at("confluence").on("GET", "*/download/attachments/*"));
    stage.run().expect_exit(0);
    assert_eq!(ours(&stage), 2);
    stage.sandbox.faults().clear();
    stage.run().expect_exit(0);
    assert_eq!(ours(&stage), 1, "the file was not forgotten");
    stage.expect_shown_in("confluence", &[("ada", Face("spare"))]);
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
    let company = Company::of(&["ada", "grace"]).everywhere().wiki(renamed);
    let stage = Stage::connected(company.world()).with(|pipe| {
        pipe.without_target("jira").without_target("bitbucket");
        pipe.target("confluence").set("match", "[email]").set("accounts", "{ groups: ['all/people'] }");
    });
    // An older one is told what to write instead; nothing is written.
    stage.run().expect_exit(2).expect_answer("lists no e-mail addresses");
    let stage = stage.switch("confluence", "active_list", "on");
    stage.run().expect_exit(2).expect_answer("cannot be asked for such a name");
    let stage = stage.switch("confluence", "group_member", "on");
    stage.run().expect_exit(0);
    stage.expect_shown_in(
        "confluence",
        &[("ada.of.the.wiki", Face("ada")), ("grace.of.the.wiki", Face("grace")), ("svc-avatars", Default)],
    );
    stage.run().expect_exit(0).expect_answer("nothing to do");
}

#[test]
fn a_service_account_that_is_no_administrator_is_told_so() {
    let demoted = |wiki: &mut Wiki| {
        let ours = wiki.accounts.iter_mut().find(|account| account.name == "svc-avatars").expect("our account");
        // The role of whoever has none.
        ours.role = std::default::Default::default();
    };
    let stage = Stage::connected(Company::of(&["ada"]).everywhere().wiki(demoted).world()).with(|pipe| {
        pipe.without_target("jira").without_target("bitbucket");
    });
    stage.finish(&["auth", "pipeline.yaml"]).expect_exit(5).expect_answer("Confluence administrator");
    stage.sandbox.reset_writes();
    stage.finish(&["auth", "pipeline.yaml", "--probe"]).expect_exit(5).expect_answer("no Confluence administrator");
    assert!(stage.sandbox.truth().writes.is_empty(), "our own picture would prove nothing");
}
