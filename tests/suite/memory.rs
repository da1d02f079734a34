//! Memory does not grow with the number of people (promise P9).
//!
//! Owns: quiet runs of small and large companies, side by side. Leaves to others: memory under bombs (`hostile`).
//! A newcomer gets wrong: only growth is held against a bound. A program without optimisation is larger than design §9
//! allows; the ignored test is the benchmark for that and is run with `--release`.

use super::crowd::crowd;
use super::peak::{MIB, peak_of};

/// The peak of a quiet run.
fn quiet(people: usize) -> u64 {
    let stage = crowd(people);
    let arguments = ["run", "pipeline.yaml", "--report", "report"];
    let mut child = stage.spawn(&arguments);
    let peak = peak_of(&mut child);
    let ended = stage.wait(child, &arguments).expect_exit(0).expect_answer("nothing to do");
    ended.holds(ended.count("jira", "unchanged") == people as u64 * 3 / 4, "everybody with a photo unchanged");
    assert_eq!(ended.report()["sources"][0]["downloaded"], 0);
    peak
}

#[test]
#[ignore = "a benchmark: `cargo test --test tests memory -- --ignored --nocapture`"]
fn a_quiet_run_of_more_people_takes_no_more_memory() {
    // Both have full pages, which cost the same whoever is on them.
    let (few, many) = (1000, 3000);
    let (small, large) = (quiet(few), quiet(many));
    eprintln!("{few} people: {} KiB, {many} people: {} KiB", small >> 10, large >> 10);
    let each = large.saturating_sub(small) / (many - few) as u64;
    assert!(each < 1024, "{each} bytes more for each person: {small} for {few}, {large} for {many}");
}

/// `cargo test --release --test tests memory -- --ignored --nocapture`
#[test]
#[ignore = "a benchmark of minutes (design §9)"]
fn a_quiet_run_of_very_many_people_takes_no_more_memory() {
    let (few, many) = (1000, 20_000);
    let (small, large) = (quiet(few), quiet(many));
    eprintln!("{few} people: {} MiB, {many} people: {} MiB", small / MIB, large / MIB);
    assert!(large * 10 < small * 13, "{small} bytes for {few} people, {large} for {many}");
    assert!(cfg!(debug_assertions) || large <= 64 * MIB, "{large} bytes for {many} people");
}
