//! Who is given a picture, who keeps what there is, and for which reason (promises P1, P2, P10).

use avatarpipe_sandbox::entra::world::{NoPhoto, Person, Photo, PhotoFailure};
use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use avatarpipe_sandbox::google::world::User;
use avatarpipe_sandbox::jira::world::{Choice, Standing};
use serde_json::json;

use super::harness::Harness;
use super::population::{Population, address};
use super::truth::Shows::{self, Default, Face, Start, System};

#[test]
fn two_of_one_name_are_told_apart_and_two_of_one_address_are_left_alone() {
    let population = Population::of(&["john", "john2", "ada"])
        .with_account("desk")
        .person("john", |person| person.name = "John Doe".into())
        .person("john2", |person| person.name = "john".into());
    let population = population.person("ada", shares_the_desk).person("john", shares_the_desk).chose_by_hand("desk");
    let harness = Harness::of(population.world());
    let ended = harness.run().expect_exit(0).expect_line("desk", "conflict", "ambiguous", "none");
    assert_eq!(ended.count("jira", "conflicts"), 1);
    harness.expect_shown(&[("john", Face("john")), ("john2", Face("john2")), ("ada", Face("ada")), ("desk", Start)]);
}

fn shares_the_desk(person: &mut Person) {
    person.proxy_addresses.push(format!("smtp:{}", address("desk")));
}

#[test]
fn keys_that_contradict_each_other_are_a_conflict() {
    // The account has ada's name and grace's address: neither may lend it a face.
    let population =
        Population::of(&["ada", "grace"]).account("ada", |account| account.email = Some(address("nobody")));
    let harness = Harness::of(population.world());
    harness.run().expect_exit(0).expect_line("ada", "conflict", "conflict", "none");
    harness.expect_shown(&[("ada", Start), ("grace", Face("grace"))]);
}

/// Whoever reads why an account was left alone is led to the key that says so, and not to its neighbour.
#[test]
fn every_key_of_accounts_is_told_by_its_own_line() {
    let shares: Vec<String> = (0..12).map(|number| format!("share{number}")).collect();
    let of_staff = ["off", "svc-build"].into_iter().chain(shares.iter().map(String::as_str));
    let mut population = Population::of(&["outside"]).jira(|jira| jira.groups.push("staff".into()));
    for name in of_staff {
        population = population.with_person(name).with_account(name);
        population = population.account(name, |account| account.groups = vec!["staff".into()]);
    }
    population = population.account("off", |account| account.standing = Standing::Inactive);
    let rules =
        "{\n        active: true,\n        groups: [staff],\n        exclude: ['svc-*'],\n        rollout: 50% }";
    let harness = Harness::of(population.world()).with(|pipe| _ = pipe.jira("accounts", rules));
    let ended = harness.run().expect_exit(0);
    let rule = |account: &str| ended.line("jira", account)["rule"].as_str().unwrap_or_default().to_owned();
    let line_of = |key: &str| {
        let text = harness.pipe().text();
        let line = text.lines().position(|line| line.trim_start().starts_with(key)).unwrap_or_default() + 1;
        format!("pipeline.yaml:{line}")
    };
    for (account, reason, key) in [
        ("off", "account_inactive", "active:"),
        ("outside", "account_excluded", "groups: [staff]"),
        ("svc-build", "account_excluded", "exclude:"),
    ] {
        assert_eq!(ended.line("jira", account)["reason"], reason, "{account}");
        assert!(rule(account).ends_with(&line_of(key)), "{account}: {} is not {}", rule(account), line_of(key));
    }
    let waits = |name: &&String| ended.line("jira", name)["reason"] == "account_excluded";
    let waiting: Vec<_> = shares.iter().filter(waits).collect();
    assert!(!waiting.is_empty() && waiting.len() < shares.len(), "half of them wait: {waiting:?}");
    for name in waiting {
        assert!(rule(name).ends_with(&line_of("rollout:")), "{name}: {}", rule(name));
    }
}

