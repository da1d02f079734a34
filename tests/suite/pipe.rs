//! The pipeline file of a test, written as text.
//!
//! Owns: the keys that a test changes, one on each line. Leaves to others: what they mean.
//! A newcomer gets wrong: the text of a value goes into the file as it is, flow YAML included.

use std::fmt::Write as _;

/// A pipeline file in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct Pipe {
    sections: Vec<(String, String)>,
    sources: Vec<Element>,
    targets: Vec<Element>,
}

/// `- kind:` with its keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Element {
    kind: String,
    keys: Vec<(String, String)>,
}

impl Pipe {
    /// Sets a key at the top of the file.
    pub(super) fn top(&mut self, key: &str, value: &str) -> &mut Self {
        set(&mut self.sections, key, value);
        self
    }

    /// The first source of that kind; a new one if there is none.
    pub(super) fn source(&mut self, kind: &str) -> &mut Element {
        find(&mut self.sources, kind)
    }

    /// The first target of that kind; a new one if there is none.
    pub(super) fn target(&mut self, kind: &str) -> &mut Element {
        find(&mut self.targets, kind)
    }

    /// Sets a key of the `entra` source.
    pub(super) fn entra(&mut self, key: &str, value: &str) -> &mut Self {
        self.source("entra").set(key, value);
        self
    }

    /// Sets a key of the `jira` target.
    pub(super) fn jira(&mut self, key: &str, value: &str) -> &mut Self {
        self.target("jira").set(key, value);
        self
    }

    /// Signs in to Jira with a token instead of a password.
    pub(super) fn by_token(&mut self) -> &mut Self {
        self.jira("credential", "{ token: '${JIRA_TOKEN}' }")
    }

    /// Adds a second Jira target under this id, with the keys of the first.
    pub(super) fn jira_again(&mut self, id: &str) -> &mut Self {
        let mut second = self.target("jira").clone();
        second.set("id", id);
        self.targets.push(second);
        self
    }

    /// Adds a target.
    pub(super) fn add_target(&mut self, target: Element) -> &mut Self {
        self.targets.push(target);
        self
    }

    /// The target that was added last.
    pub(super) fn last_target(&mut self) -> &mut Element {
        self.targets.last_mut().expect("a file with targets")
    }

    /// Takes every source of that kind out.
    pub(super) fn without_source(&mut self, kind: &str) -> &mut Self {
        self.sources.retain(|element| element.kind != kind);
        self
    }

    /// Takes every target of that kind out.
    pub(super) fn without_target(&mut self, kind: &str) -> &mut Self {
        self.targets.retain(|element| element.kind != kind);
        self
    }

    /// The file.
    pub(super) fn text(&self) -> String {
        let mut text = "version: 1\n".to_owned();
        for (key, value) in &self.sections {
            _ = writeln!(text, "{key}: {value}");
        }
        for (heading, elements) in [("extract", &self.sources), ("load", &self.targets)] {
            _ = writeln!(text, "{heading}:");
            for element in elements {
                _ = writeln!(text, "  - {}:", element.kind);
                for (key, value) in &element.keys {
                    _ = writeln!(text, "      {key}: {value}");
                }
            }
        }
        text
    }
}

impl Element {
    /// Sets a key.
    pub(super) fn set(&mut self, key: &str, value: &str) -> &mut Self {
        set(&mut self.keys, key, value);
        self
    }

    /// Sets keys, or takes them out.
    pub(super) fn lay<'a>(&mut self, keys: impl IntoIterator<Item = &'a (&'static str, Option<String>)>) -> &mut Self {
        for (key, value) in keys {
            _ = match value {
                Some(value) => self.set(key, value),
                None => self.unset(key),
            };
        }
        self
    }

    /// Takes a key out.
    pub(super) fn unset(&mut self, key: &str) -> &mut Self {
        self.keys.retain(|(known, _)| known != key);
        self
    }
}

fn set(keys: &mut Vec<(String, String)>, key: &str, value: &str) {
    match keys.iter_mut().find(|(known, _)| known == key) {
        Some((_, old)) => *old = value.to_owned(),
        None => keys.push((key.to_owned(), value.to_owned())),
    }
}

fn find<'a>(elements: &'a mut Vec<Element>, kind: &str) -> &'a mut Element {
    let place = elements.iter().position(|element| element.kind == kind).unwrap_or_else(|| {
        elements.push(Element { kind: kind.to_owned(), keys: Vec::new() });
        elements.len() - 1
    });
    &mut elements[place]
}
