//! Requests: as few as the protocols allow, and as many as the forecast says; counted where they arrive.

use avatarpipe_sandbox::jira::version::Version;

use super::harness::Harness;
use super::population::Population;
use super::truth::Shows::{Default, Face};

/// The ways to sign in, with the size at which pictures end up.
const WAYS: [(&str, u32); 2] = [("password", 256), ("token", 48)];

const PEOPLE: [&str; 6] = ["ada", "grace", "alan", "edsger", "barbara", "donald"];

fn harness(way: &str, world: Population) -> Harness {
    Harness::of(world.world()).with(|pipe| {
        pipe.top("limits", "{ reverts: { count: 50, share: 100% } }");
        if way == "token" {
            pipe.by_token();
        }
    })
}

#[test]
fn every_kind_of_run_costs_what_was_forecast() {
    for (way, side) in WAYS {
        let mut harness = harness(way, Population::of(&PEOPLE));
        harness.edit(|pipe| _ = pipe.jira("accounts", "{ exclude: [donald] }"));

        let (first, _) = harness.counted(Harness::run);
        assert_eq!(first.expect_exit(0).count("jira", "replaced"), 5, "{way}");
        let picture = image::load_from_memory(&harness.account("ada").now.bytes).expect("a picture");
        // The simulator shows every picture at the size that a browser asks for; what it stores is the avatar.
        let stored = harness.sandbox.truth().avatars.into_iter().find(|a| a.creator != "world").expect("an avatar");
        let stored = image::load_from_memory(&stored.bytes).expect("a picture");
        assert!(stored.width() <= side && picture.width() >= stored.width(), "{way}: {}", stored.width());
        assert_eq!(stored.width(), side.min(96), "{way}");

        let (quiet, _) = harness.counted(Harness::run);
        quiet.expect_exit(0).expect_answer("nothing to do");
        assert_eq!(harness.writes(), [""; 0], "{way}");

        for (name, of) in [("ada", "spare"), ("grace", "hand")] {
            harness.new_photo(name, of);
        }
        let (changed, _) = harness.counted(Harness::run);
        let changed = changed.expect_exit(0);
        assert_eq!(changed.count("jira", "replaced"), 2, "{way}");
        assert_eq!(changed.report()["sources"][0]["downloaded"], 2, "{way}");

        harness.no_photo("alan");
        let (removed, _) = harness.counted(Harness::run);
        assert_eq!(removed.expect_exit(0).count("jira", "reverted"), 1, "{way}");

        harness.edit(|pipe| _ = pipe.jira("accounts", "{}"));
        let (added, _) = harness.counted(Harness::run);
        assert_eq!(added.expect_exit(0).count("jira", "replaced"), 1, "{way}");
        harness.expect_shown(&[
            ("ada", Face("spare")),
            ("grace", Face("hand")),
            ("alan", Default),
            ("edsger", Face("edsger")),
            ("donald", Face("donald")),
        ]);
    }
}

#[test]
fn a_photo_that_is_gone_is_asked_for_twice() {
    let harness = harness("password", Population::of(&["ada", "grace"]));
    harness.run().expect_exit(0);
    let (_, quiet) = harness.counted(Harness::run);
    harness.no_photo("ada");
    let (gone, twice) = harness.counted(Harness::run);
    gone.expect_exit(0).expect_line("ada", "revert", "absent", "done");
    assert_eq!(twice["entra"], quiet["entra"] + 1, "the second question");
    let asked = |entry: &avatarpipe_sandbox::requests::Entry| {
        entry.parts.iter().filter(|(part, status)| part.contains("/photo") && *status == 404).count()
    };
    assert_eq!(harness.sandbox.requests().entries().iter().map(asked).sum::<usize>(), 2);
}

#[test]
fn every_way_to_list_accounts_costs_what_was_forecast() {
    for version in [
        Version::new(8, 20, 0),
        Version::new(9, 12, 5),
        Version::new(10, 1, 0),
        Version::new(10, 3, 9),
        Version::new(11, 0, 0),
    ] {
        let population = Population::of(&PEOPLE[..3]).release(version);
        let population = PEOPLE[..3].iter().fold(population, |population, name| {
            population.account(name, |account| account.groups = vec!["jira-software-users".to_owned()])
        });
        // From 11.0 on, passwords open nothing.
        let way = if version.major >= 11 { "token" } else { "password" };
        let mut harness = harness(way, population);
        if version.major == 10 && version.minor < 3 {
            // These list 100 accounts in all (JRASERVER-78520).
            harness.edit(|pipe| _ = pipe.jira("accounts", "{ groups: [jira-software-users] }"));
        }
        let (first, _) = harness.counted(Harness::run);
        first.expect_exit(0);
        let (second, _) = harness.counted(Harness::run);
        second.expect_exit(0).expect_answer("nothing to do");
        assert_eq!(harness.writes(), [""; 0], "{version:?}");
        harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("alan", Face("alan"))]);
    }
}