/// The mission's own sentence: if no picture is assigned at the provider, the account goes back to the default.
#[test]
fn a_photo_that_is_gone_takes_any_picture_away_and_only_ours_where_people_may_choose() {
    for (ownership, rule, verdict, reason, result, alan) in [
        ("provider", "default", "revert", "absent", "done", Default),
        ("ours", "default", "keep", "not_ours", "none", Start),
        ("provider", "keep", "keep", "absent", "none", Start),
    ] {
        println!("{ownership}, {rule}");
        let population = Population::of(&["ada", "grace", "alan"]).chose_by_hand("alan");
        let population = population.photo("alan", Photo::None(NoPhoto::OnePixel));
        let harness = Harness::of(population.world()).with(|pipe| {
            pipe.jira("ownership", ownership).top("transform", &format!("{{ fallback: {{ absent: {rule} }} }}"));
        });
        let planned = harness.plan_with(&[]).expect_exit(0);
        planned.holds(
            planned.stdout.contains("among the person's own") == (alan_goes(alan)),
            "what becomes of it is told",
        );
        let (first, _) = harness.counted(Harness::run);
        let first = first.expect_exit(0).expect_line("alan", verdict, reason, result);
        let limits = first.report()["limits"].as_array().cloned().unwrap_or_default();
        for limit in ["reverts", "foreign"] {
            let found = limits.iter().find(|line| line["limit"] == limit && line["scope"] == "jira");
            let value = found.and_then(|line| line["value"].as_u64());
            assert_eq!(value, Some(u64::from(alan_goes(alan))), "{limit}");
        }
        harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("alan", alan)]);
        harness.no_photo("ada");
        harness.run().expect_exit(0);
        let ada = if rule == "default" { Default } else { Face("ada") };
        harness.expect_shown(&[("ada", ada), ("grace", Face("grace")), ("alan", alan)]);
        harness.run().expect_exit(0).expect_answer("nothing to do");
    }
}

fn alan_goes(alan: Shows<'_>) -> bool {
    matches!(alan, Default)
}

#[test]
fn a_photo_that_is_back_at_the_second_question_stays() {
    let harness = Harness::with_people(&["ada"]);
    harness.run().expect_exit(0);
    let gone = json!({ "error": { "code": "ImageNotFound", "message": "The photo wasn't found." } });
    let answer = Answer { body: gone, ..Answer::retry_after(404, "1") };
    harness.sandbox.fault(Fault::new(Effect::Answer(answer)).at("graph").in_parts().about("/photo").times(1));
    harness.run().expect_exit(0).expect_answer("nothing to do");
    harness.expect_shown(&[("ada", Face("ada"))]);
}

#[test]
fn what_proves_nothing_changes_nothing() {
    let shapes = [
        "user_gone",
        "resource_not_found",
        "no_mailbox",
        "authentication_error",
        "mailbox_not_hosted",
        "access_denied",
        "extension_error",
    ];
    let mut names = shapes.to_vec();
    names.push("ada");
    let names: Vec<String> = names.iter().map(|name| name.replace('_', "-")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let harness = Harness::with_people(&names).with(|pipe| {
        pipe.top("limits", "{ unknown: { count: 20 } }");
    });
    harness.run().expect_exit(0);
    harness.sandbox.requests().reset();
    for (name, shape) in names.iter().zip(shapes) {
        harness.photo_fails(name, shape);
    }
    let ended = harness.run().expect_exit(0);
    assert_eq!(harness.writes(), [""; 0]);
    for name in &names[..shapes.len()] {
        harness.expect_shown(&[(name, Face(name))]);
        ended.holds(ended.line("jira", name)["reason"] == "photo_unknown", &format!("{name}: photo_unknown"));
    }
    for (name, _) in names.iter().zip(shapes) {
        harness.new_photo(name, name);
    }
    harness.run().expect_exit(0).expect_answer("nothing to do");
}

#[test]
fn a_store_that_fails_for_everybody_is_no_reason_to_revert() {
    let harness = Harness::with_people(&["ada", "grace"]);
    harness.run().expect_exit(0);
    harness.sandbox.requests().reset();
    for name in ["ada", "grace"] {
        harness.photo_fails(name, "access_denied");
    }
    // Everybody denied in the same way is the permission of the app.
    harness.run().expect_exit(5);
    assert_eq!(harness.writes(), [""; 0]);
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
}

#[test]
fn a_first_run_that_learns_of_nobody_has_failed() {
    let names: Vec<String> = (0..20).map(|nth| format!("p{nth:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (failure, exit) in [("authentication_error", 6), ("access_denied", 5)] {
        let harness = Harness::with_people(&names);
        for name in &names {
            harness.photo_fails(name, failure);
        }
        harness.run().expect_exit(exit);
        harness.expect_shown(&names.iter().map(|name| (*name, Start)).collect::<Vec<_>>());
    }
}

/// A few without a mailbox are no trouble of the tenant, and the next source serves its people all the same.
#[test]
fn a_few_without_a_mailbox_stop_nobody_else() {
    let harness = Harness::connected(Population::of(&["ada", "grace"]).with_google(&["leslie"]).world());
    for name in ["ada", "grace"] {
        harness.photo_fails(name, "authentication_error");
    }
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Start), ("grace", Start), ("leslie", Face("leslie"))]);
}

