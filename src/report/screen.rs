//! What the answer is shown on: how wide it is, whether it has colours; and lines laid out on it.
//!
//! Owns: breaking lines between words, columns, shortening, colours. Leaves to others: the words (`words`), their order
//! (`human`), what kind of screen there is (`cli`).
//! A newcomer gets wrong: colours are put on last, line by line, after all that came from outside was cleaned: the outlet
//! would show them as text.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::secret::outlet;

/// What the answer is shown on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// Columns; `None`: a file or a program, whose lines are as long as they are.
    pub width: Option<usize>,
    /// Whether it has colours.
    pub colours: Colours,
    /// How pictures are told.
    pub pictures: PictureWords,
}

/// Whether there are colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colours {
    /// A terminal without `NO_COLOR`.
    On,
    /// Everything else.
    #[default]
    Off,
}

/// How pictures are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PictureWords {
    /// `default → photo`.
    #[default]
    InWords,
    /// `default → b3:144f1feb`, with `-v`.
    ByDigest,
}

/// How a line looks, where there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineLook {
    Plain,
    Heading,
    Good,
    Warning,
    Bad,
}

impl LineLook {
    fn escape(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Heading => "\u{1b}[1m",
            Self::Good => "\u{1b}[1;32m",
            Self::Warning => "\u{1b}[1;33m",
            Self::Bad => "\u{1b}[1;31m",
        }
    }
}

/// Lines on a screen.
#[derive(Clone, Debug)]
pub struct Page {
    screen: Screen,
    lines: Vec<(LineLook, String)>,
}

impl Page {
    pub(crate) fn on(screen: Screen) -> Self {
        Self { screen, lines: Vec::new() }
    }

    pub(super) fn screen(&self) -> Screen {
        self.screen
    }

    /// A paragraph, broken between words; its further lines are indented by `hanging`.
    pub(super) fn say(&mut self, look: LineLook, indent: usize, hanging: usize, words: &str) {
        for (nth, words) in words.split('\n').enumerate() {
            let lines = broken(words, self.screen.width, if nth == 0 { indent } else { hanging }, hanging);
            self.lines.extend(lines.into_iter().map(|line| (look, line)));
        }
    }

    /// A paragraph that looks like no other.
    pub(crate) fn paragraph(&mut self, indent: usize, hanging: usize, words: &str) {
        self.say(LineLook::Plain, indent, hanging, words);
    }

    /// What stands above paragraphs.
    pub(crate) fn heading(&mut self, indent: usize, words: &str) {
        self.say(LineLook::Heading, indent, indent + 2, words);
    }

    /// Words beside what they are of. On a narrow screen their further lines stand below it, so that an id has room.
    pub(crate) fn labelled(&mut self, indent: usize, label: &str, words: &str) {
        let beside = indent + LABEL + 1;
        let below = match self.screen.width {
            Some(width) if width < NARROW => indent + 2,
            _ => beside,
        };
        match label {
            "" => self.paragraph(below, below, words),
            label => self.paragraph(indent, below, &format!("{label:<LABEL$} {words}")),
        }
    }

    /// A line as it is.
    pub(super) fn line(&mut self, line: String) {
        self.lines.push((LineLook::Plain, line));
    }

    pub(crate) fn blank(&mut self) {
        self.line(String::new());
    }

    /// Where files were written, below all else. A path stays whole, so that it can be copied.
    pub(crate) fn files(&mut self, files: &[(&str, String)]) {
        for (nth, (what, path)) in files.iter().enumerate() {
            if nth == 0 {
                self.blank();
            }
            self.line(format!("{what}: {path}"));
        }
    }

    /// As it is written out: harmless, then coloured.
    pub fn text(&self) -> String {
        let plain: String = self.lines.iter().flat_map(|(_, line)| [line.as_str(), "\n"]).collect();
        let clean = outlet::text(&plain);
        if self.screen.colours == Colours::Off || clean.lines().count() != self.lines.len() {
            return clean;
        }
        let painted = clean.lines().zip(&self.lines).map(|(line, (look, _))| match look.escape() {
            "" => format!("{line}\n"),
            escape => format!("{escape}{line}\u{1b}[0m\n"),
        });
        painted.collect()
    }
}

