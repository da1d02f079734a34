//! The fewest requests, endpoint by endpoint: what the pages under docs/wire call the floor, and what
//! docs/write-protocols.md adds to it.
//!
//! Owns: the numbers, worked out by hand from the pages and held against what arrived at the simulators.
//! Leaves to others: that the run's own forecast says the same (`requests`, `several`).
//! A newcomer gets wrong: a number here follows from a page, never from what the program happens to send.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::harness::Harness;
use super::population::{Population, bought, file};

/// People of Entra ID: two `$batch` of 20 are full, one is not.
const ENTRA: u64 = 45;
/// People of Google, all in one batch.
const GOOGLE: u64 = 30;
/// Accounts that get a picture, in each of the three products.
const ALL: u64 = ENTRA + GOOGLE;
/// Photos that change, two at each provider.
const CHANGED: u64 = 4;
/// Photos that go, one at each provider.
const GONE: u64 = 2;
/// Looked at after everybody was written: the last of each of the four sessions, and 20.
const RECHECKED: u64 = 4 + 20;

/// Requests on a first run, a quiet run, a run with changes and one where photos are gone.
type Floor = [u64; 4];

/// At every run the same.
const fn always(requests: u64) -> Floor {
    [requests; 4]
}

/// The first run asks whether it may write, before it fetches anybody's photo (docs/command-line.md, "The plan"). The reads are
/// those of `auth`.
const RIGHTS: Floor = [1, 0, 0, 0];

/// Whatever is written is confirmed by one listing more (docs/architecture.md, "Confirm").
const LISTED: Floor = [2, 1, 2, 2];

const FLOORS: &[(&str, Floor)] = &[
    // Sign-in: docs/wire/microsoft-graph.md §1, docs/wire/google-directory.md §7 (K1).
    ("login POST token", always(1)),
    ("token POST token", always(1)),
    // One page, and 20 parts in each batch: bytes at once on a first run, later the versions and then what changed;
    // what is gone is asked for again (docs/architecture.md, "Fetch"; P2).
    ("graph GET users", always(1)),
    ("graph POST $batch", [ENTRA.div_ceil(20), ENTRA.div_ceil(20), ENTRA.div_ceil(20) + 1, ENTRA.div_ceil(20) + 1]),
    // L + ceil(P/b), L, L + ceil(k/b) (docs/wire/google-directory.md §7), and the second question.
    ("directory GET users", always(1)),
    ("directory POST batch", [1, 0, 1, 1]),
    // Version, server id (docs/architecture.md, "The state"), listing (docs/wire/atlassian.md §9).
    ("jira GET serverInfo", always(1)),
    ("jira GET manifest", always(1)),
    ("jira GET search", LISTED),
    ("jira GET myself", RIGHTS),
    ("jira GET mypermissions", RIGHTS),
    // docs/write-protocols.md, "Jira": each write begins with R; the first run also learns the default from one account
    // more.
    ("jira GET avatars", [ALL + 1, 0, CHANGED, GONE]),
    ("jira POST temporary", [ALL, 0, CHANGED, 0]),
    ("jira POST avatar", [ALL, 0, CHANGED, 0]),
    ("jira PUT avatar", [ALL, 0, CHANGED, GONE]),
    ("jira DELETE avatar", [0, 0, CHANGED, GONE]),
    // The first picture of each of the four sessions, then one in fifty; and each old one that is deleted. After the writes the last
    // of each session and 20 of the others that nobody has looked at (docs/write-protocols.md, "What holds for all").
    ("jira GET useravatar", [4 + RECHECKED, 0, 4 + CHANGED, GONE]),
    // Version, server id, login, and who may write on the first run (docs/wire/atlassian.md §4.1), listing.
    ("confluence GET server-information", always(1)),
    ("confluence GET manifest", always(1)),
    ("confluence GET current", [2, 1, 1, 1]),
    ("confluence GET list", LISTED),
    // The probe (docs/wire/atlassian.md §4.7), then one to add, one to remove the former file; a revert is two.
    ("confluence POST xmlrpc", [2 + ALL, 1, 1 + 2 * CHANGED, 1 + 2 * GONE]),
    // docs/write-protocols.md, "Confluence": each write begins with R, and what an earlier run made is looked at before
    // it goes.
    ("confluence GET user", [ALL, 0, CHANGED, GONE]),
    ("confluence GET attachments", [0, 0, CHANGED, GONE]),
    // Version, server id, listing; docs/write-protocols.md, "Bitbucket": each write begins with R.
    ("bitbucket GET application-properties", always(1)),
    ("bitbucket GET manifest", always(1)),
    // On the first run, too: who we are, and whether we administer (docs/wire/atlassian.md §13).
    ("bitbucket GET users", [4, 1, 2, 2]),
    ("bitbucket GET user", [ALL, 0, CHANGED, GONE]),
    ("bitbucket POST avatar.png", [ALL, 0, CHANGED, 0]),
    // What we made is looked at before it is deleted.
    ("bitbucket GET avatar.png", [0, 0, 0, GONE]),
    ("bitbucket DELETE avatar.png", [0, 0, 0, GONE]),
];

fn names(letter: char, count: u64) -> Vec<String> {
    (0..count).map(|nth| format!("{letter}{nth:02}")).collect()
}

fn slices(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// What arrived since the log was last reset: simulator, method and what the path says it is about.
fn arrived(harness: &Harness) -> BTreeMap<String, u64> {
    let mut arrived = BTreeMap::new();
    for entry in harness.sandbox.requests().entries() {
        let number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
        // A file is named after what it shows.
        let path = entry.path.split_inclusive("/attachments").next().unwrap_or_default();
        let mut parts = path.rsplit('/').filter(|part| !number(part));
        let about = match (parts.next().unwrap_or_default(), parts.next()) {
            // Bitbucket names one user by the path.
            (_, Some("users")) if entry.simulator == "bitbucket" => "user",
            (last, _) => last,
        };
        *arrived.entry(format!("{} {} {about}", entry.simulator, entry.method)).or_default() += 1;
    }
    arrived
}

#[track_caller]
fn expect_floor(harness: &Harness, kind: usize, what: &str) {
    let (ended, _) = harness.counted(Harness::run);
    ended.expect_exit(0);
    let floor = FLOORS.iter().map(|(endpoint, floor)| ((*endpoint).to_owned(), floor[kind]));
    let floor: BTreeMap<_, _> = floor.filter(|(_, requests)| *requests > 0).collect();
    assert_eq!(arrived(harness), floor, "{what}");
}

fn google(harness: &Harness, name: &str, now: &Value) {
    let photo = json!({ "photo": { "user": bought(name), "now": now } });
    harness.sandbox.command("directory", &photo).unwrap_or_else(|fault| panic!("{photo}: {fault}"));
}

#[test]
fn every_kind_of_run_costs_the_floor_at_every_endpoint() {
    let (entra, bought) = (names('a', ENTRA), names('g', GOOGLE));
    let population = Population::of(&slices(&entra)).with_google(&slices(&bought)).everywhere();
    let harness = Harness::connected(population.world());
    expect_floor(&harness, 0, "a first run");
    expect_floor(&harness, 1, "a quiet run");
    for name in ["a00", "a01"] {
        harness.new_photo(name, "spare");
    }
    for name in ["g00", "g01"] {
        google(&harness, name, &json!({ "file": file("hand") }));
    }
    expect_floor(&harness, 2, "a run with changes");
    harness.no_photo("a02");
    google(&harness, "g02", &json!({ "none": {} }));
    expect_floor(&harness, 3, "a run after photos have gone");
    expect_floor(&harness, 1, "and quiet again");
}
