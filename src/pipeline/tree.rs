//! The file as a tree of places and text, before anything is known of its meaning.
//!
//! Owns: YAML syntax, duplicate keys, anchors, merge keys, and what a hostile file may cost.
//! Leaves to others: meaning (`read` and the elements), `${…}` (`interpolate`).
//! A newcomer gets wrong: serde would stop at the first fault, so the parser's events are read here and every element
//! afterwards on its own (docs/decisions/pipeline-file.md).

use std::collections::{HashMap, HashSet};

use serde_yaml::granit_parser::{ErrorKind, Event, Parser, ScalarStyle};

use super::fault::{FileFault, Span};
use super::forms::{is_open_word, sounds_like_one};
use super::interpolate::{self, Text};
use super::not_yaml;

/// A pipeline file is some hundred lines; whoever needs more has another problem.
const MAX_BYTES: usize = 1 << 20;
const MAX_DEPTH: usize = 32;
/// An alias counts as what it stands for: it is not copied, but it is read again.
const MAX_NODES: usize = 50_000;
const MAX_SCALAR_BYTES: usize = 64 << 10;

/// A node of a [`Tree`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Id(usize);

/// No `Debug`: the text of scalars may be secret once it is resolved.
#[derive(Clone)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    pub(super) root: Id,
    /// What stands in the text and has no place in the tree: a key's second value, what `<<` brings and cannot.
    pub(super) dropped: Vec<MapEntry>,
}

#[derive(Clone)]
pub(super) struct Node {
    pub(super) span: Span,
    /// What to point at when the node as a whole is meant: the key before it, or its own first key.
    pub(super) head: Span,
    /// `head` is the key before it.
    pub(super) under_key: bool,
    pub(super) kind: Kind,
}

#[derive(Clone)]
pub(super) enum Kind {
    Scalar(Scalar),
    List(Vec<Id>),
    Map(Vec<MapEntry>),
}

#[derive(Clone)]
pub(super) struct Scalar {
    pub(super) text: Text,
    /// Without quotes, so that it may be a number, a truth value or nothing.
    pub(super) plain: bool,
}

impl Scalar {
    /// Nothing is written there: `key:`, `~`, `null`.
    pub(super) fn is_null(&self) -> bool {
        self.plain && matches!(self.text.raw(), "" | "~" | "null")
    }
}

#[derive(Clone)]
pub(super) struct MapEntry {
    pub(super) key: String,
    pub(super) key_span: Span,
    pub(super) value: Id,
}

