//! Reading the tree into elements, each on its own, so that no fault hides another.
//!
//! Owns: keys (unknown, missing), kinds, lists, defaults.
//! Leaves to others: single values (`scalar`, `web`), how an element is declared (`declare`), what the keys mean.
//! A newcomer gets wrong: `None` means "reported" or "not known before the run"; whoever gets it goes on in silence.

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::environment::Environment;
use super::fault::{FileFault, Span};
use super::interpolate::Text;
use super::secret;
use super::tree::{Id, Kind, MapEntry, Tree};
use crate::model::Place;
use crate::nearest::nearest;
use crate::settings::Placed;

/// Something that can stand in the file. Its schema says the same as its reading.
pub(super) trait Setting: Sized + JsonSchema {
    /// Reads the node and reports what is wrong with it.
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self>;
}

/// What happens when a key is left out.
#[derive(Clone, Copy)]
pub(super) enum Lack {
    /// It is a fault.
    Required,
    /// Nothing is said.
    Optional,
    /// As if this stood there.
    Else(&'static str),
}

/// A value with its place; without a value when it was not written, is at fault or not known yet.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: Option<T>,
    pub(super) span: Span,
    pub(super) place: Place,
    pub(super) written: bool,
}

impl<T> At<T> {
    pub(super) fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// Its resolved form, with the line.
    pub(super) fn placed<S>(&self, settled: impl FnOnce(&T) -> Option<S>) -> Option<Placed<S>> {
        Some(Placed { value: settled(self.get()?)?, place: self.place.clone() })
    }

    /// The value of a key that may be left out; the outer `None` says that it is written and not known.
    pub(super) fn optional(&self) -> Option<Option<&T>> {
        match (&self.value, self.written) {
            (Some(value), _) => Some(Some(value)),
            (None, false) => Some(None),
            (None, true) => None,
        }
    }
}

