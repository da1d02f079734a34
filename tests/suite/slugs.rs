//! Bitbucket's slugs: they pass to somebody else between survey and write, are claimed twice, or are no slugs at all; and
//! no face stands on another account for it (promise P1).
//!
//! Owns: what happens to a slug while a run is under way.
//! Leaves to others: the steps of a write (`load::bitbucket`), kills (`crash`).
//! A newcomer gets wrong: the account keeps its id and its picture when it is renamed; only the address is another one.

use avatarpipe_sandbox::faults::{Effect, Fault};
use serde_json::{Value, json};

use super::ended::Ended;
use super::harness::Harness;
use super::population::{Population, address};
use super::truth::Shows::{Default, Face};

/// A company with a Bitbucket alone.
pub(super) fn harness(names: &[&str]) -> Harness {
    harness_of(Population::of(names).everywhere())
}

fn harness_of(population: Population) -> Harness {
    let mut harness = Harness::of(population.world());
    harness.connect_git();
    harness.edit(|pipe| {
        pipe.top("rates", "{ fast: { units: 100000, per: 1s, burst: 100000, concurrency: 1 } }");
        pipe.top("limits", "{ reverts: { count: 9 }, target_drift: { count: 9 } }");
        pipe.without_target("jira");
        pipe.target("bitbucket").set("quiet", "0s");
    });
    harness
}

#[track_caller]
fn by_hand(harness: &Harness, command: &Value) {
    harness.sandbox.command("bitbucket", command).unwrap_or_else(|fault| panic!("{command}: {fault}"));
}

/// Runs, and changes the world when a request of this kind has arrived and is not handled yet.
#[track_caller]
fn meanwhile(harness: &Harness, method: &str, path: &str, change: impl FnOnce(&Harness)) -> Ended {
    meanwhile_after(harness, 0, method, path, change)
}

/// The same at a later one of such requests.
#[track_caller]
pub(super) fn meanwhile_after(
    harness: &Harness,
    nth: u32,
    method: &str,
    path: &str,
    change: impl FnOnce(&Harness),
) -> Ended {
    let held = Fault::new(Effect::HandleOnRelease {}).at("bitbucket").on(method, path).after(nth).times(1);
    harness.sandbox.requests().reset();
    harness.sandbox.fault(held);
    let arguments = ["run", "pipeline.yaml", "--report", "report"];
    let child = harness.spawn(&arguments);
    let arrived = |harness: &Harness| {
        let entries = harness.sandbox.requests().entries();
        // An earlier one may not be answered yet, and is another.
        let mut such = entries.iter().filter(|entry| entry.path.ends_with(path.trim_start_matches('*')));
        such.nth(nth as usize).is_some_and(|entry| entry.status.is_none())
    };
    harness.until("the request arrives", arrived);
    change(harness);
    harness.sandbox.faults().clear();
    harness.sandbox.faults().release();
    harness.wait(child, &arguments)
}

/// Ada gets another name, and somebody new gets hers.
fn pass_on(harness: &Harness) {
    by_hand(harness, &json!({ "rename": { "name": "ada", "to": "countess" } }));
    by_hand(harness, &json!({ "hire": { "name": "ada", "email": "new@contoso.example" } }));
}

/// Requests that would change something.
fn writes(harness: &Harness) -> Vec<String> {
    let entries = harness.sandbox.requests().entries().into_iter();
    let writes = entries.filter(|entry| entry.simulator == "bitbucket" && entry.method != "GET");
    writes.map(|entry| format!("{} {}", entry.method, entry.path)).collect()
}

#[test]
fn a_slug_that_passed_to_somebody_else_brings_no_face_there() {
    let harness = harness(&["ada", "grace"]);
    let ended = meanwhile(&harness, "GET", "*/users/ada", pass_on);
    let line = ended.expect_exit(3).line("bitbucket", "ada");
    assert_eq!((&line["result"], &line["error"]["code"]), (&json!("not_done"), &json!("changed_meanwhile")), "{line}");
    harness.expect_shown_in("bitbucket", &[("ada", Default), ("countess", Default), ("grace", Face("grace"))]);
    // By the next survey it is known who she is now.
    harness.run().expect_exit(0);
    harness.expect_shown_in("bitbucket", &[("ada", Default), ("countess", Face("ada"))]);
    harness.run().expect_exit(0).expect_answer("nothing to do");
}

#[test]
fn a_slug_that_passed_to_somebody_else_takes_no_picture_there() {
    let harness = harness(&["ada"]);
    harness.run().expect_exit(0);
    harness.no_photo("ada");
    let ended = meanwhile(&harness, "GET", "*/users/ada", |harness| {
        pass_on(harness);
        harness.by_hand_in("bitbucket", "ada", "hand");
    });
    ended.expect_exit(3);
    harness.expect_shown_in("bitbucket", &[("ada", Face("hand")), ("countess", Face("ada"))]);
    harness.run().expect_exit(0);
    harness.expect_shown_in("bitbucket", &[("ada", Face("hand")), ("countess", Default)]);
}

/// The directory knows nothing of the new name, and of the newcomer nothing at all: by the name alone she would be Ada.
#[test]
fn whoever_takes_over_a_name_does_not_get_the_face_that_stands_elsewhere() {
    let harness = harness(&["ada", "grace"]).with(|pipe| _ = pipe.target("bitbucket").set("match", "[username]"));
    harness.run().expect_exit(0);
    pass_on(&harness);
    let line = harness.run().expect_exit(0).line("bitbucket", "ada");
    assert_eq!((&line["change"]["kind"], &line["reason"]), (&json!("conflict"), &json!("conflict")), "{line}");
    harness.expect_shown_in("bitbucket", &[("ada", Default), ("countess", Face("ada")), ("grace", Face("grace"))]);
}

