//! Every cite of a document, every link and every path in the documents leads somewhere.
//!
//! Owns: what a cite is. `docs/PAGE.md`, `docs/PAGE.md, "Heading"`, `docs/wire/PAGE.md` with a section behind it, and `P` with
//! a number, a promise. A section alone stays in the one wire page that its file names.
//! A newcomer gets wrong: a cite stands on one line, so that it can be searched for; only lists of sections go on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// Folders whose text files are read, and those that documents may name files of.
const FOLDERS: [&str; 8] = [".ci", "benches", "docs", "fixtures", "pipelines", "sandbox", "src", "tests"];
/// Text, by the ending of its name; what is in `.ci` has none.
const ENDINGS: [&str; 12] =
    ["css", "groovy", "md", "py", "rs", "service", "sql", "timer", "toml", "txt", "yaml", "yml"];
const WIRE: &str = "docs/wire/";
const PROMISES: &str = "docs/architecture.md";

#[test]
fn every_cite_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut repository = Repository::default();
    for folder in FOLDERS {
        repository.take_in(root, folder);
    }
    repository.take(root, "state/README.md");
    let beside = std::fs::read_dir(root).unwrap().map(Result::unwrap);
    for file in beside.filter(|entry| entry.file_type().unwrap().is_file()) {
        repository.take(root, file.file_name().to_str().unwrap());
    }
    // What is made up below.
    repository.texts.insert("tests/suite/documents.rs".to_owned(), String::new());
    let lost = repository.lost();
    assert!(lost.is_empty(), "these lead nowhere:\n{}", lost.join("\n"));
}

#[test]
fn every_room_is_told_of() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join(PROMISES)).unwrap();
    let house = text.split("\n## The house\n").nth(1).unwrap().split("\n## ").next().unwrap();
    for room in std::fs::read_dir(root.join("src")).unwrap().map(Result::unwrap) {
        let name = room.file_name().into_string().unwrap();
        let name = if room.file_type().unwrap().is_dir() { format!("`{name}/`") } else { format!("`{name}`") };
        assert!(house.contains(&name), "{PROMISES}, \"The house\", does not tell of {name}");
    }
}

