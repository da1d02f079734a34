//! A provider that is not there, lies, or lets us in no more.

use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use serde_json::{Value, json};

use super::super::company::{Company, bought};
use super::super::stage::Stage;
use super::super::truth::Shows::{Default, Face};
use super::{Book, Drill, PEOPLE, hold, served};

/// An answer in place of the server's own.
fn answer(status: u16, body: Value) -> Effect {
    Effect::Answer(Answer { status, body, ..Answer::default() })
}

/// The listing of the tenant.
fn users(effect: Effect) -> Fault {
    Fault::new(effect).at("graph").on("GET", "/v1.0/users")
}

/// Everything but the first page of the listing, one person to a page.
fn later_pages(stage: &Stage, effect: Effect) {
    stage.sandbox.switch("graph", "page_size", "1").expect("a switch");
    stage.sandbox.fault(Fault::new(effect).at("graph").on("GET", "/v1.0/users?*skiptoken*"));
}

fn every_photo(stage: &Stage, effect: Effect) {
    stage.sandbox.fault(Fault::new(effect).at("graph").in_parts().about("/photo"));
}

fn graph_error(code: &str) -> Value {
    json!({ "error": { "code": code, "message": "As the drill has it." } })
}

const DRILLS: [Drill; 11] = [
    Drill::new("login-page", 6, |stage| _ = stage.sandbox.fault(users(Effect::LoginPage {}))),
    Drill::new("listing-cut-off", 6, |stage| {
        _ = stage.sandbox.fault(users(answer(200, json!("{\"value\": [{\"id\": \"b1f0\", \"userPrin"))));
    }),
    Drill::new("listing-empty", 6, |stage| _ = stage.sandbox.fault(users(answer(200, json!({ "value": [] }))))),
    Drill::new("listing-ends-early", 4, |stage| later_pages(stage, answer(200, json!({ "value": [] })))),
    Drill::new("listing-fails-half-way", 6, |stage| later_pages(stage, answer(410, graph_error("Gone")))),
    Drill::new("no-permission", 5, |stage| {
        _ = stage.sandbox.fault(users(answer(403, graph_error("Authorization_RequestDenied"))));
    }),
    Drill::new("token-dead-half-way", 5, |stage| {
        let refused = answer(401, graph_error("InvalidAuthenticationToken"));
        _ = stage.sandbox.fault(Fault::new(refused).at("graph").on("POST", "/v1.0/$batch"));
    }),
    Drill::new("secret-dead-half-way", 5, |stage| {
        // The token is refused and there is no other: the secret was taken back meanwhile.
        let refused = answer(401, graph_error("InvalidAuthenticationToken"));
        stage.sandbox.fault(Fault::new(refused).at("graph").on("POST", "/v1.0/$batch").times(1));
        let expired = json!({ "error": "invalid_client", "error_codes": [7_000_222],
            "error_description": "AADSTS7000222: The provided client secret keys are expired. Trace ID: none" });
        _ = stage.sandbox.fault(Fault::new(answer(401, expired)).at("login").after(1));
    }),
    Drill::new("no-photo-anywhere", 4, |stage| every_photo(stage, answer(404, graph_error("ImageNotFound")))),
    Drill::new("every-photo-unlisted", 6, |stage| every_photo(stage, answer(418, graph_error("Teapot")))),
    Drill::new("every-photo-404", 6, |stage| every_photo(stage, answer(404, Value::Null))),
];

#[test]
fn a_tenant_that_breaks_reverts_nobody() {
    let mut book = Book::default();
    for drill in &DRILLS {
        hold(drill, served(Company::of(&PEOPLE)), &["jira"], &mut book);
    }
    book.expect("tenant");
}

