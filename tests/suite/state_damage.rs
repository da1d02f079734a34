//! A state that is damaged, newer, somebody else's, or cannot be written: a clear error, the file as it was, and nothing
//! sent that could change anything.
//!
//! Owns: files that are no state, disks that are full. Leaves to others: a state that is lost or old (`lost_state`).
//! A newcomer gets wrong: the tests may run as root, whom no permission bit stops; so a disk is full by `ulimit -f`, and
//! a folder cannot be written to since it is none.

use std::path::Path;
use std::process::Command;

use avatarpipe_sandbox::faults::{Effect, Fault};

use super::ended::{Ended, files};
use super::harness::Harness;
use super::truth::Shows::{Default, Face};

const PEOPLE: [&str; 3] = ["ada", "grace", "alan"];

/// What becomes of the state's file.
type Spoil = fn(&Path);

fn rewrite(path: &Path, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
    let bytes = change(std::fs::read(path).expect("the state"));
    std::fs::write(path, bytes).expect("another state");
}

fn sql(path: &Path, text: &str) {
    rusqlite::Connection::open(path).and_then(|db| db.execute_batch(text)).expect("a change of the state");
}

const SPOILS: [(&str, Spoil); 14] = [
    ("random bytes in the middle", |path| {
        rewrite(path, |mut bytes| {
            let noise = blake3::hash(b"noise");
            let middle = bytes.len() / 2;
            bytes[middle..middle + 4096].iter_mut().zip(noise.as_bytes().iter().cycle()).for_each(|(b, n)| *b ^= n);
            bytes
        });
    }),
    ("cut off", |path| rewrite(path, |bytes| bytes[..bytes.len() - 4096].to_vec())),
    ("cut off in the header", |path| rewrite(path, |bytes| bytes[..60].to_vec())),
    ("empty", |path| rewrite(path, |_| Vec::new())),
    ("zeros", |path| rewrite(path, |bytes| vec![0; bytes.len()])),
    ("not SQLite", |path| rewrite(path, |_| b"# notes of somebody\n".repeat(400))),
    ("another program's", |path| {
        rewrite(path, |_| Vec::new());
        sql(path, "CREATE TABLE notes (text); INSERT INTO notes VALUES ('keep me');");
    }),
    ("newer", |path| sql(path, "PRAGMA user_version = 99")),
    ("a table is missing", |path| sql(path, "DROP TABLE placement")),
    ("a trigger of somebody's", |path| {
        sql(
            path,
            "CREATE TRIGGER also AFTER INSERT ON placement BEGIN
             UPDATE placement SET provenance = 'made' WHERE target = new.target; END",
        );
    }),
    ("a view of somebody's", |path| sql(path, "CREATE VIEW mine AS SELECT account FROM placement")),
    ("a table of somebody's", |path| sql(path, "CREATE TABLE notes (text)")),
    ("a column of somebody's", |path| sql(path, "ALTER TABLE target ADD COLUMN note TEXT")),
    ("a folder", |path| {
        std::fs::remove_file(path).expect("the state");
        std::fs::create_dir(path).expect("a folder in its place");
        std::fs::write(path.join("keep.txt"), "keep me").expect("a file in there");
    }),
];

/// All bytes below the folder of the state, but for what every command makes anew.
fn kept(harness: &Harness) -> Vec<(String, Vec<u8>)> {
    let scratch = |name: &str| name.ends_with(".lock") || name.contains("stage.cache");
    files(&harness.path("state")).into_iter().filter(|(name, _)| !scratch(name) && !name.contains(".report")).collect()
}

#[test]
fn what_is_no_state_of_ours_is_told_and_left_as_it_is() {
    let mut told = String::new();
    for (name, spoil) in SPOILS {
        println!("{name}");
        let harness = Harness::with_people(&PEOPLE);
        harness.run().expect_exit(0);
        harness.new_photo("ada", "spare");
        spoil(&harness.path("state/stage.db"));
        let before = kept(&harness);
        harness.sandbox.requests().reset();
        for command in ["run", "plan", "status"] {
            let ended = harness.finish(&[command, "pipeline.yaml"]).expect_exit(2).expect_error("state/stage.db");
            assert!(ended.stdout.is_empty(), "{name}: {command} answers {}", ended.stdout);
            if command == "run" {
                told += &format!("{name}\n  {}", ended.stderr);
            }
            assert!(kept(&harness) == before, "{name}: {command} changed it");
        }
        assert!(harness.sandbox.requests().entries().is_empty(), "{name}: nobody is asked anything");
        harness.expect_shown(&PEOPLE.map(|name| (name, Face(name))));
    }
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("state-damaged", told);
    });
}