#[test]
fn a_source_that_is_switched_off_leaves_its_people_alone() {
    let mut harness = Harness::with_people(&["ada", "grace"]);
    harness.run().expect_exit(0);
    harness.sandbox.requests().reset();
    harness.new_photo("ada", "spare");
    harness.no_photo("grace");
    harness.edit(|pipe| _ = pipe.entra("enabled", "false"));
    harness.run().expect_exit(0);
    assert_eq!(harness.sandbox.requests().of("graph") + harness.sandbox.requests().of("login"), 0);
    assert_eq!(harness.writes(), [""; 0]);
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
}

#[test]
fn who_owns_the_picture_decides_about_it() {
    // ownership → what is shown where a person chose an upload, or a picture of Jira's own
    for (ownership, upload, stock) in [("provider", Face("ada"), Face("grace")), ("ours", Start, Start)] {
        let population = Population::of(&["ada", "grace", "alan"])
            .chose_by_hand("ada")
            .account("grace", |account| account.shows = Some(Choice::System(2)));
        let harness = Harness::of(population.world()).with(|pipe| _ = pipe.jira("ownership", ownership));
        harness.run().expect_exit(0);
        harness.expect_shown(&[("ada", upload), ("grace", stock), ("alan", Face("alan"))]);
        if ownership == "ours" {
            harness.expect_shown(&[("grace", System)]);
        }
        harness.run().expect_exit(0).expect_answer("nothing to do");
    }
}

#[test]
fn a_picture_chosen_by_hand_after_ours_is_overwritten_or_left() {
    for (ownership, shown) in [("provider", "ada"), ("ours", "hand")] {
        let harness = Harness::with_people(&["ada", "grace"]).with(|pipe| {
            pipe.jira("ownership", ownership).top("limits", "{ target_drift: { count: 5 } }");
        });
        harness.run().expect_exit(0);
        harness.by_hand("ada", "hand");
        harness.run().expect_exit(0);
        let account = harness.account("ada");
        let face = super::truth::looks(&super::population::face(shown));
        assert!(super::truth::looks(&account.now.bytes).fits(&face), "{ownership}: {shown}");
        assert_eq!(harness.sandbox.truth().violations, [""; 0]);
    }
}

#[test]
fn an_account_that_belongs_to_another_person_loses_the_first_ones_face() {
    for (second_has_a_photo, shown) in [(true, Face("grace")), (false, Default)] {
        let mut harness = Harness::of(Population::of(&["ada"]).with_person("grace").world());
        harness.edit(|pipe| _ = pipe.jira("match", "{ map: users.csv }"));
        harness.write("users.csv", format!("person,account\n{},ada\n", address("ada")));
        harness.run().expect_exit(0);
        harness.expect_shown(&[("ada", Face("ada"))]);
        if !second_has_a_photo {
            harness.photo_fails("grace", "no_mailbox");
        }
        harness.write("users.csv", format!("person,account\n{},ada\n", address("grace")));
        harness.run().expect_exit(0);
        harness.expect_shown(&[("ada", shown)]);
    }
}

#[test]
fn the_fallback_of_the_file_decides_about_people_without_a_photo() {
    let people = ["absent", "opted", "disabled", "guest", "deleted", "ada"];
    let rules =
        "{ fallback: { absent: keep, opted_out: default, inactive: default, out_of_scope: keep, gone: default } }";
    let mut harness = Harness::with_people(&people).with(|pipe| {
        pipe.top("transform", rules).top("limits", "{ reverts: { count: 10 }, source_shrink: { count: 3 } }");
    });
    harness.run().expect_exit(0);
    harness.no_photo("absent");
    harness.enabled("disabled", false);
    harness.deleted("deleted");
    harness.edit(|pipe| _ = pipe.entra("users", "{ opted_out: ['opted@*'], exclude: ['guest@*'] }"));
    harness.run().expect_exit(0).expect_line("opted", "remove", "opted_out", "done");
    harness.expect_shown(&[
        ("absent", Face("absent")),
        ("opted", Default),
        ("disabled", Default),
        ("guest", Face("guest")),
        ("deleted", Default),
        ("ada", Face("ada")),
    ]);
}

#[test]
fn an_image_of_the_file_stands_in_for_a_missing_photo() {
    let population = Population::of(&["ada", "grace"]).photo("ada", Photo::None(NoPhoto::ImageNotFound));
    let harness = Harness::of(population.world()).with(|pipe| {
        pipe.top("transform", "{ fallback: { absent: { image: nobody.png } } }");
    });
    harness.write("nobody.png", super::population::face("spare"));
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Face("spare")), ("grace", Face("grace"))]);
    harness.run().expect_exit(0).expect_answer("nothing to do");
}

