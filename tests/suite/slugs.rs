//! Bitbucket's slugs: they pass to somebody else between survey and write, are claimed twice, or are no slugs at all; and
//! no face stands on another account for it (promise P1).
//!
//! Owns: what happens to a slug while a run is under way.
//! Leaves to others: the steps of a write (`load::bitbucket`), kills (`crash`).
//! A newcomer gets wrong: the account keeps its id and its picture when it is renamed; only the address is another one.

use avatarpipe_sandbox::faults::{Effect, Fault};
use serde_json::{Value, json};

use super::company::{Company, address};
use super::ended::Ended;
use super::stage::Stage;
use super::truth::Shows::{Default, Face};

/// A company with a Bitbucket alone.
pub fn stage(names: &[&str]) -> Stage {
    stage_of(Company::of(names).everywhere())
}

fn stage_of(company: Company) -> Stage {
    let mut stage = Stage::of(company.world());
    stage.connect_git();
    stage.edit(|pipe| {
        pipe.top("rates", "{ fast: { units: 100000, per: 1s, burst: 100000, concurrency: 1 } }");
        pipe.top("limits", "{ reverts: { count: 9 }, target_drift: { count: 9 } }");
        pipe.without_target("jira");
        pipe.target("bitbucket").set("quiet", "0s");
    });
    stage
}

#[track_caller]
fn by_hand(stage: &Stage, command: &Value) {
    stage.sandbox.command("bitbucket", command).unwrap_or_else(|fault| panic!("{command}: {fault}"));
}

/// Runs, and changes the world when a request of this kind has arrived and is not handled yet.
#[track_caller]
fn meanwhile(stage: &Stage, method: &str, path: &str, change: impl FnOnce(&Stage)) -> Ended {
    meanwhile_after(stage, 0, method, path, change)
}

/// The same at a later one of such requests.
#[track_caller]
pub fn meanwhile_after(stage: &Stage, nth: u32, method: &str, path: &str, change: impl FnOnce(&Stage)) -> Ended {
    let held = Fault::new(Effect::HandleOnRelease {}).at("bitbucket").on(method, path).after(nth).times(1);
    stage.sandbox.requests().reset();
    stage.sandbox.fault(held);
    let arguments = ["run", "pipeline.yaml", "--report", "report"];
    let child = stage.spawn(&arguments);
    let arrived = |stage: &Stage| {
        let entries = stage.sandbox.requests().entries();
        // An earlier one may not be answered yet, and is another.
        let mut such = entries.iter().filter(|entry| entry.path.ends_with(path.trim_start_matches('*')));
        such.nth(nth as usize).is_some_and(|entry| entry.status.is_none())
    };
    stage.until("the request arrives", arrived);
    change(stage);
    stage.sandbox.faults().clear();
    stage.sandbox.faults().release();
    stage.wait(child, &arguments)
}

/// Ada gets another name, and somebody new gets hers.
fn pass_on(stage: &Stage) {
    by_hand(stage, &json!({ "rename": { "name": "ada", "to": "countess" } }));
    by_hand(stage, &json!({ "hire": { "name": "ada", "email": "new@contoso.example" } }));
}

/// Requests that would change something.
fn writes(stage: &Stage) -> Vec<String> {
    let entries = stage.sandbox.requests().entries().into_iter();
    let writes = entries.filter(|entry| entry.simulator == "bitbucket" && entry.method != "GET");
    writes.map(|entry| format!("{} {}", entry.method, entry.path)).collect()
}

#[test]
fn a_slug_that_passed_to_somebody_else_brings_no_face_there() {
    let stage = stage(&["ada", "grace"]);
    let ended = meanwhile(&stage, "GET", "*/users/ada", pass_on);
    let line = ended.expect_exit(3).line("bitbucket", "ada");
    assert_eq!((&line["result"], &line["error"]["code"]), (&json!("not_done"), &json!("changed_meanwhile")), "{line}");
    stage.expect_shown_in("bitbucket", &[("ada", Default), ("countess", Default), ("grace", Face("grace"))]);
    // By the next survey it is known who she is now.
    stage.run().expect_exit(0);
    stage.expect_shown_in("bitbucket", &[("ada", Default), ("countess", Face("ada"))]);
    stage.run().expect_exit(0).expect_answer("nothing to do");
}

#[test]
fn a_slug_that_passed_to_somebody_else_takes_no_picture_there() {
    let stage = stage(&["ada"]);
    stage.run().expect_exit(0);
    stage.no_photo("ada");
    let ended = meanwhile(&stage, "GET", "*/users/ada", |stage| {
        pass_on(stage);
        stage.by_hand_in("bitbucket", "ada", "hand");
    });
    ended.expect_exit(3);
    stage.expect_shown_in("bitbucket", &[("ada", Face("hand")), ("countess", Face("ada"))]);
    stage.run().expect_exit(0);
    stage.expect_shown_in("bitbucket", &[("ada", Face("hand")), ("countess", Default)]);
}

/// The directory knows nothing of the new name, and of the newcomer nothing at all: by the name alone she would be Ada.
#[test]
fn whoever_takes_over_a_name_does_not_get_the_face_that_stands_elsewhere() {
    let stage = stage(&["ada", "grace"]).with(|pipe| _ = pipe.target("bitbucket").set("match", "[username]"));
    stage.run().expect_exit(0);
    pass_on(&stage);
    let line = stage.run().expect_exit(0).line("bitbucket", "ada");
    assert_eq!((&line["change"]["kind"], &line["reason"]), (&json!("conflict"), &json!("conflict")), "{line}");
    stage.expect_shown_in("bitbucket", &[("ada", Default), ("countess", Face("ada")), ("grace", Face("grace"))]);
}

