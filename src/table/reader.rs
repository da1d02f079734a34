//! The rows and cells of a table, one after the other, and what is wrong with each.
//!
//! Owns: where a cell ends, lines, signs that nobody sees. Leaves to others: which columns there are (`header`).
//! A newcomer gets wrong: after a quote that is missing nothing is clear any more, and the reading ends; after a cell that is no
//! UTF-8 the next row is.

use std::io::BufRead;

/// The longest row, in bytes: a quote that is never closed must not take the rest of the file into memory (promise P9).
pub(super) const LONGEST: usize = 1 << 20;

/// Reads one row after the other.
#[derive(Debug)]
pub(crate) struct TableReader<R> {
    input: R,
    /// Of the next byte, from 1 on.
    line: u64,
    /// Of the next byte.
    offset: u64,
    /// Nothing that follows can be told apart.
    over: bool,
}

/// A row.
#[derive(Debug)]
pub(crate) struct Row {
    /// Where it begins, from 1 on.
    pub line: u64,
    /// The bytes before it.
    pub offset: u64,
    /// Its cells, in order; at least one.
    pub cells: Vec<Cell>,
    /// The file ends behind it without a line end: it may have been cut.
    pub unended: bool,
}

/// What stands between two separators.
#[derive(Debug)]
pub(crate) struct Cell {
    /// Without the quotes around it.
    pub text: String,
    /// The line on which it begins.
    pub line: u64,
    /// Whether it stands in quotes.
    pub quoted: bool,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowFault {
    /// From 1 on.
    pub line: u64,
    /// In words.
    pub found: String,
}

impl RowFault {
    /// Something wrong on a line.
    pub(crate) fn new(line: u64, found: impl Into<String>) -> Self {
        Self { line, found: found.into() }
    }
}

impl<R: BufRead> TableReader<R> {
    /// Reads a whole table; a byte-order mark at its beginning is no part of it.
    pub(crate) fn new(mut input: R) -> Result<Self, RowFault> {
        let head = input.fill_buf().map_err(|error| RowFault::new(1, error.to_string()))?;
        if head.starts_with(&[0xFF, 0xFE]) || head.starts_with(&[0xFE, 0xFF]) {
            return Err(RowFault::new(1, "the table is UTF-16: save it as UTF-8, in Excel as `CSV UTF-8`"));
        }
        let mark = if head.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
        input.consume(mark);
        Ok(Self { input, line: 1, offset: mark as u64, over: false })
    }

    /// Reads on at a row that was found before. Lines count from there.
    pub(crate) fn at(input: R) -> Self {
        Self { input, line: 1, offset: 0, over: false }
    }

    /// The next row that is not empty, separators alone are; `None` behind the last one. After a fault that leaves the rest unclear, too.
    pub(crate) fn row(&mut self) -> Result<Option<Row>, RowFault> {
        loop {
            match self.peek()? {
                None => return Ok(None),
                Some(b'\n' | b'\r') => self.line_end()?,
                Some(_) => match self.cells()? {
                    row if row.is_blank() => {}
                    row => return Ok(Some(row)),
                },
            }
        }
    }

    fn cells(&mut self) -> Result<Row, RowFault> {
        let (line, offset) = (self.line, self.offset);
        let mut raw = Vec::new();
        loop {
            let begins = self.line;
            let quoted = self.peek()? == Some(b'"');
            let text = if quoted { self.quoted(offset)? } else { self.plain(offset)? };
            raw.push((text, begins, quoted));
            match self.peek()? {
                Some(b',') => self.bump(),
                next => {
                    self.line_end()?;
                    let cells = raw.into_iter().map(|(text, line, quoted)| cell(text, line, quoted));
                    let cells = cells.collect::<Result<_, _>>()?;
                    return Ok(Row { line, offset, cells, unended: next.is_none() });
                }
            }
        }
    }

