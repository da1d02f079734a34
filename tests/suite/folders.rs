//! A folder of photos in place of a provider, and a folder in place of a server.

use super::company::{address, face};
use super::stage::Stage;
use super::truth::{Shows::Face, looks};

/// Photos from a folder, pictures to Jira and to another folder.
fn stage() -> Stage {
    let stage = Stage::company(&["ada", "grace"]).with(|pipe| {
        pipe.without_source("entra").source("folder").set("path", "people");
        pipe.target("folder").set("path", "out");
        pipe.top("limits", "{ reverts: { count: 10 } }");
    });
    let table = format!("id,email,photo\n1,{},ada.png\n2,{},grace.png\n", address("ada"), address("grace"));
    stage.write("people/people.csv", table);
    stage.write("people/ada.png", face("ada"));
    stage.write("people/grace.png", face("grace"));
    stage
}

#[test]
fn photos_go_from_a_folder_to_jira_and_to_a_folder() {
    let stage = stage();
    let ended = stage.run().expect_exit(0);
    for line in ended.report()["requests"].as_array().expect("a list") {
        assert_eq!(line["sent"], line["forecast"], "reading a folder costs no request: {line}");
    }
    stage.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
    for name in ["ada", "grace"] {
        let bytes = std::fs::read(stage.path(&format!("out/{name}.png"))).expect("a picture in the folder");
        assert!(looks(&bytes).fits(&looks(&face(name))), "{name}");
    }
    let index = std::fs::read_to_string(stage.path("out/index.json")).expect("an index");
    assert!(index.contains("ada.png") && index.contains("grace.png"), "{index}");
    stage.sandbox.requests().reset();
    stage.run().expect_exit(0).expect_answer("nothing to do");
    assert_eq!(stage.writes(), [""; 0]);
}

#[test]
fn a_photo_that_leaves_the_folder_leaves_both_targets_and_files_of_others_stay() {
    let stage = stage();
    stage.write("out/notes.txt", "mine");
    stage.run().expect_exit(0);
    let table = format!("id,email,photo\n1,{},ada.png\n2,{},\n", address("ada"), address("grace"));
    stage.write("people/people.csv", table);
    stage.run().expect_exit(0);
    stage.expect_shown(&[("ada", Face("ada")), ("grace", super::truth::Shows::Default)]);
    assert!(!stage.path("out/grace.png").exists() && stage.path("out/ada.png").exists());
    assert_eq!(std::fs::read(stage.path("out/notes.txt")).expect("the file of somebody else"), b"mine");
    let index = std::fs::read_to_string(stage.path("out/index.json")).expect("an index");
    assert!(!index.contains("grace"), "{index}");
}

#[test]
fn a_later_source_serves_those_whom_the_first_provably_cannot() {
    let stage = Stage::company(&["ada", "grace", "alan"]).with(|pipe| {
        pipe.source("folder").set("path", "people");
    });
    let row = |id: u8, name: &str| format!("{id},{},spare.png\n", address(name));
    stage.write("people/people.csv", format!("id,email,photo\n{}{}{}", row(1, "ada"), row(2, "grace"), row(3, "alan")));
    stage.write("people/spare.png", face("spare"));
    stage.no_photo("grace");
    stage.photo_fails("alan", "no_mailbox");
    stage.run().expect_exit(0);
    stage.expect_shown(&[("ada", Face("ada")), ("grace", Face("spare")), ("alan", super::truth::Shows::Start)]);
}

#[test]
fn a_folder_that_is_not_there_changes_nothing() {
    let stage = stage();
    stage.run().expect_exit(0);
    std::fs::rename(stage.path("people"), stage.path("elsewhere")).expect("the share is gone");
    stage.sandbox.requests().reset();
    // The path stands in the file, and there is nothing under it.
    stage.run().expect_exit(6).expect_answer("people/people.csv");
    assert_eq!(stage.writes(), [""; 0]);
    stage.expect_shown(&[("ada", Face("ada"))]);
    assert!(stage.path("out/ada.png").exists());
}