/// It passes on when the picture is on its way already: nothing can know that before.
#[test]
fn a_face_that_reached_somebody_else_is_taken_back_in_the_same_run() {
    let harness = harness(&["ada"]);
    let ended = meanwhile(&harness, "POST", "*/users/ada/avatar.png", pass_on).expect_exit(3);
    ended.holds(ended.report()["misplaced"][0]["taken_back"] == true, "told as taken back");
    harness.expect_shown_in("bitbucket", &[("ada", Default), ("countess", Default)]);
    harness.run().expect_exit(0);
    harness.expect_shown_in("bitbucket", &[("ada", Default), ("countess", Face("ada"))]);
}

#[test]
fn what_the_person_uploads_between_survey_and_write_stays() {
    for ownership in ["ours", "provider"] {
        let harness = harness(&["ada"]).with(|pipe| _ = pipe.target("bitbucket").set("ownership", ownership));
        let ended = meanwhile(&harness, "GET", "*/users/ada", |harness| {
            harness.by_hand_in("bitbucket", "ada", "hand");
        });
        ended.expect_exit(3);
        harness.expect_shown_in("bitbucket", &[("ada", Face("hand"))]);
    }
}

#[test]
fn two_accounts_that_claim_one_slug_are_left_alone() {
    let population = Population::of(&["ada", "grace"]).with_person("alan").everywhere();
    let harness = harness_of(population);
    by_hand(&harness, &json!({ "hire": { "name": "alan", "slug": "ADA", "email": address("alan") } }));
    let ended = harness.run();
    for name in ["ada", "alan"] {
        let line = ended.line("bitbucket", name);
        let told = line["detail"].as_str().unwrap_or_default().contains("slug");
        ended.holds(line["change"]["kind"] == "keep" && told, &format!("{name} is left alone, found {line}"));
    }
    harness.expect_shown_in("bitbucket", &[("ada", Default), ("alan", Default), ("grace", Face("grace"))]);
    let to_both = writes(&harness).into_iter().filter(|write| !write.contains("/grace/")).collect::<Vec<_>>();
    assert_eq!(to_both, [""; 0]);
}

#[test]
fn a_slug_that_is_none_shortens_no_address() {
    let odd = [".", "..", "a/b", "../svc-avatars", "%2e%2e", "a%2f..%2fsvc-avatars", "svc-avatars\\", "\t.."];
    let names: Vec<String> = (0..odd.len()).map(|nth| format!("p{nth}")).collect();
    let population = names.iter().fold(Population::of(&["grace"]), |population, name| population.with_person(name));
    let harness = harness_of(population.everywhere());
    for (slug, name) in odd.iter().zip(&names) {
        by_hand(&harness, &json!({ "hire": { "name": name, "slug": slug, "email": address(name) } }));
    }
    // What only has to be spelled rightly is served.
    by_hand(&harness, &json!({ "rename": { "name": "grace", "to": "grace", "slug": "gr?a#c;e&" } }));
    let ended = harness.run();
    for name in &names {
        let line = ended.line("bitbucket", name);
        ended.holds(line["change"]["kind"] == "keep", &format!("{name} is left alone, found {line}"));
        harness.expect_shown_in("bitbucket", &[(name, Default)]);
    }
    harness.expect_shown_in("bitbucket", &[("svc-avatars", Default), ("grace", Face("grace"))]);
    let to_others = writes(&harness).into_iter().filter(|write| !write.contains("/gr%3Fa%23c")).collect::<Vec<_>>();
    assert_eq!(to_others, [""; 0]);
}

fn by_token(population: Population) -> Harness {
    let population = population.git(|git| {
        let service = git.accounts.iter_mut().find(|account| account.name == "svc-avatars").expect("our own account");
        service.tokens = vec!["canaryGitToken0123".to_owned()];
    });
    let mut harness = harness_of(population);
    harness.set("GIT_TOKEN", "canaryGitToken0123");
    harness.edit(|pipe| _ = pipe.target("bitbucket").set("credential", "{ token: '${GIT_TOKEN}' }"));
    harness
}

/// A token cannot carry ADMIN, and may be shown the default in place of everybody's picture
/// (docs/wire/atlassian.md §13).
#[test]
fn a_token_stops_before_the_first_photo_and_says_what_to_write() {
    let harness = by_token(Population::of(&["ada", "grace", "alan"]).everywhere());
    harness.run().expect_exit(5).expect_answer("username");
    assert_eq!(writes(&harness), [""; 0]);
    harness.finish(&["auth", "pipeline.yaml"]).expect_exit(5).expect_answer("HTTP access token");
    let checked = harness.finish(&["check", "pipeline.yaml"]).expect_exit(0);
    checked.holds(checked.stderr.contains("HTTP access token"), "a warning of the token");
    // Where a server lets a token do it all the same, it is used.
    let harness = by_token(Population::of(&["ada"]).everywhere()).switch("bitbucket", "token_rights", "admin");
    harness.run().expect_exit(0);
    harness.expect_shown_in("bitbucket", &[("ada", Face("ada"))]);
}

#[test]
fn whoever_may_list_users_is_no_administrator_for_it() {
    let population = Population::of(&["ada"]).everywhere().git(|git| {
        git.accounts.iter_mut().for_each(|account| account.role = std::default::Default::default());
    });
    harness_of(population).finish(&["auth", "pipeline.yaml"]).expect_exit(5).expect_answer("global permission ADMIN");
}