impl Tree {
    /// Reads the text. The faults of syntax end the reading; the others leave a tree in which the rest can be judged.
    pub(super) fn parse(text: &str) -> (Option<Self>, Vec<FileFault>) {
        if text.len() > MAX_BYTES {
            let message = format!("the file has {} bytes; at most {MAX_BYTES} are read", text.len());
            return (None, vec![FileFault::new(0..0, message)]);
        }
        let mut builder = Builder::new(text);
        let root = builder.run();
        let Builder { nodes, mut faults, dropped, .. } = builder;
        match root {
            Ok(Some(root)) => (Some(Self { nodes, root, dropped }), faults),
            Ok(None) => {
                let help = "begin with `version: 1`; `avatarpipe init` writes a pipeline file to start from";
                (None, vec![FileFault::new(0..0, "the file is empty").help(help)])
            }
            Err(fault) => {
                faults.push(fault);
                (None, faults)
            }
        }
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id.0]
    }

    /// Adds what another text says, all of it at this place: a default, or what stands in place of what was written.
    pub(super) fn graft(&mut self, text: &str, at: &Span) -> Option<Id> {
        let (other, _) = Self::parse(text);
        let other = other?;
        let offset = self.nodes.len();
        let moved = |id: Id| Id(id.0 + offset);
        self.nodes.extend(other.nodes.into_iter().map(|mut node| {
            node.span = at.clone();
            node.head = at.clone();
            match &mut node.kind {
                Kind::Scalar(_) => {}
                Kind::List(items) => items.iter_mut().for_each(|item| *item = moved(*item)),
                Kind::Map(entries) => entries.iter_mut().for_each(|entry| {
                    entry.value = moved(entry.value);
                    entry.key_span = at.clone();
                }),
            }
            node
        }));
        Some(moved(other.root))
    }

    /// The value of a key.
    pub(super) fn get(&self, map: Id, key: &str) -> Option<Id> {
        match &self.node(map).kind {
            Kind::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| entry.value),
            Kind::Scalar(_) | Kind::List(_) => None,
        }
    }

    /// Puts a value under a key, in place of what stands there.
    pub(super) fn set(&mut self, map: Id, key: &str, value: Id) {
        let head = self.node(map).head.clone();
        if let Kind::Map(entries) = &mut self.nodes[map.0].kind {
            match entries.iter_mut().find(|entry| entry.key == key) {
                Some(entry) => entry.value = value,
                None => entries.push(MapEntry { key: key.to_owned(), key_span: head, value }),
            }
        }
    }

    /// Takes a key away with what stands there.
    pub(super) fn unset(&mut self, map: Id, key: &str) {
        if let Kind::Map(entries) = &mut self.nodes[map.0].kind {
            entries.retain(|entry| entry.key != key);
        }
    }

    /// Takes every other key away.
    pub(super) fn keep(&mut self, map: Id, keys: &[&str]) {
        if let Kind::Map(entries) = &mut self.nodes[map.0].kind {
            entries.retain(|entry| keys.contains(&entry.key.as_str()));
        }
    }

    /// Every node that can be reached from the root, once, without what stands below some of them.
    pub(super) fn reachable(&self, closed: &HashSet<Id>) -> Vec<Id> {
        let mut seen = HashSet::from([self.root]);
        let mut order = vec![self.root];
        let mut next = 0;
        while let Some(id) = order.get(next).copied() {
            next += 1;
            let below: Vec<Id> = match &self.node(id).kind {
                _ if closed.contains(&id) => Vec::new(),
                Kind::Scalar(_) => Vec::new(),
                Kind::List(items) => items.clone(),
                Kind::Map(entries) => entries.iter().map(|entry| entry.value).collect(),
            };
            order.extend(below.into_iter().filter(|below| seen.insert(*below)));
        }
        order
    }

    /// Puts a resolved text in place of a scalar's own.
    pub(super) fn set_text(&mut self, id: Id, text: Text) {
        if let Kind::Scalar(scalar) = &mut self.nodes[id.0].kind {
            scalar.text = text;
        }
    }
}

/// A collection whose end has not been read yet.
struct Open {
    begin: usize,
    head: Option<Span>,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Id>),
    Map { entries: Vec<MapEntry>, key: Option<(String, Span)> },
}