#[test]
fn what_leads_nowhere_is_found() {
    let mut repository = Repository::default();
    for (file, text) in [
        ("docs/architecture.md", "# A\n\n| <a id=\"p1\"></a>P1 | x |\n\n## The state\n\n```\n## no heading\n```\n"),
        ("docs/wire/a.md", "# W\n\n## 0. Facts\n1. one\n2. two\n\n### 3.5 No photo\n\n## 9b. More\n"),
        ("docs/wire/b.md", "# V\n\n## 1. One\n"),
        ("src/run/mod.rs", ""),
        ("tests/suite/claims.rs", ""),
    ] {
        repository.texts.insert(file.to_owned(), text.to_owned());
    }
    let (section, promise) = ("\u{a7}", "P");
    let table = [
        ("src/a.rs", format!("//! docs/wire/a.md {section}3.5, {section}0.2 and {section}9b"), None),
        ("src/a.rs", format!("//! docs/wire/a.md {section}3.6"), Some("no section 3.6 in docs/wire/a.md")),
        ("src/a.rs", format!("//! docs/wire/a.md {section}0.3"), Some("no section 0.3 in docs/wire/a.md")),
        ("src/a.rs", format!("//! {section}3.5"), Some("section 3.5 of which page?")),
        ("src/a.rs", format!("//! docs/wire/a.md {section}0; docs/wire/b.md {section}1"), None),
        (
            "src/a.rs",
            format!("//! docs/wire/a.md, docs/wire/b.md {section}1\n// {section}1"),
            Some("section 1 of which page?"),
        ),
        ("src/a.rs", format!("// RFC 6749 {section}2.3.1"), None),
        ("src/a.rs", "// docs/architecture.md, \"The state\"".to_owned(), None),
        (
            "src/a.rs",
            "// docs/architecture.md, \"no heading\"".to_owned(),
            Some("no heading \"no heading\" in docs/architecture.md"),
        ),
        ("src/a.rs", "// docs/elsewhere.md".to_owned(), Some("no document docs/elsewhere.md")),
        ("src/a.rs", format!("// promise {promise}1, not {promise}12"), Some("no promise P12")),
        ("src/a.rs", format!("// {} {section}4", "design"), Some("section 4 of which page?")),
        ("src/a.rs", format!("// {}.md", "design"), Some("design.md is no document of this repository")),
        ("src/a.rs", "// architecture.md".to_owned(), Some("architecture.md is written as docs/architecture.md")),
        (
            "docs/a.md",
            "[x](architecture.md#the-state), [y](wire/a.md#35-no-photo), [z](https://ex.org/a)".to_owned(),
            None,
        ),
        ("docs/a.md", "[x](architecture.md#state)".to_owned(), Some("no anchor #state in docs/architecture.md")),
        ("docs/a.md", "[x](../wire/a.md)".to_owned(), Some("no file wire/a.md")),
        ("docs/a.md", "`src/run/mod.rs`, `src/run/`, `src/NAME.rs`, `suite/claims`".to_owned(), None),
        ("docs/a.md", "`src/run/gone.rs`".to_owned(), Some("no file src/run/gone.rs")),
        ("docs/a.md", "`suite/claim`".to_owned(), Some("no file tests/suite/claim.rs")),
    ];
    for (file, text, expected) in table {
        let before = repository.texts.insert(file.to_owned(), text.clone());
        let told: Vec<String> = expected.iter().map(|words| words.to_string()).collect();
        let lost: Vec<String> =
            repository.lost().into_iter().map(|line| line.split_once(": ").unwrap_or_default().1.to_owned()).collect();
        assert_eq!(lost, told, "{file}: {text}");
        match before {
            Some(before) => _ = repository.texts.insert(file.to_owned(), before),
            None => _ = repository.texts.remove(file),
        }
    }
}

/// The files of the repository.
#[derive(Default)]
struct Repository {
    /// Repository by path, from the root.
    texts: BTreeMap<String, String>,
    /// What is no text.
    others: BTreeSet<String>,
}

/// What a document has that can be cited.
#[derive(Default)]
struct Document {
    headings: BTreeSet<String>,
    anchors: BTreeSet<String>,
    /// `3`, `3.5`, `9b`, and `0.2` for the second entry of the list in section 0.
    sections: BTreeSet<String>,
}

impl Repository {
    fn take_in(&mut self, root: &Path, folder: &str) {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { return };
        for entry in entries.map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            let path = format!("{folder}/{name}");
            match entry.file_type().unwrap().is_dir() {
                true if name == "target" || name == "__pycache__" => {}
                true => self.take_in(root, &path),
                false => self.take(root, &path),
            }
        }
    }

    fn take(&mut self, root: &Path, path: &str) {
        let is_text = match path.rsplit('/').next().unwrap_or(path).rsplit_once('.') {
            Some((_, ending)) => ENDINGS.contains(&ending),
            None => path.starts_with(".ci/"),
        };
        match std::fs::read_to_string(root.join(path)) {
            Ok(text) if is_text => _ = self.texts.insert(path.to_owned(), text),
            Ok(_) => _ = self.others.insert(path.to_owned()),
            Err(_) if root.join(path).exists() => _ = self.others.insert(path.to_owned()),
            Err(_) => {}
        }
    }

    /// Whether there is such a file or folder.
    fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let folder = format!("{path}/");
        self.texts.keys().chain(&self.others).any(|file| file == path || file.starts_with(&folder))
    }

    /// `FILE:LINE: what is missing`, in order.
    fn lost(&self) -> Vec<String> {
        let documents: BTreeMap<&str, Document> = self
            .texts
            .iter()
            .filter(|(path, _)| path.ends_with(".md"))
            .map(|(path, text)| (path.as_str(), Document::read(text)))
            .collect();
        let mut lost = Vec::new();
        for (path, text) in &self.texts {
            let reader = Reader { repository: self, documents: &documents, path, pages: pages(path, text) };
            let mut is_code = false;
            for (at, line) in text.lines().enumerate() {
                let mut faults = reader.cites(line);
                is_code ^= line.trim_start().starts_with("```");
                if path.ends_with(".md") && !is_code {
                    faults.append(&mut reader.links(line));
                    faults.append(&mut reader.paths(line));
                }
                lost.extend(faults.into_iter().map(|fault| format!("{path}:{}: {fault}", at + 1)));
            }
        }
        lost
    }
}

