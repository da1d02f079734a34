//! Every limit (pipelines/README.md, "Limits, report, state"), broken once: its refusal, that nothing is written to
//! what it stops, that others go on, and that `--allow` passes exactly the number found.
//!
//! A newcomer gets wrong: a limit of a source stops what that source feeds; a target that another source feeds goes on.

use std::collections::BTreeSet;

use avatarpipe_sandbox::faults::{Effect, Fault};
use serde_json::{Value, json};

use super::harness::Harness;
use super::population::{Population, address, bought, face};
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
    breaks: fn(&mut Harness),
    /// Everybody's face once it was let pass.
    then: [&'static str; 4],
}

/// What is done to the world.
type Act = fn(&Harness);

const NOBODY: &str = "";

const LIMITS: [Limit; 11] = [
    Limit {
        name: "reverts",
        file: "{ reverts: { count: 1 } }",
        value: 2,
        breaks: |harness| ["ada", "grace"].iter().for_each(|name| harness.no_photo(name)),
        then: [NOBODY, NOBODY, "alan", "edsger"],
    },
    Limit {
        name: "replacements",
        file: "{ replacements: { count: 2 } }",
        value: 3, // with Leslie
        breaks: |harness| {
            harness.new_photo("ada", "spare");
            harness.new_photo("grace", "hand");
        },
        then: ["spare", "hand", "alan", "edsger"],
    },
    Limit {
        name: "foreign",
        file: "{ foreign: { count: 1 } }",
        value: 2,
        breaks: |harness| ["ada", "grace"].iter().for_each(|name| _ = harness.by_hand(name, "hand")),
        then: PEOPLE,
    },
    Limit {
        name: "reassigned",
        file: "{ reassigned: { count: 1 } }",
        value: 2,
        breaks: |harness| {
            write_map(harness, &[("ada", "grace"), ("grace", "ada"), ("alan", "alan"), ("edsger", "edsger")])
        },
        then: ["grace", "ada", "alan", "edsger"],
    },
    Limit {
        name: "mixed_up",
        file: "{ mixed_up: { count: 1 } }",
        value: 2,
        breaks: |harness| {
            harness.new_photo("ada", "grace");
            harness.new_photo("grace", "ada");
        },
        then: ["grace", "ada", "alan", "edsger"],
    },
    Limit {
        name: "unmatched",
        file: "{ unmatched: { count: 1 } }",
        value: 2,
        breaks: |harness| write_map(harness, &[("alan", "alan"), ("edsger", "edsger")]),
        then: PEOPLE,
    },
    Limit {
        name: "unknown",
        file: "{ unknown: { count: 1 } }",
        value: 2,
        breaks: |harness| ["ada", "grace"].iter().for_each(|name| harness.photo_fails(name, "extension_error")),
        then: PEOPLE,
    },
    Limit {
        name: "source_shrink",
        file: "{ source_shrink: { count: 1 } }",
        value: 2,
        breaks: |harness| ["ada", "grace"].iter().for_each(|name| harness.deleted(name)),
        then: PEOPLE,
    },
    Limit {
        name: "target_shrink",
        file: "{ target_shrink: { count: 1 } }",
        value: 2,
        breaks: |harness| {
            let mut fewer = harness.sandbox.backup("jira").expect("a backup");
            let accounts = fewer.value["accounts"].as_object_mut().expect("the accounts by key");
            accounts.retain(|_, account| account["name"] != "one" && account["name"] != "two");
            harness.sandbox.restore("jira", &fewer).expect("fewer accounts");
        },
        then: PEOPLE,
    },
    Limit {
        name: "target_drift",
        file: "{ target_drift: { count: 1 } }",
        value: 2,
        breaks: |harness| ["ada", "grace"].iter().for_each(|name| _ = harness.by_hand(name, "hand")),
        then: PEOPLE,
    },
    Limit {
        name: "same_picture",
        file: "{ same_picture: { count: 2 } }",
        value: 3,
        breaks: |harness| ["ada", "grace", "alan"].iter().for_each(|name| harness.new_photo(name, "spare")),
        then: PEOPLE,
    },
];

