//! A name that passes to somebody else in the very moment of a write: the picture is found, told first of all, and taken
//! back (promise P1).
//!
//! Owns: the confirming look at all accounts. Leaves to others: the read before each write, beside each protocol.
//! A newcomer gets wrong: the protocols leave only the time between their last read and the write itself.

use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use avatarpipe_sandbox::truth::ShownKind;
use serde_json::json;

use super::ended::Ended;
use super::harness::Harness;
use super::population::Population;
use super::truth::Shows::{Default, Face};

/// Ada has a photo; Grace has none, and gets Ada's name while Ada's picture is on its way.
fn renamed_meanwhile(target: &str, method: &str, path: &str, text: &str) -> (Harness, Ended) {
    let harness = Harness::connected(Population::of(&["ada", "grace"]).everywhere().world());
    harness.no_photo("grace");
    harness.sandbox.fault(Fault::new(Effect::HandleOnRelease {}).at(target).on(method, path).about(text).times(1));
    let arguments = ["run", "pipeline.yaml", "--report", "report"];
    let child = harness.spawn(&arguments);
    harness.until("the write is on its way", |harness| {
        harness.sandbox.faults().all().iter().any(|fault| fault.struck > 0)
    });
    for (name, to) in [("ada", "ada.old"), ("grace", "ada")] {
        let rename = json!({ "rename": { "name": name, "to": to } });
        harness.sandbox.command(target, &rename).unwrap_or_else(|fault| panic!("{rename}: {fault}"));
    }
    harness.sandbox.faults().release();
    let ended = harness.wait(child, &arguments);
    (harness, ended)
}

#[test]
fn a_picture_on_another_account_is_told_first_and_taken_back() {
    for (target, method, path, text) in [
        ("confluence", "POST", "*/rpc/xmlrpc", "addProfilePicture"),
        ("bitbucket", "POST", "*/avatar.png", ""),
        ("jira", "PUT", "*/user/avatar", ""),
    ] {
        println!("{target}");
        let (harness, ended) = renamed_meanwhile(target, method, path, text);
        let ended = ended.expect_exit(3).expect_answer("MISPLACED");
        let told = &ended.report()["misplaced"][0];
        let words = [&told["target"], &told["account"]["name"], &told["meant_for"]["name"], &told["taken_back"]];
        ended.holds(
            words == [&json!(target), &json!("ada"), &json!("ada"), &json!(true)],
            &format!("told of, found {told}"),
        );
        let newcomer = harness.account_in(target, "ada");
        assert_eq!(newcomer.now.kind, ShownKind::Default, "{target}: the newcomer shows the default again");
        // Whoever has the name by now has the picture in the next run, by right.
        let next = harness.run();
        assert_eq!(next.report()["misplaced"], json!([]), "{target}: {}", next.stdout);
    }
}

/// Jira stores any number, also that of another account's picture.
#[test]
fn another_accounts_picture_never_stays_whoever_may_choose() {
    for (of_grace, kind) in [("present", "replace"), ("absent", "revert"), ("unknown", "remove")] {
        let harness = Harness::of(Population::of(&["ada", "grace"]).world())
            .with(|pipe| _ = pipe.target("jira").set("ownership", "ours"));
        match of_grace {
            "absent" => harness.no_photo("grace"),
            "unknown" => harness.photo_fails("grace", "mailbox_not_hosted"),
            _ => {}
        }
        harness.run();
        let report = harness.jira(&json!({ "report": {} }));
        let accounts = report["accounts"].as_array().expect("accounts").iter();
        let chosen = accounts.clone().find(|account| account["name"] == "ada").expect("an account")["chosen"].clone();
        harness.jira(&json!({ "choose": { "name": "grace", "avatar": chosen } }));
        let ended = harness.run();
        let line = ended.line("jira", "grace");
        ended.holds(
            line["change"]["kind"] == kind && line["reason"] == "misplaced",
            &format!("{of_grace}: the picture goes, found {line}"),
        );
        let shows = if of_grace == "present" { Face("grace") } else { Default };
        harness.expect_shown_in("jira", &[("ada", Face("ada")), ("grace", shows)]);
    }
}

