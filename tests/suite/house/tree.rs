//! The code of both packages as the compiler sees it: files by module, and the arrows between files.
//!
//! A newcomer gets wrong: an arrow leads to the file that defines what is named, whoever hands it on. `mod x;` is none, and
//! to name a module is none: what is taken out of it is. So a `mod.rs` that hands on what stands below it, and has what
//! those below need, is a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{self, Inner, Module, Source};

/// Names handed on by names handed on: more than this lead in a circle.
const HOPS: usize = 16;

pub(super) struct Tree {
    pub files: BTreeMap<String, Source>,
    /// Packages by the name that code has for them, with the file at their root.
    packages: BTreeMap<String, String>,
}

/// A module: its package, and the names down to it.
#[derive(Clone)]
struct At {
    package: String,
    names: Vec<String>,
}

/// `from` names `what`, which `to` defines.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrow {
    pub from: String,
    pub line: usize,
    pub to: String,
    pub what: String,
}

impl Tree {
    /// Reads what the roots lead to. `texts` are the files by path, `roots` the packages by name.
    pub(super) fn read(texts: &BTreeMap<String, String>, roots: &[(&str, &str)]) -> Tree {
        let packages = roots.iter().map(|(name, root)| ((*name).to_owned(), (*root).to_owned())).collect();
        let mut tree = Tree { files: BTreeMap::new(), packages };
        for (_, root) in roots {
            tree.take(texts, root);
        }
        tree
    }

    fn take(&mut self, texts: &BTreeMap<String, String>, path: &str) {
        let text = texts.get(path).unwrap_or_else(|| panic!("no file {path}"));
        let source = source::read(path, text);
        let mut below = Vec::new();
        files_below(&source.module, &folder_of(path), &mut below);
        self.files.insert(path.to_owned(), source);
        for place in below {
            let file =
                [format!("{place}.rs"), format!("{place}/mod.rs")].into_iter().find(|file| texts.contains_key(file));
            self.take(texts, &file.unwrap_or_else(|| panic!("{path}: no file for mod {place}")));
        }
    }

    /// Every arrow, each pair of files and each name once.
    pub(super) fn arrows(&self) -> Vec<Arrow> {
        let mut arrows = BTreeMap::new();
        for (package, root) in &self.packages {
            let at = At { package: package.clone(), names: Vec::new() };
            self.arrows_of(&at, &self.files[root].module, root, &mut arrows);
        }
        let arrow = |((from, to, what), line)| Arrow { from, line, to, what };
        let mut arrows: Vec<Arrow> = arrows.into_iter().map(arrow).collect();
        arrows.sort();
        arrows
    }

    fn arrows_of(&self, at: &At, module: &Module, file: &str, arrows: &mut BTreeMap<(String, String, String), usize>) {
        for (path, line) in &module.named {
            if let Some((to, what)) = self.defines(at, path, HOPS).filter(|(to, _)| to != file) {
                let first = arrows.entry((file.to_owned(), to, what)).or_insert(*line);
                *first = (*first).min(*line);
            }
        }
        for (name, inner) in &module.inner {
            let mut below = at.clone();
            below.names.push(name.clone());
            match inner {
                Inner::Here(module) => self.arrows_of(&below, module, file, arrows),
                Inner::File => {
                    let (module, file) = self.module(&below).expect("a file that was read");
                    self.arrows_of(&below, module, &file, arrows);
                }
            }
        }
    }

    /// The file that defines what `path` means in the module `at`, and what it is called there.
    fn defines(&self, at: &At, path: &[String], hops: usize) -> Option<(String, String)> {
        let hops = hops.checked_sub(1)?;
        let (first, rest) = path.split_first()?;
        let mut at = at.clone();
        match first.as_str() {
            "crate" => at.names.clear(),
            "self" => {}
            "super" => _ = at.names.pop()?,
            name => {
                let (module, file) = self.module(&at)?;
                if module.inner.contains_key(name) {
                    at.names.push(name.to_owned());
                } else if module.defined.contains(name) {
                    return Some((file, name.to_owned()));
                } else if let Some(brought) = module.brought.get(name).filter(|brought| *brought != path) {
                    let path: Vec<String> = brought.iter().chain(rest).cloned().collect();
                    return self.defines(&at, &path, hops);
                } else if self.packages.contains_key(name) {
                    at = At { package: name.to_owned(), names: Vec::new() };
                } else {
                    // Another crate, or what a glob brought, which is an arrow itself.
                    return None;
                }
            }
        }
        match rest.first().map(String::as_str) {
            None => None,
            Some("*") => self.module(&at).map(|(_, file)| (file, "*".to_owned())),
            Some("super" | "self") => self.defines(&at, rest, hops),
            Some(_) => self.within(&at, rest, hops),
        }
    }

    /// The same of a path that goes on from a module: there only what this module has is meant.
    fn within(&self, at: &At, path: &[String], hops: usize) -> Option<(String, String)> {
        let (module, file) = self.module(at)?;
        if module.inner.contains_key(&path[0]) || module.brought.contains_key(&path[0]) {
            return self.defines(at, path, hops);
        }
        let handed_on = module.globs.iter().find_map(|glob| {
            let path: Vec<String> = glob.iter().chain(path).cloned().collect();
            let (file, name) = self.defines(at, &path, hops)?;
            self.files[&file].module.defined.contains(&name).then_some((file, name))
        });
        // What no file is seen to define comes out of a macro there.
        handed_on.or_else(|| Some((file, path[0].clone())))
    }

    fn module(&self, at: &At) -> Option<(&Module, String)> {
        let mut file = self.packages.get(&at.package)?.clone();
        let mut place = folder_of(&file);
        let mut module = &self.files.get(&file)?.module;
        for name in &at.names {
            place = format!("{place}/{name}");
            module = match module.inner.get(name)? {
                Inner::Here(module) => module,
                Inner::File => {
                    file = [format!("{place}.rs"), format!("{place}/mod.rs")]
                        .into_iter()
                        .find(|file| self.files.contains_key(file))?;
                    &self.files[&file].module
                }
            };
        }
        Some((module, file))
    }
}

/// Where the modules of a file lie: beside a root or a `mod.rs`, else in the folder of its name.
fn folder_of(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        _ => path.trim_end_matches(".rs").to_owned(),
    }
}

fn files_below(module: &Module, folder: &str, below: &mut Vec<String>) {
    for (name, inner) in &module.inner {
        let place = format!("{folder}/{name}");
        match inner {
            Inner::Here(module) => files_below(module, &place, below),
            Inner::File => below.push(place),
        }
    }
}

/// Sets of files that reach each other, each in order of its names.
pub(super) fn circles(arrows: &[Arrow]) -> Vec<BTreeSet<String>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for arrow in arrows {
        next.entry(&arrow.from).or_default().insert(&arrow.to);
    }
    let reaches: BTreeMap<&str, BTreeSet<&str>> = next.keys().map(|file| (*file, reached(file, &next))).collect();
    let mut circles: Vec<BTreeSet<String>> = Vec::new();
    for (file, reached) in &reaches {
        if reached.contains(file) && !circles.iter().any(|circle| circle.contains(*file)) {
            let back = reached.iter().filter(|other| reaches.get(**other).is_some_and(|those| those.contains(file)));
            circles.push(back.map(|file| (*file).to_owned()).collect());
        }
    }
    circles
}

fn reached<'a>(from: &str, next: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = next.get(from).into_iter().flatten().copied().collect();
    while let Some(file) = open.pop() {
        if seen.insert(file) {
            open.extend(next.get(file).into_iter().flatten());
        }
    }
    seen
}