impl Document {
    fn read(text: &str) -> Self {
        let (mut document, mut is_code, mut section) = (Self::default(), false, String::new());
        for line in text.lines() {
            is_code ^= line.trim_start().starts_with("```");
            if let Some(id) = line.split("<a id=\"").nth(1).and_then(|rest| rest.split('"').next()) {
                document.anchors.insert(id.to_owned());
            }
            let first = line.split(' ').next().unwrap_or_default().trim_end_matches('.');
            if let Some(heading) = line.strip_prefix('#').filter(|_| !is_code) {
                let heading = heading.trim_start_matches('#').trim();
                document.anchors.insert(slug(heading));
                document.headings.insert(heading.to_lowercase());
                section = heading.split(' ').next().unwrap_or_default().trim_end_matches('.').to_owned();
                document.sections.insert(section.clone());
            } else if !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit()) {
                document.sections.insert(format!("{section}.{first}"));
            }
        }
        document
    }
}

/// What reads the lines of one file.
struct Reader<'a> {
    repository: &'a Repository,
    documents: &'a BTreeMap<&'a str, Document>,
    path: &'a str,
    /// The wire pages that the file names; a page names itself.
    pages: BTreeSet<String>,
}

impl Reader<'_> {
    /// Documents, their headings and sections, and promises.
    fn cites(&self, line: &str) -> Vec<String> {
        let mut faults = Vec::new();
        for (path, rest) in documents_in(line) {
            let Some(document) = self.documents.get(path) else {
                faults.extend(self.no_document(path));
                continue;
            };
            let Some(heading) = rest.strip_prefix(", \"").and_then(|rest| rest.split('"').next()) else { continue };
            if !document.headings.contains(&heading.to_lowercase()) {
                faults.push(format!("no heading \"{heading}\" in {path}"));
            }
        }
        faults.append(&mut self.sections(line));
        if let Some(promises) = self.documents.get(PROMISES) {
            let unknown = |promise: &&str| !promises.anchors.contains(&promise.to_lowercase());
            faults.extend(promises_in(line).into_iter().filter(unknown).map(|promise| format!("no promise {promise}")));
        }
        faults
    }

    /// What is wrong with a name that is no document's. Other repositories have documents, too.
    fn no_document(&self, path: &str) -> Option<String> {
        if self.path.starts_with(WIRE) || path.ends_with("/PAGE.md") {
            // Sources in other repositories, and what stands for any page.
            return None;
        }
        if is_ours(path) {
            return Some(format!("no document {path}"));
        }
        let is_named_alone = |known: &&&str| known.starts_with("docs/") && known.rsplit('/').next() == Some(path);
        let known = self.documents.keys().find(is_named_alone).filter(|_| path != "README.md");
        let is_former = ["design.md", "crates.md", "style-anchors.md"].contains(&path);
        match known {
            Some(known) if !self.path.ends_with(".md") => Some(format!("{path} is written as {known}")),
            _ => is_former.then(|| format!("{path} is no document of this repository")),
        }
    }

    /// Sections of wire pages.
    fn sections(&self, line: &str) -> Vec<String> {
        let (mut faults, mut page, mut end) = (Vec::new(), None, 0);
        for (at, sign) in line.match_indices('\u{a7}') {
            let number: String = line[at + sign.len()..]
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '.')
                .collect::<String>()
                .trim_end_matches('.')
                .to_owned();
            let before = &line[..at];
            let named = before.trim_end_matches('(').trim_end();
            if named.rsplit(' ').nth(1).is_some_and(|word| word.ends_with("RFC")) {
                continue;
            }
            if let Some((path, "")) = documents_in(named.trim_end_matches('`')).pop() {
                page = Some(path.to_owned());
            } else if !(page.is_some() && [", ", " and ", " or ", " to "].contains(&&line[end..at])) {
                page = self.pages.first().filter(|_| self.pages.len() == 1).cloned();
            }
            end = at + sign.len() + number.len();
            match page.as_deref().map(|page| (page, self.documents.get(page))) {
                None => faults.push(format!("section {number} of which page?")),
                Some((_, Some(document))) if document.sections.contains(&number) => {}
                Some((page, _)) => faults.push(format!("no section {number} in {page}")),
            }
        }
        faults
    }

    /// Links from one document to another.
    fn links(&self, line: &str) -> Vec<String> {
        let mut faults = Vec::new();
        for target in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") || target.contains(' ') {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { self.path.to_owned() } else { beside(self.path, file) };
            match self.documents.get(file.as_str()) {
                _ if !self.repository.has(&file) => faults.push(format!("no file {file}")),
                Some(document) if !anchor.is_empty() && !document.anchors.contains(anchor) => {
                    faults.push(format!("no anchor #{anchor} in {file}"));
                }
                _ => {}
            }
        }
        faults
    }

    /// Files and folders that stand between backticks.
    fn paths(&self, line: &str) -> Vec<String> {
        let mut faults = Vec::new();
        for word in line.split('`').skip(1).step_by(2) {
            let path = match word.strip_prefix("suite/") {
                Some(module) => format!("tests/suite/{module}.rs"),
                None => word.to_owned(),
            };
            let is_plain = path.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "/._-".contains(c));
            let is_path = path.ends_with(".rs") || path.ends_with('/') || path.starts_with(".ci/");
            let module = path.strip_suffix(".rs").unwrap_or(&path);
            if is_plain
                && is_ours(&path)
                && is_path
                && !self.repository.has(&path)
                && !(word != path && self.repository.has(module))
            {
                faults.push(format!("no file {path}"));
            }
        }
        faults
    }
}