#[test]
fn photos_that_are_gone_are_asked_for_twice_before_they_count() {
    let stage = served(Company::of(&PEOPLE));
    every_photo(&stage, answer(404, graph_error("ImageNotFound")));
    stage.run().expect_exit(4);
    let asked = stage.sandbox.requests().entries();
    let photo = |entry: &avatarpipe_sandbox::requests::Entry| entry.path == "/v1.0/$batch";
    assert_eq!(asked.iter().filter(|entry| photo(entry)).count(), 2, "once all of them, once again all of them");
}

/// Only a message that names the exception makes an entity's absence a photo's (docs/wire/microsoft-graph.md §12).
#[test]
fn what_is_no_proof_changes_nothing_and_what_is_one_reverts() {
    for how in ["other_entity", "invalid_user", "user_unresolved", "resource_not_found"] {
        let stage = served(Company::of(&PEOPLE));
        stage.new_photo("ada", "ada");
        stage.photo_fails("grace", how);
        stage.run().expect_exit(0).expect_answer("nothing to do");
        stage.expect_shown_in("jira", &PEOPLE.map(|name| (name, Face(name))));
    }
    let stage = served(Company::of(&PEOPLE)).switch("graph", "no_photo", "entity_not_found");
    stage.new_photo("ada", "ada");
    stage.run().expect_exit(0);
    stage.expect_shown_in("jira", &[("ada", Face("ada")), ("grace", Default), ("alan", Face("alan"))]);
}

/// Promise P5, though the marker beside the bytes is not the one of the metadata (docs/wire/microsoft-graph.md §3.6).
#[test]
fn markers_that_differ_between_metadata_and_bytes_cost_one_run_and_no_more() {
    let stage = Stage::company(&PEOPLE).switch("graph", "value_etag", "other");
    let downloaded = || stage.run().expect_exit(0).report()["sources"][0]["downloaded"].as_u64().expect("a count");
    let runs: Vec<u64> = (0..4).map(|_| downloaded()).collect();
    assert_eq!(runs, [3, 3, 0, 0]);
    stage.new_photo("ada", "spare");
    assert_eq!((downloaded(), downloaded()), (1, 0));
}

fn a_page() -> Value {
    use base64::Engine as _;
    json!(base64::engine::general_purpose::STANDARD.encode("<!DOCTYPE html><html><title>Sign in</title></html>"))
}

fn every_byte(stage: &Stage, effect: Effect, passing: u32) {
    stage.sandbox.fault(Fault::new(effect).at("graph").in_parts().about("$value").after(passing));
}

/// A run that learnt hardly a photo must not look like one that found nothing to do.
#[test]
fn photos_that_are_lost_on_the_way_are_no_success() {
    let throttled = || Effect::Answer(Answer::retry_after(429, "0"));
    for (what, effect, passing, exit, outcome) in [
        ("a sign-in page for everybody", answer(200, a_page()), 0, 6, "unreachable"),
        ("a sign-in page for most", answer(200, a_page()), 1, 3, "partial"),
        ("throttling of everybody", throttled(), 0, 6, "unreachable"),
        ("throttling of most", throttled(), 1, 3, "partial"),
    ] {
        let stage = Stage::company(&PEOPLE);
        every_byte(&stage, effect, passing);
        let ended = stage.run().expect_exit(exit);
        assert_eq!(ended.report()["outcome"], outcome, "{what}");
        stage.sandbox.faults().clear();
        // What was lost is asked for again.
        stage.run().expect_exit(0);
        stage.expect_shown_in("jira", &PEOPLE.map(|name| (name, Face(name))));
    }
}