/// Columns of a label, and those of a screen that has no room for words beside it.
const LABEL: usize = 10;
const NARROW: usize = 60;

/// Columns that a text takes.
fn wide(text: &str) -> usize {
    text.width()
}

/// Lines of no more than `width` columns.
fn broken(words: &str, width: Option<usize>, indent: usize, hanging: usize) -> Vec<String> {
    let Some(width) = width else { return vec![format!("{:indent$}{words}", "")] };
    let mut lines = vec![" ".repeat(indent)];
    let mut begun = false;
    for word in words.split(' ') {
        let room = width.saturating_sub(hanging.max(indent)).max(1);
        // An id or a path is copied: further to the left it stays whole.
        if wide(word) > room && wide(word) <= width {
            let left = width - wide(word);
            match lines.last_mut() {
                Some(line) if !begun => *line = format!("{:left$}{word}", ""),
                _ => lines.push(format!("{:left$}{word}", "")),
            }
            begun = true;
            continue;
        }
        for (nth, piece) in pieces(word, room).into_iter().enumerate() {
            let Some(line) = lines.last_mut() else { continue };
            let gap = usize::from(begun && nth == 0);
            if begun && wide(line) + gap + wide(&piece) > width {
                line.truncate(line.trim_end().len());
                lines.push(format!("{:hanging$}{piece}", ""));
            } else {
                line.push_str(if gap == 1 { " " } else { "" });
                line.push_str(&piece);
            }
            begun = true;
        }
    }
    lines
}

/// A word that no line can hold, such as a URL, goes on after a sign that parts it; any other stays whole.
fn pieces(word: &str, width: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let (mut piece, mut part) = (String::new(), String::new());
    for c in word.chars() {
        if wide(&piece) + wide(&part) + c.width().unwrap_or(0) > width {
            let full = if piece.is_empty() { &mut part } else { &mut piece };
            pieces.push(std::mem::take(full));
        }
        part.push(c);
        if matches!(c, '/' | '?' | '&' | '=' | ',' | ';' | ':' | '-' | '_' | '.' | '@') {
            piece.push_str(&std::mem::take(&mut part));
        }
    }
    piece.push_str(&part);
    pieces.push(piece);
    pieces
}

/// A text of no more than `width` columns: what is in the middle goes, since both ends of a name tell it.
fn shortened(text: &str, width: usize) -> String {
    if wide(text) <= width {
        return text.to_owned();
    }
    let half = |chars: &mut dyn Iterator<Item = char>, room: usize| {
        let mut taken = 0;
        let fits = chars.take_while(|c| {
            taken += c.width().unwrap_or(0);
            taken <= room
        });
        fits.collect::<Vec<_>>()
    };
    let room = width.saturating_sub(1);
    let begin: String = half(&mut text.chars(), room.div_ceil(2)).into_iter().collect();
    let end: String = half(&mut text.chars().rev(), room / 2).into_iter().rev().collect();
    format!("{begin}…{end}")
}

/// The most that one cell makes others move.
const WIDEST: usize = 40;

/// Rows in columns, if they fit. A name that is much wider than others is shortened on a screen; elsewhere it stands whole, and
/// so do the last `sentences` columns anywhere: who is meant stands at the end of a reason.
pub(super) fn columns(
    rows: &[Vec<String>],
    indent: usize,
    width: Option<usize>,
    sentences: usize,
) -> Option<Vec<String>> {
    let count = rows.iter().map(Vec::len).max()?;
    // What comes last in a row moves nobody.
    let most = |nth: usize| if nth + 1 < count { WIDEST } else { usize::MAX };
    let is_name = |nth: usize| nth + sentences < count;
    let cell = |nth: usize, text: &str| {
        if width.is_some() && is_name(nth) { shortened(text, most(nth)) } else { text.to_owned() }
    };
    let shown: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().enumerate().map(|(nth, text)| cell(nth, text)).collect()).collect();
    let widths: Vec<usize> = (0..count)
        .map(|nth| shown.iter().filter_map(|row| row.get(nth)).map(|text| wide(text).min(most(nth))).max().unwrap_or(0))
        .collect();
    let lines: Vec<_> = shown
        .iter()
        .map(|row| {
            let mut line = " ".repeat(indent);
            for (text, width) in row.iter().zip(&widths) {
                line.push_str(text);
                line.push_str(&" ".repeat((width + 2).saturating_sub(wide(text)).max(2)));
            }
            line.trim_end().to_owned()
        })
        .collect();
    lines.iter().all(|line| width.is_none_or(|width| wide(line) <= width)).then_some(lines)
}

