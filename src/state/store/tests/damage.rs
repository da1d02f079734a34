//! Files that do not belong here are refused and keep every byte.

use super::*;
use crate::state::file::beside;

type Spoil = fn(Vec<u8>) -> Vec<u8>;
type Expected = fn(&StateFault) -> bool;

fn patched(mut bytes: Vec<u8>, at: usize, patch: &[u8]) -> Vec<u8> {
    bytes[at..at + patch.len()].copy_from_slice(patch);
    bytes
}

#[test]
fn strangers_newer_and_damaged_files_are_refused_and_left_as_they_are() {
    let cases: [(&str, Spoil, Expected); 11] = [
        ("empty", |_| Vec::new(), |f| matches!(f, StateFault::Damaged(_))),
        ("header cut", |b| b[..50].to_vec(), |f| matches!(f, StateFault::Damaged(_))),
        ("half of it", |b| b[..b.len() / 2].to_vec(), |f| matches!(f, StateFault::Damaged(_))),
        ("last page cut", |b| b[..b.len() - 4096].to_vec(), |f| matches!(f, StateFault::Damaged(_))),
        ("no version", |b| patched(b, 60, &[0; 4]), |f| matches!(f, StateFault::Damaged(_))),
        (
            "flipped page types",
            |b| b.iter().enumerate().map(|(i, x)| if i % 4096 == 0 && i > 0 { !x } else { *x }).collect(),
            |f| matches!(f, StateFault::Damaged(_)),
        ),
        ("odd page size", |b| patched(b, 16, &[3, 1]), |f| matches!(f, StateFault::Damaged(_))),
        ("newer", |b| patched(b, 60, &[0, 0, 0, 99]), |f| matches!(f, StateFault::Newer { found: 99, .. })),
        ("the facts' mark", |b| patched(b, 68, b"AVPf"), |f| matches!(f, StateFault::NotOurs)),
        ("a text", |_| b"these are my notes\n".to_vec(), |f| matches!(f, StateFault::NotOurs)),
        ("a long text", |_| b"these are my notes\n".repeat(99), |f| matches!(f, StateFault::NotOurs)),
    ];
    let (_folder, whole) = place();
    round_trip::write_sample(&open(&whole));
    let whole = std::fs::read(whole).unwrap();
    for (name, spoil, expected) in cases {
        let (folder, path) = place();
        let spoilt = spoil(whole.clone());
        std::fs::write(&path, &spoilt).unwrap();
        for error in [Store::open(lock(&path)).unwrap_err(), Store::view(&path).unwrap_err()] {
            assert!(expected(&error.fault), "{name}: {error:?}");
            assert_eq!(error.blame(), Blame::DoesNotBelong, "{name}");
            assert!(error.to_string().contains("corporate.db"), "{name}: {error}");
        }
        assert!(std::fs::read(&path).unwrap() == spoilt, "{name}: the file was changed");
        let files = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect::<Vec<_>>();
        assert_eq!(files.len(), 2, "{name}: only the lock stands beside it, {files:?}");
    }
}

#[test]
fn a_stranger_keeps_its_journal_too() {
    let (_folder, path) = place();
    std::fs::write(&path, b"SQLite format 3\0".iter().chain([0; 500].iter()).copied().collect::<Vec<_>>()).unwrap();
    let journal = beside(&path, "-journal");
    std::fs::write(&journal, "somebody's").unwrap();
    assert!(matches!(Store::open(lock(&path)).unwrap_err().fault, StateFault::NotOurs));
    assert_eq!(std::fs::read_to_string(journal).unwrap(), "somebody's");
}

#[test]
fn a_folder_in_its_place_does_not_belong_there() {
    let (_folder, path) = place();
    std::fs::create_dir(&path).unwrap();
    for error in [Store::open(lock(&path)).unwrap_err(), Store::view(&path).unwrap_err()] {
        assert!(matches!(error.fault, StateFault::NotOurs), "{error:?}");
        assert_eq!(error.blame(), Blame::DoesNotBelong);
        assert!(error.to_string().contains("name another file"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = place();
    open(&path).begin_run(run_row("run-1")).wait().unwrap();
    crate::state::Facts::create(&folder.path().join("corporate.facts.db")).unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.file_name());
    }
}
