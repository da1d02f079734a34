//! A provider that is not there, lies, or lets us in no more.

use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use serde_json::{Value, json};

use super::super::harness::Harness;
use super::super::population::{Population, bought};
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
fn later_pages(harness: &Harness, effect: Effect) {
    harness.sandbox.switch("graph", "page_size", "1").expect("a switch");
    harness.sandbox.fault(Fault::new(effect).at("graph").on("GET", "/v1.0/users?*skiptoken*"));
}

fn every_photo(harness: &Harness, effect: Effect) {
    harness.sandbox.fault(Fault::new(effect).at("graph").in_parts().about("/photo"));
}

fn graph_error(code: &str) -> Value {
    // A code that is to prove an absence comes with its own words (docs/wire/microsoft-graph.md §3.5).
    let words = if code.ends_with("NotFound") { "It was not found." } else { "As the drill has it." };
    json!({ "error": { "code": code, "message": words } })
}

const DRILLS: [Drill; 11] = [
    Drill::new("login-page", 6, |harness| _ = harness.sandbox.fault(users(Effect::LoginPage {}))),
    Drill::new("listing-cut-off", 6, |harness| {
        _ = harness.sandbox.fault(users(answer(200, json!("{\"value\": [{\"id\": \"b1f0\", \"userPrin"))));
    }),
    Drill::new("listing-empty", 6, |harness| _ = harness.sandbox.fault(users(answer(200, json!({ "value": [] }))))),
    Drill::new("listing-ends-early", 4, |harness| later_pages(harness, answer(200, json!({ "value": [] })))),
    Drill::new("listing-fails-half-way", 6, |harness| later_pages(harness, answer(410, graph_error("Gone")))),
    Drill::new("no-permission", 5, |harness| {
        _ = harness.sandbox.fault(users(answer(403, graph_error("Authorization_RequestDenied"))));
    }),
    Drill::new("token-dead-half-way", 5, |harness| {
        let refused = answer(401, graph_error("InvalidAuthenticationToken"));
        _ = harness.sandbox.fault(Fault::new(refused).at("graph").on("POST", "/v1.0/$batch"));
    }),
    Drill::new("secret-dead-half-way", 5, |harness| {
        // The token is refused and there is no other: the secret was taken back meanwhile.
        let refused = answer(401, graph_error("InvalidAuthenticationToken"));
        harness.sandbox.fault(Fault::new(refused).at("graph").on("POST", "/v1.0/$batch").times(1));
        let expired = json!({ "error": "invalid_client", "error_codes": [7_000_222],
            "error_description": "AADSTS7000222: The provided client secret keys are expired. Trace ID: none" });
        _ = harness.sandbox.fault(Fault::new(answer(401, expired)).at("login").after(1));
    }),
    Drill::new("no-photo-anywhere", 4, |harness| every_photo(harness, answer(404, graph_error("ImageNotFound")))),
    Drill::new("every-photo-unlisted", 6, |harness| every_photo(harness, answer(418, graph_error("Teapot")))),
    Drill::new("every-photo-404", 6, |harness| every_photo(harness, answer(404, Value::Null))),
];

#[test]
fn a_tenant_that_breaks_reverts_nobody() {
    let mut book = Book::default();
    for drill in &DRILLS {
        hold(drill, served(Population::of(&PEOPLE)), &["jira"], &mut book);
    }
    book.expect("tenant");
}

#[test]
fn photos_that_are_gone_are_asked_for_twice_before_they_count() {
    let harness = served(Population::of(&PEOPLE));
    every_photo(&harness, answer(404, graph_error("ImageNotFound")));
    harness.run().expect_exit(4);
    let asked = harness.sandbox.requests().entries();
    let photo = |entry: &avatarpipe_sandbox::requests::Entry| entry.path == "/v1.0/$batch";
    assert_eq!(asked.iter().filter(|entry| photo(entry)).count(), 2, "once all of them, once again all of them");
}

/// Only a message that names the exception makes an entity's absence a photo's (docs/wire/microsoft-graph.md §12).
#[test]
fn what_is_no_proof_changes_nothing_and_what_is_one_reverts() {
    for how in ["other_entity", "invalid_user", "user_unresolved", "resource_not_found"] {
        let harness = served(Population::of(&PEOPLE));
        harness.new_photo("ada", "ada");
        harness.photo_fails("grace", how);
        harness.run().expect_exit(0).expect_answer("nothing to do");
        harness.expect_shown_in("jira", &PEOPLE.map(|name| (name, Face(name))));
    }
    let harness = served(Population::of(&PEOPLE)).switch("graph", "no_photo", "entity_not_found");
    harness.new_photo("ada", "ada");
    harness.run().expect_exit(0);
    harness.expect_shown_in("jira", &[("ada", Face("ada")), ("grace", Default), ("alan", Face("alan"))]);
}

