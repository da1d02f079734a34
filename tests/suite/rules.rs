//! Who is given a picture, who keeps what there is, and for which reason (promises P1, P2, P10).

use avatarpipe_sandbox::entra::world::{NoPhoto, Person, Photo, PhotoFailure};
use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use avatarpipe_sandbox::google::world::User;
use avatarpipe_sandbox::jira::world::Choice;
use serde_json::json;

use super::company::{Company, address};
use super::stage::Stage;
use super::truth::Shows::{self, Default, Face, Start, System};

#[test]
fn two_of_one_name_are_told_apart_and_two_of_one_address_are_left_alone() {
    let company = Company::of(&["john", "john2", "ada"])
        .with_account("desk")
        .person("john", |person| person.name = "John Doe".into())
        .person("john2", |person| person.name = "john".into());
    let company = company.person("ada", shares_the_desk).person("john", shares_the_desk).chose_by_hand("desk");
    let stage = Stage::of(company.world());
    let ended = stage.run().expect_exit(0).expect_line("desk", "conflict", "ambiguous", "none");
    assert_eq!(ended.count("jira", "conflicts"), 1);
    stage.expect_shown(&[("john", Face("john")), ("john2", Face("john2")), ("ada", Face("ada")), ("desk", Start)]);
}

fn shares_the_desk(person: &mut Person) {
    person.proxy_addresses.push(format!("smtp:{}", address("desk")));
}

#[test]
fn keys_that_contradict_each_other_are_a_conflict() {
    // The account has ada's name and grace's address: neither may lend it a face.
    let company = Company::of(&["ada", "grace"]).account("ada", |account| account.email = Some(address("nobody")));
    let stage = Stage::of(company.world());
    stage.run().expect_exit(0).expect_line("ada", "conflict", "conflict", "none");
    stage.expect_shown(&[("ada", Start), ("grace", Face("grace"))]);
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
        let company = Company::of(&["ada", "grace", "alan"]).chose_by_hand("alan");
        let company = company.photo("alan", Photo::None(NoPhoto::OnePixel));
        let stage = Stage::of(company.world()).with(|pipe| {
            pipe.jira("ownership", ownership).top("transform", &format!("{{ fallback: {{ absent: {rule} }} }}"));
        });
        let planned = stage.plan_with(&[]).expect_exit(0);
        planned.holds(
            planned.stdout.contains("among the person's own") == (alan_goes(alan)),
            "what becomes of it is told",
        );
        let (first, _) = stage.counted(Stage::run);
        let first = first.expect_exit(0).expect_line("alan", verdict, reason, result);
        let limits = first.report()["limits"].as_array().cloned().unwrap_or_default();
        for limit in ["reverts", "foreign"] {
            let found = limits.iter().find(|line| line["limit"] == limit && line["scope"] == "jira");
            let value = found.and_then(|line| line["value"].as_u64());
            assert_eq!(value, Some(u64::from(alan_goes(alan))), "{limit}");
        }
        stage.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("alan", alan)]);
        stage.no_photo("ada");
        stage.run().expect_exit(0);
        let ada = if rule == "default" { Default } else { Face("ada") };
        stage.expect_shown(&[("ada", ada), ("grace", Face("grace")), ("alan", alan)]);
        stage.run().expect_exit(0).expect_answer("nothing to do");
    }
}

fn alan_goes(alan: Shows<'_>) -> bool {
    matches!(alan, Default)
}

#[test]
fn a_photo_that_is_back_at_the_second_question_stays() {
    let stage = Stage::company(&["ada"]);
    stage.run().expect_exit(0);
    let gone = json!({ "error": { "code": "ImageNotFound", "message": "The photo wasn't found." } });
    let answer = Answer { body: gone, ..Answer::retry_after(404, "1") };
    stage.sandbox.fault(Fault::new(Effect::Answer(answer)).at("graph").in_parts().about("/photo").times(1));
    stage.run().expect_exit(0).expect_answer("nothing to do");
    stage.expect_shown(&[("ada", Face("ada"))]);
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
    let stage = Stage::company(&names).with(|pipe| {
        pipe.top("limits", "{ unknown: { count: 20 } }");
    });
    stage.run().expect_exit(0);
    stage.sandbox.requests().reset();
    for (name, shape) in names.iter().zip(shapes) {
        stage.photo_fails(name, shape);
    }
    let ended = stage.run().expect_exit(0);
    assert_eq!(stage.writes(), [""; 0]);
    for name in &names[..shapes.len()] {
        stage.expect_shown(&[(name, Face(name))]);
        ended.holds(ended.line("jira", name)["reason"] == "photo_unknown", &format!("{name}: photo_unknown"));
    }
    for (name, _) in names.iter().zip(shapes) {
        stage.new_photo(name, name);
    }
    stage.run().expect_exit(0).expect_answer("nothing to do");
}

