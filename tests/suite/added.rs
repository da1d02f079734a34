//! What a change touches: a throw-away kind of source, target, limit, report, command and option (`tests/added/`).
//!
//! Owns: the count of existing files. Leaves to others: whether the compiler takes it (`.ci/run added`).
//! A newcomer gets wrong: a patch builds on those before it.

use std::collections::BTreeMap;
use std::path::Path;

/// Each patch with the existing files that it may touch (CONTRIBUTING.md, "What a change touches"), and the new ones.
const PATCHES: [(&str, usize, usize); 6] = [
    ("1-source.patch", 4, 2),
    ("2-target.patch", 4, 2),
    ("3-limit.patch", 2, 0),
    ("4-report.patch", 1, 1),
    ("5-command.patch", 1, 1),
    ("6-option.patch", 1, 0),
];

/// A file of a patch: its path, whether it is new, and each hunk as it was and as it becomes.
#[derive(Default)]
struct Changed {
    path: String,
    is_new: bool,
    hunks: Vec<(String, String)>,
}

fn changed(patch: &str) -> Vec<Changed> {
    let mut files: Vec<Changed> = Vec::new();
    for line in patch.lines() {
        if line.starts_with("diff --git ") {
            files.push(Changed::default());
            continue;
        }
        let file = files.last_mut().expect("a patch begins with a file");
        if line == "--- /dev/null" {
            file.is_new = true;
        } else if let Some(path) = line.strip_prefix("+++ b/") {
            path.clone_into(&mut file.path);
        } else if line.starts_with("@@ ") {
            file.hunks.push(Default::default());
        } else if let Some((was, becomes)) = file.hunks.last_mut() {
            match line.split_at(1) {
                (" ", rest) => [was, becomes].into_iter().for_each(|text| *text += &format!("{rest}\n")),
                ("-", rest) => *was += &format!("{rest}\n"),
                ("+", rest) => *becomes += &format!("{rest}\n"),
                _ => {}
            }
        }
    }
    files
}

#[test]
fn a_change_touches_as_few_files_as_contributing_says_and_still_fits() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for (name, existing, new) in PATCHES {
        let patch = std::fs::read_to_string(root.join("tests/added").join(name)).expect("a patch");
        let files = changed(&patch);
        let touched: Vec<_> = files.iter().filter(|file| !file.is_new).map(|file| &file.path).collect();
        assert_eq!((touched.len(), files.len() - touched.len()), (existing, new), "{name}: {touched:?}");
        for Changed { path, is_new, hunks } in files {
            let read = || std::fs::read_to_string(root.join(&path)).unwrap_or_default();
            let text = texts.entry(path.clone()).or_insert_with(read);
            assert_eq!(is_new, text.is_empty(), "{name}: {path}");
            for (was, becomes) in hunks {
                assert!(text.matches(&was).count() == 1 || is_new, "{name} does not fit {path} any more:\n{was}");
                *text = if is_new { becomes } else { text.replacen(&was, &becomes, 1) };
            }
        }
    }
}
