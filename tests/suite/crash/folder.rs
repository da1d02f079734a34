//! A folder as target: a file is there whole or not at all, and what a killed run left is taken up by the next one.
//!
//! Owns: the folder beside a target in which the run dies, and a picture in the middle of which it dies.
//! Leaves to others: kills between any two calls of the journal, which are beside the code (`load/folder/tests`).
//! A newcomer gets wrong: no request tells when the program writes a file. The kernel ends it there instead: by a limit to
//! the size of its files, set when the picture was rendered and not yet written.

use std::process::Command;

use avatarpipe_sandbox::faults::{Effect, Fault};

use super::kills::{Begins, SESSION, struck};
use crate::suite::ended::files;
use crate::suite::harness::Harness;
use crate::suite::population::{Population, face, face_of};
use crate::suite::truth::{Shows::Face, looks};

const PICTURE: &str = "out/ada.png";
/// Where renditions wait: the only large files.
const RENDERED: &str = ".cache/pictures/";

fn harness_of(population: Population) -> Harness {
    let mut harness = SESSION.harness_of(population, Begins::Afresh);
    harness.edit(|pipe| _ = pipe.target("folder").set("path", "out"));
    harness
}

/// What lies in the folder, by name.
fn names(harness: &Harness) -> Vec<String> {
    files(&harness.path("out")).into_iter().map(|(name, _)| name).collect()
}

#[track_caller]
fn expect_ada(harness: &Harness) {
    let shown = std::fs::read(harness.path(PICTURE)).expect("a picture in the folder");
    assert!(looks(&shown).fits(&looks(&face("ada"))), "it is the face of ada");
    assert_eq!(names(harness), ["ada.png", "index.json"]);
    let index = std::fs::read_to_string(harness.path("out/index.json")).expect("an index");
    assert!(index.contains("ada.png"), "{index}");
}

#[test]
fn a_folder_beside_a_target_in_which_the_run_dies_is_whole_and_known() {
    let mut harness = harness_of(Population::of(&["ada"]));
    harness.sandbox.fault(Fault::new(Effect::HandleOnRelease {}).at("jira").on("POST", "*").times(1));
    let mut child = harness.spawn(&["run", "pipeline.yaml"]);
    harness.until("the folder is written and Jira hangs", |harness| {
        harness.path("out/index.json").exists() && harness.calls("jira").iter().any(|call| call.starts_with("POST"))
    });
    child.kill().expect("SIGKILL");
    child.wait().expect("the program is gone");
    let written = files(&harness.path("out"));
    harness.move_with_the_state_alone();
    for (name, bytes) in &written {
        harness.write(&format!("out/{name}"), bytes);
    }
    harness.sandbox.faults().release();
    harness.until("Jira handles the upload", |harness| struck(harness, "handle_on_release"));
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada"))]);
    assert_eq!(files(&harness.path("out")), written, "nothing is written again");
    expect_ada(&harness);
    harness.run().expect_exit(0).expect_answer("nothing to do");
}

/// A folder with a large picture of ada to come, and none of so many others that they are asked about in two batches.
fn only_the_folder() -> Harness {
    let others: Vec<_> = (0..20).map(|nth| format!("other{nth:02}")).collect();
    let population = Population::of(&["ada"]).picture("ada", face_of("ada", 1536));
    let population = others.iter().fold(population, |population, name| population.with_person(name));
    let mut harness = harness_of(population);
    harness.edit(|pipe| {
        pipe.top("transform", "{ resize: { size: 1536 } }");
        pipe.without_target("jira");
    });
    others.iter().for_each(|name| harness.no_photo(name));
    harness
}

/// Ends the program amid the picture: no file of it can grow beyond a half of that. The half file's name.
fn kill_amid_the_picture(harness: &Harness) -> String {
    // The second batch holds the run between rendering and writing.
    harness.sandbox.fault(Fault::new(Effect::HandleOnRelease {}).at("graph").on("POST", "*/$batch").after(1).times(1));
    let arguments = ["run", "pipeline.yaml", "--report", "report"];
    let child = harness.spawn(&arguments);
    harness.until("the picture is rendered and the others are asked about", |harness| {
        let asked = harness.calls("graph").iter().filter(|call| call.contains("$batch")).count();
        asked == 2 && largest(harness, |name| name.contains(RENDERED)) > 0
    });
    let half = largest(harness, |name| name.contains(RENDERED)) / 2;
    let other = largest(harness, |name| !name.contains(RENDERED));
    assert!(other + (64 << 10) < half, "{other} bytes of another file leave no room below {half}");
    let limits = [format!("--fsize={half}"), "--core=0".to_owned(), format!("--pid={}", child.id())];
    assert!(Command::new("prlimit").args(limits).status().expect("prlimit runs").success());
    harness.sandbox.faults().release();
    let ended = harness.wait(child, &arguments);
    ended.holds(ended.code().is_none(), "an end by a signal");
    harness.sandbox.faults().clear();
    let [(name, bytes)] = &files(&harness.path("out"))[..] else { panic!("one file, found {:?}", names(harness)) };
    assert!(name.ends_with(".avatarpipe-part") && bytes.len() == half, "{name} of {} bytes", bytes.len());
    name.clone()
}

/// The size of the largest file of such a name.
fn largest(harness: &Harness, of: impl Fn(&str) -> bool) -> usize {
    let files = files(harness.folder()).into_iter().filter(|(name, _)| of(name));
    files.map(|(_, bytes)| bytes.len()).max().unwrap_or_default()
}

#[test]
fn what_a_kill_amid_a_picture_left_is_swept_and_the_picture_written() {
    let harness = only_the_folder();
    kill_amid_the_picture(&harness);
    harness.run().expect_exit(0);
    expect_ada(&harness);
    harness.run().expect_exit(0).expect_answer("nothing to do");
}

#[test]
fn a_file_of_which_the_journal_does_not_know_is_taken_up_or_written_anew() {
    let whole = only_the_folder();
    whole.run().expect_exit(0);
    let rendition = std::fs::read(whole.path(PICTURE)).expect("a picture in the folder");
    let half = &rendition[..rendition.len() / 2];
    for what in ["nothing", "half a file", "the whole file"] {
        println!("{what}");
        let mut harness = only_the_folder();
        let unfinished = kill_amid_the_picture(&harness);
        harness.move_with_the_state_alone();
        match what {
            "half a file" => harness.write(&format!("out/{unfinished}"), half),
            "the whole file" => harness.write(PICTURE, &rendition),
            _ => {}
        }
        harness.run().expect_exit(0);
        expect_ada(&harness);
        harness.run().expect_exit(0).expect_answer("nothing to do");
    }
}