#[test]
fn a_store_that_fails_for_everybody_is_no_reason_to_revert() {
    let stage = Stage::company(&["ada", "grace"]);
    stage.run().expect_exit(0);
    stage.sandbox.requests().reset();
    for name in ["ada", "grace"] {
        stage.photo_fails(name, "access_denied");
    }
    // Everybody denied in the same way is the permission of the app.
    stage.run().expect_exit(5);
    assert_eq!(stage.writes(), [""; 0]);
    stage.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
}

#[test]
fn a_first_run_that_learns_of_nobody_has_failed() {
    let names: Vec<String> = (0..20).map(|nth| format!("p{nth:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (failure, exit) in [("authentication_error", 6), ("access_denied", 5)] {
        let stage = Stage::company(&names);
        for name in &names {
            stage.photo_fails(name, failure);
        }
        stage.run().expect_exit(exit);
        stage.expect_shown(&names.iter().map(|name| (*name, Start)).collect::<Vec<_>>());
    }
}

/// A few without a mailbox are no trouble of the tenant, and the next source serves its people all the same.
#[test]
fn a_few_without_a_mailbox_stop_nobody_else() {
    let stage = Stage::connected(Company::of(&["ada", "grace"]).with_google(&["leslie"]).world());
    for name in ["ada", "grace"] {
        stage.photo_fails(name, "authentication_error");
    }
    stage.run().expect_exit(0);
    stage.expect_shown(&[("ada", Start), ("grace", Start), ("leslie", Face("leslie"))]);
}

#[test]
fn a_source_that_is_switched_off_leaves_its_people_alone() {
    let mut stage = Stage::company(&["ada", "grace"]);
    stage.run().expect_exit(0);
    stage.sandbox.requests().reset();
    stage.new_photo("ada", "spare");
    stage.no_photo("grace");
    stage.edit(|pipe| _ = pipe.entra("enabled", "false"));
    stage.run().expect_exit(0);
    assert_eq!(stage.sandbox.requests().of("graph") + stage.sandbox.requests().of("login"), 0);
    assert_eq!(stage.writes(), [""; 0]);
    stage.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
}

#[test]
fn who_owns_the_picture_decides_about_it() {
    // ownership → what is shown where a person chose an upload, or a picture of Jira's own
    for (ownership, upload, stock) in [("provider", Face("ada"), Face("grace")), ("ours", Start, Start)] {
        let company = Company::of(&["ada", "grace", "alan"])
            .chose_by_hand("ada")
            .account("grace", |account| account.shows = Some(Choice::System(2)));
        let stage = Stage::of(company.world()).with(|pipe| _ = pipe.jira("ownership", ownership));
        stage.run().expect_exit(0);
        stage.expect_shown(&[("ada", upload), ("grace", stock), ("alan", Face("alan"))]);
        if ownership == "ours" {
            stage.expect_shown(&[("grace", System)]);
        }
        stage.run().expect_exit(0).expect_answer("nothing to do");
    }
}

#[test]
fn a_picture_chosen_by_hand_after_ours_is_overwritten_or_left() {
    for (ownership, shown) in [("provider", "ada"), ("ours", "hand")] {
        let stage = Stage::company(&["ada", "grace"]).with(|pipe| {
            pipe.jira("ownership", ownership).top("limits", "{ target_drift: { count: 5 } }");
        });
        stage.run().expect_exit(0);
        stage.by_hand("ada", "hand");
        stage.run().expect_exit(0);
        let account = stage.account("ada");
        let face = super::truth::looks(&super::company::face(shown));
        assert!(super::truth::looks(&account.now.bytes).fits(&face), "{ownership}: {shown}");
        assert_eq!(stage.sandbox.truth().violations, [""; 0]);
    }
}

#[test]
fn an_account_that_belongs_to_another_person_loses_the_first_ones_face() {
    for (second_has_a_photo, shown) in [(true, Face("grace")), (false, Default)] {
        let mut stage = Stage::of(Company::of(&["ada"]).with_person("grace").world());
        stage.edit(|pipe| _ = pipe.jira("match", "{ map: users.csv }"));
        stage.write("users.csv", format!("person,account\n{},ada\n", address("ada")));
        stage.run().expect_exit(0);
        stage.expect_shown(&[("ada", Face("ada"))]);
        if !second_has_a_photo {
            stage.photo_fails("grace", "no_mailbox");
        }
        stage.write("users.csv", format!("person,account\n{},ada\n", address("grace")));
        stage.run().expect_exit(0);
        stage.expect_shown(&[("ada", shown)]);
    }
}

#[test]
fn the_fallback_of_the_file_decides_about_people_without_a_photo() {
    let people = ["absent", "opted", "disabled", "guest", "deleted", "ada"];
    let rules =
        "{ fallback: { absent: keep, opted_out: default, inactive: default, out_of_scope: keep, gone: default } }";
    let mut stage = Stage::company(&people).with(|pipe| {
        pipe.top("transform", rules).top("limits", "{ reverts: { count: 10 }, source_shrink: { count: 3 } }");
    });
    stage.run().expect_exit(0);
    stage.no_photo("absent");
    stage.enabled("disabled", false);
    stage.deleted("deleted");
    stage.edit(|pipe| _ = pipe.entra("users", "{ opted_out: ['opted@*'], exclude: ['guest@*'] }"));
    stage.run().expect_exit(0).expect_line("opted", "remove", "opted_out", "done");
    stage.expect_shown(&[
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
    let company = Company::of(&["ada", "grace"]).photo("ada", Photo::None(NoPhoto::ImageNotFound));
    let stage = Stage::of(company.world()).with(|pipe| {
        pipe.top("transform", "{ fallback: { absent: { image: nobody.png } } }");
    });
    stage.write("nobody.png", super::company::face("spare"));
    stage.run().expect_exit(0);
    stage.expect_shown(&[("ada", Face("spare")), ("grace", Face("grace"))]);
    stage.run().expect_exit(0).expect_answer("nothing to do");
}

/// It is recorded for the person it stands for, so that every later rule applies to it.
#[test]
fn an_image_goes_with_its_person_and_with_its_rule() {
    let company = Company::of(&["gone", "moved", "ruled", "ada"]).with_person("heir");
    let people = ["gone", "moved", "ruled"];
    let company = people.iter().fold(company, |company, name| company.photo(name, Photo::None(NoPhoto::ImageNotFound)));
    let rules = |absent: &str| format!("{{ fallback: {{ absent: {absent}, gone: default }} }}");
    let mut stage = Stage::of(company.world()).with(|pipe| {
        pipe.top("transform", &rules("{ image: nobody.png }")).jira("match", "{ map: users.csv }");
        pipe.top("limits", "{ source_shrink: { count: 3 } }");
    });
    let map = |moved: &str| {
        let lines = [("gone", "gone"), (moved, "moved"), ("ruled", "ruled"), ("ada", "ada")];
        let lines = lines.map(|(person, account)| format!("{},{account}\n", address(person)));
        format!("person,account\n{}", lines.concat())
    };
    stage.write("users.csv", map("moved"));
    stage.write("nobody.png", super::company::face("spare"));
    stage.run().expect_exit(0);
    stage.expect_shown(&people.map(|name| (name, Face("spare"))));
    // The person leaves, the account is another's, whose photo is not known, and at last the rule changes.
    stage.deleted("gone");
    stage.photo_fails("heir", "no_mailbox");
    stage.write("users.csv", map("heir"));
    stage.run().expect_exit(0).expect_line("moved", "remove", "reassigned", "done");
    stage.expect_shown(&[("gone", Default), ("moved", Default), ("ruled", Face("spare")), ("ada", Face("ada"))]);
    stage.edit(|pipe| _ = pipe.top("transform", &rules("default")));
    stage.run().expect_exit(0).expect_line("ruled", "revert", "absent", "done");
    stage.expect_shown(&[("ruled", Default), ("ada", Face("ada"))]);
    stage.run().expect_exit(0).expect_answer("nothing to do");
}

#[test]
fn whoever_has_the_photo_of_many_is_left_alone_and_stops_nobody_else() {
    let shared = ["a1", "a2", "a3"];
    let mut stage = Stage::company(&["a1", "a2", "a3", "ada"]).with(|pipe| {
        pipe.top("transform", "{ hash: { same_picture: 2 } }");
    });
    shared.iter().for_each(|name| stage.new_photo(name, "spare"));
    let mut ended = stage.run().expect_exit(0).expect_answer("3 people have the photo b3:");
    for name in shared {
        ended = ended.expect_line(name, "keep", "same_picture", "none");
    }
    stage.expect_shown(&[("a1", Start), ("a2", Start), ("a3", Start), ("ada", Face("ada"))]);
    // What is remembered of them counts in a quiet run as well; where they are many, the target stops.
    stage.run().expect_exit(0).expect_line("a1", "keep", "same_picture", "none").expect_answer("nothing to do");
    stage.edit(|pipe| _ = pipe.top("limits", "{ same_picture: { share: 74% }, shares_from: 4 }"));
    stage.new_photo("ada", "hand");
    stage.run().expect_exit(4).expect_answer("--allow same_picture=3");
    stage.expect_shown(&[("ada", Face("ada"))]);
    // Two may have one photo.
    stage.new_photo("a3", "a3");
    stage.run().expect_exit(0);
    stage.expect_shown(&[("a1", Face("spare")), ("a2", Face("spare")), ("a3", Face("a3")), ("ada", Face("hand"))]);
}

/// One human in two sources (docs/architecture.md, "Matching"): who leaves the first keeps the picture while the second
/// does not know.
#[test]
fn who_is_in_two_sources_loses_no_picture_by_leaving_one() {
    let company = || {
        Company::of(&["ada", "grace"]).with_google(&["leslie"]).google(|customer| {
            let photo = super::company::file("ada");
            customer.users.push(User::new(&super::company::bought("ada"), "ada", "Fabrikam").photo(&photo));
        })
    };
    let mut stage = Stage::connected(company().world());
    // The part before the @ is the same in both directories.
    stage.edit(|pipe| _ = pipe.jira("match", "[{ person: email_local, account: username }]"));
    stage.run().expect_exit(0);
    stage.expect_shown(&[("ada", Face("ada"))]);
    stage.deleted("ada");
    let cannot_say = json!({ "error": { "code": 503, "message": "Backend error" } });
    let answer = Answer { body: cannot_say, ..Answer::retry_after(503, "0") };
    stage.sandbox.fault(Fault::new(Effect::Answer(answer)).at("directory").about("photos/thumbnail"));
    stage.run().expect_line("ada", "keep", "source_unreachable", "none");
    stage.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("leslie", Face("leslie"))]);
    stage.edit(|pipe| _ = pipe.source("google").set("enabled", "false"));
    stage.run().expect_line("ada", "keep", "source_disabled", "none");
    stage.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("leslie", Face("leslie"))]);
}

