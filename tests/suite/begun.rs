//! `init`: what it writes is right and plays, and no file of anybody is touched.
//!
//! Owns: the command as somebody runs it. Leaves to others: every combination (beside its code).
//! A newcomer gets wrong: a CI file that is there is somebody's own; only ours beside it counts as taken.

use std::path::Path;
use std::process::Command;

use super::ended::Ended;

#[test]
fn what_init_writes_plays_and_is_never_overwritten() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let (read, write) = (
        |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("a file"),
        |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file"),
    );
    write(".gitlab-ci.yml", "theirs");
    let flags = ["init", "mine.yaml", "--entra", "--jira", "https://jira.example.com"];
    let begun = avatarpipe(folder.path(), &flags).expect_exit(0);
    let begun = begun.expect_answer("wrote mine.yaml").expect_answer("include it in .gitlab-ci.yml");
    begun.expect_answer("set ENTRA_TENANT_ID, ENTRA_CLIENT_ID, ENTRA_CLIENT_SECRET, JIRA_PASSWORD\n");
    assert_eq!(read(".gitlab-ci.yml"), "theirs");
    assert_eq!(read(".gitignore"), "/state/\n/report/\n/plan\n/plan-*\n/plan.*\n");
    assert!(read("avatars.gitlab-ci.yml").contains("state/mine.db"));
    avatarpipe(folder.path(), &["check", "mine.yaml"]).expect_exit(0).expect_answer("no faults (entra → jira)");
    avatarpipe(folder.path(), &["plan", "mine.yaml", "--sandbox=tiny"]).expect_exit(0);

    // The job is there, the pipeline is not: neither is written.
    std::fs::remove_file(folder.path().join("mine.yaml")).expect("the pipeline goes");
    write("avatars.gitlab-ci.yml", "mine");
    let refused = avatarpipe(folder.path(), &flags).expect_exit(2);
    refused.expect_error("avatars.gitlab-ci.yml is there already and is left as it is; nothing was written");
    assert!(!folder.path().join("mine.yaml").exists());
    assert_eq!(read("avatars.gitlab-ci.yml"), "mine");
    // A job that cannot be written leaves no pipeline behind that would stand in the way of the next try.
    write(".github", "a file");
    let half = avatarpipe(folder.path(), &["init", "half.yaml", "--ci", "github"]);
    half.expect_exit(1).expect_error("could not write .github/workflows/");
    assert!(!folder.path().join("half.yaml").exists());
    // An address that no pipeline takes is told before anything is written.
    let wrong = ["init", "other.yaml", "--ci", "none", "--jira", "http://jira.example.com"];
    avatarpipe(folder.path(), &wrong).expect_exit(2).expect_error("plain `http` is for loopback only");
    assert!(!folder.path().join("other.yaml").exists());
}

/// People of a folder are the user's own, and pictures in a folder would go with the machine of the job.
#[test]
fn a_folder_is_filled_first_and_its_pictures_are_handed_on() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let flags = ["init", "mine.yaml", "--folder", "photos", "--to-folder", "out", "--ci", "github"];
    let begun = avatarpipe(folder.path(), &flags).expect_exit(0);
    begun.expect_answer("\n  write photos/people.csv (id,name,email,photo)").holds_no_answer("--sandbox");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("a file");
    assert!(read(".github/workflows/avatars.yml").contains("            report/\n            out/\n"));
    assert!(read(".gitignore").ends_with("/plan.*\n/out/\n"));
    std::fs::create_dir(folder.path().join("photos")).expect("a folder");
    std::fs::write(folder.path().join("photos/people.csv"), "id,name,email,photo\n1,Ada,ada@example.com,\n")
        .expect("people");
    avatarpipe(folder.path(), &["plan", "mine.yaml"]).expect_exit(0);
}

#[track_caller]
fn avatarpipe(folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_avatarpipe"));
    let output = command.args(arguments).current_dir(folder).env_clear().output().expect("the program runs");
    Ended::new(format!("avatarpipe {}", arguments.join(" ")), output, folder)
}
