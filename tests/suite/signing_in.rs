//! `auth`: who we are everywhere, what we may, what is missing or too much, what expires when.

use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use avatarpipe_sandbox::google::world::Role;
use serde_json::{Value, json};

use super::ended::Ended;
use super::harness::Harness;
use super::population::Population;
use super::printed::expect_printed;
use super::truth::Shows::Default;

const AUTH: [&str; 2] = ["auth", "pipeline.yaml"];

fn told(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).expect("the answer is JSON")
}

fn as_json(harness: &Harness) -> Ended {
    harness.finish(&[&AUTH[..], &["--format", "json"]].concat())
}

#[test]
fn everybody_says_who_we_are_and_nothing_is_written() {
    let harness = Harness::tiny();
    let ended = harness.finish(&AUTH).expect_exit(0);
    expect_printed("auth-tiny", &harness, &ended);
    assert_eq!(harness.writes(), [""; 0]);
    assert!(!harness.path("state").exists(), "no state is made");
}

#[test]
fn five_systems_of_two_companies() {
    let harness = Harness::tiny();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/merged-companies.yaml");
    harness.write("merged.yaml", std::fs::read(file).expect("a pipeline file of the project"));
    let ended = harness.finish(&["auth", "merged.yaml", "--sandbox=merged"]).expect_exit(0);
    expect_printed("auth-merged", &harness, &ended);
}

#[test]
fn a_wrong_secret_hides_nobody_else() {
    let mut harness = Harness::with_people(&["ada"]);
    harness.set("ENTRA_SECRET", "canary~not/the+secret");
    let ended = as_json(&harness).expect_exit(5);
    let told = told(&ended);
    assert!(told["sources"][0]["failure"]["hint"].is_string(), "{told}");
    assert_eq!(told["targets"][0]["who"], "svc-avatars");
    assert_eq!(told["exit_code"], 5);
}

#[test]
fn a_wrong_address_hides_nobody_else() {
    let harness = Harness::with_people(&["ada"]).fault(Fault::new(Effect::status(404)).at("jira"));
    let told = told(&as_json(&harness).expect_exit(2));
    assert_eq!(told["sources"][0]["missing"], json!([]));
    assert!(told["targets"][0]["failure"]["found"].is_string(), "{told}");
}

const GROUP: &str = "11111111-2222-4333-8444-555555555555";

/// A wish to show no photo hangs on it, so it is asked for before the first run is.
#[test]
fn a_named_group_that_is_not_there_is_told() {
    let mut harness = Harness::with_people(&["ada"]);
    harness.edit(|pipe| _ = pipe.entra("users", &format!("{{ opted_out: [{{ group: {GROUP} }}] }}")));
    let told = told(&as_json(&harness).expect_exit(2));
    let hint = told["sources"][0]["failure"]["hint"].as_str().expect("a hint");
    assert!(hint.contains(GROUP) && hint.contains("is not there"), "{hint}");
    assert_eq!(told["targets"][0]["who"], "svc-avatars", "nobody else is hidden");
}

