//! Every limit (pipelines/README.md, "Limits, report, state"), broken once: its refusal, that nothing is written to
//! what it stops, that others go on, and that `--allow` passes exactly the number found.
//!
//! A newcomer gets wrong: a limit of a source stops what that source feeds; a target that another source feeds goes on.

use serde_json::{Value, json};

use super::company::{Company, address, bought, face};
use super::stage::Stage;
use super::truth::Shows::{Default, Face};
use super::truth::looks;

const PEOPLE: [&str; 4] = ["ada", "grace", "alan", "edsger"];

/// A limit that is broken.
struct Limit {
    name: &'static str,
    /// What is written in the file.
    file: &'static str,
    /// What is found.
    value: u64,
    /// Breaks it, in a company that was served well.
    breaks: fn(&mut Stage),
    /// Everybody's face once it was let pass.
    then: [&'static str; 4],
}

/// What is done to the world.
type Act = fn(&Stage);

const NOBODY: &str = "";

const LIMITS: [Limit; 9] = [
    Limit {
        name: "reverts",
        file: "{ reverts: { count: 1 } }",
        value: 2,
        breaks: |stage| ["ada", "grace"].iter().for_each(|name| stage.no_photo(name)),
        then: [NOBODY, NOBODY, "alan", "edsger"],
    },
    Limit {
        name: "replacements",
        file: "{ replacements: { count: 2 } }",
        value: 3, // with Leslie
        breaks: |stage| {
            stage.new_photo("ada", "spare");
            stage.new_photo("grace", "hand");
        },
        then: ["spare", "hand", "alan", "edsger"],
    },
    Limit {
        name: "foreign",
        file: "{ foreign: { count: 1 } }",
        value: 2,
        breaks: |stage| ["ada", "grace"].iter().for_each(|name| _ = stage.by_hand(name, "hand")),
        then: PEOPLE,
    },
    Limit {
        name: "reassigned",
        file: "{ reassigned: { count: 1 } }",
        value: 2,
        breaks: |stage| write_map(stage, &[("ada", "grace"), ("grace", "ada"), ("alan", "alan"), ("edsger", "edsger")]),
        then: ["grace", "ada", "alan", "edsger"],
    },
    Limit {
        name: "unknown",
        file: "{ unknown: { count: 1 } }",
        value: 2,
        breaks: |stage| ["ada", "grace"].iter().for_each(|name| stage.photo_fails(name, "extension_error")),
        then: PEOPLE,
    },
    Limit {
        name: "source_shrink",
        file: "{ source_shrink: { count: 1 } }",
        value: 2,
        breaks: |stage| ["ada", "grace"].iter().for_each(|name| stage.deleted(name)),
        then: PEOPLE,
    },
    Limit {
        name: "target_shrink",
        file: "{ target_shrink: { count: 1 } }",
        value: 2,
        breaks: |stage| {
            let mut fewer = stage.sandbox.backup("jira").expect("a backup");
            let accounts = fewer.value["accounts"].as_object_mut().expect("the accounts by key");
            accounts.retain(|_, account| account["name"] != "one" && account["name"] != "two");
            stage.sandbox.restore("jira", &fewer).expect("fewer accounts");
        },
        then: PEOPLE,
    },
    Limit {
        name: "target_drift",
        file: "{ target_drift: { count: 1 } }",
        value: 2,
        breaks: |stage| ["ada", "grace"].iter().for_each(|name| _ = stage.by_hand(name, "hand")),
        then: PEOPLE,
    },
    Limit {
        name: "same_picture",
        file: "{ same_picture: { count: 2 } }",
        value: 3,
        breaks: |stage| ["ada", "grace", "alan"].iter().for_each(|name| stage.new_photo(name, "spare")),
        then: PEOPLE,
    },
];

/// Entra feeds the Jira alone; Leslie of Google has an account in the Jira and in the intern one.
fn stage() -> Stage {
    let company = Company::of(&[]).with_google(&["leslie"]).with_second_jira("intern");
    let company = PEOPLE.iter().fold(company, |company, name| company.with_person(name).with_account(name));
    let company = company.with_account("one").with_account("two");
    let mut stage = Stage::connected(company.world());
    stage.connect_jira_again("intern");
    stage.edit(|pipe| {
        pipe.top("transform", "{ hash: { same_picture: 2 } }");
        pipe.jira("match", "{ map: users.csv }");
    });
    write_map(&stage, &PEOPLE.map(|name| (name, name)));
    stage
}

fn write_map(stage: &Stage, people: &[(&str, &str)]) {
    let lines = people.iter().map(|(person, account)| format!("{},{account}\n", address(person)));
    let lines: String = lines.chain([format!("{},leslie\n", bought("leslie"))]).collect();
    stage.write("users.csv", format!("person,account\n{lines}"));
}

/// What the program said of its limits.
fn refusal(answer: &str) -> String {
    let (_, from) = answer.split_once("\nlimits\n").unwrap_or_default();
    from.lines().take_while(|line| line.starts_with("  ")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn each_limit_stops_its_own_and_passes_exactly_its_number() {
    let mut told = String::new();
    for limit in &LIMITS {
        println!("limit: {}", limit.name);
        let mut stage = stage();
        stage.run().expect_exit(0);
        stage.edit(|pipe| _ = pipe.top("limits", limit.file));
        (limit.breaks)(&mut stage);
        let photo = json!({ "photo": { "user": bought("leslie"), "now": { "file": "faces/spare.png" } } });
        stage.sandbox.command("directory", &photo).expect("another photo");
        stage.sandbox.reset_writes();

        let allow = |number: u64| format!("{}={number}", limit.name);
        let stopped = stage.run().expect_exit(4).expect_answer(&format!("--allow {}", allow(limit.value)));
        told += &refusal(&stopped.stdout);
        let leslie = looks(&stage.account_in("intern", "leslie").now.bytes);
        assert!(leslie.fits(&looks(&face("spare"))), "{}: the intern Jira is served all the same", limit.name);
        for number in [limit.value - 1, limit.value + 1] {
            stage.run_with(&["--allow", &allow(number)]).expect_exit(4);
        }
        stage.plan_with(&[]).expect_exit(4);
        stage.plan_with(&["--allow", &allow(limit.value)]).expect_exit(0);
        let others = LIMITS.iter().filter(|other| other.name != limit.name);
        let others: Vec<String> = others.map(|other| format!("--allow={}={}", other.name, limit.value)).collect();
        stage.run_with(&others.iter().map(String::as_str).collect::<Vec<_>>()).expect_exit(4);
        let written = stage.sandbox.truth().writes;
        assert!(written.iter().all(|write| write.simulator != "jira"), "{}: {written:#?}", limit.name);

        let passed =
            stage.run_with(&["--allow", &allow(limit.value)]).expect_exit(0).expect_answer("let pass by --allow");
        told += &refusal(&passed.stdout);
        for (name, shows) in PEOPLE.into_iter().zip(limit.then) {
            stage.expect_shown(&[(name, if shows == NOBODY { Default } else { Face(shows) })]);
        }
        stage.expect_shown(&[("leslie", Face("spare"))]);
    }
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("limits", told);
    });
}

#[test]
fn a_count_or_a_share_breaks_a_limit_and_a_share_counts_from_shares_from_on() {
    // Two of four pictures would go.
    for (limits, exit) in [
        ("{ reverts: { count: 1, share: 100% }, shares_from: 1 }", 4),
        ("{ reverts: { count: 9, share: 49% }, shares_from: 4 }", 4),
        ("{ reverts: { share: 49% }, shares_from: 4 }", 4),
        ("{ reverts: { share: 50% }, shares_from: 4 }", 0),
        ("{ reverts: { share: 49% }, shares_from: 5 }", 0),
        ("{ reverts: { count: 1, share: 49% }, shares_from: 5 }", 4),
        ("{ reverts: { count: 2, share: 50% }, shares_from: 4 }", 0),
    ] {
        println!("{limits}");
        let stage = Stage::company(&PEOPLE).with(|pipe| _ = pipe.top("limits", limits));
        stage.run().expect_exit(0);
        stage.no_photo("ada");
        stage.no_photo("grace");
        stage.run().expect_exit(exit);
        let gone = |name| if exit == 0 { Default } else { Face(name) };
        stage.expect_shown(&[("ada", gone("ada")), ("grace", gone("grace")), ("alan", Face("alan"))]);
    }
}

/// What was let pass once is settled: "known last time" is what the last run knew that was let pass.
#[test]
fn photos_that_were_given_up_once_stop_no_later_run() {
    let stage = Stage::company(&PEOPLE).with(|pipe| _ = pipe.top("limits", "{ unknown: { count: 1 } }"));
    stage.run().expect_exit(0);
    let lose = |names: &[&str]| names.iter().for_each(|name| stage.photo_fails(name, "extension_error"));
    lose(&["ada", "grace"]);
    for _ in 0..2 {
        stage.run().expect_exit(4).expect_answer("--allow unknown=2");
    }
    stage.run_with(&["--allow", "unknown=2"]).expect_exit(0);
    for _ in 0..2 {
        stage.run().expect_exit(0);
    }
    // One more is within the limit, and settled by that.
    lose(&["alan"]);
    stage.run().expect_exit(0);
    stage.new_photo("ada", "ada");
    stage.new_photo("grace", "grace");
    stage.run().expect_exit(0);
    lose(&["ada", "grace"]);
    stage.run().expect_exit(4).expect_answer("unknown of entra: found 2 of 3");
    stage.expect_shown(&PEOPLE.map(|name| (name, Face(name))));
}

/// Two targets find different numbers for one limit: each has to be named.
#[test]
fn a_number_is_allowed_for_each_target() {
    let mut stage = Stage::connected(Company::of(&PEOPLE).with_second_jira("intern").world());
    stage.connect_jira_again("intern");
    stage.edit(|pipe| {
        _ = pipe.top("limits", "{ reverts: { count: 1 } }").last_target().set("accounts", "{ exclude: [alan] }")
    });
    stage.run().expect_exit(0);
    ["ada", "grace", "alan"].iter().for_each(|name| stage.no_photo(name));
    stage.run_with(&["--allow", "reverts=3"]).expect_exit(4).expect_answer("--allow reverts=2");
    stage.expect_shown_in("intern", &[("ada", Face("ada")), ("grace", Face("grace"))]);
    stage.expect_shown_in("jira", &[("ada", Default), ("grace", Default), ("alan", Default)]);
    stage.run_with(&["--allow", "reverts=2"]).expect_exit(0);
    stage.expect_shown_in("intern", &[("ada", Default), ("grace", Default)]);

    // Both at once.
    let mut stage = Stage::connected(Company::of(&PEOPLE).with_second_jira("intern").world());
    stage.connect_jira_again("intern");
    stage.edit(|pipe| {
        _ = pipe.top("limits", "{ reverts: { count: 1 } }").last_target().set("accounts", "{ exclude: [alan] }")
    });
    stage.run().expect_exit(0);
    ["ada", "grace", "alan"].iter().for_each(|name| stage.no_photo(name));
    stage.run_with(&["--allow", "reverts=3", "--allow", "reverts=2"]).expect_exit(0);
    stage.expect_shown_in("intern", &[("ada", Default), ("grace", Default)]);
    stage.expect_shown_in("jira", &[("ada", Default), ("grace", Default), ("alan", Default)]);
}

/// A source feeds a target also where all of its people there are gone.
#[test]
fn a_listing_without_anybody_of_a_target_stops_that_target() {
    let company = Company::of(&["ada", "grace"]).with_person("nobody-of-the-jira");
    let stage = Stage::of(company.world()).with(|pipe| {
        pipe.top("transform", "{ fallback: { gone: default } }");
        pipe.top("limits", "{ source_shrink: { count: 1 } }");
    });
    stage.run().expect_exit(0);
    stage.sandbox.reset_writes();
    stage.deleted("ada");
    stage.deleted("grace");
    stage.run().expect_exit(4).expect_answer("source_shrink of entra: found 2 of 3");
    assert_eq!(stage.sandbox.truth().writes, []);
    stage.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
    stage.run_with(&["--allow", "source_shrink=2"]).expect_exit(0);
    stage.expect_shown(&[("ada", Default), ("grace", Default)]);
}

/// The picture of the former person goes, whatever is known of the new one's photo.
#[test]
fn a_former_persons_picture_goes_whatever_the_new_photo_is() {
    let states: [(&str, Act); 4] = [
        ("none", |stage| stage.no_photo("grace")),
        ("unknown", |stage| stage.photo_fails("grace", "no_mailbox")),
        ("opted out", |_| {}),
        ("disabled", |stage| stage.enabled("grace", false)),
    ];
    for (name, state) in states {
        println!("the new person's photo: {name}");
        for ownership in ["provider", "ours"] {
            let mut stage = Stage::of(Company::of(&["ada", "alan"]).with_person("grace").world());
            stage.edit(|pipe| {
                pipe.jira("match", "{ map: users.csv }").jira("ownership", ownership);
                pipe.top("transform", "{ fallback: { absent: keep, opted_out: keep } }");
            });
            let map = |person: &str| format!("person,account\n{},ada\n{},alan\n", address(person), address("alan"));
            stage.write("users.csv", map("ada"));
            stage.run().expect_exit(0);
            state(&stage);
            if name == "opted out" {
                stage.edit(|pipe| _ = pipe.entra("users", "{ opted_out: ['grace@*'] }"));
            }
            stage.write("users.csv", map("grace"));
            stage.run().expect_exit(0).expect_line("ada", "remove", "reassigned", "done");
            stage.expect_shown(&[("ada", Default), ("alan", Face("alan"))]);
        }
    }
}

/// Opting out takes ours away, and leaves what is not ours.
#[test]
fn who_opts_out_loses_our_picture_and_keeps_the_own() {
    let stage = Stage::of(Company::of(&["ada", "grace", "alan"]).chose_by_hand("grace").world()).with(|pipe| {
        pipe.entra("users", "{ opted_out: ['grace@*'] }");
    });
    stage.run().expect_exit(0).expect_line("grace", "keep", "not_ours", "none");
    let stage = stage.with(|pipe| _ = pipe.entra("users", "{ opted_out: ['grace@*', 'ada@*'] }"));
    stage.run().expect_exit(0).expect_line("ada", "remove", "opted_out", "done");
    stage.expect_shown(&[("ada", Default), ("grace", super::truth::Shows::Start), ("alan", Face("alan"))]);
    stage.run().expect_exit(0).expect_answer("nothing to do");
    // And back again.
    let stage = stage.with(|pipe| _ = pipe.entra("users", "{}"));
    stage.run().expect_exit(0);
    stage.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
}

/// A photo that is a placeholder by its digest is none: what was shown before goes.
#[test]
fn a_photo_that_becomes_a_placeholder_is_gone() {
    let placeholder = blake3::hash(&face("spare")).to_hex();
    let stage = Stage::company(&["ada", "grace", "alan"]).with(|pipe| {
        pipe.top("transform", &format!("{{ hash: {{ placeholders: ['b3:{placeholder}'], same_picture: 1 }} }}"));
    });
    stage.run().expect_exit(0);
    // Two with the same placeholder are no two with the same picture.
    stage.new_photo("ada", "spare");
    stage.new_photo("grace", "spare");
    stage.run().expect_exit(0).expect_line("ada", "revert", "absent", "done");
    stage.expect_shown(&[("ada", Default), ("grace", Default), ("alan", Face("alan"))]);
    stage.run().expect_exit(0).expect_answer("nothing to do");
}

/// Everything that a limit counts is in `run.json`, for whoever watches from outside.
#[test]
fn a_broken_limit_stands_in_the_report() {
    let stage = Stage::company(&PEOPLE).with(|pipe| _ = pipe.top("limits", "{ reverts: { count: 1 } }"));
    stage.run().expect_exit(0);
    stage.no_photo("ada");
    stage.no_photo("grace");
    let ended = stage.run().expect_exit(4);
    let limits = ended.report()["limits"].as_array().cloned().unwrap_or_default();
    let broken: Vec<&Value> = limits.iter().filter(|limit| limit["broken"] == true).collect();
    let [limit] = broken.as_slice() else { panic!("one broken limit in {limits:?}") };
    assert_eq!(
        [&limit["limit"], &limit["scope"], &limit["value"], &limit["of"], &limit["allowed"]],
        [&json!("reverts"), &json!("jira"), &json!(2), &json!(4), &json!(1)]
    );
    assert_eq!(ended.report()["outcome"], "limit");
}
