//! Memory does not grow with the number of people (promise P9).
//!
//! Owns: runs of small and large companies, side by side. Leaves to others: memory under bombs (`hostile`).
//! A newcomer gets wrong: SQLite fills its caches up to their bound first, so only companies that fill them can be
//! compared; and a program without optimisation is larger than docs/architecture.md, "Speed and size", allows, so that
//! is held against `--release`.

use super::large_population::{Past, large_population};
use super::peak::{MIB, peak_of};

/// The peak of one run.
fn run(people: usize, past: Past, answers: &str) -> u64 {
    let harness = large_population(people, past);
    peak(&harness, people, answers)
}

fn peak(harness: &super::harness::Harness, people: usize, answers: &str) -> u64 {
    let arguments = ["run", "pipeline.yaml", "--report", "report"];
    let mut child = harness.spawn(&arguments);
    let peak = peak_of(&mut child);
    harness.wait(child, &arguments).expect_exit(0).expect_answer(answers);
    eprintln!("{people} people, {answers}: {} KiB", peak >> 10);
    peak
}

/// Peaks of a small company that fills the caches, and of one three times as large, which may take a tenth more.
fn compared(few: usize, peak_of_people: impl Fn(usize) -> u64) -> u64 {
    let (small, large) = (peak_of_people(few), peak_of_people(few * 3));
    assert!(large <= small + small / 10, "{small} bytes for {few} people, {large} for three times as many");
    large
}

/// `cargo test --release --test tests memory -- --ignored --nocapture`
#[test]
#[ignore = "a benchmark of minutes"]
fn a_quiet_run_of_more_people_takes_no_more_memory() {
    let large = compared(40_000, |people| run(people, Past::Kept, "nothing to do"));
    assert!(cfg!(debug_assertions) || large <= 64 * MIB, "{large} bytes");
}

#[test]
#[ignore = "a benchmark of minutes"]
fn a_first_run_of_more_people_takes_no_more_memory() {
    compared(20_000, |people| run(people, Past::None, "replaced"));
}

/// Everybody's picture is looked at and adopted; those who have none are reported one by one.
#[test]
#[ignore = "a benchmark of minutes"]
fn a_run_of_more_people_after_the_state_was_lost_takes_no_more_memory() {
    compared(20_000, |people| run(people, Past::Lost, "nothing to do"));
}