/// The program with files that may not grow over so many blocks of the shell's: as on a full disk, each write fails.
fn on_a_full_disk(harness: &Harness, blocks: u32, command: &str) -> Ended {
    let arguments = [command, "pipeline.yaml", "--report", "report"];
    let mut shell = Command::new("/bin/sh");
    let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    shell.args(["-c", &limited, env!("CARGO_BIN_EXE_avatarpipe")]);
    harness.wait(harness.spawn_by(shell, &arguments), &arguments)
}

#[test]
fn a_full_disk_stops_before_anything_is_written_remotely() {
    // From none to enough for everything: wherever it ends, either all is well or nothing was written that is not known.
    let mut stopped = 0;
    for blocks in [0, 1, 8, 16, 32, 64, 128, 160, 192] {
        for known in [false, true] {
            println!("{blocks} blocks, {}", if known { "a later run" } else { "the first run" });
            let harness = Harness::with_people(&PEOPLE);
            if known {
                harness.run().expect_exit(0);
                harness.new_photo("ada", "spare");
                harness.sandbox.reset_writes();
            }
            let ended = on_a_full_disk(&harness, blocks, "run");
            let writes = harness.sandbox.truth().writes;
            if ended.stderr.contains("error: could not") {
                stopped += 1;
                assert_eq!(writes, [], "{blocks} blocks: {}", ended.stderr);
            } else {
                ended.expect_exit(0);
            }
            harness.run().expect_exit(0);
            let ada = if known { Face("spare") } else { Face("ada") };
            harness.expect_shown(&[("ada", ada), ("grace", Face("grace")), ("alan", Face("alan"))]);
        }
    }
    assert!(stopped >= 4, "the disk was never full: {stopped}");
}

#[test]
fn a_disk_that_is_full_from_the_start_is_told() {
    let harness = Harness::with_people(&PEOPLE);
    let ended = on_a_full_disk(&harness, 0, "run").expect_exit(1);
    ended.expect_error("error: could not write to `state/stage.db.lock`").expect_error("has space left");
    assert!(harness.sandbox.requests().entries().is_empty(), "nobody is asked anything");
}

#[test]
fn a_disk_that_is_full_in_the_middle_of_a_run_leaves_nothing_unknown() {
    for turn in 0..4 {
        println!("full at write {turn}");
        let harness = Harness::with_people(&PEOPLE).with(|pipe| {
            pipe.top("rates", "{ fast: { units: 100000, per: 1s, burst: 100000, concurrency: 1 } }");
            pipe.jira("quiet", "0s");
        });
        // Long enough for the disk to fill up meanwhile.
        let slow = Fault::new(Effect::Delay { ms: 5_000 }).at("jira");
        let slow = Fault { skip: turn, times: Some(1), ..slow };
        for method in ["POST", "PUT"] {
            harness.sandbox.fault(slow.clone().on(method, "*"));
        }
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_avatarpipe")]);
        let arguments = ["run", "pipeline.yaml", "--report", "report"];
        let child = harness.spawn_by(shell, &arguments);
        let slowed = |harness: &Harness| harness.sandbox.faults().all().iter().any(|fault| fault.struck > 0);
        harness.until("the slow write arrives", slowed);
        let full = Command::new("prlimit").args(["--pid", &child.id().to_string(), "--fsize=0"]).status();
        assert!(full.expect("prlimit runs").success());
        let ended = harness.wait(child, &arguments).expect_exit(1).expect_error("could not");
        ended.expect_error("space left");
        let after = harness.sandbox.truth().writes.len();
        assert!(after <= turn as usize + 1, "{after} writes, though nothing could be noted after {turn}");
        harness.sandbox.faults().clear();
        harness.run().expect_exit(0);
        harness.expect_shown(&PEOPLE.map(|name| (name, Face(name))));
        harness.run().expect_exit(0).expect_answer("nothing to do");
    }
}

#[test]
fn a_folder_that_cannot_be_written_to_stops_before_anything_is_asked() {
    for path in ["a-file/stage.db", "/proc/avatarpipe/stage.db", "/dev/null/stage.db"] {
        let harness = Harness::with_people(&PEOPLE).with(|pipe| _ = pipe.top("state", &format!("{{ path: {path} }}")));
        harness.write("a-file", "not a folder");
        for command in ["run", "plan"] {
            let ended = harness.finish(&[command, "pipeline.yaml"]).expect_exit(1);
            ended.expect_error(path.trim_end_matches("/stage.db")).expect_error("is writable and has space left");
        }
        assert!(harness.sandbox.requests().entries().is_empty(), "{path}: nobody is asked anything");
        harness.expect_shown(&PEOPLE.map(|name| (name, Default)));
    }
}