/// It is recorded for the person it stands for, so that every later rule applies to it.
#[test]
fn an_image_goes_with_its_person_and_with_its_rule() {
    let population = Population::of(&["gone", "moved", "ruled", "ada"]).with_person("heir");
    let people = ["gone", "moved", "ruled"];
    let population =
        people.iter().fold(population, |population, name| population.photo(name, Photo::None(NoPhoto::ImageNotFound)));
    let rules = |absent: &str| format!("{{ fallback: {{ absent: {absent}, gone: default }} }}");
    let mut harness = Harness::of(population.world()).with(|pipe| {
        pipe.top("transform", &rules("{ image: nobody.png }")).jira("match", "{ map: users.csv }");
        pipe.top("limits", "{ source_shrink: { count: 3 } }");
    });
    let map = |moved: &str| {
        let lines = [("gone", "gone"), (moved, "moved"), ("ruled", "ruled"), ("ada", "ada")];
        let lines = lines.map(|(person, account)| format!("{},{account}\n", address(person)));
        format!("person,account\n{}", lines.concat())
    };
    harness.write("users.csv", map("moved"));
    harness.write("nobody.png", super::population::face("spare"));
    harness.run().expect_exit(0);
    harness.expect_shown(&people.map(|name| (name, Face("spare"))));
    // The person leaves, the account is another's, whose photo is not known, and at last the rule changes.
    harness.deleted("gone");
    harness.photo_fails("heir", "no_mailbox");
    harness.write("users.csv", map("heir"));
    harness.run().expect_exit(0).expect_line("moved", "remove", "reassigned", "done");
    harness.expect_shown(&[("gone", Default), ("moved", Default), ("ruled", Face("spare")), ("ada", Face("ada"))]);
    harness.edit(|pipe| _ = pipe.top("transform", &rules("default")));
    harness.run().expect_exit(0).expect_line("ruled", "revert", "absent", "done");
    harness.expect_shown(&[("ruled", Default), ("ada", Face("ada"))]);
    harness.run().expect_exit(0).expect_answer("nothing to do");
}

/// Whose an account is stands in the listing: no photo is needed to take the former person's face off (promise P1).
#[test]
fn a_former_person_s_face_goes_while_no_photo_can_be_learnt() {
    let population = Population::of(&["moved", "ada"]).with_person("heir");
    let mut harness = Harness::of(population.world()).with(|pipe| _ = pipe.jira("match", "{ map: users.csv }"));
    let map = |moved: &str| format!("person,account\n{},moved\n{},ada\n", address(moved), address("ada"));
    harness.write("users.csv", map("moved"));
    harness.run().expect_exit(0);
    harness.expect_shown(&[("moved", Face("moved")), ("ada", Face("ada"))]);
    harness.write("users.csv", map("heir"));
    harness.edit(|pipe| _ = pipe.top("http", "{ default: { retry_pause: 10ms } }"));
    harness.sandbox.fault(Fault::new(Effect::Answer(Answer::retry_after(503, "0"))).at("graph").on("POST", "*batch"));
    harness.run().expect_exit(6).expect_line("moved", "remove", "reassigned", "done");
    harness.expect_shown(&[("moved", Default), ("ada", Face("ada"))]);
    // Nobody is known by a listing that failed.
    harness.write("users.csv", map("moved"));
    harness.sandbox.faults().clear();
    harness.run().expect_exit(0);
    harness.write("users.csv", map("heir"));
    harness.sandbox.fault(Fault::new(Effect::Answer(Answer::retry_after(503, "0"))).at("graph").on("GET", "*/users"));
    harness.run().expect_exit(6);
    harness.expect_shown(&[("moved", Face("moved")), ("ada", Face("ada"))]);
}

#[test]
fn whoever_has_the_photo_of_many_is_left_alone_and_stops_nobody_else() {
    let shared = ["a1", "a2", "a3"];
    let mut harness = Harness::with_people(&["a1", "a2", "a3", "ada"]).with(|pipe| {
        pipe.top("transform", "{ hash: { same_picture: 2 } }");
    });
    shared.iter().for_each(|name| harness.new_photo(name, "spare"));
    let mut ended = harness.run().expect_exit(0).expect_answer("3 people have the photo b3:");
    for name in shared {
        ended = ended.expect_line(name, "keep", "same_picture", "none");
    }
    harness.expect_shown(&[("a1", Start), ("a2", Start), ("a3", Start), ("ada", Face("ada"))]);
    // What is remembered of them counts in a quiet run as well; where they are many, the target stops.
    harness.run().expect_exit(0).expect_line("a1", "keep", "same_picture", "none").expect_answer("nothing to do");
    harness.edit(|pipe| _ = pipe.top("limits", "{ same_picture: { share: 74% }, shares_from: 4 }"));
    harness.new_photo("ada", "hand");
    harness.run().expect_exit(4).expect_answer("--allow entra.same_picture=3");
    harness.expect_shown(&[("ada", Face("ada"))]);
    // Two may have one photo.
    harness.new_photo("a3", "a3");
    harness.run().expect_exit(0);
    harness.expect_shown(&[("a1", Face("spare")), ("a2", Face("spare")), ("a3", Face("a3")), ("ada", Face("hand"))]);
}

