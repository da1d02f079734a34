//! What is wrong with a pipeline file, where, and what to write instead.
//!
//! Owns: the fault, its order, and how it looks to a person.
//! Leaves to others: finding it (`tree`, `read`, the elements).
//! A newcomer gets wrong: the snippet comes from a copy of the text in which everything that looks like a secret is
//! covered, since a secret written out is itself a fault (promise P7).

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet, renderer::DecorStyle};

use super::forms;

/// More faults than these are counted and not shown: nobody reads them, and a hostile file could have thousands.
const SHOWN: usize = 50;

/// Bytes of the file's text.
pub(super) type Span = Range<usize>;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFault {
    /// What is wrong, in one line.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Bytes of the file's text.
    pub(super) span: Span,
    /// Another place that belongs to it, and why.
    pub(super) related: Option<(Span, String)>,
    /// A key that is unknown there: whoever knows all keys can tell where it belongs.
    pub(super) unknown: Option<Box<str>>,
}

impl FileFault {
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, span, related: None, unknown: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Covers what the message quotes of the file and looks like a secret.
    fn cover(&mut self) {
        let drawn = forms::drawn(&self.message);
        if !drawn.is_empty() {
            self.message = format!("{} (covered here, since it looks like a secret)", cover(&self.message, &drawn));
        }
    }

    pub(super) fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related = Some((span, label.into()));
        self
    }
}

/// All faults of one file, in the order of the text.
#[derive(Clone)]
pub struct Faults {
    file: Arc<str>,
    /// The text with everything secret covered.
    covered: String,
    list: Vec<FileFault>,
}

/// Whether the text is for a terminal that shows colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// ANSI sequences.
    Ansi,
    /// Text alone.
    Plain,
}

impl Faults {
    pub(super) fn new(file: Arc<str>, text: &str, secrets: &[Span], mut list: Vec<FileFault>) -> Self {
        // An alias is read once for each use; its faults are the same.
        list.sort_by(|a, b| (a.span.start, a.span.end, &a.message).cmp(&(b.span.start, b.span.end, &b.message)));
        list.dedup();
        list.iter_mut().for_each(FileFault::cover);
        Self { file, covered: cover(&cover(text, secrets), &forms::by_form(text)), list }
    }

    /// The file as it was named.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// In the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = &FileFault> {
        self.list.iter()
    }

    /// How many there are; never 0 in an error.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// Where a fault begins: line and column, both counted from 1.
    pub fn position(&self, fault: &FileFault) -> (usize, usize) {
        position(&self.covered, fault.span.start)
    }

    /// What a person reads: every fault with its place, the text there, and what to write instead.
    pub fn render(&self, colour: Colour) -> String {
        let renderer = match colour {
            Colour::Ansi => Renderer::styled(),
            Colour::Plain => Renderer::plain(),
        };
        let renderer = renderer.decor_style(DecorStyle::Ascii);
        let mut out = String::new();
        for fault in self.list.iter().take(SHOWN) {
            out += &self.render_one(fault, &renderer);
            out += "\n\n";
        }
        if self.list.len() > SHOWN {
            out += &format!("… and {} more\n\n", self.list.len() - SHOWN);
        }
        let word = if self.list.len() == 1 { "fault" } else { "faults" };
        out += &format!("{}: {} {word}\n", self.file, self.list.len());
        out
    }

    fn render_one(&self, fault: &FileFault, renderer: &Renderer) -> String {
        // Only the lines concerned go to the renderer, which would otherwise walk through the whole text each time.
        let related = fault.related.as_ref().map_or(&fault.span, |(span, _)| span);
        let begin = line_start(&self.covered, fault.span.start.min(related.start));
        let end = line_end(&self.covered, fault.span.end.max(related.end));
        let shift = |span: &Span| span.start - begin..span.end - begin;
        let mut snippet = Snippet::source(&self.covered[begin..end])
            .path(&*self.file)
            .line_start(position(&self.covered, begin).0)
            .annotation(AnnotationKind::Primary.span(shift(&fault.span)));
        if let Some((span, label)) = &fault.related {
            snippet = snippet.annotation(AnnotationKind::Context.span(shift(span)).label(label));
        }
        let mut group = Level::ERROR.primary_title(&fault.message).element(snippet);
        if let Some(help) = &fault.help {
            group = group.element(Level::HELP.message(help));
        }
        renderer.render(&[group])
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(Colour::Plain).trim_end())
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Faults {}

/// Line and column of a byte, both counted from 1; the column in characters.
pub(super) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |newline| at + newline)
}

/// The text with these spans as stars, byte for byte, so that every other place stays where it is.
pub(super) fn cover(text: &str, secrets: &[Span]) -> String {
    let mut covered = text.to_owned();
    for span in secrets {
        let Some(secret) = text.get(span.clone()) else { continue };
        let stars: String = secret
            .chars()
            .flat_map(|c| std::iter::repeat_n(if c == '\n' { '\n' } else { '*' }, c.len_utf8()))
            .collect();
        covered.replace_range(span.clone(), &stars);
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covering_moves_nothing() {
        let text = "a: gehéim\nb: |\n  zwei\n  drei\nc: 1\n";
        let covered = cover(text, &[3..10, 16..29, 999..1000]);
        assert_eq!(covered.len(), text.len());
        assert_eq!(covered, "a: *******\nb: |\n******\n******\nc: 1\n");
    }

    #[test]
    fn columns_are_counted_in_characters() {
        for (at, expected) in [(0, (1, 1)), (2, (1, 2)), (3, (1, 3)), (4, (2, 1)), (6, (2, 3)), (99, (3, 1))] {
            assert_eq!(position("äa\nxy\n", at), expected, "{at}");
        }
    }
}
