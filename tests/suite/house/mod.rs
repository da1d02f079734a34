//! The house is as docs/architecture.md, "The house" says: arrows between rooms, no two files that import each other,
//! and what only one room may use.
//!
//! Owns: the rules. How code is read for its imports is in `source`, what a name means in `tree`.
//! A newcomer gets wrong: the table of the document is what is read here; a room or an arrow is added there.

mod source;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use tree::{Tree, circles};

const DOCUMENT: &str = "docs/architecture.md";
const PACKAGES: [(&str, &str); 3] =
    [("avatarpipe", "src/lib.rs"), ("main", "src/main.rs"), ("avatarpipe_sandbox", "sandbox/src/lib.rs")];
/// Words that stand in these rooms and in no other.
const HOMES: [(&str, &[&str]); 2] = [("rusqlite", &["state"]), ("reqwest", &["http", "sandbox"])];
/// Rooms that know no waiting.
const SYNCHRONOUS: [&str; 5] = ["plan", "transform", "model", "pipeline", "settings"];
const WAITING: [&str; 4] = ["async", "async_trait", "futures", "tokio"];
/// Lines of a file, without its tests.
const LONGEST: usize = 500;

#[test]
fn arrows_between_rooms_stand_in_the_table() {
    let faults = across(tree(), &table(&text(DOCUMENT)));
    assert!(faults.is_empty(), "{DOCUMENT}, \"The house\", does not have these arrows:\n{}", faults.join("\n"));
}

#[test]
fn no_two_files_import_each_other() {
    let faults = around(tree());
    assert!(faults.is_empty(), "these files import each other, some through others:\n{}", faults.join("\n"));
}

#[test]
fn what_one_room_uses_no_other_does() {
    let faults = strangers(tree());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn files_are_short() {
    let faults = long(tree());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A small house in which each rule is broken once.
#[test]
fn what_is_wrong_is_found() {
    let files = [
        ("src/lib.rs", "mod http; mod model; mod plan; mod run; #[cfg(test)] mod tests;"),
        ("src/main.rs", "fn main() {}"),
        ("src/model/mod.rs", "mod ids; mod word;\npub use ids::{Id, Other};\npub use self::word::Word;\n"),
        ("src/model/ids.rs", "use super::Word;\npub struct Id(Word);\nkinds! { pub struct Other; }\n"),
        ("src/model/word.rs", "pub struct Word;\nimpl Word { pub fn id() { crate::model::Id; } }\n"),
        ("src/plan/mod.rs", "use crate::model::{self, Other};\npub async fn plan(_: model::Id) {}\n"),
        ("src/http/mod.rs", "use reqwest::Client;\n"),
        (
            "src/run/mod.rs",
            "mod one; mod two;\npub struct Shared;\n#[cfg(test)]\nmod tests {\n    use crate::http::Gone;\n}\n",
        ),
        ("src/run/one.rs", "use super::two;\nfn one() { two::two(); format!(\"{}\", crate::http::get()) }\n"),
        (
            "src/run/two.rs",
            "use super::{Shared, one::*};\nuse crate::plan::plan as made;\nfn two() { rusqlite::open() }\n",
        ),
        ("sandbox/src/lib.rs", ""),
    ];
    let texts = files.into_iter().map(|(file, text)| (file.to_owned(), text.to_owned())).collect();
    let tree = Tree::read(&texts, &PACKAGES);
    let rooms = "\n## The house\n\n| room | for | may touch |\n|---|---|---|\n| `main.rs`, `run/` | a | everything below |\n\
                 | `plan/` | b | `http` |\n| `http/` | c | nothing |\n| `model/` | d | nothing |\n| `sandbox/`, e | f | nothing |\n";
    assert_eq!(
        across(&tree, &table(rooms)),
        [
            "src/plan/mod.rs:1: plan -> model: Other, in src/model/ids.rs",
            "src/plan/mod.rs:2: plan -> model: Id, in src/model/ids.rs"
        ]
    );
    assert_eq!(
        around(&tree),
        [
            "src/model/ids.rs:1: Word, in src/model/word.rs",
            "src/model/word.rs:2: Id, in src/model/ids.rs",
            "src/run/one.rs:2: two, in src/run/two.rs",
            "src/run/two.rs:1: *, in src/run/one.rs",
        ]
    );
    assert_eq!(
        strangers(&tree),
        ["src/plan/mod.rs:2: async in plan, which waits for nothing", "src/run/two.rs:3: rusqlite in run"]
    );
    let long_one =
        format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "fn f() {}\n".repeat(LONGEST), "fn f() {}\n".repeat(9));
    let mut texts = texts;
    texts.insert("src/http/mod.rs".to_owned(), long_one.clone());
    assert_eq!(long(&Tree::read(&texts, &PACKAGES)), Vec::<String>::new());
    texts.insert("src/http/mod.rs".to_owned(), format!("use std::fs;\n{long_one}"));
    assert_eq!(long(&Tree::read(&texts, &PACKAGES)), ["src/http/mod.rs: 501 lines without its tests"]);
}

/// What rooms may touch, by name, in the order of the document. Rooms of one row may touch each other.
struct Table(Vec<(Vec<String>, May)>);

enum May {
    Everything,
    EverythingBelow,
    These(Vec<String>),
}

fn table(document: &str) -> Table {
    let house = document.split("\n## The house\n").nth(1).expect("a heading The house");
    let rows =
        house.lines().skip_while(|line| !line.starts_with("|--")).skip(1).take_while(|line| line.starts_with('|'));
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [rooms, _, may] = cells[..] else { panic!("{DOCUMENT}: three cells in {line}") };
        let may = match may {
            "everything" => May::Everything,
            "everything below" => May::EverythingBelow,
            "nothing" => May::These(Vec::new()),
            names => May::These(in_backticks(names)),
        };
        (in_backticks(rooms), may)
    };
    let rows: Vec<(Vec<String>, May)> = rows.map(row).collect();
    for (at, (rooms, may)) in rows.iter().enumerate() {
        let May::These(those) = may else { continue };
        for room in those {
            let below = rows[at + 1..].iter().any(|(rooms, _)| rooms.contains(room));
            assert!(below, "{DOCUMENT}: {} may touch {room}, which does not stand below", rooms.join(", "));
        }
    }
    Table(rows)
}