/// A table of names and counts in the widest form that fits: heads on one line, heads broken between words, closer, and at
/// last a line for each count.
pub(super) fn counts(heads: &[&str], rows: &[Vec<String>], width: Option<usize>) -> Vec<String> {
    let whole: Vec<Vec<&str>> = heads.iter().map(|head| vec![*head]).collect();
    let stacked: Vec<Vec<&str>> = heads.iter().map(|head| head.split(' ').collect()).collect();
    let forms = [(&whole, 2), (&stacked, 2), (&stacked, 1)];
    let fits = |lines: &Vec<String>| width.is_none_or(|width| lines.iter().all(|line| wide(line) <= width));
    let upright = forms.iter().map(|(heads, gap)| upright(heads, rows, *gap)).find(fits);
    upright.unwrap_or_else(|| lying(heads, rows, width.unwrap_or(usize::MAX)))
}

fn upright(heads: &[Vec<&str>], rows: &[Vec<String>], gap: usize) -> Vec<String> {
    let height = heads.iter().map(Vec::len).max().unwrap_or(0);
    // A short head stands right above the counts.
    let head = |line: usize| -> Vec<&str> {
        let words = |head: &Vec<&'_ str>| (line + head.len()).checked_sub(height);
        heads.iter().map(|head| words(head).and_then(|nth| head.get(nth).copied()).unwrap_or("")).collect()
    };
    let mut lines: Vec<Vec<&str>> = (0..height).map(head).collect();
    lines.extend(rows.iter().map(|row| row.iter().map(String::as_str).collect()));
    aligned(&lines, gap)
}

/// The first column to the left, the others to the right.
fn aligned(lines: &[Vec<&str>], gap: usize) -> Vec<String> {
    let width = |nth: usize| lines.iter().filter_map(|line| line.get(nth)).map(|text| wide(text)).max().unwrap_or(0);
    let line = |line: &Vec<&str>| {
        let mut out = " ".repeat(2);
        for (nth, text) in line.iter().enumerate() {
            let pad = " ".repeat(width(nth) - wide(text));
            let (before, after) = if nth == 0 { ("", &*pad) } else { (&*pad, "") };
            out.push_str(if nth == 0 { "" } else { "  ".get(..gap).unwrap_or("  ") });
            out.push_str(&format!("{before}{text}{after}"));
        }
        out.trim_end().to_owned()
    };
    lines.iter().map(line).collect()
}

