//! The programs that are wrong on purpose still fit the code (`tests/mutants`); `.ci/mutants` builds and runs them.

use std::path::Path;

#[test]
fn every_text_that_a_mutant_changes_is_there_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read =
        |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let entries = std::fs::read_dir(root.join("tests/mutants")).expect("the folder of mutants");
    let files = entries.map(|entry| entry.expect("a file").path());
    let mutants: Vec<_> = files.filter(|path| path.extension().is_some_and(|extension| extension == "txt")).collect();
    assert!(!mutants.is_empty());
    for path in mutants {
        let text = read(&path);
        let mut parts = text.split("\n--- is\n");
        let mut file = parts.next().and_then(|head| head.lines().last()).expect("a head that ends in a file");
        for change in parts {
            let (is, rest) = change.split_once("\n+++ becomes\n").expect("what it becomes");
            let (_, next) = rest.split_once("\n--- end\n").expect("an end");
            let found = read(&root.join(file)).matches(is).count();
            assert_eq!(found, 1, "{} changes a text of {file} that is there {found} times:\n{is}", path.display());
            file = next.lines().last().unwrap_or_default();
        }
    }
}
