//! A server that is not there, lies, lets us in no more, is another one, or was put back from a backup.

use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use avatarpipe_sandbox::jira::world::Role;
use serde_json::Value;

use super::super::harness::Harness;
use super::super::population::{Population, face};
use super::super::truth::Shows::{Default, Face};
use super::super::truth::looks;
use super::{Book, PEOPLE, served};

const SERVICE: &str = "svc-avatars";
const TARGETS: [&str; 3] = ["jira", "confluence", "bitbucket"];

/// Each listing, and an answer that has nobody in it.
const LISTINGS: [(&str, &str, &str); 3] = [
    ("jira", "*/rest/api/2/user/search", "[]"),
    ("confluence", "*/rest/api/user/list", r#"{"results":[],"_links":{}}"#),
    ("bitbucket", "*/rest/api/*/users", r#"{"values":[],"isLastPage":true}"#),
];

fn everywhere() -> Harness {
    served(Population::of(&PEOPLE).everywhere()).with(|pipe| {
        for product in ["confluence", "bitbucket"] {
            pipe.target(product).set("quiet", "0s");
        }
    })
}

/// One target breaks; the others are served all the same (promise P8).
#[track_caller]
fn hold_at(target: &str, name: &str, exit: i32, harness: &Harness, book: &mut Book) {
    println!("drill: {name}");
    let ended = harness.run().expect_exit(exit);
    book.add(name, exit, harness, &ended);
    let written: Vec<_> = harness.sandbox.truth().writes.into_iter().filter(|w| w.simulator == target).collect();
    assert_eq!(written, [], "{name}");
    for other in TARGETS {
        if other == target {
            harness.expect_shown_in(other, &PEOPLE.map(|name| (name, Face(name))));
        } else {
            expect_new_faces(harness, other);
        }
    }
    harness.sandbox.faults().clear();
    harness.run().expect_exit(0);
    expect_new_faces(harness, target);
}

#[track_caller]
fn expect_new_faces(harness: &Harness, target: &str) {
    harness.expect_shown_in(target, &[("ada", Face("spare")), ("grace", Default), ("alan", Face("alan"))]);
}

fn text(status: u16, body: &str) -> Effect {
    let headers = [("Content-Type".to_owned(), "application/json".to_owned())].into();
    Effect::Answer(Answer { status, headers, body: Value::from(body) })
}

#[test]
fn a_listing_that_is_no_listing_stops_that_target_alone() {
    let mut book = Book::default();
    for (target, listing, empty) in LISTINGS {
        for (how, exit, effect) in [
            ("login-page", 6, Effect::LoginPage {}),
            ("cut-off", 6, text(200, "[{\"key\": \"JIRAUSER1")),
            // Nobody at all, not even we ourselves: we may not list.
            ("empty", 5, text(200, empty)),
            ("denied", 5, text(403, "{}")),
        ] {
            let harness = everywhere();
            harness.sandbox.fault(Fault::new(effect).at(target).on("GET", listing));
            hold_at(target, &format!("{target}: {how}"), exit, &harness, &mut book);
        }
    }
    book.expect("listings");
}

#[test]
fn a_listing_that_lost_people_stops_that_target_alone() {
    let mut book = Book::default();
    for target in TARGETS {
        let harness = everywhere();
        let whole = harness.sandbox.backup(target).expect("a backup");
        let mut half = whole.clone();
        let accounts = half.value["accounts"].as_object_mut().expect("the accounts by key");
        accounts.retain(|_, account| account["name"] != "alan" && account["name"] != "grace");
        harness.sandbox.restore(target, &half).expect("half of it");
        let ended = harness.run().expect_exit(4);
        book.add(target, 4, &harness, &ended);
        let written: Vec<_> = harness.sandbox.truth().writes.into_iter().filter(|w| w.simulator == target).collect();
        assert_eq!(written, [], "{target}");
        harness.sandbox.restore(target, &whole).expect("the whole");
        harness.run().expect_exit(0);
        expect_new_faces(&harness, target);
    }
    book.expect("half-listings");
}

/// The login is refused from the first request after the survey on, by 401 or by answers to nobody.
#[test]
fn a_login_that_dies_half_way_stops_that_target_alone() {
    let refused = || {
        let reason = ("X-Seraph-LoginReason".to_owned(), "AUTHENTICATED_FAILED".to_owned());
        Effect::Answer(Answer { status: 401, headers: [reason].into(), ..Answer::default() })
    };
    let mut book = Book::default();
    for target in TARGETS {
        for (how, effect) in [("401", refused()), ("as nobody", Effect::Special("login_refused".into()))] {
            // A dry run asks for no more than the survey; a plan asks for the right to write, too, and for its contact sheet.
            let dry = everywhere().with(|pipe| {
                pipe.top("report", "{ pictures: none }");
                pipe.target(target).set("dry_run", "true");
            });
            dry.plan_with(&[]).expect_exit(0);
            let survey = u32::try_from(dry.sandbox.requests().of(target)).expect("few");
            let harness = everywhere();
            harness.sandbox.fault(Fault::new(effect).at(target).after(survey));
            hold_at(target, &format!("{target}: {how}"), 5, &harness, &mut book);
            let asked = harness.sandbox.requests().entries();
            let tries = asked.iter().filter(|entry| entry.simulator == target && entry.fault.is_some()).count();
            assert!(tries <= 2, "{target}: a refused login was tried {tries} times");
        }
    }
    book.expect("logins");
}

#[test]
fn an_account_without_the_permission_is_told_so() {
    let mut book = Book::default();
    for target in TARGETS {
        let mut world = Population::of(&PEOPLE).everywhere().world();
        // Somebody who may log in and nothing else.
        match target {
            "jira" => world.jira[0].accounts.iter_mut().filter(|a| a.name == SERVICE).for_each(|a| a.role = Role::User),
            "confluence" => {
                world.confluence[0].accounts.iter_mut().filter(|a| a.name == SERVICE).for_each(|a| a.role = Role::User);
            }
            _ => world.bitbucket[0].accounts.iter_mut().filter(|a| a.name == SERVICE).for_each(|a| a.role = Role::User),
        }
        let harness = Harness::connected(world).with(|pipe| _ = pipe.top("rates", super::ONE_BY_ONE));
        let ended = harness.run().expect_exit(5);
        book.add(target, 5, &harness, &ended);
        for other in TARGETS {
            let shows = |name| if other == target { (name, Default) } else { (name, Face(name)) };
            harness.expect_shown_in(other, &PEOPLE.map(shows));
        }
    }
    book.expect("no-permission");
}

#[test]
fn another_server_under_the_same_name_is_left_alone() {
    let mut harness = everywhere();
    let other = Harness::of(Population::of(&PEOPLE).jira(|jira| jira.title = "Another Jira".into()).world());
    let url = format!("'{}'", other.sandbox.endpoint("jira").expect("a Jira"));
    harness.edit(|pipe| _ = pipe.jira("base_url", &url));
    let ended = harness.run().expect_exit(2);
    let mut book = Book::default();
    book.add("jira", 2, &harness, &ended);
    book.expect("another-server");
    assert_eq!(other.sandbox.truth().writes, []);
    other.expect_shown(&PEOPLE.map(|name| (name, Default)));
    expect_new_faces(&harness, "confluence");
}

/// Put back to before our first run: all pictures of ours are gone.
#[test]
fn a_server_put_back_to_before_us_is_asked_about_first() {
    let mut book = Book::default();
    for target in TARGETS {
        let harness = Harness::connected(Population::of(&PEOPLE).everywhere().world()).with(|pipe| {
            pipe.top("limits", super::LIMITS).top("rates", super::ONE_BY_ONE);
        });
        let before = harness.sandbox.backup(target).expect("a backup");
        harness.run().expect_exit(0);
        harness.sandbox.reset_writes();
        harness.sandbox.restore(target, &before).expect("the backup");
        let ended = harness.run().expect_exit(4);
        book.add(target, 4, &harness, &ended);
        assert_eq!(harness.sandbox.truth().writes, []);
        harness.run_with(&["--allow", "target_drift=3"]).expect_exit(0);
        harness.expect_shown_in(target, &PEOPLE.map(|name| (name, Face(name))));
        harness.run().expect_exit(0).expect_answer("nothing to do");
    }
    book.expect("restored");
}

/// Put back to between two runs: older pictures of ours are shown again, which no state knows any more.
#[test]
fn older_pictures_of_ours_that_come_back_are_replaced_and_never_deleted() {
    for target in TARGETS {
        let harness = Harness::connected(Population::of(&PEOPLE).everywhere().world()).with(|pipe| {
            pipe.top("limits", super::LIMITS).top("rates", super::ONE_BY_ONE);
        });
        harness.run().expect_exit(0);
        let between = harness.sandbox.backup(target).expect("a backup");
        harness.new_photo("ada", "spare");
        harness.new_photo("grace", "hand");
        harness.run().expect_exit(0);
        harness.sandbox.reset_writes();
        harness.sandbox.restore(target, &between).expect("the backup");
        let old = ["ada", "grace"].map(|name| harness.account_in(target, name).now.id);
        let ended = harness.run().expect_exit(4);
        ended.expect_answer(&format!("target_drift of {target}: found 2 of 3 pictures of ours on record, allowed 1"));
        assert_eq!(harness.sandbox.truth().writes, []);
        harness.run_with(&["--allow", "target_drift=2"]).expect_exit(0);
        for (name, shown) in [("ada", "spare"), ("grace", "hand"), ("alan", "alan")] {
            let now = looks(&harness.account_in(target, name).now.bytes);
            assert!(now.fits(&looks(&face(shown))), "{target}/{name} is to show {shown}");
        }
        if target == "jira" {
            // Nobody can tell any more who made them.
            let lying: Vec<_> = harness.sandbox.truth().avatars.into_iter().map(|avatar| avatar.id).collect();
            assert!(old.iter().all(|id| lying.contains(id)), "{old:?} were deleted");
        }
        assert_eq!(harness.sandbox.truth().violations, [""; 0]);
        harness.run().expect_exit(0).expect_answer("nothing to do");
    }
}