/// One human in two sources (docs/architecture.md, "Matching"): who leaves the first keeps the picture while the second
/// does not know.
#[test]
fn who_is_in_two_sources_loses_no_picture_by_leaving_one() {
    let population = || {
        Population::of(&["ada", "grace"]).with_google(&["leslie"]).google(|customer| {
            let photo = super::population::file("ada");
            customer.users.push(User::new(&super::population::bought("ada"), "ada", "Fabrikam").photo(&photo));
        })
    };
    let mut harness = Harness::connected(population().world());
    // The part before the @ is the same in both directories.
    harness.edit(|pipe| _ = pipe.jira("match", "[{ person: email_local, account: username }]"));
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada"))]);
    harness.deleted("ada");
    let cannot_say = json!({ "error": { "code": 503, "message": "Backend error" } });
    let answer = Answer { body: cannot_say, ..Answer::retry_after(503, "0") };
    harness.sandbox.fault(Fault::new(Effect::Answer(answer)).at("directory").about("photos/thumbnail"));
    harness.run().expect_line("ada", "keep", "source_unreachable", "none");
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("leslie", Face("leslie"))]);
    harness.edit(|pipe| _ = pipe.source("google").set("enabled", "false"));
    harness.run().expect_line("ada", "keep", "source_disabled", "none");
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("leslie", Face("leslie"))]);
}

/// A photo that is smaller than either size comes out the same.
#[test]
fn other_settings_that_make_the_same_picture_upload_nothing() {
    let mut harness = Harness::with_people(&["ada", "grace"]).with(|pipe| {
        pipe.top("transform", "{ resize: { size: 500 } }");
    });
    harness.run().expect_exit(0);
    harness.sandbox.requests().reset();
    harness.edit(|pipe| _ = pipe.top("transform", "{ resize: { size: 512 } }"));
    harness.plan_with(&[]).expect_exit(0).expect_answer("nothing to do");
    harness.run().expect_exit(0).expect_answer("nothing to do");
    assert_eq!(harness.writes(), [""; 0]);
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
    // It is recorded: the next run asks for no photo.
    let (quiet, requests) = harness.counted(Harness::run);
    quiet.expect_exit(0).expect_answer("nothing to do");
    let (same, again) = harness.counted(Harness::run);
    same.expect_exit(0);
    assert_eq!(requests, again);
}

#[test]
fn a_placeholder_counts_as_no_photo() {
    let placeholder = blake3::hash(&super::population::face("spare")).to_hex();
    let harness = Harness::with_people(&["ada", "grace"]).with(|pipe| {
        pipe.top("transform", &format!("{{ hash: {{ placeholders: ['b3:{placeholder}'] }} }}"));
    });
    harness.new_photo("ada", "spare");
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Default), ("grace", Face("grace"))]);
}

#[test]
fn another_recipe_and_rerender_upload_again_and_a_quiet_run_does_not() {
    let mut harness = Harness::with_people(&["ada", "grace"]);
    harness.run().expect_exit(0);
    harness.edit(|pipe| _ = pipe.top("transform", "{ resize: { format: jpeg } }"));
    let (changed, _) = harness.counted(Harness::run);
    changed.expect_exit(0).expect_line("ada", "replace", "recipe_changed", "done");
    harness.run().expect_exit(0).expect_answer("nothing to do");
    harness.run_with(&["--rerender"]).expect_exit(0).expect_line("grace", "replace", "rerender", "done");
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
}

#[test]
fn a_failure_that_only_one_photo_call_meets_is_that_persons_alone() {
    let failing = Photo::Failure(PhotoFailure::NoMailbox);
    let harness = Harness::of(Population::of(&["ada", "grace"]).photo("ada", failing).world());
    harness.run().expect_exit(0).expect_line("ada", "keep", "photo_unknown", "none");
    harness.expect_shown(&[("ada", Start), ("grace", Face("grace"))]);
}