/// The state of one reading.
pub(super) struct Reader<'a> {
    pub(super) tree: Tree,
    pub(super) faults: Vec<FileFault>,
    /// Where secrets stand that are shorter than a word.
    pub(super) short_secrets: Vec<Place>,
    text: &'a str,
    /// Where each line begins: a place is asked for with every value.
    lines: Vec<usize>,
    file: Arc<str>,
    environment: Option<&'a dyn Environment>,
    /// The keys that lead to what is read, from the top.
    path: Vec<String>,
    /// What is read stands nowhere in the file.
    in_default: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(tree: Tree, text: &'a str, file: Arc<str>, environment: Option<&'a dyn Environment>) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(newlines).collect();
        let (path, in_default) = (Vec::new(), false);
        let (faults, short_secrets) = (Vec::new(), Vec::new());
        Self { tree, faults, short_secrets, text, lines, file, environment, path, in_default }
    }

    pub(super) fn fault(&mut self, fault: FileFault) {
        self.faults.push(fault);
    }

    /// Files can be read when the pipeline runs, not when it is checked.
    pub(super) fn environment(&self) -> Option<&'a dyn Environment> {
        self.environment
    }

    pub(super) fn place(&self, span: &Span) -> Place {
        let line = u32::try_from(self.lines.partition_point(|begin| *begin <= span.start)).unwrap_or(u32::MAX);
        Place { file: Arc::clone(&self.file), line }
    }

    /// What to point at for a node.
    pub(super) fn spot(&self, id: Id) -> Span {
        let node = self.tree.node(id);
        match &node.kind {
            Kind::Scalar(_) if !node.span.is_empty() => node.span.clone(),
            Kind::Scalar(_) | Kind::List(_) | Kind::Map(_) => node.head.clone(),
        }
    }

    pub(super) fn read<T: Setting>(&mut self, id: Id) -> At<T> {
        let span = self.spot(id);
        let value = T::read(self, id);
        At { value, place: self.rule(&span), span, written: true }
    }

    /// As a rule names it: its line, or that it is a default.
    fn rule(&self, span: &Span) -> Place {
        if self.in_default { Place::default_of(&self.path.join(".")) } else { self.place(span) }
    }

    /// Its `${…}` is wrong, which is reported already.
    pub(super) fn is_broken(&self, id: Id) -> bool {
        matches!(&self.tree.node(id).kind, Kind::Scalar(scalar) if matches!(scalar.text, Text::Broken(_)))
    }

    /// What stands there, for a message.
    pub(super) fn found(&self, id: Id) -> String {
        match &self.tree.node(id).kind {
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "keys and values".to_owned(),
            Kind::Scalar(scalar) if scalar.is_null() => "nothing".to_owned(),
            Kind::Scalar(_) => "a single value".to_owned(),
        }
    }

    /// The entries of a mapping; anything else is a fault.
    pub(super) fn entries(&mut self, id: Id, expected: &str) -> Option<Vec<MapEntry>> {
        if let Kind::Map(entries) = &self.tree.node(id).kind {
            return Some(entries.clone());
        }
        self.expected(id, expected);
        None
    }

    /// A key as a message calls it. Where nothing stands behind it, it may be a value without its key, such as a secret.
    fn named(&self, entry: &MapEntry) -> String {
        match secret::may_be_shown(&self.tree, entry) {
            true => format!(" `{}`", entry.key.escape_debug()),
            false => String::new(),
        }
    }

    /// Reports that something else was expected.
    pub(super) fn expected(&mut self, id: Id, expected: &str) {
        let fault = FileFault::new(self.spot(id), format!("expected {expected}, found {}", self.found(id)));
        let nothing = matches!(&self.tree.node(id).kind, Kind::Scalar(scalar) if scalar.is_null());
        let help = "write what belongs to the key behind it or, indented, below it; or leave the key out";
        let entries = match &self.tree.node(id).kind {
            Kind::Map(entries) if expected.starts_with("a list") => entries.as_slice(),
            _ => &[],
        };
        let fault = match entries.first() {
            _ if nothing => fault.help(help),
            Some(entry) if entry.key.starts_with('-') => fault.help("write a blank behind the `-`"),
            Some(_) => fault.help("write a `-` and a blank in front of the first key of each element"),
            None if expected.starts_with("a list: ") => fault.help("put `[` and `]` around it"),
            None => fault,
        };
        self.fault(fault);
    }

    /// Reports that an element has a value, or a list, in the place of its keys.
    fn expected_keys(&mut self, id: Id, known: &[&str]) {
        let found = self.found(id);
        let mut fault = FileFault::new(self.spot(id), format!("expected keys and values, found {found}"));
        if found == "nothing" {
            fault = fault.help("write what belongs to the key behind it or, indented, below it; or leave the key out");
        } else if let Some(key) = self.key_without_blank(id, known) {
            fault = fault.help(format!("write `{key}: …`, with a blank behind the colon"));
        } else if !known.is_empty() {
            fault = fault.help(format!("its keys stand indented below it, or in `{{ }}`: {}", quoted(known)));
        }
        self.fault(fault);
    }

    /// A key that was meant, where `key:value` is a single value for want of a blank.
    fn key_without_blank<'k>(&self, id: Id, known: &[&'k str]) -> Option<&'k str> {
        let Kind::Scalar(scalar) = &self.tree.node(id).kind else { return None };
        let (key, _) = scalar.text.raw().split_once(':')?;
        known.iter().find(|known| **known == key).copied()
    }

    /// The keys of an element; unknown ones are reported.
    pub(super) fn keys(&mut self, id: Id, known: &[&str]) -> Option<KeysRead> {
        let Kind::Map(entries) = self.tree.node(id).kind.clone() else {
            self.expected_keys(id, known);
            return None;
        };
        let mut meant = BTreeSet::new();
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let near = nearest(&entry.key, known.iter().copied());
            meant.extend(near);
            let fault = FileFault::new(entry.key_span.clone(), format!("unknown key{}", self.named(entry)));
            let mut fault = fault.help(hint(near, known));
            fault.unknown = near.is_none().then(|| entry.key.as_str().into());
            self.fault(fault);
        }
        let meant = meant.into_iter().map(str::to_owned).collect();
        let node = self.tree.node(id);
        let name = self.text.get(node.head.clone()).filter(|_| node.under_key).map(str::to_owned);
        Some(KeysRead { entries, head: node.head.clone(), name, meant })
    }

    /// The value of one key.
    pub(super) fn key<T: Setting>(&mut self, keys: &KeysRead, key: &str, lack: Lack, docs: &[&str]) -> At<T> {
        self.path.push(key.to_owned());
        let at = self.key_there(keys, key, lack, docs);
        self.path.pop();
        at
    }

    fn key_there<T: Setting>(&mut self, keys: &KeysRead, key: &str, lack: Lack, docs: &[&str]) -> At<T> {
        if let Some(entry) = keys.entries.iter().find(|entry| entry.key == key) {
            let value = T::read(self, entry.value);
            let span = self.spot(entry.value);
            return At { value, place: self.rule(&entry.key_span), span, written: true };
        }
        let span = keys.head.clone();
        let value = match lack {
            Lack::Optional => None,
            Lack::Else(text) => {
                let before = std::mem::replace(&mut self.in_default, true);
                let value = self.tree.graft(text, &span).and_then(|id| T::read(self, id));
                self.in_default = before;
                value
            }
            // A misspelt key is reported already; that the right one is missing goes without saying.
            Lack::Required if keys.meant.contains(key) => None,
            Lack::Required => {
                let of = keys.name.as_ref().map(|name| format!(" in `{}`", name.escape_debug())).unwrap_or_default();
                let fault = FileFault::new(span.clone(), format!("the key `{key}` is missing{of}"));
                self.fault(fault.help(format!("`{key}`: {}", prose(docs))));
                None
            }
        };
        let place = match lack {
            Lack::Else(_) => Place::default_of(&self.path.join(".")),
            Lack::Optional | Lack::Required => self.rule(&span),
        };
        At { value, place, span, written: false }
    }

    /// What stands below a kind.
    pub(super) fn below<T: Setting>(&mut self, kind: &str, id: Id) -> Option<T> {
        self.path.push(kind.to_owned());
        let value = T::read(self, id);
        self.path.pop();
        value
    }

    /// The one key of a mapping that says its kind, and what stands below it.
    pub(super) fn kind(&mut self, id: Id, known: &[&str]) -> Option<(String, Id)> {
        let entries = self.entries(id, &one_of(known))?;
        let chosen = entries.iter().find(|entry| known.contains(&entry.key.as_str())).cloned();
        for entry in entries.iter().filter(|entry| chosen.as_ref().is_none_or(|chosen| chosen.key != entry.key)) {
            let fault = match &chosen {
                Some(chosen) => {
                    let message = format!("another key{} stands beside `{}`", self.named(entry), chosen.key);
                    let help =
                        format!("indent what belongs to `{}` below it; each kind is an element of its own", chosen.key);
                    FileFault::new(entry.key_span.clone(), message).help(help)
                }
                None => {
                    let near = nearest(&entry.key, known.iter().copied());
                    FileFault::new(entry.key_span.clone(), format!("unknown kind{}", self.named(entry)))
                        .help(hint(near, known))
                }
            };
            self.fault(fault);
        }
        if entries.is_empty() {
            self.fault(FileFault::new(self.spot(id), format!("expected {}, found `{{}}`", one_of(known))));
        }
        chosen.map(|entry| (entry.key, entry.value))
    }
}