/// Entra feeds the Jira alone; Leslie of Google has an account in the Jira and in the intern one.
fn harness() -> Harness {
    let population = Population::of(&[]).with_google(&["leslie"]).with_second_jira("intern");
    let population = PEOPLE.iter().fold(population, |population, name| population.with_person(name).with_account(name));
    let population = population.with_account("one").with_account("two");
    let mut harness = Harness::connected(population.world());
    harness.connect_jira_again("intern");
    harness.edit(|pipe| {
        pipe.top("transform", "{ hash: { same_picture: 2 } }");
        pipe.jira("match", "{ map: users.csv }");
    });
    write_map(&harness, &PEOPLE.map(|name| (name, name)));
    harness
}

fn write_map(harness: &Harness, people: &[(&str, &str)]) {
    let lines = people.iter().map(|(person, account)| format!("{},{account}\n", address(person)));
    let lines: String = lines.chain([format!("{},leslie\n", bought("leslie"))]).collect();
    harness.write("users.csv", format!("person,account\n{lines}"));
}

/// What a killed run had begun stands by the time its photos are taken back: the record of before is the person's own.
#[test]
fn a_photo_that_comes_back_after_a_kill_is_no_mix_up() {
    let mut harness = harness();
    harness.run().expect_exit(0);
    harness.sandbox.requests().reset();
    harness.new_photo("ada", "spare");
    harness.sandbox.fault(Fault::new(Effect::HandleOnRelease {}).at("jira").on("PUT", "*/avatar"));
    let mut child = harness.spawn(&["run", "pipeline.yaml"]);
    harness
        .until("the picture is selected", |harness| harness.calls("jira").iter().any(|call| call.starts_with("PUT")));
    child.kill().expect("SIGKILL");
    child.wait().expect("the program is gone");
    harness.sandbox.faults().clear();
    harness.sandbox.faults().release();
    let handled = |entry: &avatarpipe_sandbox::requests::Entry| entry.fault.as_deref() == Some("handle_on_release");
    harness.until("Jira handles it", |harness| harness.sandbox.requests().entries().iter().any(handled));
    harness.new_photo("ada", "ada");
    harness.edit(|pipe| _ = pipe.top("limits", "{ mixed_up: { count: 0 } }"));
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada"))]);
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
        let mut harness = harness();
        harness.run().expect_exit(0);
        harness.edit(|pipe| _ = pipe.top("limits", limit.file));
        (limit.breaks)(&mut harness);
        let photo = json!({ "photo": { "user": bought("leslie"), "now": { "file": "faces/spare.png" } } });
        harness.sandbox.command("directory", &photo).expect("another photo");
        harness.sandbox.reset_writes();

        let allow = |number: u64| format!("{}={number}", limit.name);
        let stopped = harness.run().expect_exit(4).expect_answer(&format!(".{}", allow(limit.value)));
        told += &refusal(&stopped.stdout);
        let leslie = looks(&harness.account_in("intern", "leslie").now.bytes);
        assert!(leslie.fits(&looks(&face("spare"))), "{}: the intern Jira is served all the same", limit.name);
        for number in [limit.value - 1, limit.value + 1] {
            harness.run_with(&["--allow", &allow(number)]).expect_exit(4);
        }
        harness.plan_with(&[]).expect_exit(4);
        harness.plan_with(&["--allow", &allow(limit.value)]).expect_exit(0);
        let others = LIMITS.iter().filter(|other| other.name != limit.name);
        let others: Vec<String> = others.map(|other| format!("--allow={}={}", other.name, limit.value)).collect();
        harness.run_with(&others.iter().map(String::as_str).collect::<Vec<_>>()).expect_exit(4);
        let written = harness.sandbox.truth().writes;
        assert!(written.iter().all(|write| write.simulator != "jira"), "{}: {written:#?}", limit.name);

        let passed =
            harness.run_with(&["--allow", &allow(limit.value)]).expect_exit(0).expect_answer("let pass by --allow");
        told += &refusal(&passed.stdout);
        for (name, shows) in PEOPLE.into_iter().zip(limit.then) {
            harness.expect_shown(&[(name, if shows == NOBODY { Default } else { Face(shows) })]);
        }
        harness.expect_shown(&[("leslie", Face("spare"))]);
    }
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("limits", told);
    });
}

