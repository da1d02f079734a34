//! A server that is not there, lies, lets us in no more, is another one, or was put back from a backup.

use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use avatarpipe_sandbox::jira::world::Role;
use serde_json::Value;

use super::super::company::{Company, face};
use super::super::stage::Stage;
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

fn everywhere() -> Stage {
    served(Company::of(&PEOPLE).everywhere()).with(|pipe| {
        for product in ["confluence", "bitbucket"] {
            pipe.target(product).set("quiet", "0s");
        }
    })
}

/// One target breaks; the others are served all the same (promise P8).
#[track_caller]
fn hold_at(target: &str, name: &str, exit: i32, stage: &Stage, book: &mut Book) {
    println!("drill: {name}");
    let ended = stage.run().expect_exit(exit);
    book.add(name, exit, stage, &ended);
    let written: Vec<_> = stage.sandbox.truth().writes.into_iter().filter(|w| w.simulator == target).collect();
    assert_eq!(written, [], "{name}");
    for other in TARGETS {
        if other == target {
            stage.expect_shown_in(other, &PEOPLE.map(|name| (name, Face(name))));
        } else {
            expect_new_faces(stage, other);
        }
    }
    stage.sandbox.faults().clear();
    stage.run().expect_exit(0);
    expect_new_faces(stage, target);
}

#[track_caller]
fn expect_new_faces(stage: &Stage, target: &str) {
    stage.expect_shown_in(target, &[("ada", Face("spare")), ("grace", Default), ("alan", Face("alan"))]);
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
            let stage = everywhere();
            stage.sandbox.fault(Fault::new(effect).at(target).on("GET", listing));
            hold_at(target, &format!("{target}: {how}"), exit, &stage, &mut book);
        }
    }
    book.expect("listings");
}

#[test]
fn a_listing_that_lost_people_stops_that_target_alone() {
    let mut book = Book::default();
    for target in TARGETS {
        let stage = everywhere();
        let whole = stage.sandbox.backup(target).expect("a backup");
        let mut half = whole.clone();
        let accounts = half.value["accounts"].as_object_mut().expect("the accounts by key");
        accounts.retain(|_, account| account["name"] != "alan" && account["name"] != "grace");
        stage.sandbox.restore(target, &half).expect("half of it");
        let ended = stage.run().expect_exit(4);
        book.add(target, 4, &stage, &ended);
        let written: Vec<_> = stage.sandbox.truth().writes.into_iter().filter(|w| w.simulator == target).collect();
        assert_eq!(written, [], "{target}");
        stage.sandbox.restore(target, &whole).expect("the whole");
        stage.run().expect_exit(0);
        expect_new_faces(&stage, target);
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
            // A dry run asks for no more than the survey; a plan asks for the right to write, too.
            let dry = everywhere().with(|pipe| _ = pipe.target(target).set("dry_run", "true"));
            dry.plan_with(&[]).expect_exit(0);
            let survey = u32::try_from(dry.sandbox.requests().of(target)).expect("few");
            let stage = everywhere();
            stage.sandbox.fault(Fault::new(effect).at(target).after(survey));
            hold_at(target, &format!("{target}: {how}"), 5, &stage, &mut book);
            let asked = stage.sandbox.requests().entries();
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
        let mut world = Company::of(&PEOPLE).everywhere().world();
        // Somebody who may log in and nothing else.
        match target {
            "jira" => world.jira[0].accounts.iter_mut().filter(|a| a.name == SERVICE).for_each(|a| a.role = Role::User),
            "confluence" => {
                world.confluence[0].accounts.iter_mut().filter(|a| a.name == SERVICE).for_each(|a| a.role = Role::User);
            }
            _ => world.bitbucket[0].accounts.iter_mut().filter(|a| a.name == SERVICE).for_each(|a| a.role = Role::User),
        }
        let stage = Stage::connected(world).with(|pipe| _ = pipe.top("rates", super::ONE_BY_ONE));
        let ended = stage.run().expect_exit(5);
        book.add(target, 5, &stage, &ended);
        for other in TARGETS {
            let shows = |name| if other == target { (name, Default) } else { (name, Face(name)) };
            stage.expect_shown_in(other, &PEOPLE.map(shows));
        }
    }
    book.expect("no-permission");
}

