//! Groups under `users`: who is in scope, who is left alone, who shows no photo. A group that cannot be read changes nothing.
//!
//! A newcomer gets wrong: a person who opted out and is not recognised is given a picture, which is worse than no run at
//! all; so a group that cannot be read fails its source.

use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use avatarpipe_sandbox::google::world::Group;
use serde_json::json;

use super::harness::Harness;
use super::population::{Population, bought};
use super::truth::Shows::{Default, Face, Start};

const SHY: &str = "11111111-2222-4333-8444-000000000001";
const INNER: &str = "11111111-2222-4333-8444-000000000002";
const SERVICE: &str = "11111111-2222-4333-8444-000000000003";

fn entra() -> Harness {
    let population = Population::of(&["ada", "grace", "alan", "edsger"]);
    let population =
        population.group(INNER, &["grace"], &[]).group(SHY, &["ada"], &[INNER]).group(SERVICE, &["alan"], &[]);
    Harness::of(population.world())
}

fn users(rules: &str) -> impl FnOnce(&mut super::pipe::Pipe) {
    let rules = rules.to_owned();
    move |pipe| _ = pipe.entra("users", &rules)
}

#[test]
fn who_is_in_an_opted_out_group_loses_the_picture_and_who_is_in_an_excluded_one_keeps_it() {
    let mut harness = entra();
    harness.run().expect_exit(0);
    harness
        .edit(users(&format!("{{ opted_out: [{{ group: {SHY} }}], exclude: [{{ group: {SERVICE} }}, 'nobody@*'] }}")));
    let (ended, _) = harness.counted(Harness::run);
    ended
        .expect_exit(0)
        .expect_line("ada", "remove", "opted_out", "done")
        .expect_line("grace", "remove", "opted_out", "done")
        .expect_line("alan", "keep", "out_of_scope", "none");
    harness.expect_shown(&[("ada", Default), ("grace", Default), ("alan", Face("alan")), ("edsger", Face("edsger"))]);
    harness.run().expect_exit(0).expect_answer("nothing to do");
}

#[test]
fn a_group_that_several_rules_name_is_listed_once() {
    let harness = entra().with(users(&format!("{{ groups: [{SHY}, {SERVICE}], opted_out: [{{ group: {SHY} }}] }}")));
    let (ended, _) = harness.counted(Harness::run);
    ended.expect_exit(0);
    let groups = harness.calls("graph").into_iter().filter(|call| call.contains("/groups/")).count();
    assert_eq!(groups, 2);
    harness.expect_shown(&[("ada", Start), ("grace", Start), ("alan", Face("alan")), ("edsger", Start)]);
}

#[test]
fn a_group_that_cannot_be_read_fails_its_source_and_nobody_is_given_a_picture() {
    for (status, code, exit) in
        [(404, "Request_ResourceNotFound", 2), (403, "Authorization_RequestDenied", 5), (501, "NotImplemented", 6)]
    {
        let mut harness = entra();
        harness.edit(|pipe| _ = pipe.entra("users", &format!("{{ opted_out: [{{ group: {SHY} }}] }}")));
        let body = json!({ "error": { "code": code, "message": "x" } });
        let effect = Effect::Answer(Answer { status, body, ..Answer::default() });
        harness.sandbox.fault(Fault::new(effect).at("graph").on("GET", "*/groups/*"));
        harness.run().expect_exit(exit).expect_answer("entra (failed)");
        assert_eq!(harness.writes(), [""; 0], "{status}");
        harness.expect_shown(&[("ada", Start), ("edsger", Start)]);
    }
}