#[test]
fn what_is_missing_or_too_much_is_named() {
    for (roles, groups, exit, missing, too_much) in [
        (vec!["User.Read.All", "Mail.ReadWrite"], false, 0, json!([]), json!(["Mail.ReadWrite"])),
        (vec!["User.Read.All"], true, 5, json!(["GroupMember.ReadBasic.All"]), json!([])),
        (vec!["User.Read.All", "GroupMember.ReadBasic.All"], true, 0, json!([]), json!([])),
        (vec!["User.Read.All", "GroupMember.Read.All"], true, 0, json!([]), json!([])),
        (vec!["User.Read.All", "GroupMember.Read.All"], false, 0, json!([]), json!(["GroupMember.Read.All"])),
        (vec!["User.Read.All", "Directory.Read.All"], true, 0, json!([]), json!(["Directory.Read.All"])),
        (vec![], false, 5, json!(["User.Read.All"]), json!([])),
    ] {
        let population = Population::of(&["ada"]).group(GROUP, &["ada"], &[]);
        let mut harness = Harness::of(population.app_roles(&roles).world());
        if groups {
            harness.edit(|pipe| _ = pipe.entra("users", &format!("{{ groups: [{GROUP}] }}")));
        }
        let told = told(&as_json(&harness).expect_exit(exit));
        let source = &told["sources"][0];
        assert_eq!((&source["missing"], &source["too_much"]), (&missing, &too_much), "{roles:?}");
    }
    let plain = Population::of(&["ada"])
        .account("svc-avatars", |account| account.role = serde_json::from_value(json!("user")).unwrap());
    let told = told(&as_json(&Harness::of(plain.world())).expect_exit(5));
    assert_eq!(told["targets"][0]["missing"], json!(["Jira Administrators (ADMINISTER)"]));
}

#[test]
fn what_google_lacks_is_named_with_what_to_change_in_the_console() {
    let customer = || Population::of(&["ada"]).with_google(&["leslie"]);
    let scope = "https://www.googleapis.com/auth/admin.directory.user.readonly";
    let told_of = |population: Population, fault: Option<Fault>| {
        let harness = Harness::connected(population.world());
        fault.into_iter().for_each(|fault| _ = harness.sandbox.fault(fault));
        let told = told(&as_json(&harness).expect_exit(5));
        assert_eq!(told["targets"][0]["who"], "svc-avatars", "nobody else is hidden");
        told["sources"][1].clone()
    };
    let answer = |status: u16, reason: &str, message: &str| {
        let body = json!({ "error": { "code": status, "message": message,
            "errors": [{ "domain": "global", "reason": reason, "message": message }] } });
        let effect = Effect::Answer(Answer { status, body, ..Answer::default() });
        Some(Fault::new(effect).at("directory"))
    };
    for (source, lacks, remedy) in [
        (
            told_of(customer().google(|google| google.delegation[0].scopes.clear()), None),
            scope,
            "Domain-wide delegation: enter 104000000000000000001 with the scopes",
        ),
        (
            told_of(customer().google(|google| google.users[0].role = Role::Other), None),
            "an admin role that may read",
            "Account, Admin roles: give admin@fabrikam.example",
        ),
        (
            told_of(customer(), answer(403, "insufficientPermissions", "Insufficient Permission")),
            scope,
            "Domain-wide delegation: add the scope",
        ),
        (
            told_of(customer(), answer(403, "accessNotConfigured", "x has not been used in project 7 before")),
            "the Admin SDK API",
            "enable the Admin SDK API",
        ),
        (
            told_of(customer(), answer(403, "domainCannotUseApis", "Domain cannot use apis.")),
            "API access of the domain",
            "let the domain use APIs",
        ),
    ] {
        let missing = source["missing"][0].as_str().unwrap_or_else(|| panic!("nothing is missing: {source}"));
        assert!(missing.starts_with(lacks) && missing.contains(remedy), "{missing}");
        assert_eq!((&source["may"], &source["failure"]), (&json!([]), &Value::Null), "{source}");
    }
}

#[test]
fn a_probe_leaves_nothing_behind_but_a_row() {
    for by_token in [false, true] {
        let harness = Harness::with_people(&["ada"]).with(|pipe| {
            if by_token {
                pipe.by_token();
            }
        });
        let told = told(&harness.finish(&["auth", "pipeline.yaml", "--probe", "--format", "json"]).expect_exit(0));
        assert_eq!(
            told["targets"][0]["tried"][1],
            json!({ "route": "one_step", "told": "works", "why": null }),
            "{told}"
        );
        harness.expect_shown(&[("ada", Default), ("svc-avatars", Default)]);
        harness.finish(&["status", "pipeline.yaml"]).expect_exit(0).expect_answer("last success: none");
        harness.run().expect_exit(0);
    }
}