/// Promise P5, though the marker beside the bytes is not the one of the metadata (docs/wire/microsoft-graph.md §3.6).
#[test]
fn markers_that_differ_between_metadata_and_bytes_cost_one_run_and_no_more() {
    let harness = Harness::with_people(&PEOPLE).switch("graph", "value_etag", "other");
    let downloaded = || harness.run().expect_exit(0).report()["sources"][0]["downloaded"].as_u64().expect("a count");
    let runs: Vec<u64> = (0..4).map(|_| downloaded()).collect();
    assert_eq!(runs, [3, 3, 0, 0]);
    harness.new_photo("ada", "spare");
    assert_eq!((downloaded(), downloaded()), (1, 0));
}

fn a_page() -> Value {
    use base64::Engine as _;
    json!(base64::engine::general_purpose::STANDARD.encode("<!DOCTYPE html><html><title>Sign in</title></html>"))
}

fn every_byte(harness: &Harness, effect: Effect, passing: u32) {
    harness.sandbox.fault(Fault::new(effect).at("graph").in_parts().about("$value").after(passing));
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
        let harness = Harness::with_people(&PEOPLE);
        every_byte(&harness, effect, passing);
        let ended = harness.run().expect_exit(exit);
        assert_eq!(ended.report()["outcome"], outcome, "{what}");
        harness.sandbox.faults().clear();
        // What was lost is asked for again.
        harness.run().expect_exit(0);
        harness.expect_shown_in("jira", &PEOPLE.map(|name| (name, Face(name))));
    }
}

