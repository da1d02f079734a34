//! What a person costs: requests, bytes of the state, memory. The small size of `benches/run`, in each CI.
//!
//! Owns: bounds that break when a change makes people cost more. Leaves to others: time, at which no test looks
//! (docs/performance.md), requests endpoint by endpoint (`floors`), thousands of people (`memory`).
//! A newcomer gets wrong: a bound is what was measured and a little more. A change that lowers a number lowers its bound.

use avatarpipe_sandbox::s3::ObjectStore;

use super::harness::Harness;
use super::large_population::{Past, large_population};
use super::peak::{MIB, peak_of};
use super::stores::{s3, store};

const PEOPLE: usize = 600;

/// A program without optimisation is larger than one that is shipped.
const PEAK: u64 = 72 * MIB;

/// With the page that every table and index has, however few rows.
const STATE: u64 = 96 * 1024 + 170 * PEOPLE as u64;

/// The lines of one report in which everybody is told, which `keep_runs` takes out again.
const LINES: u64 = 104 * PEOPLE as u64;

/// Requests and the peak of one run.
fn run(harness: &Harness, answer: &str) -> (usize, u64) {
    harness.sandbox.requests().reset();
    let arguments = ["run", "pipeline.yaml", "--report", "report"];
    let mut child = harness.spawn(&arguments);
    let peak = peak_of(&mut child);
    harness.wait(child, &arguments).expect_exit(0).expect_answer(answer);
    (harness.sandbox.requests().entries().len(), peak)
}

#[test]
fn a_person_costs_no_more_than_before() {
    let harness = large_population(PEOPLE, Past::None);
    let state = || std::fs::metadata(harness.path("state/stage.db")).expect("the state").len();
    let (first, first_peak) = run(&harness, "replaced");
    let after_first = state();
    let (quiet, quiet_peak) = run(&harness, "nothing to do");
    let (peak, after_quiet) = (first_peak.max(quiet_peak), state());
    let all = format!("requests {first} and {quiet}, state {after_first} and {after_quiet} bytes, peak {peak} bytes");
    eprintln!("{all}");
    // Sign-in, a page and 30 batches; version, id, two rights, listings; four calls for each of 450 photos, one account more
    // for the default, a look at the first picture of each session, and after the writes at its last and at 20 more
    // (docs/write-protocols.md, "What holds for all").
    assert_eq!((first, quiet), (1 + 1 + 30 + 4 + 2 + 4 * 450 + 1 + 12 + 24, 1 + 1 + 30 + 2 + 1), "{all}");
    assert!(after_first <= STATE + LINES && after_quiet <= STATE + LINES + 8 * 1024, "{all}");
    assert!(peak <= PEAK, "{all}");
}

/// Requests that the store of the state saw, and bytes of bodies, both ways.
fn at_store(store: &ObjectStore, harness: &mut Harness, answer: &str) -> (usize, u64) {
    store.reset_log();
    harness.move_with_the_state_alone();
    harness.run().expect_exit(0).expect_answer(answer);
    (store.log().len(), store.traffic())
}

/// `BUCKET_PEOPLE=10000` measures more of them (docs/performance.md, "The state in a bucket").
#[test]
fn a_state_in_a_bucket_costs_no_more_than_before() {
    let people = std::env::var("BUCKET_PEOPLE").ok().and_then(|people| people.parse().ok()).unwrap_or(120_usize);
    let store = store();
    let mut harness = large_population(people, Past::None);
    s3(store.url(), "p").for_state(&mut harness, "");
    harness.edit(|pipe| _ = pipe.top("limits", "{ replacements: { count: 1000000 }, reverts: { count: 9 } }"));
    let first = at_store(&store, &mut harness, "replaced");
    let quiet = at_store(&store, &mut harness, "nothing to do");
    let again = at_store(&store, &mut harness, "nothing to do");
    harness.no_photo("person000001");
    let changed = at_store(&store, &mut harness, "revert");
    let state =
        store.objects().iter().filter(|(name, _)| name.contains("snapshots")).map(|(_, bytes)| bytes.len()).max();
    let all = format!(
        "{people} people: first {first:?}, quiet {quiet:?}, {again:?}, changed {changed:?}, snapshot {state:?}"
    );
    eprintln!("{all}");
    assert_eq!((quiet.0, again.0), (4, 4), "{all}");
    assert!(changed.0 <= 12, "{all}");
    // Steps of writes share a commit where they meet, so this is the most: two for each, and the ends.
    assert!(first.0 <= 4 * people, "{all}");
    if people == 120 {
        assert!(quiet.1 <= 400 << 10 && changed.1 <= 500 << 10 && first.1 <= 3 << 20, "{all}");
    }
}