/// It passes on when the picture is on its way already: nothing can know that before.
#[test]
fn a_face_that_reached_somebody_else_is_taken_back_in_the_same_run() {
    let stage = stage(&["ada"]);
    let ended = meanwhile(&stage, "POST", "*/users/ada/avatar.png", pass_on).expect_exit(3);
    ended.holds(ended.report()["misplaced"][0]["taken_back"] == true, "told as taken back");
    stage.expect_shown_in("bitbucket", &[("ada", Default), ("countess", Default)]);
    stage.run().expect_exit(0);
    stage.expect_shown_in("bitbucket", &[("ada", Default), ("countess", Face("ada"))]);
}

#[test]
fn what_the_person_uploads_between_survey_and_write_stays() {
    for ownership in ["ours", "provider"] {
        let stage = stage(&["ada"]).with(|pipe| _ = pipe.target("bitbucket").set("ownership", ownership));
        let ended = meanwhile(&stage, "GET", "*/users/ada", |stage| {
            stage.by_hand_in("bitbucket", "ada", "hand");
        });
        ended.expect_exit(3);
        stage.expect_shown_in("bitbucket", &[("ada", Face("hand"))]);
    }
}

#[test]
fn two_accounts_that_claim_one_slug_are_left_alone() {
    let company = Company::of(&["ada", "grace"]).with_person("alan").everywhere();
    let stage = stage_of(company);
    by_hand(&stage, &json!({ "hire": { "name": "alan", "slug": "ADA", "email": address("alan") } }));
    let ended = stage.run();
    for name in ["ada", "alan"] {
        let line = ended.line("bitbucket", name);
        let told = line["detail"].as_str().unwrap_or_default().contains("slug");
        ended.holds(line["change"]["kind"] == "keep" && told, &format!("{name} is left alone, found {line}"));
    }
    stage.expect_shown_in("bitbucket", &[("ada", Default), ("alan", Default), ("grace", Face("grace"))]);
    let to_both = writes(&stage).into_iter().filter(|write| !write.contains("/grace/")).collect::<Vec<_>>();
    assert_eq!(to_both, [""; 0]);
}

#[test]
fn a_slug_that_is_none_shortens_no_address() {
    let odd = [".", "..", "a/b", "../svc-avatars", "%2e%2e", "a%2f..%2fsvc-avatars", "svc-avatars\\", "\t.."];
    let names: Vec<String> = (0..odd.len()).map(|nth| format!("p{nth}")).collect();
    let company = names.iter().fold(Company::of(&["grace"]), |company, name| company.with_person(name));
    let stage = stage_of(company.everywhere());
    for (slug, name) in odd.iter().zip(&names) {
        by_hand(&stage, &json!({ "hire": { "name": name, "slug": slug, "email": address(name) } }));
    }
    // What only has to be spelled rightly is served.
    by_hand(&stage, &json!({ "rename": { "name": "grace", "to": "grace", "slug": "gr?a#c;e&" } }));
    let ended = stage.run();
    for name in &names {
        let line = ended.line("bitbucket", name);
        ended.holds(line["change"]["kind"] == "keep", &format!("{name} is left alone, found {line}"));
        stage.expect_shown_in("bitbucket", &[(name, Default)]);
    }
    stage.expect_shown_in("bitbucket", &[("svc-avatars", Default), ("grace", Face("grace"))]);
    let to_others = writes(&stage).into_iter().filter(|write| !write.contains("/gr%3Fa%23c")).collect::<Vec<_>>();
    assert_eq!(to_others, [""; 0]);
}

fn by_token(company: Company) -> Stage {
    let company = company.git(|git| {
        let service = git.accounts.iter_mut().find(|account| account.name == "svc-avatars").expect("our own account");
        service.tokens = vec!["canaryGitToken0123".to_owned()];
    });
    let mut stage = stage_of(company);
    stage.set("GIT_TOKEN", "canaryGitToken0123");
    stage.edit(|pipe| _ = pipe.target("bitbucket").set("credential", "{ token: '${GIT_TOKEN}' }"));
    stage
}

/// A token cannot carry ADMIN, and may be shown the default in place of everybody's picture
/// (docs/wire/atlassian.md §13).
#[test]
fn a_token_stops_at_the_first_refusal_and_says_what_to_write() {
    let stage = by_token(Company::of(&["ada", "grace", "alan"]).everywhere());
    stage.run().expect_exit(5).expect_answer("username");
    assert_eq!(writes(&stage).len(), 1, "{:?}", writes(&stage));
    stage.finish(&["auth", "pipeline.yaml"]).expect_exit(5).expect_answer("HTTP access token");
    let checked = stage.finish(&["check", "pipeline.yaml"]).expect_exit(0);
    checked.holds(checked.stderr.contains("HTTP access token"), "a warning of the token");
    // Where a server lets a token do it all the same, it is used.
    let stage = by_token(Company::of(&["ada"]).everywhere()).switch("bitbucket", "token_rights", "admin");
    stage.run().expect_exit(0);
    stage.expect_shown_in("bitbucket", &[("ada", Face("ada"))]);
}

#[test]
fn whoever_may_list_users_is_no_administrator_for_it() {
    let company = Company::of(&["ada"]).everywhere().git(|git| {
        git.accounts.iter_mut().for_each(|account| account.role = std::default::Default::default());
    });
    stage_of(company).finish(&["auth", "pipeline.yaml"]).expect_exit(5).expect_answer("global permission ADMIN");
}