    fn plain(&mut self, row: u64) -> Result<Vec<u8>, RowFault> {
        let mut text = Vec::new();
        loop {
            match self.peek()? {
                None | Some(b',' | b'\n' | b'\r') => return Ok(text),
                Some(b'"') => {
                    let found = "a quote inside of text that does not begin with one: is an opening quote missing? \
                                 Put the whole cell in quotes, and write each quote in it twice";
                    return Err(self.lost(self.line, found));
                }
                Some(byte) => self.push(&mut text, byte, row)?,
            }
        }
    }

    fn quoted(&mut self, row: u64) -> Result<Vec<u8>, RowFault> {
        let opened = self.line;
        self.bump();
        let mut text = Vec::new();
        loop {
            match self.peek()? {
                None => {
                    return Err(self.lost(opened, "a quote is opened here and closed nowhere: is a quote missing?"));
                }
                Some(b'"') => {
                    self.bump();
                    match self.peek()? {
                        Some(b'"') => self.push(&mut text, b'"', row)?,
                        None | Some(b',' | b'\n' | b'\r') => return Ok(text),
                        Some(byte) => return Err(self.behind(opened, byte)),
                    }
                }
                Some(b'\r') => {
                    // Kept as it is, and counted once: `\r\n` is one line end.
                    self.push(&mut text, b'\r', row)?;
                    if self.peek()? != Some(b'\n') {
                        self.line += 1;
                    }
                }
                Some(b'\n') => {
                    self.push(&mut text, b'\n', row)?;
                    self.line += 1;
                }
                Some(byte) => self.push(&mut text, byte, row)?,
            }
        }
    }

    fn behind(&mut self, opened: u64, byte: u8) -> RowFault {
        let closed = self.line;
        if opened == 1 && closed == 1 && SEPARATORS.contains(&char::from(byte)) {
            return self.lost(1, separated_by(char::from(byte)));
        }
        let found = match closed == opened {
            true => "text behind a closing quote: write a quote inside of quotes twice".to_owned(),
            false => {
                format!("a quote is opened here and closed in line {closed} with text behind it: is a quote missing?")
            }
        };
        self.lost(opened, found)
    }

    fn push(&mut self, text: &mut Vec<u8>, byte: u8, row: u64) -> Result<(), RowFault> {
        if byte == 0 {
            return Err(self.lost(self.line, "a NUL byte: the table is UTF-16, or no text at all: save it as UTF-8"));
        }
        if self.offset - row > LONGEST as u64 {
            return Err(self.lost(self.line, format!("a row of over {LONGEST} bytes ends here: is a quote missing?")));
        }
        text.push(byte);
        self.bump();
        Ok(())
    }

    /// Goes past a line end, if there is one: `\n`, `\r\n`, or `\r` alone, as old programs write it.
    fn line_end(&mut self) -> Result<(), RowFault> {
        let first = self.peek()?;
        if let Some(b'\n' | b'\r') = first {
            self.bump();
            self.line += 1;
        }
        if first == Some(b'\r') && self.peek()? == Some(b'\n') {
            self.bump();
        }
        Ok(())
    }

    fn lost(&mut self, line: u64, found: impl Into<String>) -> RowFault {
        self.over = true;
        RowFault::new(line, found)
    }

    fn peek(&mut self) -> Result<Option<u8>, RowFault> {
        if self.over {
            return Ok(None);
        }
        match self.input.fill_buf() {
            Ok(bytes) => Ok(bytes.first().copied()),
            Err(error) => {
                let found = error.to_string();
                Err(self.lost(self.line, found))
            }
        }
    }

    fn bump(&mut self) {
        self.input.consume(1);
        self.offset += 1;
    }
}

fn cell(text: Vec<u8>, line: u64, quoted: bool) -> Result<Cell, RowFault> {
    let text = String::from_utf8(text)
        .map_err(|_| RowFault::new(line, "not UTF-8 text: save the table as UTF-8, in Excel as `CSV UTF-8`"))?;
    Ok(Cell { text, line, quoted })
}

impl Cell {
    /// The text without blanks around it. Only blanks and tabs: what looks like one and is none is told
    /// ([`odd_sign`]), and must not make an empty cell of one that is filled.
    pub(crate) fn trimmed(&self) -> &str {
        self.text.trim_matches([' ', '\t'])
    }

