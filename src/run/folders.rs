//! Whether two elements of the file mean one folder, however each spells it.
//!
//! Owns: looking through links and `..`, and above what is meant. Leaves to others: what is one by its text alone (`pipeline`).
//! A newcomer gets wrong: a target makes its folder with its first picture, so what is not there yet is compared, too.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use crate::error::Trouble;
use crate::pipeline::Document;
use crate::settings::{FolderOf, FolderUse, Pipeline, SourceKind, TargetKind};

/// Refuses a folder that two targets write to, and one that a source reads from where a target writes, in it or around it.
pub(super) fn apart(pipeline: &Pipeline) -> Result<(), Trouble> {
    let mut folders = Vec::new();
    for source in &pipeline.sources {
        if let Some(SourceKind::Folder(folder)) = source.provider.as_ref().map(|provider| &provider.kind) {
            folders.push(FolderOf::new(FolderUse::Read, source.id.as_str(), &source.place, &folder.path));
        }
    }
    for target in &pipeline.targets {
        if let TargetKind::Folder(folder) = &target.kind {
            folders.push(FolderOf::new(FolderUse::Written, target.id.as_str(), &target.place, &folder.path));
        }
    }
    all_apart(&folders).map_err(Trouble::Usage)
}

/// The same of a file that is only checked, as far as its paths stand in it; why not in words.
pub(crate) fn apart_in(document: &Document) -> Result<(), String> {
    let folders: Vec<_> = document.folders().collect();
    all_apart(&folders)
}

fn all_apart(folders: &[FolderOf]) -> Result<(), String> {
    let of = |used: FolderUse| folders.iter().filter(move |one| one.used == used);
    let mut known: Vec<(Spot, &FolderOf)> = Vec::new();
    for target in of(FolderUse::Written) {
        let here = spot(&target.path);
        let refused = |what: &str, other: &FolderOf| {
            let FolderOf { id, place, path, .. } = target;
            let who = match other.used {
                FolderUse::Read => format!("the source `{}` reads from", other.id),
                FolderUse::Written => format!("the target `{}` writes to", other.id),
            };
            let (path, at) = (path.display(), &other.place);
            Err(format!(
                "{place}: `{id}` writes to {path}, which {what} the folder that {who} ({at}): give each its own"
            ))
        };
        for source in of(FolderUse::Read) {
            let there = spot(&source.path);
            if there == here {
                return refused("is", source);
            } else if above(&target.path).contains(&there) {
                return refused("lies in", source);
            } else if above(&source.path).contains(&here) {
                return refused("holds", source);
            }
        }
        if let Some((_, other)) = known.iter().find(|(spot, ..)| *spot == here) {
            return refused("is", other);
        }
        known.push((here, target));
    }
    Ok(())
}

/// What is there already, by device and number, and the names below it that are not.
#[derive(Debug, PartialEq, Eq)]
struct Spot(Option<(u64, u64)>, PathBuf);

/// The folders that this one lies in.
fn above(path: &Path) -> Vec<Spot> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // What is there already is looked up, since a link lies elsewhere than its name.
    let there = path.ancestors().find_map(|there| Some((there.canonicalize().ok()?, path.strip_prefix(there).ok()?)));
    let path = there.map_or_else(|| path.clone(), |(there, rest)| there.join(rest));
    path.ancestors().skip(1).map(spot).collect()
}

fn spot(path: &Path) -> Spot {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (mut there, mut missing) = (PathBuf::new(), PathBuf::new());
    for part in path.components() {
        match part {
            // Behind what is missing there are no links.
            Component::ParentDir if !missing.as_os_str().is_empty() => _ = missing.pop(),
            _ if missing.as_os_str().is_empty() && there.join(part).exists() => there.push(part),
            Component::CurDir => {}
            _ => missing.push(part),
        }
    }
    Spot(fs::metadata(&there).ok().map(|found| (found.dev(), found.ino())), missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lies_in_another_however_each_is_spelt() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("a/b")).unwrap();
        std::os::unix::fs::symlink("a/b", path("link")).unwrap();
        for (inner, outer, within) in [
            ("a/b", "a", true),
            ("link", "a", true),
            ("link/new/x", "a", true),
            ("a/b/../b/new", "./a", true),
            ("a", "a", false),
            ("a", "a/b", false),
            ("ab", "a", false),
        ] {
            assert_eq!(above(&path(inner)).contains(&spot(&path(outer))), within, "{inner} {outer}");
        }
    }

    #[test]
    fn one_folder_has_one_spot_however_it_is_spelt() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("a/b")).unwrap();
        std::os::unix::fs::symlink("a", path("link")).unwrap();
        for (one, other, same) in [
            ("a", "link", true),
            ("a", "./a/b/..", true),
            ("a/new", "link/new", true),
            ("a/new", "a/b/../new/", true),
            ("a/new/x", "a/new/y/../x", true),
            ("a", "a/b", false),
            ("a/new", "a/old", false),
            ("new", "a/new", false),
        ] {
            assert_eq!(spot(&path(one)) == spot(&path(other)), same, "{one} {other}");
        }
    }
}