/// A right that was taken away, or a directory in trouble, answers with an empty list, too.
#[test]
fn a_group_that_had_members_and_is_empty_fails_its_source_and_nobody_is_given_a_picture() {
    for key in ["opted_out", "freeze", "exclude"] {
        let mut harness = entra().with(users(&format!("{{ {key}: [{{ group: {SHY} }}] }}")));
        harness.run().expect_exit(0);
        harness.expect_shown(&[("ada", Start), ("grace", Start), ("alan", Face("alan"))]);
        harness.sandbox.reset_writes();
        let empty = Effect::Answer(Answer { status: 200, body: json!({ "value": [] }), ..Answer::default() });
        harness.sandbox.fault(Fault::new(empty).at("graph").on("GET", "*/groups/*"));
        for _ in 0..2 {
            let stopped = harness.run().expect_exit(6).expect_answer("entra (failed)");
            _ = stopped.expect_answer("where 2 people were in the last good run");
        }
        assert_eq!(harness.sandbox.truth().writes, []);
        // Whoever is sure takes it out for one run.
        harness.edit(users("{}"));
        harness.run().expect_exit(0);
        harness.edit(users(&format!("{{ {key}: [{{ group: {SHY} }}] }}")));
        harness.run().expect_exit(0);
    }
}

/// Part of a list is believed no more than none of it.
#[test]
fn a_group_of_wishes_that_lost_more_than_the_limit_stops_until_it_is_let_pass() {
    for key in ["opted_out", "freeze", "exclude"] {
        let rules = format!("{{ {key}: [{{ group: {SHY} }}] }}");
        let mut harness = entra().with(users(&rules));
        harness.edit(|pipe| _ = pipe.top("limits", "{ group_shrink: { count: 0 } }"));
        harness.run().expect_exit(0);
        let left = json!({ "@odata.count": 1, "value": [{ "id": "5b0e1c88-1111-4222-8333-944445555666" }] });
        let fewer = Effect::Answer(Answer { status: 200, body: left, ..Answer::default() });
        harness.sandbox.fault(Fault::new(fewer).at("graph").on("GET", "*/groups/*"));
        for _ in 0..2 {
            let stopped = harness.run().expect_exit(4);
            _ = stopped.expect_answer("group_shrink of entra: found 1 of 2 members in the last good run, allowed 0");
        }
        harness.expect_shown(&[("ada", Start), ("grace", Start), ("alan", Face("alan"))]);
        harness.run_with(&["--allow", "group_shrink=1"]).expect_exit(0).expect_answer("let pass by --allow");
        harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
        harness.run().expect_exit(0);
    }
    // A few may leave, and of who is in scope the limit of reverts counts.
    for rules in [format!("{{ opted_out: [{{ group: {SHY} }}] }}"), format!("{{ groups: [{SHY}] }}")] {
        let harness = entra().with(users(&rules));
        harness.run().expect_exit(0);
        let fewer = json!({ "value": [{ "id": "5b0e1c88-1111-4222-8333-944445555666" }] });
        let fewer = Effect::Answer(Answer { status: 200, body: fewer, ..Answer::default() });
        harness.sandbox.fault(Fault::new(fewer).at("graph").on("GET", "*/groups/*"));
        harness.run().expect_exit(0);
    }
}

#[test]
fn groups_of_google_are_addresses_and_nested_ones_count() {
    let group = |name: &str, members: &[String]| Group {
        id: format!("0{name}"),
        email: bought(name),
        members: members.to_vec(),
    };
    let population = Population::of(&["ada"]).with_google(&["leslie", "katherine", "radia"]).google(|google| {
        google.groups.push(group("inner", &[bought("leslie")]));
        google.groups.push(group("shy", &[bought("inner")]));
        google.groups.push(group("robots", &[bought("radia")]));
    });
    let harness = Harness::connected(population.world()).with(|pipe| {
        let (shy, robots) = (bought("shy"), bought("robots"));
        let rules = format!("{{ opted_out: [{{ group: '{shy}' }}], exclude: [{{ group: '{robots}' }}] }}");
        pipe.source("google").set("users", &rules);
    });
    let (ended, _) = harness.counted(Harness::run);
    ended.expect_exit(0);
    harness.expect_shown(&[
        ("leslie", Start),
        ("radia", Start),
        ("katherine", Face("katherine")),
        ("ada", Face("ada")),
    ]);

    let gone = harness
        .with(|pipe| _ = pipe.source("google").set("users", "{ opted_out: [{ group: 'no@fabrikam.example' }] }"));
    gone.sandbox.reset_writes();
    gone.run().expect_exit(2).expect_answer("no@fabrikam.example");
    assert_eq!(gone.sandbox.truth().writes, []);
}