/// The defaults of the file hold for a company that is large enough for shares.
#[test]
fn a_store_that_lost_every_photo_is_stopped_by_the_default_limits() {
    let names: Vec<String> = (0..101).map(|number| format!("p{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let harness = Harness::with_people(&names);
    harness.run().expect_exit(0);
    harness.sandbox.reset_writes();
    every_photo(&harness, answer(404, graph_error("ImageNotFound")));
    harness
        .run()
        .expect_exit(4)
        .expect_answer("reverts of jira: found 101 of 101 matched accounts with a picture, allowed 5");
    assert_eq!(harness.sandbox.truth().writes, []);
    harness.sandbox.faults().clear();
    // Nothing of it is believed afterwards either.
    harness.run().expect_exit(0).expect_answer("nothing to do");
}

const BOUGHT: [&str; 2] = ["leslie", "katherine"];

/// Of the company that was bought, Leslie got another photo, and Katherine's is gone.
fn google_served() -> Harness {
    let harness = served(Population::of(&[]).with_google(&BOUGHT).with_person("ada").with_person("grace"));
    let photo = |name: &str, now: Value| {
        let command = json!({ "photo": { "user": bought(name), "now": now } });
        harness.sandbox.command("directory", &command).unwrap_or_else(|fault| panic!("{fault}"));
    };
    photo("leslie", json!({ "file": "faces/spare.png" }));
    photo("katherine", json!({ "none": {} }));
    harness
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
    Drill::new("no-privilege", 5, |harness| {
        let denied = refused(403, "forbidden", "Not Authorized to access this resource/api");
        _ = harness.sandbox.fault(directory(LISTING, denied));
    }),
    Drill::new("token-dead-half-way", 5, |harness| {
        let dead = refused(401, "authError", "Invalid Credentials");
        _ = harness.sandbox.fault(Fault::new(dead).at("directory").on("POST", "/batch"));
    }),
    Drill::new("listing-empty", 6, |harness| _ = harness.sandbox.fault(directory(LISTING, answer(200, json!({}))))),
    Drill::new("listing-ends-early", 4, |harness| {
        harness.sandbox.switch("directory", "page_size", "1").expect("a switch");
        let path = "/admin/directory/v1/users?*pageToken*";
        _ = harness.sandbox.fault(directory(path, answer(200, json!({}))));
    }),
    Drill::new("every-photo-unlisted", 6, |harness| {
        // The listing has new markers for all, so that everybody is asked for.
        for name in BOUGHT {
            let command = json!({ "photo": { "user": bought(name), "now": { "same": {} } } });
            _ = harness.sandbox.command("directory", &command);
        }
        let odd = refused(418, "teapot", "As the drill has it.");
        harness.sandbox.fault(Fault::new(odd).at("directory").in_parts().about("/photos/"));
    }),
    Drill::new("key-revoked", 5, |harness| {
        let gone = json!({ "error": "invalid_grant", "error_description": "Invalid JWT Signature." });
        _ = harness.sandbox.fault(Fault::new(answer(400, gone)).at("token"));
    }),
];

#[test]
fn a_customer_that_breaks_reverts_nobody() {
    let mut book = Book::default();
    for drill in &GOOGLE {
        println!("drill: {}", drill.name);
        let mut harness = google_served();
        (drill.breaks)(&mut harness);
        let ended = harness.run().expect_exit(drill.exit);
        book.add(drill.name, drill.exit, &harness, &ended);
        assert_eq!(harness.sandbox.truth().writes, [], "{}", drill.name);
        harness.expect_shown(&BOUGHT.map(|name| (name, Face(name))));
        harness.sandbox.faults().clear();
        harness.run().expect_exit(0);
        harness.expect_shown(&[("leslie", Face("spare")), ("katherine", Default)]);
    }
    book.expect("customer");
}

/// Google's listing says whose photo changed: where these are denied, nobody else was asked about.
#[test]
fn photos_that_are_denied_to_a_few_are_these_peoples_matter() {
    let population = Population::of(&[]).with_google(&["leslie", "katherine", "radia"]);
    let mut harness = served(population.with_person("ada").with_person("grace"));
    // The limit on photos that were known last time is another matter.
    harness.edit(|pipe| _ = pipe.top("limits", "{ unknown: { count: 2 } }"));
    for name in BOUGHT {
        let command = json!({ "photo": { "user": bought(name), "now": { "file": "faces/spare.png" } } });
        _ = harness.sandbox.command("directory", &command).unwrap_or_else(|fault| panic!("{fault}"));
    }
    let denied = refused(403, "forbidden", "Not Authorized to access this resource/api");
    harness.sandbox.fault(Fault::new(denied).at("directory").in_parts().about("/photos/"));
    for _ in 0..2 {
        let ended = harness.run().expect_exit(0);
        for name in BOUGHT {
            ended.holds(ended.line("jira", name)["reason"] == "photo_unknown", &format!("{name}: photo_unknown"));
        }
    }
    assert_eq!(harness.sandbox.truth().writes, []);
    harness.sandbox.faults().clear();
    harness.run().expect_exit(0);
    harness.expect_shown(&[("leslie", Face("spare")), ("katherine", Face("spare")), ("radia", Face("radia"))]);
}

/// docs/architecture.md, "Fetch": no marker means no photo only if other users of the same listing have one.
#[test]
fn a_listing_without_any_marker_is_no_proof() {
    let harness = google_served();
    harness
        .sandbox
        .command(
            "directory",
            &json!({ "photo": { "user": bought("katherine"), "now": { "file": "faces/katherine.png" } } }),
        )
        .expect("a photo");
    let users = harness.sandbox.truth().people.into_iter().filter(|person| person.simulator == "directory");
    let user = |person: avatarpipe_sandbox::truth::Person| json!({ "id": person.id, "primaryEmail": person.user_name, "name": { "fullName": person.display_name }, "orgUnitPath": "/" });
    let everybody: Vec<Value> = users.map(user).collect();
    harness.sandbox.fault(directory(LISTING, answer(200, json!({ "users": everybody }))));
    let ended = harness.run().expect_exit(0);
    ended.expect_answer("nobody's `thumbnailPhotoEtag` is told: that proves nothing");
    harness.expect_shown(&[("leslie", Face("spare")), ("katherine", Face("katherine"))]);
    harness.sandbox.faults().clear();
    harness
        .sandbox
        .command("directory", &json!({ "photo": { "user": bought("katherine"), "now": { "none": {} } } }))
        .expect("no photo");
    harness.run().expect_exit(0);
    harness.expect_shown(&[("leslie", Face("spare")), ("katherine", Default)]);
}

/// docs/wire/google-directory.md §2.3: the versions are Google's own affair, and all may change at once.
#[test]
fn versions_that_all_change_at_once_cost_reads_and_no_write() {
    let names: Vec<String> = (0..21).map(|n| format!("p{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let population = Population::of(&[]).with_google(&names);
    let harness = Harness::connected(population.world()).with(|pipe| _ = pipe.without_source("entra"));
    harness.run().expect_exit(0);
    harness.sandbox.reset_writes();
    for name in &names {
        let same = json!({ "photo": { "user": bought(name), "now": { "same": {} } } });
        harness.sandbox.command("directory", &same).unwrap_or_else(|fault| panic!("{fault}"));
    }
    let (ended, _) = harness.counted(|harness| harness.run().expect_exit(0));
    ended.expect_answer("21 of 21 photos are listed under another version").expect_answer("nothing to do");
    assert_eq!(harness.sandbox.truth().writes, []);
    harness.expect_shown(&names.iter().map(|name| (*name, Face(name))).collect::<Vec<_>>());
    // The new versions are remembered: nobody is asked about again.
    let (ended, _) = harness.counted(|harness| harness.run().expect_exit(0));
    ended.holds_no_answer("another version");
    assert!(harness.calls("directory").iter().all(|call| !call.contains("batch")), "{:?}", harness.calls("directory"));
}