fn in_backticks(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(|name| name.trim_end_matches('/').to_owned()).collect()
}

impl Table {
    fn allows(&self, from: &str, to: &str) -> bool {
        let row = |room: &str| {
            let found = self.0.iter().position(|(rooms, _)| rooms.iter().any(|name| name == room));
            found.unwrap_or_else(|| panic!("{DOCUMENT}, \"The house\", has no room {room}"))
        };
        let (from, to_row) = (row(from), row(to));
        from == to_row
            || match &self.0[from].1 {
                May::Everything => true,
                May::EverythingBelow => from < to_row,
                May::These(rooms) => rooms.iter().any(|room| room == to),
            }
    }
}

/// `src/load/jira/wire.rs` is in `load`, `src/exit.rs` in `exit.rs`.
fn room_of(file: &str) -> &str {
    if file.starts_with("sandbox/") { "sandbox" } else { file.split('/').nth(1).unwrap_or(file) }
}

fn across(tree: &Tree, table: &Table) -> Vec<String> {
    let mut faults = Vec::new();
    for arrow in tree.arrows() {
        let (from, to) = (room_of(&arrow.from), room_of(&arrow.to));
        // The root shows what others need.
        if from != to && from != "lib.rs" && !table.allows(from, to) {
            faults.push(format!("{}:{}: {from} -> {to}: {}, in {}", arrow.from, arrow.line, arrow.what, arrow.to));
        }
    }
    faults
}

fn around(tree: &Tree) -> Vec<String> {
    let arrows = tree.arrows();
    let mut faults: Vec<String> = Vec::new();
    for circle in circles(&arrows) {
        for arrow in arrows.iter().filter(|arrow| circle.contains(&arrow.from) && circle.contains(&arrow.to)) {
            faults.push(format!("{}:{}: {}, in {}", arrow.from, arrow.line, arrow.what, arrow.to));
        }
    }
    faults
}

fn strangers(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for (file, source) in &tree.files {
        let room = room_of(file);
        for (word, homes) in HOMES {
            if let Some(line) = source.words.get(word).filter(|_| !homes.contains(&room)) {
                faults.push(format!("{file}:{line}: {word} in {room}"));
            }
        }
        for word in WAITING.iter().filter(|_| SYNCHRONOUS.contains(&room)) {
            if let Some(line) = source.words.get(*word) {
                faults.push(format!("{file}:{line}: {word} in {room}, which waits for nothing"));
            }
        }
    }
    faults
}

fn long(tree: &Tree) -> Vec<String> {
    let long = tree.files.iter().filter(|(_, source)| source.lines > LONGEST);
    long.map(|(file, source)| format!("{file}: {} lines without its tests", source.lines)).collect()
}

fn tree() -> &'static Tree {
    static TREE: LazyLock<Tree> = LazyLock::new(|| Tree::read(&texts(), &PACKAGES));
    &TREE
}

fn texts() -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let mut open = BTreeSet::from(["src".to_owned(), "sandbox/src".to_owned()]);
    while let Some(folder) = open.pop_first() {
        let entries = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder)).unwrap();
        for entry in entries.map(Result::unwrap) {
            let path = format!("{folder}/{}", entry.file_name().into_string().unwrap());
            if entry.file_type().unwrap().is_dir() {
                open.insert(path);
            } else if path.ends_with(".rs") {
                texts.insert(path.clone(), text(&path));
            }
        }
    }
    texts
}

fn text(path: &str) -> String {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(full).unwrap_or_else(|error| panic!("{path}: {error}"))
}
