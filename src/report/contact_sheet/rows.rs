//! The rows of one section, in a file, until their head is known; then by reason and name.
//!
//! Owns: their order, and which are laid out together. Leaves to others: a row (`row`), which section it is in (`section`).
//! A newcomer gets wrong: what is known of each row for sorting is bounded; a longer section stays in the order of the plan
//! (promise P9).

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write};

use crate::report::natural::natural;

/// Rows of a section that are sorted.
const SORTED: usize = 10_000;
/// Rows that a browser lays out together, or not at all while they are out of sight.
const TOGETHER: u64 = 60;

/// Where a row stands in the file, and what it is sorted by.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    reason: String,
    name: String,
    at: u64,
    bytes: u64,
}

/// The rows of one section.
#[derive(Debug)]
pub(super) struct Rows {
    file: BufWriter<File>,
    end: u64,
    /// `None`: there are too many.
    order: Option<Vec<Entry>>,
    /// Everything that stands there, where it is not sorted.
    lengths: BufWriter<File>,
    /// All of its lines.
    pub all: u64,
    /// Those on the page.
    pub here: u64,
    /// Those of whom the picture that goes is not on the page.
    pub unseen: u64,
}

impl Rows {
    /// No rows yet; both files are empty.
    pub(super) fn within(file: File, lengths: File) -> Self {
        let (file, lengths) = (BufWriter::new(file), BufWriter::new(lengths));
        Self { file, end: 0, order: Some(Vec::new()), lengths, all: 0, here: 0, unseen: 0 }
    }

    /// Puts a row there.
    pub(super) fn put(&mut self, reason: &str, name: &str, row: &str) -> io::Result<()> {
        let bytes = row.len() as u64;
        self.file.write_all(row.as_bytes())?;
        self.lengths.write_all(&bytes.to_le_bytes())?;
        if self.order.as_ref().is_some_and(|order| order.len() >= SORTED) {
            self.order = None;
        }
        let entry = || Entry { reason: reason.to_owned(), name: natural(&name.to_lowercase()), at: self.end, bytes };
        self.order.iter_mut().for_each(|order| order.push(entry()));
        self.end += bytes;
        self.here += 1;
        Ok(())
    }

    /// Hands them over.
    pub(super) fn write(self, out: &mut impl Write) -> io::Result<()> {
        let mut rows = BufReader::new(self.file.into_inner().map_err(io::IntoInnerError::into_error)?);
        let mut nth = 0;
        let mut apart = |out: &mut dyn Write| {
            nth += 1;
            if nth > 1 && (nth - 1_u64).is_multiple_of(TOGETHER) { out.write_all(b"</ol><ol>") } else { Ok(()) }
        };
        if let Some(mut order) = self.order {
            order.sort_unstable();
            for entry in order {
                apart(out)?;
                rows.seek(SeekFrom::Start(entry.at))?;
                io::copy(&mut rows.by_ref().take(entry.bytes), out)?;
            }
            return Ok(());
        }
        let mut lengths = self.lengths.into_inner().map_err(io::IntoInnerError::into_error)?;
        lengths.rewind()?;
        rows.rewind()?;
        let mut lengths = BufReader::new(lengths);
        for _ in 0..self.here {
            let mut bytes = [0; 8];
            lengths.read_exact(&mut bytes)?;
            apart(out)?;
            io::copy(&mut rows.by_ref().take(u64::from_le_bytes(bytes)), out)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(rows: &[(&str, &str)]) -> String {
        let scratch = || tempfile::tempfile().unwrap();
        let mut put = Rows::within(scratch(), scratch());
        for (reason, name) in rows {
            put.put(reason, name, &format!("<{name}>")).unwrap();
        }
        let mut out = Vec::new();
        put.write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_stand_by_reason_and_name_and_sixty_together() {
        let rows = [("b", "Edsger"), ("a", "ada"), ("b", "alan"), ("a", "Zoe"), ("b", "Edsger")];
        assert_eq!(written(&rows), "<ada><Zoe><alan><Edsger><Edsger>");
        let many: Vec<_> = (0..121).map(|_| ("a", "x")).collect();
        let lists: Vec<_> = written(&many).split("</ol><ol>").map(|list| list.len() / 3).collect();
        assert_eq!(lists, [60, 60, 1]);
    }

    #[test]
    fn too_many_to_sort_stand_as_they_came() {
        let names: Vec<_> = (0..=SORTED).rev().map(|nth| nth.to_string()).collect();
        let rows: Vec<_> = names.iter().map(|name| ("a", name.as_str())).collect();
        let page = written(&rows).replace("</ol><ol>", "");
        assert_eq!(page, names.iter().map(|name| format!("<{name}>")).collect::<String>());
    }
}