fn is_ours(path: &str) -> bool {
    FOLDERS.iter().any(|folder| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
}

/// Each `…/NAME.md` of a line, and what stands behind it.
fn documents_in(line: &str) -> Vec<(&str, &str)> {
    let is_path = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let ends = line.match_indices(".md").map(|(at, ending)| at + ending.len());
    ends.filter(|end| !line[*end..].starts_with(is_path) || line[*end..].starts_with('.'))
        .map(|end| {
            let start = line[..end]
                .rfind(|c| !is_path(c))
                .map_or(0, |at| at + line[at..].chars().next().map_or(1, char::len_utf8));
            (&line[start..end], &line[end..])
        })
        .collect()
}

/// The wire pages that a file names, and itself if it is one.
fn pages(path: &str, text: &str) -> BTreeSet<String> {
    let named = text.lines().flat_map(documents_in).map(|(page, _)| page).filter(|page| page.starts_with(WIRE));
    let own = Some(path).filter(|path| path.starts_with(WIRE));
    own.map_or_else(|| named.map(str::to_owned).collect(), |own| BTreeSet::from([own.to_owned()]))
}

/// Each `P1`, as a word.
fn promises_in(line: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let words = line.split(|c| !is_word(c));
    words
        .filter(|word| {
            word.strip_prefix('P')
                .is_some_and(|number| (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit()))
        })
        .collect()
}

/// A path as it is meant in a file.
fn beside(file: &str, link: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            ".." => _ = parts.pop(),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The anchor that a heading gets.
fn slug(heading: &str) -> String {
    let mut slug = String::new();
    for c in heading.to_lowercase().chars() {
        match c {
            ' ' => slug.push('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => _ = slug.write_char(c),
            _ => {}
        }
    }
    slug
}
