//! Every target over its corpus and over inputs made of it: what CI runs on stable, in seconds.
//!
//! A newcomer gets wrong: an input is named by target and round, and the same round invents the same input everywhere.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::mutate::{Dice, invent};
use super::{FuzzTarget, TARGETS, target};

/// What a corpus of interesting inputs may grow to.
const POOL: usize = 400;

fn corpus(target: &FuzzTarget) -> Vec<Vec<u8>> {
    let folder = format!("{}/tests/fuzz/corpus/{}", env!("CARGO_MANIFEST_DIR"), target.name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let seeds: Vec<_> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    assert!(seeds.len() >= 3, "{folder} holds {} seeds", seeds.len());
    seeds
}

#[track_caller]
fn throw(target: &FuzzTarget, input: &[u8], name: &str) -> u64 {
    catch_unwind(AssertUnwindSafe(|| (target.run)(input))).unwrap_or_else(|_| {
        panic!("{}: {name} is not survived; as a file for the corpus:\n{}", target.name, input.escape_ascii())
    })
}

fn fuzz(name: &str) {
    let target = target(name).unwrap();
    let mut pool = corpus(target);
    let mut shapes = HashSet::new();
    for (nth, seed) in pool.iter().enumerate() {
        shapes.insert(throw(target, seed, &format!("seed {nth}")));
    }
    assert!(shapes.len() > 1, "all seeds of {name} are of one kind");
    for round in 0..target.rounds {
        let input = invent(&mut Dice::new(round.into()), &pool, target.words);
        if shapes.insert(throw(target, &input, &format!("round {round}"))) && pool.len() < POOL {
            pool.push(input);
        }
    }
    eprintln!("{name}: {} kinds of answer to {} inputs", shapes.len(), target.rounds);
}

macro_rules! each_target {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            fuzz(stringify!($name));
        })*

        #[test]
        fn every_target_is_run() {
            assert_eq!(TARGETS.map(|target| target.name), [$(stringify!($name)),*]);
        }
    };
}

each_target!(pipeline graph_batch multipart xmlrpc base64 answers pictures);
