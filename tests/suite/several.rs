//! Several sources and several targets in one run: what each costs, and that none pays for another.
//!
//! Owns: Entra and Google into Jira, Confluence and Bitbucket at once; two servers of one product.
//! Leaves to others: the rules of one source and one target (`rules`), the bundled files (`systems`).
//! A newcomer gets wrong: a source that fails makes its own people unknown, and nobody else's.

use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use avatarpipe_sandbox::google::world::User;
use serde_json::{Value, json};

use super::harness::Harness;
use super::population::{Population, bought, file};
use super::truth::Shows::{self, Face, Start};

const TARGETS: [&str; 3] = ["jira", "confluence", "bitbucket"];
const BUYER: [&str; 2] = ["ada", "grace"];
const BOUGHT: [&str; 2] = ["leslie", "katherine"];

fn population() -> Population {
    Population::of(&BUYER).with_google(&BOUGHT).everywhere()
}

fn harness() -> Harness {
    Harness::connected(population().world())
}

/// Everybody's own face.
fn faces() -> Vec<(&'static str, Shows<'static>)> {
    BUYER.into_iter().chain(BOUGHT).map(|name| (name, Face(name))).collect()
}

/// These are as they were.
fn start(names: &[&'static str]) -> Vec<(&'static str, Shows<'static>)> {
    names.iter().map(|name| (*name, Start)).collect()
}

fn google(harness: &Harness, command: &Value) {
    harness.sandbox.command("directory", command).unwrap_or_else(|fault| panic!("{command}: {fault}"));
}

/// Nothing was written to any target since the log was last reset. Reads of Confluence's remote API are `POST`, too, so
/// the simulators' own log of writes counts.
#[track_caller]
fn expect_no_write(harness: &Harness) {
    assert_eq!(harness.sandbox.truth().writes, []);
}

fn downloads(report: &Value) -> Vec<u64> {
    let sources = report["sources"].as_array().into_iter().flatten();
    sources.map(|source| source["downloaded"].as_u64().expect("a count")).collect()
}

#[test]
fn every_kind_of_run_costs_what_was_forecast_at_every_system() {
    let harness = harness();
    let (first, _) = harness.counted(Harness::run);
    let first = first.expect_exit(0);
    for target in TARGETS {
        assert_eq!(first.count(target, "replaced"), 4, "{target}");
        harness.expect_shown_in(target, &faces());
    }
    assert_eq!(downloads(first.report()), [2, 2], "each photo once, for three targets");

    harness.sandbox.reset_writes();
    let (quiet, _) = harness.counted(Harness::run);
    let quiet = quiet.expect_exit(0).expect_answer("nothing to do");
    assert_eq!(downloads(quiet.report()), [0, 0]);
    expect_no_write(&harness);
    assert_eq!(harness.calls("directory"), ["GET /admin/directory/v1/users"]);
    let git = ["application-properties", "users"].map(|path| format!("GET /git/rest/api/latest/{path}"));
    let manifest = "GET /git/rest/applinks/1.0/manifest".to_owned();
    assert_eq!(harness.calls("bitbucket"), [&git[..1], &[manifest], &git[1..]].concat());
    let wiki = ["api/server-information", "applinks/1.0/manifest", "api/user/current", "api/user/list"];
    let wiki = wiki.map(|path| format!("GET /wiki/rest/{path}"));
    // Whether pictures can be set is asked for before any photo is.
    assert_eq!(harness.calls("confluence"), [&wiki[..], &["POST /wiki/rpc/xmlrpc".to_owned()]].concat());

    google(&harness, &json!({ "photo": { "user": bought("leslie"), "now": { "file": file("spare") } } }));
    let (changed, _) = harness.counted(Harness::run);
    let changed = changed.expect_exit(0);
    assert_eq!(downloads(changed.report()), [0, 1]);
    for target in TARGETS {
        assert_eq!(changed.count(target, "replaced"), 1, "{target}");
        harness.expect_shown_in(target, &[("leslie", Face("spare")), ("katherine", Face("katherine"))]);
    }

    google(&harness, &json!({ "photo": { "user": bought("leslie"), "now": { "none": {} } } }));
    let (gone, _) = harness.counted(Harness::run);
    let gone = gone.expect_exit(0);
    for target in TARGETS {
        assert_eq!(gone.count(target, "reverted"), 1, "{target}");
        harness.expect_shown_in(target, &[("leslie", Shows::Default), ("katherine", Face("katherine"))]);
    }
}

#[test]
fn a_confluence_whose_remote_api_is_off_holds_up_no_other() {
    for (switched, words) in
        [("off", "General Configuration > Further Configuration > Remote API"), ("gone", "upload: endpoint")]
    {
        let harness = harness().switch("confluence", "remote_api", switched);
        harness.run().expect_exit(5).expect_answer(words);
        for target in ["jira", "bitbucket"] {
            harness.expect_shown_in(target, &faces());
        }
        harness.expect_shown_in("confluence", &start(&BUYER));
        let harness = harness.switch("confluence", "remote_api", "on");
        let after = harness.run().expect_exit(0);
        assert_eq!(TARGETS.map(|target| after.count(target, "replaced")), [0, 4, 0], "{switched}");
        harness.expect_shown_in("confluence", &faces());
    }
}

#[test]
fn a_target_that_does_not_take_its_pictures_holds_up_no_other() {
    // Whoever names the same rate shares its places, and the hanging requests would take all of them.
    let rates = "{ own: { units: 100, per: 1s, burst: 100, concurrency: 4 }, \
        fast: { units: 1000, per: 1s, burst: 1000, concurrency: 4 } }";
    let harness = harness().with(|pipe| _ = pipe.top("rates", rates).jira("rate", "own"));
    harness.sandbox.fault(Fault::new(Effect::Delay { ms: 600_000 }).at("jira").on("POST", "*"));
    let mut child = harness.spawn(&["run", "pipeline.yaml"]);
    harness.until("the others show every face", |harness| {
        let truth = harness.sandbox.truth();
        let others = truth.accounts.iter().filter(|account| account.simulator != "jira");
        others.filter(|account| account.name != "svc-avatars").all(|account| account.changed())
    });
    assert!(child.try_wait().expect("a child can be asked").is_none(), "the run still waits for the Jira");
    child.kill().expect("a child can be ended");
    child.wait().expect("a child that was ended");
    for target in ["confluence", "bitbucket"] {
        harness.expect_shown_in(target, &faces());
    }
    harness.expect_shown(&start(&BUYER));
}

#[test]
fn a_target_that_is_slow_to_list_holds_up_no_other_and_is_served_in_the_same_run() {
    let rates = "{ own: { units: 100, per: 1s, burst: 100, concurrency: 4 }, \
        fast: { units: 1000, per: 1s, burst: 1000, concurrency: 4 } }";
    let harness = harness().with(|pipe| _ = pipe.top("rates", rates).jira("rate", "own"));
    let slow = Fault::new(Effect::Delay { ms: 12_000 }).at("jira").on("GET", "*/user/search").times(1);
    harness.sandbox.fault(slow);
    let command = ["run", "pipeline.yaml", "--report", "report"];
    let child = harness.spawn(&command);
    harness.until("the others show every face", |harness| {
        let truth = harness.sandbox.truth();
        let others = truth.accounts.iter().filter(|account| account.simulator != "jira");
        others.filter(|account| account.name != "svc-avatars").all(|account| account.changed())
    });
    harness.expect_shown(&start(&BUYER));
    let ended = harness.wait(child, &command).expect_exit(0);
    assert_eq!(downloads(ended.report()), [2, 2], "each photo once, in whichever pass");
    let targets = ended.report()["targets"].as_array().expect("a list").iter().map(|target| &target["id"]);
    assert_eq!(targets.collect::<Vec<_>>(), TARGETS, "the order of the file");
    for target in TARGETS {
        harness.expect_shown_in(target, &faces());
    }
    for line in ended.report()["requests"].as_array().expect("a list") {
        assert_eq!(line["sent"], line["forecast"], "{line}");
    }
    harness.counted(Harness::run).0.expect_exit(0).expect_answer("nothing to do");
}

#[test]
fn a_target_that_cannot_be_listed_holds_up_no_other() {
    let harness = harness();
    harness.sandbox.fault(Fault::new(Effect::LoginPage {}).at("jira").on("GET", "*/user/search"));
    harness.run().expect_exit(6).expect_answer("jira (failed)");
    for target in ["confluence", "bitbucket"] {
        harness.expect_shown_in(target, &faces());
    }
    harness.expect_shown(&start(&BUYER));
}

#[test]
fn a_target_that_was_only_starting_is_not_taken_for_another_server_later() {
    let harness = harness();
    // The manifest and the listings of a servlet container whose application is not up yet.
    for (target, listing) in [("jira", "*/user/search"), ("bitbucket", "*/users")] {
        for path in ["*/manifest", listing] {
            harness.sandbox.fault(Fault::new(Effect::status(404)).at(target).on("GET", path));
        }
    }
    harness.run().expect_exit(6);
    harness.expect_shown(&start(&BUYER));
    harness.sandbox.faults().clear();
    harness.run().expect_exit(0);
    for target in TARGETS {
        harness.expect_shown_in(target, &faces());
    }
}

/// The plug-in behind the manifest is not up yet, or a right is granted later.
#[test]
fn a_server_that_shows_its_id_later_is_the_same_at_the_same_address() {
    let mut harness = harness();
    let headers = std::collections::BTreeMap::from([("X-AUSERNAME".to_owned(), "svc".to_owned())]);
    for target in TARGETS {
        let hidden = Effect::Answer(Answer { status: 404, headers: headers.clone(), body: Value::Null });
        harness.sandbox.fault(Fault::new(hidden).at(target).on("GET", "*/manifest"));
    }
    harness.run().expect_exit(0);
    harness.sandbox.faults().clear();
    harness.new_photo("ada", "spare");
    harness.run().expect_exit(0);
    for target in TARGETS {
        harness.expect_shown_in(target, &[("ada", Face("spare")), ("leslie", Face("leslie"))]);
    }
    harness.run().expect_exit(0).expect_answer("nothing to do");
    // Bound to the id from then on.
    let other = Harness::of(Population::of(&["ada"]).jira(|jira| jira.title = "Another Jira".into()).world());
    let url = format!("'{}'", other.sandbox.endpoint("jira").expect("a Jira"));
    harness.edit(|pipe| _ = pipe.jira("base_url", &url));
    harness.run().expect_exit(2).expect_answer("the state belongs to");
}

#[test]
fn an_empty_id_is_none() {
    let harness = harness();
    let empty = Effect::Answer(Answer { body: json!({ "id": "", "typeId": "jira" }), ..Answer::default() });
    harness.sandbox.fault(Fault::new(empty).at("jira").on("GET", "*/manifest"));
    harness.run().expect_exit(6).expect_answer("a manifest without an id");
    harness.expect_shown(&start(&BUYER));
    harness.sandbox.faults().clear();
    harness.run().expect_exit(0);
    harness.expect_shown(&faces());
}

#[test]
fn a_server_that_hides_its_id_is_not_taken_for_another_one() {
    let harness = harness();
    harness.run().expect_exit(0);
    harness.new_photo("ada", "spare");
    // The login is refused, so that nobody is named, and a gateway stands before the manifest.
    let refused = Effect::Special("login_refused".into());
    harness.sandbox.fault(Fault::new(refused).at("bitbucket").on("GET", "*/application-properties"));
    harness.sandbox.fault(Fault::new(Effect::status(403)).at("bitbucket").on("GET", "*/manifest"));
    harness.run().expect_exit(6).expect_answer("does not show its id");
    harness.expect_shown_in("bitbucket", &[("ada", Face("ada"))]);
    harness.sandbox.faults().clear();
    harness.run().expect_exit(0);
    harness.expect_shown_in("bitbucket", &[("ada", Face("spare"))]);
}

#[test]
fn a_source_that_fails_leaves_its_people_alone_and_the_others_are_served() {
    for earlier_run in [false, true] {
        let harness = harness();
        if earlier_run {
            harness.run().expect_exit(0);
        }
        harness.new_photo("ada", "spare");
        harness.sandbox.fault(Fault::new(Effect::LoginPage {}).at("directory"));
        harness.run().expect_exit(6).expect_answer("google (failed)");
        for target in TARGETS {
            harness.expect_shown_in(target, &[("ada", Face("spare")), ("grace", Face("grace"))]);
            let theirs = if earlier_run { BOUGHT.map(|name| (name, Face(name))) } else { BOUGHT.map(|n| (n, Start)) };
            harness.expect_shown_in(target, &theirs);
        }
    }
}

#[test]
fn a_source_before_it_that_fails_does_not_hand_its_people_to_the_next() {
    // Ada is in both directories, with another face in each.
    let mut world = population().world();
    let both = User::new(&bought("ada"), "Ada", "Fabrikam").photo(&file("spare"));
    world.google[0].users.push(both);
    let harness = Harness::connected(world);
    harness.run().expect_exit(0);
    harness.expect_shown_in("confluence", &[("ada", Face("ada"))]);
    harness.sandbox.reset_writes();
    harness.sandbox.fault(Fault::new(Effect::LoginPage {}).at("graph"));
    harness.run().expect_exit(6);
    expect_no_write(&harness);
    harness.expect_shown_in("confluence", &[("ada", Face("ada")), ("grace", Face("grace"))]);
}

#[test]
fn a_listing_that_lost_every_etag_reverts_nobody() {
    let harness = harness();
    harness.run().expect_exit(0);
    harness.sandbox.reset_writes();
    let person = |name: &str| {
        let user = User::new(&bought(name), name, "Fabrikam");
        json!({ "id": user.id, "primaryEmail": user.email, "name": { "fullName": name }, "orgUnitPath": "/" })
    };
    let everybody = ["admin", "katherine", "leslie"].map(person);
    let body = json!({ "users": everybody });
    let answer = Answer { status: 200, body, ..Answer::default() };
    let listing = Fault::new(Effect::Answer(answer)).at("directory").on("GET", "/admin/directory/v1/users");
    harness.sandbox.fault(listing);
    harness.sandbox.requests().reset();
    harness.run().expect_exit(0).expect_answer("nothing to do");
    assert!(
        harness.sandbox.requests().entries().iter().any(|entry| entry.fault.is_some()),
        "the listing was asked for"
    );
    expect_no_write(&harness);
    for target in TARGETS {
        harness.expect_shown_in(target, &faces());
    }
}

#[test]
fn etags_that_roll_over_cost_no_write() {
    let harness = harness();
    harness.run().expect_exit(0);
    harness.sandbox.reset_writes();
    google(&harness, &json!({ "roll_over": {} }));
    let (rolled, _) = harness.counted(Harness::run);
    assert_eq!(downloads(rolled.expect_exit(0).expect_answer("nothing to do").report()), [0, 0]);
    // The whole etag is another, the picture is the same.
    for name in BOUGHT {
        google(&harness, &json!({ "photo": { "user": bought(name), "now": { "same": {} } } }));
    }
    let (uploaded, _) = harness.counted(Harness::run);
    assert_eq!(downloads(uploaded.expect_exit(0).expect_answer("nothing to do").report()), [0, 2]);
    let (quiet, _) = harness.counted(Harness::run);
    assert_eq!(downloads(quiet.expect_exit(0).expect_answer("nothing to do").report()), [0, 0]);
    expect_no_write(&harness);
}

#[test]
fn a_bitbucket_that_refuses_one_person_refuses_nobody_else() {
    // A plain administrator may not touch a system administrator: 401 (docs/wire/atlassian.md §5).
    let population = population().git(|git| {
        let ada = git.accounts.iter_mut().find(|account| account.name == "ada").expect("an account");
        ada.role = serde_json::from_value(json!("system_admin")).expect("a role");
    });
    let harness = Harness::connected(population.world());
    for _ in 0..2 {
        let ended = harness.run().expect_exit(3);
        let line = ended.line("bitbucket", "ada");
        let refused = line["result"] == "failed" && line["error"]["code"] == "unauthorized";
        ended.holds(refused, &format!("ada refused by the Bitbucket; found {line}"));
        harness.expect_shown_in("bitbucket", &[("ada", Start), ("grace", Face("grace")), ("leslie", Face("leslie"))]);
    }
    for target in ["jira", "confluence"] {
        harness.expect_shown_in(target, &faces());
    }
}

#[test]
fn two_servers_of_one_product_are_two_targets() {
    let population = Population::of(&BUYER).with_second_jira("intern");
    let mut harness = Harness::connected(population.world());
    harness.connect_jira_again("intern");
    let first = harness.run().expect_exit(0);
    assert_eq!(downloads(first.report()), [2], "each photo once, for two servers");
    for target in ["jira", "intern"] {
        harness.expect_shown_in(target, &BUYER.map(|name| (name, Face(name))));
    }
    harness.run().expect_exit(0).expect_answer("nothing to do");

    // One of them lets us in no more; the other goes on.
    harness.edit(|pipe| _ = pipe.last_target().set("credential", "{ username: svc-avatars, password: '${WRONG}' }"));
    harness.set("WRONG", "canaryNotTheSecret0");
    harness.new_photo("ada", "spare");
    harness.run().expect_exit(5).expect_answer("intern");
    harness.expect_shown_in("jira", &[("ada", Face("spare"))]);
    harness.expect_shown_in("intern", &[("ada", Face("ada"))]);
}

#[test]
fn a_plan_says_which_pictures_bitbucket_will_not_give_back() {
    let harness = harness();
    harness.plan_with(&[]).expect_exit(0).holds_no_answer("keeps no earlier picture");
    let hand = json!({ "upload": { "name": "grace", "picture": file("hand") } });
    harness.sandbox.command("bitbucket", &hand).unwrap_or_else(|fault| panic!("{fault}"));
    harness
        .plan_with(&[])
        .expect_exit(0)
        .expect_answer("bitbucket: Bitbucket keeps no earlier picture: 1 that stood there");
    harness.run().expect_exit(0).expect_answer("Bitbucket keeps no earlier picture: 1 that stood there");
    harness.no_photo("ada");
    let plan = harness.plan_with(&[]).expect_exit(0);
    assert_eq!(plan.line("bitbucket", "ada")["change"]["kind"], "revert");
    plan.expect_answer("Bitbucket keeps no earlier picture: 1 that stood there");
    harness.run().expect_exit(0);
    harness.plan_with(&[]).expect_exit(0).holds_no_answer("keeps no earlier picture");
}