#[test]
fn whoever_uploads_meanwhile_or_shares_a_photo_is_not_misplaced() {
    let harness = Harness::connected(Population::of(&["ada", "grace", "alan"]).everywhere().world());
    // One photo for two: the wiki gives both files one name.
    harness.new_photo("grace", "ada");
    harness.no_photo("alan");
    harness.sandbox.fault(
        Fault::new(Effect::HandleOnRelease {})
            .at("confluence")
            .on("POST", "*/rpc/xmlrpc")
            .about("addProfilePicture")
            .times(1),
    );
    let arguments = ["run", "pipeline.yaml", "--report", "report"];
    let child = harness.spawn(&arguments);
    harness
        .until("a write is on its way", |harness| harness.sandbox.faults().all().iter().any(|fault| fault.struck > 0));
    for target in ["jira", "confluence", "bitbucket"] {
        harness.by_hand_in(target, "alan", "hand");
    }
    harness.sandbox.faults().release();
    let ended = harness.wait(child, &arguments).expect_exit(0);
    assert_eq!(ended.report()["misplaced"], json!([]));
    for target in ["confluence", "jira", "bitbucket"] {
        harness.expect_shown_in(target, &[("ada", Face("ada")), ("grace", Face("ada")), ("alan", Face("hand"))]);
    }
}

#[test]
fn an_answer_that_names_another_accounts_picture_deletes_nothing() {
    let harness = Harness::of(Population::of(&["ada"]).with_account("grace").world());
    let own = harness.by_hand("grace", "hand");
    let key = harness.account("ada").key;
    let body = json!({ "id": own.to_string(), "owner": key, "isSystemAvatar": false, "isSelected": false, "isDeletable": true });
    let lie = Answer { status: 201, body, ..Answer::default() };
    harness.sandbox.fault(Fault::new(Effect::HandleThenAnswer(lie)).at("jira").on("POST", "*/user/avatar").times(1));
    let ended = harness.run().expect_exit(6);
    ended.holds(ended.stdout.contains("nothing was deleted"), "told that nothing was deleted");
    // What was made is found by its looks, and shown.
    harness.run().expect_exit(0);
    harness.expect_shown_in("jira", &[("ada", Face("ada")), ("grace", Face("hand"))]);
    harness.expect_promises();
}

/// From some upload on, a proxy mixes sessions up: owner and number are right, and the face is not.
#[test]
fn sessions_that_get_mixed_up_in_the_middle_are_found_and_what_differs_is_taken_back() {
    let names: Vec<String> = (0..40).map(|nth| format!("p{nth:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let harness = Harness::of(Population::of(&names).world());
    let mixed = Effect::Special("wrong_picture".to_owned());
    harness.sandbox.fault(Fault::new(mixed).at("jira").on("POST", "*/user/avatar").after(16));
    let ended = harness.run().expect_exit(6).expect_answer("MISPLACED");
    let report = ended.report();
    let told = report["misplaced"].as_array().expect("a list");
    ended.holds(told.len() == 24 && told.iter().all(|one| one["taken_back"] == true), "each is told and taken back");
    for name in &names {
        let shown = harness.account_in("jira", name).now;
        let is_mixed = told.iter().any(|one| one["account"]["name"] == *name);
        assert_eq!(shown.kind == ShownKind::Default, is_mixed, "{name}: {shown:?}");
    }
    harness.sandbox.faults().clear();
    harness.run().expect_exit(0);
    let all: Vec<_> = names.iter().map(|name| (*name, Face(name))).collect();
    harness.expect_shown_in("jira", &all);
}

/// After the mix-up was found nothing can be looked at any more: nobody is called well, and the next run writes all of it again.
#[test]
fn what_cannot_be_looked_at_after_a_mix_up_is_told_and_written_again() {
    let names: Vec<String> = (0..12).map(|nth| format!("p{nth:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let harness = Harness::of(Population::of(&names).world());
    let mixed = Effect::Special("wrong_picture".to_owned());
    harness.sandbox.fault(Fault::new(mixed).at("jira").on("POST", "*/user/avatar").after(4));
    // The looks while it was written, and the first one after it.
    harness.sandbox.fault(Fault::new(Effect::status(404)).at("jira").on("GET", "*/secure/useravatar*").after(5));
    let ended = harness.run();
    let suspects = names.iter().filter(|name| {
        let line = ended.line("jira", name);
        line["error"]["code"] == "may_be_another" || line["error"]["code"] == "misplaced"
    });
    let suspects = suspects.count();
    ended.holds(suspects > 0, &format!("told of, found {suspects}"));
    harness.sandbox.faults().clear();
    harness.run().expect_exit(0);
    let all: Vec<_> = names.iter().map(|name| (*name, Face(name))).collect();
    harness.expect_shown_in("jira", &all);
}
