//! What a target says of our login: tried once, told as what it is, and not mixed up with an outage.
//!
//! Owns: a revoked token while workers begin, a server in maintenance, passwords that are switched off.
//! Leaves to others: `auth` (`signing_in`), one person's refusal (`refusals`).
//! A newcomer gets wrong: every answer names who we are. Of a server that is down that says nothing.

use std::collections::BTreeMap;

use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use avatarpipe_sandbox::jira::version::Version;
use serde_json::json;

use super::harness::Harness;
use super::population::Population;

const PEOPLE: [&str; 6] = ["ada", "grace", "alan", "edsger", "barbara", "donald"];

/// Requests before the first write of a first run: version, server id, listing, the default.
const BEFORE: u32 = 4;

#[test]
fn a_token_that_is_revoked_before_the_writes_is_sent_once() {
    for by_token in [false, true] {
        let harness = Harness::with_people(&PEOPLE).with(|pipe| {
            if by_token {
                pipe.by_token().jira("upload", "one_step");
            }
        });
        harness.sandbox.fault(Fault::new(Effect::Special("login_refused".to_owned())).at("jira").after(BEFORE));
        harness.run().expect_exit(5);
        let entries = harness.sandbox.requests().entries();
        let refused = entries.iter().filter(|entry| entry.fault.as_deref() == Some("login_refused")).count();
        assert_eq!(refused, 1, "by token: {by_token}: {entries:#?}");
        assert_eq!(harness.writes(), [""; 0]);
    }
}

#[test]
fn a_server_in_maintenance_has_refused_nobody() {
    let harness = Harness::with_people(&["ada"]);
    let headers = [("X-Seraph-LoginReason", "AUTHENTICATED_FAILED"), ("X-AUSERNAME", "anonymous")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let down = Answer { status: 503, headers: BTreeMap::from(headers), body: json!("down for maintenance") };
    harness.sandbox.fault(Fault::new(Effect::Answer(down)).at("jira").after(2));
    let told = harness.run().expect_exit(6);
    assert!(!told.stdout.contains("LoginReason"), "{}", told.stdout);
}

#[test]
fn where_passwords_are_switched_off_a_token_is_advised() {
    // From 11.0 on (docs/wire/atlassian.md §1.3). The answer says `anonymous`, too.
    let population = Population::of(&["ada"]).release(Version::new(11, 0, 0));
    let told = Harness::of(population.world()).run().expect_exit(5);
    assert!(told.stdout.contains("credential: { token:"), "{}", told.stdout);
    assert!(!told.stdout.contains("expired or been revoked"), "{}", told.stdout);
}

#[test]
fn a_service_account_is_told_what_it_lacks() {
    let population = || Population::of(&["ada"]).release(Version::new(11, 0, 0));
    let harness =
        Harness::of(population().world()).switch("jira", "token_scope", "service").with(|pipe| _ = pipe.by_token());
    let told = harness.run().expect_exit(5);
    assert!(told.stdout.contains("service account of Jira 11"), "{}", told.stdout);

    let population = population().account("ada", |account| account.groups = vec!["jira-software-users".to_owned()]);
    let harness = Harness::of(population.world()).switch("jira", "token_scope", "service").with(|pipe| {
        pipe.by_token().jira("accounts", "{ groups: [jira-software-users] }");
    });
    let told = harness.plan_with(&[]).expect_exit(0);
    assert!(told.stdout.contains("user/list is refused to this token"), "{}", told.stdout);
}