struct Builder<'t> {
    text: &'t str,
    nodes: Vec<Node>,
    /// How many values each node would have if every alias were written out.
    sizes: Vec<usize>,
    /// The same for all that was read so far.
    size: usize,
    faults: Vec<FileFault>,
    open: Vec<Open>,
    anchors: HashMap<usize, Id>,
    documents: usize,
    root: Option<Id>,
    dropped: Vec<MapEntry>,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            nodes: Vec::new(),
            sizes: Vec::new(),
            size: 0,
            faults: Vec::new(),
            open: Vec::new(),
            anchors: HashMap::new(),
            documents: 0,
            root: None,
            dropped: Vec::new(),
        }
    }

    fn run(&mut self) -> Result<Option<Id>, FileFault> {
        for item in Parser::new_from_str(self.text) {
            let (event, span) = item.map_err(|error| {
                let at = error.marker().byte_offset().map_or(self.text.len(), |at| self.boundary(at));
                let at = at..self.next_boundary(at);
                if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
                    return too_deep(at);
                }
                let told = not_yaml::told(&error.info(), self.text, at.start);
                FileFault::new(at, told.message).help(told.help)
            })?;
            let span = span.byte_range().unwrap_or(0..0);
            self.take(event, self.boundary(span.start)..self.boundary(span.end))?;
        }
        Ok(self.root)
    }

    /// Spans come from the parser; a snippet must not be cut inside of a character whatever it says.
    fn boundary(&self, at: usize) -> usize {
        let at = at.min(self.text.len());
        (0..=at).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
    }

    fn next_boundary(&self, at: usize) -> usize {
        self.text[at..].chars().next().filter(|c| *c != '\n').map_or(at, |c| at + c.len_utf8())
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), FileFault> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(FileFault::new(span, "a second document begins here").help("one pipeline is one file"));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), &span)?;
                let plain = matches!(style, ScalarStyle::Plain);
                self.scalar(&text, plain, anchor, span)?;
            }
            Event::Alias(anchor) => self.alias(anchor, span)?,
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.is_some(), &span)?;
                self.begin(Content::List(Vec::new()), anchor, span)?;
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.is_some(), &span)?;
                self.begin(Content::Map { entries: Vec::new(), key: None }, anchor, span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
            _ => {}
        }
        Ok(())
    }

    fn refuse_tag(&self, tagged: bool, span: &Span) -> Result<(), FileFault> {
        if tagged {
            return Err(FileFault::new(span.clone(), "tags (`!…`) have no meaning here").help("leave the tag out"));
        }
        Ok(())
    }

    fn push(&mut self, node: Node) -> Result<Id, FileFault> {
        self.grow(1, &node.head)?;
        let size_of = |id: &Id| self.sizes[id.0];
        let below: usize = match &node.kind {
            Kind::Scalar(_) => 0,
            Kind::List(items) => items.iter().map(size_of).sum(),
            Kind::Map(entries) => entries.iter().map(|entry| size_of(&entry.value)).sum(),
        };
        self.sizes.push(below + 1);
        self.nodes.push(node);
        Ok(Id(self.nodes.len() - 1))
    }

    fn grow(&mut self, by: usize, at: &Span) -> Result<(), FileFault> {
        self.size += by;
        if self.size > MAX_NODES {
            let message =
                format!("the file has more than {MAX_NODES} values, each alias counted as what it stands for");
            return Err(FileFault::new(at.clone(), message));
        }
        Ok(())
    }

    fn scalar(&mut self, text: &str, plain: bool, anchor: usize, span: Span) -> Result<(), FileFault> {
        if text.len() > MAX_SCALAR_BYTES {
            let message = format!("a value of {} bytes; at most {MAX_SCALAR_BYTES} are read", text.len());
            return Err(FileFault::new(span.start..span.start, message));
        }
        let is_key = matches!(self.open.last(), Some(Open { content: Content::Map { key: None, .. }, .. }));
        let text = if is_key {
            Text::Written(text.to_owned())
        } else {
            interpolate::parse(text).unwrap_or_else(|fault| {
                // Only a scalar without escapes and line breaks stands in the file as it was read.
                let inside = self.text.get(span.clone()).and_then(|source| source.find(text));
                let at = match inside {
                    Some(offset) => span.start + offset + fault.at.start..span.start + offset + fault.at.end,
                    None => span.clone(),
                };
                self.faults.push(FileFault::new(at, fault.message).help(fault.help));
                Text::Broken(text.to_owned())
            })
        };
        let key = if span.is_empty() { self.pending_key() } else { None };
        let head = key.unwrap_or_else(|| span.clone());
        let kind = Kind::Scalar(Scalar { text, plain });
        let id = self.push(Node { span: span.clone(), head, under_key: false, kind })?;
        self.name(anchor, id);
        self.place(id, span)
    }

    /// The parser counts anchors from 1.
    fn name(&mut self, anchor: usize, id: Id) {
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), FileFault> {
        match self.anchors.get(&anchor).copied() {
            Some(id) => {
                self.grow(self.sizes[id.0], &span)?;
                self.place(id, span)
            }
            None => Err(FileFault::new(span, "this alias stands inside of what it names")),
        }
    }

    fn pending_key(&self) -> Option<Span> {
        match self.open.last() {
            Some(Open { content: Content::Map { key: Some((_, span)), .. }, .. }) => Some(span.clone()),
            _ => None,
        }
    }

    fn begin(&mut self, content: Content, anchor: usize, span: Span) -> Result<(), FileFault> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(span));
        }
        let head = self.pending_key();
        self.open.push(Open { begin: span.start, head, anchor, content });
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), FileFault> {
        let Some(Open { begin, head, anchor, content }) = self.open.pop() else { return Ok(()) };
        let span = begin..span.end.max(begin);
        let (kind, first) = match content {
            Content::List(items) => (Kind::List(items), None),
            Content::Map { entries, .. } => {
                let first = entries.first().map(|entry| entry.key_span.clone());
                (Kind::Map(self.merged(entries)), first)
            }
        };
        let under_key = head.is_some();
        let head = head.or(first).unwrap_or_else(|| begin..self.next_boundary(begin));
        let id = self.push(Node { span: span.clone(), head, under_key, kind })?;
        self.name(anchor, id);
        self.place(id, span)
    }

    /// Puts a complete node where it belongs.
    fn place(&mut self, id: Id, span: Span) -> Result<(), FileFault> {
        let scalar = match &self.nodes[id.0].kind {
            Kind::Scalar(scalar) => Some(scalar.text.raw().to_owned()),
            Kind::List(_) | Kind::Map(_) => None,
        };
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(id),
            Some(Content::List(items)) => items.push(id),
            Some(Content::Map { entries, key }) => match key.take() {
                Some((key, key_span)) => entries.push(MapEntry { key, key_span, value: id }),
                None => match scalar {
                    Some(text) => *key = Some((text, span)),
                    None => return Err(FileFault::new(span, "a key must be a word, not a list or a mapping")),
                },
            },
        }
        Ok(())
    }

    /// Reports duplicate keys and puts the entries of `<<` below the mapping's own.
    fn merged(&mut self, entries: Vec<MapEntry>) -> Vec<MapEntry> {
        let mut own: Vec<MapEntry> = Vec::with_capacity(entries.len());
        let mut first: HashMap<String, Span> = HashMap::with_capacity(entries.len());
        let mut merge = Vec::new();
        for entry in entries {
            if entry.key == "<<" {
                merge.push(entry);
            } else if let Some(earlier) = first.get(&entry.key) {
                let message = if is_open_word(&entry.key) {
                    format!("the key `{}` stands here twice", entry.key.escape_debug())
                } else {
                    "a key stands here twice".to_owned()
                };
                let fault = FileFault::new(entry.key_span.clone(), message);
                self.faults.push(fault.related(earlier.clone(), "first here"));
                self.dropped.push(entry);
            } else {
                first.insert(entry.key.clone(), entry.key_span.clone());
                own.push(entry);
            }
        }
        for entry in merge {
            let maps = match &self.nodes[entry.value.0].kind {
                Kind::List(items) => items.clone(),
                Kind::Map(_) | Kind::Scalar(_) => vec![entry.value],
            };
            for map in maps {
                let Kind::Map(more) = &self.nodes[map.0].kind else {
                    let help = "write `<<: *name`, where `&name` stands before a mapping";
                    self.faults
                        .push(FileFault::new(entry.key_span.clone(), "`<<` takes the keys of a mapping").help(help));
                    self.dropped.push(MapEntry { value: map, ..entry.clone() });
                    continue;
                };
                let (hidden, more): (Vec<MapEntry>, Vec<MapEntry>) =
                    more.iter().cloned().partition(|entry| first.contains_key(&entry.key));
                self.dropped.extend(hidden.into_iter().filter(|entry| sounds_like_one(&entry.key)));
                for entry in more {
                    first.insert(entry.key.clone(), entry.key_span.clone());
                    own.push(entry);
                }
            }
        }
        own
    }
}

fn too_deep(at: Span) -> FileFault {
    FileFault::new(at, format!("more than {MAX_DEPTH} levels inside of each other"))
}