#[test]
fn a_folder_has_no_groups() {
    let harness = Harness::with_people(&["ada"]).with(|pipe| {
        pipe.without_source("entra").source("folder").set("path", "hr").set("users", "{ opted_out: [{ group: shy }] }");
    });
    harness.run().expect_exit(2).expect_error("a folder has no groups");
}

/// A slip under `opted_out` shows the face of somebody who asked for the contrary: it is told where it stands, as soon as the
/// listing is whole.
#[test]
fn an_entry_that_fits_nobody_is_told_on_its_line() {
    const EMPTY: &str = "11111111-2222-4333-8444-000000000004";
    let population = Population::of(&["ada", "grace"]).group(EMPTY, &[], &[]);
    let mut harness = Harness::of(population.world()).with(|pipe| {
        pipe.entra(
            "users",
            &format!("{{\n        opted_out: [adda@*],\n        freeze: [{{ group: {EMPTY} }}, 'ada@*'] }}"),
        );
        pipe.jira("accounts", "{ exclude: ['robot-*', 'gr*'] }");
    });
    harness.tell("GITHUB_ACTIONS", "true");
    let line = |key: &str| {
        let text = harness.pipe().text();
        text.lines().position(|line| line.contains(key)).unwrap_or_default() + 1
    };
    let slip = "nobody fits the pattern `adda@*` of `users.opted_out`; near it is `ada@contoso.example`: write that if it is meant, and take \
                the entry out if its person left (entra)";
    let told = [
        (line("opted_out:"), slip.to_owned()),
        (line("freeze:"), format!("nobody is in the group `{EMPTY}` of `users.freeze` (entra)")),
        (line("accounts:"), "no account fits the pattern `robot-*` of `accounts.exclude` (jira)".to_owned()),
    ];
    // An opt-out of nobody was not done.
    let ended = harness.plan_with(&[]).expect_exit(3);
    for (line, words) in &told {
        let ended = &ended;
        ended.holds(ended.stdout.contains(words.as_str()), words);
        let annotation = format!("::warning file=pipeline.yaml,line={line},col=1,title=avatarpipe::{words}");
        ended.holds(ended.stdout.contains(&annotation), &annotation);
    }
    let notes: Vec<String> = told.iter().map(|(line, words)| format!("pipeline.yaml:{line}: {words}")).collect();
    let ended = harness
        .run()
        .expect_exit(3)
        .expect_answer("an entry of `users` or a row of a map fits nobody and looks like a slip");
    assert_eq!((&ended.report()["notes"], &ended.report()["slips"]), (&serde_json::json!(notes), &1.into()));

    // Whoever could not be listed may be whom it means.
    let effect = Effect::Answer(Answer { status: 501, body: json!({}), ..Answer::default() });
    harness.sandbox.fault(Fault::new(effect).at("graph").on("GET", "*/users?*"));
    let ended = harness.run().expect_exit(6);
    ended.holds(!ended.stdout.contains("adda@*"), "nothing of a listing that failed");
}

/// Nobody is called nearly like who left, so their entry is no slip; and one address is the same in each of its spellings.
#[test]
fn an_entry_of_who_left_is_no_slip_and_a_display_name_is_one() {
    let population = Population::of(&["ada", "grace"]).person("ada", |person| person.name = "Ada Lovelace".to_owned());
    let mut harness = Harness::of(population.world())
        .with(users("{ opted_out: [left.long.ago@contoso.example], freeze: ['robot-*'] }"));
    let ended = harness.run().expect_exit(0).expect_answer("nobody fits the pattern `left.long.ago@contoso.example`");
    ended.holds_no_answer("near it");
    harness.edit(users("{ opted_out: [Ada Lovelace] }"));
    harness.run().expect_exit(3).expect_answer(
        "it is a display name, and patterns are compared with e-mail, user name and UPN: write `ada@contoso.example`",
    );
    harness.edit(users("{ opted_out: ['ADA@CONTOSO.example'] }"));
    harness.run().expect_exit(0).expect_line("ada", "remove", "opted_out", "done");
}