#[test]
fn another_server_under_the_same_name_is_left_alone() {
    let mut stage = everywhere();
    let other = Stage::of(Company::of(&PEOPLE).jira(|jira| jira.title = "Another Jira".into()).world());
    let url = format!("'{}'", other.sandbox.endpoint("jira").expect("a Jira"));
    stage.edit(|pipe| _ = pipe.jira("base_url", &url));
    let ended = stage.run().expect_exit(2);
    let mut book = Book::default();
    book.add("jira", 2, &stage, &ended);
    book.expect("another-server");
    assert_eq!(other.sandbox.truth().writes, []);
    other.expect_shown(&PEOPLE.map(|name| (name, Default)));
    expect_new_faces(&stage, "confluence");
}

/// Put back to before our first run: all pictures of ours are gone.
#[test]
fn a_server_put_back_to_before_us_is_asked_about_first() {
    let mut book = Book::default();
    for target in TARGETS {
        let stage = Stage::connected(Company::of(&PEOPLE).everywhere().world()).with(|pipe| {
            pipe.top("limits", super::LIMITS).top("rates", super::ONE_BY_ONE);
        });
        let before = stage.sandbox.backup(target).expect("a backup");
        stage.run().expect_exit(0);
        stage.sandbox.reset_writes();
        stage.sandbox.restore(target, &before).expect("the backup");
        let ended = stage.run().expect_exit(4);
        book.add(target, 4, &stage, &ended);
        assert_eq!(stage.sandbox.truth().writes, []);
        stage.run_with(&["--allow", "target_drift=3"]).expect_exit(0);
        stage.expect_shown_in(target, &PEOPLE.map(|name| (name, Face(name))));
        stage.run().expect_exit(0).expect_answer("nothing to do");
    }
    book.expect("restored");
}

/// Put back to between two runs: older pictures of ours are shown again, which no state knows any more.
#[test]
fn older_pictures_of_ours_that_come_back_are_replaced_and_never_deleted() {
    for target in TARGETS {
        let stage = Stage::connected(Company::of(&PEOPLE).everywhere().world()).with(|pipe| {
            pipe.top("limits", super::LIMITS).top("rates", super::ONE_BY_ONE);
        });
        stage.run().expect_exit(0);
        let between = stage.sandbox.backup(target).expect("a backup");
        stage.new_photo("ada", "spare");
        stage.new_photo("grace", "hand");
        stage.run().expect_exit(0);
        stage.sandbox.reset_writes();
        stage.sandbox.restore(target, &between).expect("the backup");
        let old = ["ada", "grace"].map(|name| stage.account_in(target, name).now.id);
        let ended = stage.run().expect_exit(4);
        ended.expect_answer(&format!("target_drift of {target}: found 2 of 3, allowed 1"));
        assert_eq!(stage.sandbox.truth().writes, []);
        stage.run_with(&["--allow", "target_drift=2"]).expect_exit(0);
        for (name, shown) in [("ada", "spare"), ("grace", "hand"), ("alan", "alan")] {
            let now = looks(&stage.account_in(target, name).now.bytes);
            assert!(now.fits(&looks(&face(shown))), "{target}/{name} is to show {shown}");
        }
        if target == "jira" {
            // Nobody can tell any more who made them.
            let lying: Vec<_> = stage.sandbox.truth().avatars.into_iter().map(|avatar| avatar.id).collect();
            assert!(old.iter().all(|id| lying.contains(id)), "{old:?} were deleted");
        }
        assert_eq!(stage.sandbox.truth().violations, [""; 0]);
        stage.run().expect_exit(0).expect_answer("nothing to do");
    }
}