/// A line for each count, and beside each other as many rows as fit.
fn lying(heads: &[&str], rows: &[Vec<String>], width: usize) -> Vec<String> {
    let turned = |rows: &[Vec<String>]| {
        let row = |nth: usize| {
            let cell = |row: &'_ Vec<String>| row.get(nth).map(|text| shortened(text, 24)).unwrap_or_default();
            std::iter::once(heads[nth].to_owned()).chain(rows.iter().map(cell)).collect::<Vec<_>>()
        };
        let rows: Vec<_> = (0..heads.len()).map(row).collect();
        let lines: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
        aligned(&lines, 2)
    };
    let mut out: Vec<String> = Vec::new();
    let mut rest = rows;
    while !rest.is_empty() {
        let fits = |count: &usize| turned(&rest[..*count]).iter().all(|line| wide(line) <= width);
        let taken = (1..=rest.len()).take_while(fits).last().unwrap_or(1);
        if !out.is_empty() {
            out.push(String::new());
        }
        out.extend(turned(&rest[..taken]));
        rest = &rest[taken..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_urls_after_a_sign() {
        for (words, width, lines) in [
            ("one two three", None, vec!["  one two three"]),
            ("one two three", Some(9), vec!["  one two", "    three"]),
            ("one two three", Some(15), vec!["  one two three"]),
            ("x https://a.b/cdef/ghij", Some(15), vec!["  x https://a.", "    b/cdef/ghij"]),
            ("abcdefghijklmnop", Some(10), vec!["  abcdef", "    ghijkl", "    mnop"]),
            ("x 1234-6789 y", Some(10), vec!["  x", " 1234-6789", "    y"]),
            ("日本語 日本語", Some(10), vec!["  日本語", "    日本語"]),
        ] {
            assert_eq!(broken(words, width, 2, 4), lines, "{words} {width:?}");
            let fits = |line: &String| width.is_none_or(|width| wide(line) <= width);
            assert!(broken(words, width, 2, 4).iter().all(fits), "{words}");
        }
    }

    #[test]
    fn words_stand_beside_their_label_or_below_it() {
        let page = |width| {
            let mut page = Page::on(Screen { width, ..Screen::default() });
            page.labelled(2, "match", "belongs to somebody whose name is long enough for two lines");
            page.labelled(2, "", "and more");
            page.text()
        };
        let whole = "  match      belongs to somebody whose name is long enough for two lines\n             and more\n";
        assert_eq!(page(None), whole);
        let beside = "  match      belongs to somebody whose name is long enough\n             for two lines\n             and more\n";
        assert_eq!(page(Some(60)), beside);
        let below = "  match      belongs to somebody whose\n    name is long enough for two lines\n    and more\n";
        assert_eq!(page(Some(40)), below);
    }

    #[test]
    fn a_name_keeps_both_its_ends() {
        for (name, width, short) in
            [("Ada", 3, "Ada"), ("Kenneth Abernathy", 9, "Kenn…athy"), ("日本語日本語", 8, "日本…語")]
        {
            assert_eq!(shortened(name, width), short);
            assert!(wide(&shortened(name, width)) <= width);
        }
    }

    #[test]
    fn one_long_name_moves_nobody_out() {
        let row = |name: &str| vec![name.to_owned(), "jira/x".to_owned()];
        let rows = [row("Ada"), row(&"n".repeat(180))];
        let lines = columns(&rows, 2, Some(60), 0).unwrap();
        assert!(lines.iter().all(|line| wide(line) <= 60), "{lines:?}");
        assert!(columns(&rows, 2, None, 0).unwrap()[1].contains(&"n".repeat(180)), "whole, where there is no screen");
        assert_eq!(columns(&rows, 2, Some(20), 0), None);
        let reason = vec!["Ada".to_owned(), "r".repeat(50), "file:1".to_owned()];
        assert_eq!(columns(std::slice::from_ref(&reason), 2, Some(60), 2), None, "a reason is never shortened");
        assert!(columns(&[reason], 2, Some(70), 2).unwrap()[0].contains(&"r".repeat(50)));
    }

    #[test]
    fn counts_take_the_widest_form_that_fits() {
        let heads = ["target", "to replace", "left alone"];
        let row = |id: &str| vec![id.to_owned(), "35".to_owned(), "14".to_owned()];
        let rows = [row("jira"), row("confluence")];
        let joined = |width| counts(&heads, &rows, width).join("\n");
        assert_eq!(
            joined(None),
            "  target      to replace  left alone\n  jira                35          14\n  confluence          35          14"
        );
        assert_eq!(
            joined(Some(30)),
            "                   to   left\n  target      replace  alone\n  jira             35     14\n  confluence       35     14"
        );
        assert_eq!(
            joined(Some(24)),
            "  target      jira\n  to replace    35\n  left alone    14\n\n  target      confluence\n  to replace          35\n  left alone          14"
        );
    }

    #[test]
    fn colours_come_after_the_cleaning() {
        let mut page = Page::on(Screen { colours: Colours::On, ..Screen::default() });
        page.say(LineLook::Bad, 0, 0, "a\u{1b}[2Jb");
        assert_eq!(page.text(), "\u{1b}[1;31ma\\u{1b}[2Jb\u{1b}[0m\n");
        page.screen.colours = Colours::Off;
        assert_eq!(page.text(), "a\\u{1b}[2Jb\n");
    }
}
