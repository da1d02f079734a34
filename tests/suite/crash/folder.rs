//! A folder as target: a file is there whole or not at all, and what a killed run left is taken up by the next one.
//!
//! Owns: the folder beside a target in which the run dies, and a file of which the journal does not know.
//! Leaves to others: the steps of one file (`load/folder/tests`).
//! A newcomer gets wrong: the program cannot be stopped between two steps on a disk from outside. A folder in the way of
//! the picture stops it there instead; kills between the steps are beside the code (`load/folder/tests`).

use avatarpipe_sandbox::faults::{Effect, Fault};

use super::harness::{Begins, SESSION, struck};
use crate::suite::company::face;
use crate::suite::ended::{Ended, files};
use crate::suite::stage::Stage;
use crate::suite::truth::{Shows::Face, looks};

const PICTURE: &str = "out/ada.png";
const UNFINISHED: &str = "out/.ada.png.avatarpipe-part";

fn stage() -> Stage {
    let mut stage = SESSION.stage(Begins::Afresh);
    stage.edit(|pipe| _ = pipe.target("folder").set("path", "out"));
    stage
}

fn only_the_folder() -> Stage {
    let mut stage = stage();
    stage.edit(|pipe| _ = pipe.without_target("jira"));
    stage
}

/// What lies in the folder, by name.
fn names(stage: &Stage) -> Vec<String> {
    files(&stage.path("out")).into_iter().map(|(name, _)| name).collect()
}

#[track_caller]
fn expect_ada(stage: &Stage) {
    let shown = std::fs::read(stage.path(PICTURE)).expect("a picture in the folder");
    assert!(looks(&shown).fits(&looks(&face("ada"))), "it is the face of ada");
    // What the program does not know is never removed.
    let of_ours: Vec<_> = names(stage).into_iter().filter(|name| !UNFINISHED.ends_with(name.as_str())).collect();
    assert_eq!(of_ours, ["ada.png", "index.json"]);
    let index = std::fs::read_to_string(stage.path("out/index.json")).expect("an index");
    assert!(index.contains("ada.png"), "{index}");
}

#[test]
fn a_folder_beside_a_target_in_which_the_run_dies_is_whole_and_known() {
    let mut stage = stage();
    stage.sandbox.fault(Fault::new(Effect::HandleOnRelease {}).at("jira").on("POST", "*").times(1));
    let mut child = stage.spawn(&["run", "pipeline.yaml"]);
    stage.until("the folder is written and Jira hangs", |stage| {
        stage.path("out/index.json").exists() && stage.calls("jira").iter().any(|call| call.starts_with("POST"))
    });
    child.kill().expect("SIGKILL");
    child.wait().expect("the program is gone");
    let written = files(&stage.path("out"));
    stage.move_with_the_state_alone();
    for (name, bytes) in &written {
        stage.write(&format!("out/{name}"), bytes);
    }
    stage.sandbox.faults().release();
    stage.until("Jira handles the upload", |stage| struck(stage, "handle_on_release"));
    stage.run().expect_exit(0);
    stage.expect_shown(&[("ada", Face("ada"))]);
    assert_eq!(files(&stage.path("out")), written, "nothing is written again");
    expect_ada(&stage);
    stage.run().expect_exit(0).expect_answer("nothing to do");
}

/// Runs, with a folder in the way of the picture once it was seen that none is there.
fn block_meanwhile(stage: &Stage) -> Ended {
    stage.sandbox.requests().reset();
    stage.sandbox.fault(Fault::new(Effect::HandleOnRelease {}).at("graph").on("POST", "*/$batch").times(1));
    let arguments = ["run", "pipeline.yaml", "--report", "report"];
    let child = stage.spawn(&arguments);
    stage.until("the photo is asked for", |stage| {
        let entries = stage.sandbox.requests().entries();
        entries.iter().any(|entry| entry.path.ends_with("/$batch") && entry.status.is_none())
    });
    stage.write(&format!("{PICTURE}/in the way"), "");
    stage.sandbox.faults().release();
    stage.wait(child, &arguments)
}

#[test]
fn a_file_of_which_the_journal_does_not_know_is_taken_up_or_written_anew() {
    let whole = only_the_folder();
    whole.run().expect_exit(0);
    let rendition = std::fs::read(whole.path(PICTURE)).expect("a picture in the folder");
    let stands = [
        ("nothing", None),
        ("half a file", Some((UNFINISHED, &rendition[..rendition.len() / 2]))),
        ("the whole file", Some((PICTURE, &rendition[..]))),
    ];
    for (what, left) in stands {
        println!("{what}");
        let mut stage = only_the_folder();
        block_meanwhile(&stage).expect_exit(3);
        stage.move_with_the_state_alone();
        if let Some((name, bytes)) = left {
            stage.write(name, bytes);
        }
        stage.run().expect_exit(0);
        expect_ada(&stage);
        stage.run().expect_exit(0).expect_answer("nothing to do");
    }
}