    /// Whether there is a line break in it.
    pub(crate) fn is_broken(&self) -> bool {
        self.text.contains(['\n', '\r'])
    }
}

impl Row {
    /// Separators alone, as spreadsheets leave them where a row was cleared. At an end that may be cut they may be the beginning
    /// of a row.
    fn is_blank(&self) -> bool {
        let empty = |cell: &Cell| !cell.quoted && cell.trimmed().is_empty();
        !self.unended && self.cells.len() > 1 && self.cells.iter().all(empty)
    }

    /// What is wrong where the row does not have as many cells as the header.
    pub(crate) fn misfits(&self, width: usize) -> Option<RowFault> {
        let found = self.cells.len();
        let cells = if found == 1 { "field" } else { "fields" };
        match found == width {
            true => None,
            false if self.unended && found < width => Some(RowFault::new(
                self.line,
                format!("the last line is cut: {found} {cells} where the header has {width}"),
            )),
            false if found > width => Some(RowFault::new(
                self.line,
                format!(
                    "{found} {cells} where the header has {width}: put a field that has a comma in quotes, and delete what \
                     stands behind the last column"
                ),
            )),
            false => Some(RowFault::new(
                self.line,
                format!("{found} {cells} where the header has {width}: write a comma for each field that is empty"),
            )),
        }
    }

    /// A key at the very end of a file that ends without a line end: cut short it may be somebody else's. In quotes it is whole.
    pub(crate) fn key_may_be_cut(&self, at: usize, name: &str) -> Option<RowFault> {
        let last = self.cells.get(at).filter(|_| self.unended && at + 1 == self.cells.len())?;
        (!last.quoted && !last.trimmed().is_empty()).then(|| {
            let found =
                format!("the file ends within `{name}` without a line end, so it may be cut: end the last line");
            RowFault::new(last.line, found)
        })
    }

    /// Text in quotes that goes over a line break may be right, and it is what two missing quotes look like: then its
    /// first line holds the cells that should stand behind it, and its last line those before it.
    pub(crate) fn swallowed(&self) -> Option<RowFault> {
        let commas = |text: &str| text.matches(',').count();
        let swallows = |(before, cell): &(usize, &Cell)| {
            let mut lines = cell.text.split(['\n', '\r']);
            let (first, last) = (lines.next().unwrap_or_default(), lines.next_back().unwrap_or_default());
            cell.is_broken() && commas(first) >= self.cells.len() - 1 - before && commas(last) >= *before
        };
        let (_, cell) = self.cells.iter().enumerate().find(swallows)?;
        Some(RowFault::new(cell.line, "the text in quotes that begins here holds a whole row: are quotes missing?"))
    }
}

/// What else than a comma may stand between columns.
pub(super) const SEPARATORS: [char; 3] = [';', '\t', '|'];

pub(super) fn separated_by(separator: char) -> String {
    let name = if separator == '\t' { "tabs".to_owned() } else { format!("`{separator}`") };
    format!(
        "the columns are separated by {name}: save the table with commas; Excel takes the list separator of the system's region \
         settings, LibreOffice asks for it when it saves"
    )
}

/// The first sign in a key that nobody sees, or that passes for a blank; in words.
pub(crate) fn odd_sign(text: &str) -> Option<String> {
    let sign = text.chars().find(|sign| is_odd(*sign))?;
    let name = match sign {
        '\u{feff}' => "a byte-order mark",
        '\u{a0}' | '\u{202f}' => "a no-break space",
        '\u{200b}' => "a zero-width space",
        '\u{200c}' | '\u{200d}' | '\u{2060}' => "a zero-width joiner",
        '\u{ad}' => "a soft hyphen",
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => "a mark of text direction",
        sign if sign.is_control() => "a control character",
        sign if sign.is_whitespace() => "a blank that is not the plain one",
        _ => "an invisible character",
    };
    Some(format!("{name} (U+{:04X})", u32::from(sign)))
}

fn is_odd(sign: char) -> bool {
    let blank = sign.is_whitespace() && sign != ' ';
    let invisible = matches!(sign,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
    blank || invisible || sign.is_control()
}