#[test]
fn what_a_restored_server_lost_is_sent_again_where_people_may_choose() {
    let harness = Harness::with_people(&["ada", "grace", "alan"]).with(|pipe| {
        pipe.jira("ownership", "ours");
        pipe.top("limits", "{ target_drift: { count: 1 } }");
    });
    let backup = harness.sandbox.backup("jira").expect("a backup");
    harness.run().expect_exit(0);
    harness.sandbox.restore("jira", &backup).expect("the backup");
    // Whoever chose a picture since then keeps it.
    harness.by_hand("alan", "hand");
    harness.run().expect_exit(4).expect_answer("--allow jira.target_drift=2");
    harness
        .run_with(&["--allow", "jira.target_drift=2"])
        .expect_exit(0)
        .expect_line("ada", "replace", "drifted", "done");
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("alan", Face("hand"))]);
    // Below the limit it is somebody's choice.
    harness.by_hand("alan", "hand");
    harness.run().expect_exit(0).expect_line("alan", "keep", "chosen_by_hand", "none");
}

#[test]
fn every_limit_of_the_file_is_broken_here_and_stands_in_the_guide() {
    let schema: Value = serde_json::from_str(include_str!("../../pipelines/pipeline.schema.json")).expect("JSON");
    let keys = schema["$defs"]["Limits"]["properties"].as_object().expect("keys").keys();
    let limits: BTreeSet<&str> = keys.map(String::as_str).filter(|key| *key != "shares_from").collect();
    // Members are taken out of a group where the groups are (`groups`).
    let broken = LIMITS.iter().map(|limit| limit.name).chain(["group_shrink"]);
    assert_eq!(limits, broken.collect());
    for limit in limits {
        let row = format!("| `{limit}` |");
        assert!(include_str!("../../docs/guide/when.md").contains(&row), "docs/guide/when.md has no row of {limit}");
    }
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
        let harness = Harness::with_people(&PEOPLE).with(|pipe| _ = pipe.top("limits", limits));
        harness.run().expect_exit(0);
        harness.no_photo("ada");
        harness.no_photo("grace");
        harness.run().expect_exit(exit);
        let gone = |name| if exit == 0 { Default } else { Face(name) };
        harness.expect_shown(&[("ada", gone("ada")), ("grace", gone("grace")), ("alan", Face("alan"))]);
    }
}

/// What was let pass once is settled: "known last time" is what the last run knew that was let pass.
#[test]
fn photos_that_were_given_up_once_stop_no_later_run() {
    let harness = Harness::with_people(&PEOPLE).with(|pipe| _ = pipe.top("limits", "{ unknown: { count: 1 } }"));
    harness.run().expect_exit(0);
    let lose = |names: &[&str]| names.iter().for_each(|name| harness.photo_fails(name, "extension_error"));
    lose(&["ada", "grace"]);
    for _ in 0..2 {
        harness.run().expect_exit(4).expect_answer("--allow entra.unknown=2");
    }
    harness.run_with(&["--allow", "unknown=2"]).expect_exit(0);
    for _ in 0..2 {
        harness.run().expect_exit(0);
    }
    // One more is within the limit, and settled by that.
    lose(&["alan"]);
    harness.run().expect_exit(0);
    harness.new_photo("ada", "ada");
    harness.new_photo("grace", "grace");
    harness.run().expect_exit(0);
    lose(&["ada", "grace"]);
    harness.run().expect_exit(4).expect_answer("unknown of entra: found 2 of 3");
    harness.expect_shown(&PEOPLE.map(|name| (name, Face(name))));
}

/// Whoever matches nobody any more keeps the picture, so the number is there again in each run: it is told once.
#[test]
fn pictures_that_nobody_matches_any_more_stop_one_run() {
    let harness = Harness::with_people(&PEOPLE).with(|pipe| {
        pipe.top("limits", "{ unmatched: { share: 50% }, shares_from: 4 }");
    });
    harness.run().expect_exit(0);
    let by_name = harness.with(|pipe| _ = pipe.jira("match", "[{ person: employee_id, account: username }]"));
    by_name
        .run()
        .expect_exit(4)
        .expect_answer("found 4 of 4 pictures of ours on record")
        .expect_answer("--allow jira.unmatched=4");
    by_name.run_with(&["--allow", "unmatched=4"]).expect_exit(0);
    by_name.run().expect_exit(0);
    by_name.expect_shown(&PEOPLE.map(|name| (name, Face(name))));
    // Who left is no sign of a slip.
    let harness = Harness::with_people(&PEOPLE).with(|pipe| {
        pipe.top("limits", "{ unmatched: { count: 0 }, source_shrink: { share: 100% } }");
    });
    harness.run().expect_exit(0);
    harness.deleted("ada");
    harness.run().expect_exit(0);
}