/// The defaults of the file hold for a company that is large enough for shares.
#[test]
fn a_store_that_lost_every_photo_is_stopped_by_the_default_limits() {
    let names: Vec<String> = (0..101).map(|number| format!("p{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let stage = Stage::company(&names);
    stage.run().expect_exit(0);
    stage.sandbox.reset_writes();
    every_photo(&stage, answer(404, graph_error("ImageNotFound")));
    stage.run().expect_exit(4).expect_answer("reverts of jira: found 101 of 101, allowed 5");
    assert_eq!(stage.sandbox.truth().writes, []);
    stage.sandbox.faults().clear();
    // Nothing of it is believed afterwards either.
    stage.run().expect_exit(0).expect_answer("nothing to do");
}

const BOUGHT: [&str; 2] = ["leslie", "katherine"];

/// Of the company that was bought, Leslie got another photo, and Katherine's is gone.
fn google_served() -> Stage {
    let stage = served(Company::of(&[]).with_google(&BOUGHT).with_person("ada").with_person("grace"));
    let photo = |name: &str, now: Value| {
        let command = json!({ "photo": { "user": bought(name), "now": now } });
        stage.sandbox.command("directory", &command).unwrap_or_else(|fault| panic!("{fault}"));
    };
    photo("leslie", json!({ "file": "faces/spare.png" }));
    photo("katherine", json!({ "none": {} }));
    stage
}

fn directory(path: &str, effect: Effect) -> Fault {
    Fault::new(effect).at("directory").on("GET", path)
}

fn refused(status: u16, reason: &str, message: &str) -> Effect {
    let error = json!({ "code": status, "message": message, "errors": [{ "reason": reason, "message": message }] });
    answer(status, json!({ "error": error }))
}

const LISTING: &str = "/admin/directory/v1/users";

const GOOGLE: [Drill; 6] = [
    Drill::new("no-privilege", 5, |stage| {
        let denied = refused(403, "forbidden", "Not Authorized to access this resource/api");
        _ = stage.sandbox.fault(directory(LISTING, denied));
    }),
    Drill::new("token-dead-half-way", 5, |stage| {
        let dead = refused(401, "authError", "Invalid Credentials");
        _ = stage.sandbox.fault(Fault::new(dead).at("directory").on("POST", "/batch"));
    }),
    Drill::new("listing-empty", 6, |stage| _ = stage.sandbox.fault(directory(LISTING, answer(200, json!({}))))),
    Drill::new("listing-ends-early", 4, |stage| {
        stage.sandbox.switch("directory", "page_size", "1").expect("a switch");
        let path = "/admin/directory/v1/users?*pageToken*";
        _ = stage.sandbox.fault(directory(path, answer(200, json!({}))));
    }),
    Drill::new("every-photo-unlisted", 6, |stage| {
        // The listing has new markers for all, so that everybody is asked for.
        for name in BOUGHT {
            let command = json!({ "photo": { "user": bought(name), "now": { "same": {} } } });
            _ = stage.sandbox.command("directory", &command);
        }
        let odd = refused(418, "teapot", "As the drill has it.");
        stage.sandbox.fault(Fault::new(odd).at("directory").in_parts().about("/photos/"));
    }),
    Drill::new("key-revoked", 5, |stage| {
        let gone = json!({ "error": "invalid_grant", "error_description": "Invalid JWT Signature." });
        _ = stage.sandbox.fault(Fault::new(answer(400, gone)).at("token"));
    }),
];

#[test]
fn a_customer_that_breaks_reverts_nobody() {
    let mut book = Book::default();
    for drill in &GOOGLE {
        println!("drill: {}", drill.name);
        let mut stage = google_served();
        (drill.breaks)(&mut stage);
        let ended = stage.run().expect_exit(drill.exit);
        book.add(drill.name, drill.exit, &stage, &ended);
        assert_eq!(stage.sandbox.truth().writes, [], "{}", drill.name);
        stage.expect_shown(&BOUGHT.map(|name| (name, Face(name))));
        stage.sandbox.faults().clear();
        stage.run().expect_exit(0);
        stage.expect_shown(&[("leslie", Face("spare")), ("katherine", Default)]);
    }
    book.expect("customer");
}

/// Google's listing says whose photo changed: where these are denied, nobody else was asked about.
#[test]
fn photos_that_are_denied_to_a_few_are_these_peoples_matter() {
    let company = Company::of(&[]).with_google(&["leslie", "katherine", "radia"]);
    let mut stage = served(company.with_person("ada").with_person("grace"));
    // The limit on photos that were known last time is another matter.
    stage.edit(|pipe| _ = pipe.top("limits", "{ unknown: { count: 2 } }"));
    for name in BOUGHT {
        let command = json!({ "photo": { "user": bought(name), "now": { "file": "faces/spare.png" } } });
        _ = stage.sandbox.command("directory", &command).unwrap_or_else(|fault| panic!("{fault}"));
    }
    let denied = refused(403, "forbidden", "Not Authorized to access this resource/api");
    stage.sandbox.fault(Fault::new(denied).at("directory").in_parts().about("/photos/"));
    for _ in 0..2 {
        let ended = stage.run().expect_exit(0);
        for name in BOUGHT {
            ended.holds(ended.line("jira", name)["reason"] == "photo_unknown", &format!("{name}: photo_unknown"));
        }
    }
    assert_eq!(stage.sandbox.truth().writes, []);
    stage.sandbox.faults().clear();
    stage.run().expect_exit(0);
    stage.expect_shown(&[("leslie", Face("spare")), ("katherine", Face("spare")), ("radia", Face("radia"))]);
}

/// docs/architecture.md, "Fetch": no marker means no photo only if other users of the same listing have one.
#[test]
fn a_listing_without_any_marker_is_no_proof() {
    let stage = google_served();
    stage
        .sandbox
        .command(
            "directory",
            &json!({ "photo": { "user": bought("katherine"), "now": { "file": "faces/katherine.png" } } }),
        )
        .expect("a photo");
    let users = stage.sandbox.truth().people.into_iter().filter(|person| person.simulator == "directory");
    let user = |person: avatarpipe_sandbox::truth::Person| json!({ "id": person.id, "primaryEmail": person.user_name, "name": { "fullName": person.display_name }, "orgUnitPath": "/" });
    let everybody: Vec<Value> = users.map(user).collect();
    stage.sandbox.fault(directory(LISTING, answer(200, json!({ "users": everybody }))));
    let ended = stage.run().expect_exit(0);
    ended.expect_answer("nobody's `thumbnailPhotoEtag` is told: that proves nothing");
    stage.expect_shown(&[("leslie", Face("spare")), ("katherine", Face("katherine"))]);
    stage.sandbox.faults().clear();
    stage
        .sandbox
        .command("directory", &json!({ "photo": { "user": bought("katherine"), "now": { "none": {} } } }))
        .expect("no photo");
    stage.run().expect_exit(0);
    stage.expect_shown(&[("leslie", Face("spare")), ("katherine", Default)]);
}

/// docs/wire/google-directory.md §2.3: the versions are Google's own affair, and all may change at once.
#[test]
fn versions_that_all_change_at_once_cost_reads_and_no_write() {
    let names: Vec<String> = (0..21).map(|n| format!("p{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let company = Company::of(&[]).with_google(&names);
    let stage = Stage::connected(company.world()).with(|pipe| _ = pipe.without_source("entra"));
    stage.run().expect_exit(0);
    stage.sandbox.reset_writes();
    for name in &names {
        let same = json!({ "photo": { "user": bought(name), "now": { "same": {} } } });
        stage.sandbox.command("directory", &same).unwrap_or_else(|fault| panic!("{fault}"));
    }
    let (ended, _) = stage.counted(|stage| stage.run().expect_exit(0));
    ended.expect_answer("21 of 21 photos are listed under another version").expect_answer("nothing to do");
    assert_eq!(stage.sandbox.truth().writes, []);
    stage.expect_shown(&names.iter().map(|name| (*name, Face(name))).collect::<Vec<_>>());
    // The new versions are remembered: nobody is asked about again.
    let (ended, _) = stage.counted(|stage| stage.run().expect_exit(0));
    ended.holds_no_answer("another version");
    assert!(stage.calls("directory").iter().all(|call| !call.contains("batch")), "{:?}", stage.calls("directory"));
}