/// The keys of one element.
pub(super) struct KeysRead {
    entries: Vec<MapEntry>,
    head: Span,
    /// The key before the element.
    name: Option<String>,
    /// Known keys that an unknown one is near to.
    meant: BTreeSet<String>,
}

/// Doc comments as one line of text.
pub(super) fn prose(docs: &[&str]) -> String {
    docs.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// What to write in place of an unknown word.
pub(super) fn hint(near: Option<&str>, known: &[&str]) -> String {
    match near {
        Some(near) => format!("write `{near}`"),
        None if known.is_empty() => "nothing is defined there".to_owned(),
        None => format!("known here: {}", quoted(known)),
    }
}

pub(super) fn quoted(words: &[impl std::fmt::Display]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn one_of(known: &[&str]) -> String {
    let kinds: Vec<_> = known.iter().map(|word| format!("`{word}: …`")).collect();
    kinds.join(" or ")
}

/// A list of settings.
#[derive(Debug)]
pub(super) struct List<T>(pub(super) Vec<At<T>>);

impl<T: Setting> Setting for List<T> {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let Kind::List(items) = &reader.tree.node(id).kind else {
            reader.expected(id, "a list: `[…]`, or lines that begin with `-`");
            return None;
        };
        let items = items.clone();
        Some(Self(items.into_iter().map(|item| reader.read(item)).collect()))
    }
}

impl<T> List<T> {
    /// All values, if all are known.
    pub(super) fn values(&self) -> Option<Vec<&T>> {
        self.0.iter().map(At::get).collect()
    }
}

impl<T: JsonSchema> JsonSchema for List<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("ListOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": generator.subschema_for::<T>() })
    }
}

/// Settings under names that the file's author chooses.
#[derive(Debug)]
pub(super) struct ByName<T>(pub(super) Vec<(String, Span, At<T>)>);

impl<T: Setting> Setting for ByName<T> {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let entries = reader.entries(id, "names and what they stand for")?;
        let named = entries.into_iter().map(|entry| {
            let value = reader.read(entry.value);
            (entry.key, entry.key_span, value)
        });
        Some(Self(named.collect()))
    }
}

impl<T: JsonSchema> JsonSchema for ByName<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Named{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<T>() })
    }
}