/// Two targets find different numbers for one limit: each has to be named.
#[test]
fn a_number_is_allowed_for_each_target() {
    let mut harness = Harness::connected(Population::of(&PEOPLE).with_second_jira("intern").world());
    harness.connect_jira_again("intern");
    harness.edit(|pipe| {
        _ = pipe.top("limits", "{ reverts: { count: 1 } }").last_target().set("accounts", "{ exclude: [alan] }")
    });
    harness.run().expect_exit(0);
    ["ada", "grace", "alan"].iter().for_each(|name| harness.no_photo(name));
    harness.run_with(&["--allow", "reverts=3"]).expect_exit(4).expect_answer(".reverts=2 ");
    harness.expect_shown_in("intern", &[("ada", Face("ada")), ("grace", Face("grace"))]);
    harness.expect_shown_in("jira", &[("ada", Default), ("grace", Default), ("alan", Default)]);
    harness.run_with(&["--allow", "reverts=2"]).expect_exit(0);
    harness.expect_shown_in("intern", &[("ada", Default), ("grace", Default)]);

    // Both at once.
    let mut harness = Harness::connected(Population::of(&PEOPLE).with_second_jira("intern").world());
    harness.connect_jira_again("intern");
    harness.edit(|pipe| {
        _ = pipe.top("limits", "{ reverts: { count: 1 } }").last_target().set("accounts", "{ exclude: [alan] }")
    });
    harness.run().expect_exit(0);
    ["ada", "grace", "alan"].iter().for_each(|name| harness.no_photo(name));
    let stopped = harness.run_with(&["--allow", "reverts=9"]).expect_exit(4).expect_answer("--allow jira.reverts=3 ");
    stopped.expect_answer("--allow intern.reverts=2 ").expect_answer("--allow said 9. If that is right");
    harness.run_with(&["--allow", "intern.reverts=3", "--allow", "jira.reverts=2"]).expect_exit(4);
    harness.plan_with(&["--allow", "jira.reverts=3"]).expect_exit(4).expect_answer("--allow intern.reverts=2 ");
    harness
        .plan_with(&["--allow", "jra.reverts=3"])
        .expect_exit(2)
        .expect_error("has no such target; it has jira, intern");
    let of_targets = harness.plan_with(&["--allow", "entra.reverts=3"]).expect_exit(2);
    _ = of_targets.expect_error("`reverts` is counted of each target, and entra is none; write one of jira, intern");
    let unbroken = harness.plan_with(&["--allow", "reverts=2", "--allow", "jira.foreign=7"]).expect_exit(4);
    _ = unbroken.expect_answer("--allow jira.foreign=7 was not needed: found 0 of");
    harness.plan_with(&["--allow", "jira.reverts=3", "--allow", "intern.reverts=2"]).expect_exit(0);
    // What names the target counts in place of what names none.
    harness
        .plan_with(&["--allow", "reverts=3", "--allow", "jira.reverts=2", "--allow", "intern.reverts=2"])
        .expect_exit(4);
    harness.run_with(&["--allow", "reverts=3", "--allow", "reverts=2"]).expect_exit(0);
    harness.expect_shown_in("intern", &[("ada", Default), ("grace", Default)]);
    harness.expect_shown_in("jira", &[("ada", Default), ("grace", Default), ("alan", Default)]);
}

/// A source feeds a target also where all of its people there are gone.
#[test]
fn a_listing_without_anybody_of_a_target_stops_that_target() {
    let population = Population::of(&["ada", "grace"]).with_person("nobody-of-the-jira");
    let harness = Harness::of(population.world()).with(|pipe| {
        pipe.top("transform", "{ fallback: { gone: default } }");
        pipe.top("limits", "{ source_shrink: { count: 1 } }");
    });
    harness.run().expect_exit(0);
    harness.sandbox.reset_writes();
    harness.deleted("ada");
    harness.deleted("grace");
    harness.run().expect_exit(4).expect_answer("source_shrink of entra: found 2 of 3");
    assert_eq!(harness.sandbox.truth().writes, []);
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
    harness.run_with(&["--allow", "source_shrink=2"]).expect_exit(0);
    harness.expect_shown(&[("ada", Default), ("grace", Default)]);
}

