//! The README's transcript is what the README's first command prints.
//!
//! Owns: the comparison, line by line; `…` in the README stands for any number of lines.
//! A newcomer gets wrong: after a change of what is printed, the README is mended by hand; it is there to be read.

use std::process::Command;

use super::redact::replace;

#[test]
fn the_transcript_is_true() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let transcript = readme.split("## What it looks like").nth(1).unwrap().split("```").nth(1).unwrap();
    let mut runs = transcript.split("$ avatarpipe run pipelines/corporate.yaml --sandbox\n").skip(1);
    let folder = tempfile::tempdir().unwrap();
    let pipelines = folder.path().join("pipelines");
    std::fs::create_dir(&pipelines).unwrap();
    let file = "pipelines/corporate.yaml";
    std::fs::copy(format!("{}/{file}", env!("CARGO_MANIFEST_DIR")), folder.path().join(file)).unwrap();
    for which in ["first", "second"] {
        let ran = Command::new(env!("CARGO_BIN_EXE_avatarpipe"))
            .args(["run", file, "--sandbox"])
            .current_dir(folder.path())
            .env_clear()
            .output()
            .unwrap();
        assert!(ran.status.success(), "{which}: {}", String::from_utf8_lossy(&ran.stderr));
        let printed = same_run(&String::from_utf8(ran.stdout).unwrap());
        let told = same_run(runs.next().expect("a transcript of each run"));
        is_told(which, &told, &printed);
    }
    assert_eq!(runs.next(), None, "the README tells of two runs");
}

fn same_run(text: &str) -> String {
    replace(text, "0000-00-00T00-00-00Z-xxxx", "<run>")
}

/// Every line of the README stands in the output, in its order; what `…` leaves out may be anything.
fn is_told(which: &str, told: &str, printed: &str) {
    let mut lines = printed.lines();
    let mut skipping = false;
    for line in told.trim_end().lines() {
        if line.trim() == "…" {
            skipping = true;
            continue;
        }
        let found = if skipping { lines.find(|next| *next == line) } else { lines.next() };
        assert_eq!(found, Some(line), "{which} run, printed:\n{printed}");
        skipping = false;
    }
    assert!(skipping || lines.next().is_none(), "{which} run prints more than the README tells:\n{printed}");
}