#[test]
fn a_placeholder_counts_as_no_photo() {
    let placeholder = blake3::hash(&super::company::face("spare")).to_hex();
    let stage = Stage::company(&["ada", "grace"]).with(|pipe| {
        pipe.top("transform", &format!("{{ hash: {{ placeholders: ['b3:{placeholder}'] }} }}"));
    });
    stage.new_photo("ada", "spare");
    stage.run().expect_exit(0);
    stage.expect_shown(&[("ada", Default), ("grace", Face("grace"))]);
}

#[test]
fn another_recipe_and_rerender_upload_again_and_a_quiet_run_does_not() {
    let mut stage = Stage::company(&["ada", "grace"]);
    stage.run().expect_exit(0);
    stage.edit(|pipe| _ = pipe.top("transform", "{ resize: { format: jpeg } }"));
    let (changed, _) = stage.counted(Stage::run);
    changed.expect_exit(0).expect_line("ada", "replace", "recipe_changed", "done");
    stage.run().expect_exit(0).expect_answer("nothing to do");
    stage.run_with(&["--rerender"]).expect_exit(0).expect_line("grace", "replace", "rerender", "done");
    stage.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
}

#[test]
fn a_failure_that_only_one_photo_call_meets_is_that_persons_alone() {
    let failing = Photo::Failure(PhotoFailure::NoMailbox);
    let stage = Stage::of(Company::of(&["ada", "grace"]).photo("ada", failing).world());
    stage.run().expect_exit(0).expect_line("ada", "keep", "photo_unknown", "none");
    stage.expect_shown(&[("ada", Start), ("grace", Face("grace"))]);
}