/// The picture of the former person goes, whatever is known of the new one's photo.
#[test]
fn a_former_persons_picture_goes_whatever_the_new_photo_is() {
    let states: [(&str, Act); 4] = [
        ("none", |harness| harness.no_photo("grace")),
        ("unknown", |harness| harness.photo_fails("grace", "no_mailbox")),
        ("opted out", |_| {}),
        ("disabled", |harness| harness.enabled("grace", false)),
    ];
    for (name, state) in states {
        println!("the new person's photo: {name}");
        for ownership in ["provider", "ours"] {
            let mut harness = Harness::of(Population::of(&["ada", "alan"]).with_person("grace").world());
            harness.edit(|pipe| {
                pipe.jira("match", "{ map: users.csv }").jira("ownership", ownership);
                pipe.top("transform", "{ fallback: { absent: keep, opted_out: keep } }");
            });
            let map = |person: &str| format!("person,account\n{},ada\n{},alan\n", address(person), address("alan"));
            harness.write("users.csv", map("ada"));
            harness.run().expect_exit(0);
            state(&harness);
            if name == "opted out" {
                harness.edit(|pipe| _ = pipe.entra("users", "{ opted_out: ['grace@*'] }"));
            }
            harness.write("users.csv", map("grace"));
            harness.run().expect_exit(0).expect_line("ada", "remove", "reassigned", "done");
            harness.expect_shown(&[("ada", Default), ("alan", Face("alan"))]);
        }
    }
}

/// Opting out takes ours away, and leaves what is not ours.
#[test]
fn who_opts_out_loses_our_picture_and_keeps_the_own() {
    let harness = Harness::of(Population::of(&["ada", "grace", "alan"]).chose_by_hand("grace").world()).with(|pipe| {
        pipe.entra("users", "{ opted_out: ['grace@*'] }");
    });
    harness.run().expect_exit(0).expect_line("grace", "keep", "not_ours", "none");
    let harness = harness.with(|pipe| _ = pipe.entra("users", "{ opted_out: ['grace@*', 'ada@*'] }"));
    harness.run().expect_exit(0).expect_line("ada", "remove", "opted_out", "done");
    harness.expect_shown(&[("ada", Default), ("grace", super::truth::Shows::Start), ("alan", Face("alan"))]);
    harness.run().expect_exit(0).expect_answer("nothing to do");
    // And back again.
    let harness = harness.with(|pipe| _ = pipe.entra("users", "{}"));
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
}

/// A photo that is a placeholder by its digest is none: what was shown before goes.
#[test]
fn a_photo_that_becomes_a_placeholder_is_gone() {
    let placeholder = blake3::hash(&face("spare")).to_hex();
    let harness = Harness::with_people(&["ada", "grace", "alan"]).with(|pipe| {
        pipe.top("transform", &format!("{{ hash: {{ placeholders: ['b3:{placeholder}'], same_picture: 1 }} }}"));
    });
    harness.run().expect_exit(0);
    // Two with the same placeholder are no two with the same picture.
    harness.new_photo("ada", "spare");
    harness.new_photo("grace", "spare");
    harness.run().expect_exit(0).expect_line("ada", "revert", "absent", "done");
    harness.expect_shown(&[("ada", Default), ("grace", Default), ("alan", Face("alan"))]);
    harness.run().expect_exit(0).expect_answer("nothing to do");
}

/// Everything that a limit counts is in `run.json`, for whoever watches from outside.
#[test]
fn a_broken_limit_stands_in_the_report() {
    let harness = Harness::with_people(&PEOPLE).with(|pipe| _ = pipe.top("limits", "{ reverts: { count: 1 } }"));
    harness.run().expect_exit(0);
    harness.no_photo("ada");
    harness.no_photo("grace");
    let ended = harness.run().expect_exit(4);
    let limits = ended.report()["limits"].as_array().cloned().unwrap_or_default();
    let broken: Vec<&Value> = limits.iter().filter(|limit| limit["broken"] == true).collect();
    let [limit] = broken.as_slice() else { panic!("one broken limit in {limits:?}") };
    assert_eq!(
        [&limit["limit"], &limit["scope"], &limit["value"], &limit["of"], &limit["allowed"]],
        [&json!("reverts"), &json!("jira"), &json!(2), &json!(4), &json!(1)]
    );
    assert_eq!(ended.report()["outcome"], "limit");
}
