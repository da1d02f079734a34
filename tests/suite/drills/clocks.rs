//! A clock that is hours off: the program's against those of the servers.

use avatarpipe_sandbox::Secret;
use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use serde_json::json;

use super::super::harness::Harness;
use super::super::population::Population;
use super::super::truth::Shows::Face;
use super::PEOPLE;

/// Where the servers' clock stands, seen from ours.
const HOURS: [i64; 2] = [-5 * 3600, 5 * 3600];

/// The assertions that Google and Entra take are signed with a time in them.
#[test]
fn sign_ins_go_by_the_servers_clock() {
    for skew in HOURS {
        let harness = Harness::connected(Population::of(&["ada"]).with_google(&["leslie"]).world());
        harness.sandbox.shift_clock(skew);
        harness.run().expect_exit(0);
        harness.expect_shown(&[("leslie", Face("leslie")), ("ada", Face("ada"))]);
        harness.run().expect_exit(0).expect_answer("nothing to do");

        let harness = by_certificate();
        harness.sandbox.shift_clock(skew);
        let ran = harness.run().expect_exit(0);
        harness.expect_shown(&PEOPLE.map(|name| (name, Face(name))));
        let ends = &ran.report()["credentials"][0];
        assert_eq!((&ends["of"], &ends["what"]), (&"entra".into(), &"certificate".into()), "{ends}");
        harness.finish(&["status", "pipeline.yaml"]).expect_answer("\nentra: the certificate ends 2");
    }
}

/// Entra by a certificate.
fn by_certificate() -> Harness {
    let harness = Harness::of(Population::of(&PEOPLE).with_certificate().world());
    let pair = harness.sandbox.credentials().into_iter().find_map(|credential| match credential.secret {
        Secret::Certificate { certificate, private_key, .. } => Some(format!("{certificate}\n{private_key}")),
        _ => None,
    });
    harness.write("app.pem", pair.expect("a certificate"));
    harness.with(|pipe| _ = pipe.entra("credential", "{ certificate: { file: app.pem } }"))
}

/// A sign-in that stays refused says whose clock to look at.
#[test]
fn a_clock_that_stays_refused_is_told() {
    let harness = Harness::connected(Population::of(&[]).with_google(&["leslie"]).with_person("ada").world());
    let early = json!({ "error": "invalid_grant", "error_description":
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe." });
    let answer = Answer { status: 400, body: early, ..Answer::default() };
    harness.sandbox.fault(Fault::new(Effect::Answer(answer)).at("token"));
    harness.run().expect_exit(5).expect_answer("set this machine's clock right");
    assert_eq!(harness.sandbox.requests().of("token"), 2, "once by our clock, once by Google's");
    assert_eq!(harness.sandbox.truth().writes, []);
}

/// `Retry-After` as a date is seen from the date of the same answer, inside a batch too.
#[test]
fn a_date_to_come_back_at_is_seen_from_the_servers_clock() {
    for skew in HOURS {
        let population = Population::of(&["ada"]).with_google(&["leslie"]).with_person("grace");
        let harness = Harness::connected(population.with_account("grace").world());
        harness.sandbox.shift_clock(skew);
        let now = std::time::SystemTime::now();
        let hours = std::time::Duration::from_secs(skew.unsigned_abs());
        let theirs = if skew < 0 { now - hours } else { now + hours };
        let soon = httpdate::fmt_http_date(theirs + std::time::Duration::from_secs(2));
        let later = || Effect::Answer(Answer::retry_after(429, &soon));
        for simulator in ["graph", "directory"] {
            harness.sandbox.fault(Fault::new(later()).at(simulator).on("GET", "*/users").times(1));
            harness.sandbox.fault(Fault::new(later()).at(simulator).in_parts().times(1));
        }
        harness.sandbox.fault(Fault::new(later()).at("jira").on("GET", "*/user/search").times(1));
        harness.run().expect_exit(0);
        harness.expect_shown(&[("leslie", Face("leslie")), ("ada", Face("ada")), ("grace", Face("grace"))]);
    }
}

/// The version of a Bitbucket picture is the time of its upload by the server's clock.
#[test]
fn pictures_are_ours_by_the_servers_clock() {
    for skew in HOURS {
        let harness = Harness::connected(Population::of(&PEOPLE).everywhere().world());
        harness.sandbox.shift_clock(skew);
        harness.run().expect_exit(0);
        for target in ["jira", "confluence", "bitbucket"] {
            harness.expect_shown_in(target, &PEOPLE.map(|name| (name, Face(name))));
        }
        harness.sandbox.reset_writes();
        harness.run().expect_exit(0).expect_answer("nothing to do");
        assert_eq!(harness.sandbox.truth().writes, []);
    }
}

/// A run that died with its clock ahead wrote times into the journal that are yet to come: the next run waits no longer
/// than it would for a write of this minute.
#[test]
fn a_journal_from_the_future_keeps_nobody_waiting() {
    let harness = Harness::with_people(&["ada"]).with(|pipe| _ = pipe.jira("quiet", "1s"));
    harness.sandbox.fault(Fault::new(Effect::Delay { ms: 600_000 }).at("jira").on("POST", "*"));
    let mut child = harness.spawn(&["run", "pipeline.yaml"]);
    harness.until("an upload arrives", |harness| !harness.writes().is_empty());
    child.kill().expect("SIGKILL");
    child.wait().expect("the program is gone");
    harness.sandbox.faults().clear();
    ahead(&harness, 5 * 3600);
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada"))]);
    harness.run().expect_exit(0).expect_answer("nothing to do");
}

/// As if the clock had been so many seconds ahead when the journal was written.
fn ahead(harness: &Harness, seconds: i64) {
    let journal = rusqlite::Connection::open(harness.path("state/stage.db")).expect("the state");
    let trigger = "SELECT sql FROM sqlite_schema WHERE name = 'event_is_never_changed'";
    let trigger: String = journal.query_row(trigger, [], |row| row.get(0)).expect("the journal is append-only");
    journal.execute_batch("DROP TRIGGER event_is_never_changed").expect("and is not for once");
    for (table, time, moved) in [("event", "$.at", 1), ("intent", "$.begun_at", 1)] {
        let change = format!(
            "UPDATE {table} SET body = json_set(body, '{time}', json_extract(body, '{time}') + ?1) \
             WHERE json_extract(body, '{time}') IS NOT NULL"
        );
        assert_eq!(journal.execute(&change, [seconds]).expect("the journal"), moved, "one write was under way");
    }
    journal.execute_batch(&trigger).expect("it is again");
}
