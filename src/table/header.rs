//! The first line of a table: which columns there are, and what spreadsheets write in its place.
//!
//! Owns: finding the header, and what is wrong with a line that is none. Leaves to others: what each column means.
//! A newcomer gets wrong: a table without a header is no table whose columns could be guessed; and another separator than the
//! comma is refused, since addresses stand in one field with `;` between them.

use std::io::BufRead;

use super::reader::{Row, RowFault, SEPARATORS, TableReader, separated_by};

/// The header of a table that may have these columns.
pub(crate) fn header<R: BufRead>(rows: &mut TableReader<R>, columns: &[&str]) -> Result<Row, RowFault> {
    let mut first = rows.row()?;
    if first.as_ref().is_some_and(says_comma) {
        first = rows.row()?;
    }
    let Some(header) = first else {
        return Err(RowFault::new(1, format!("the header is missing: write `{}`", columns.join(","))));
    };
    match other_separator(&header, columns) {
        Some(fault) => Err(fault),
        None if header.cells.iter().any(|cell| is_column(columns)(&cell.text)) => Ok(header),
        None => {
            let found = format!(
                "no column of the table is named here: write the header as the first line, with names out of `{}`",
                columns.join(",")
            );
            Err(RowFault::new(header.line, found))
        }
    }
}

/// `sep=,`: a line for Excel that says what is so anyway.
fn says_comma(row: &Row) -> bool {
    let texts: Vec<_> = row.cells.iter().map(|cell| cell.text.to_lowercase()).collect();
    row.line == 1 && (texts == ["sep=", ""] || texts == ["sep=,"])
}

/// What is wrong with a first line that holds no column of its own, if another separator is what is wrong.
fn other_separator(header: &Row, columns: &[&str]) -> Option<RowFault> {
    let [only] = header.cells.as_slice() else { return None };
    if let Some(said) = only.text.to_lowercase().strip_prefix("sep=") {
        let found = match said.chars().next() {
            Some(separator) => separated_by(separator),
            None => "`sep=` is a line for Excel: delete it, and write the header as the first line".to_owned(),
        };
        return Some(RowFault::new(header.line, found));
    }
    let names =
        |separator: &char| only.text.contains(*separator) && only.text.split(*separator).any(is_column(columns));
    SEPARATORS.into_iter().find(names).map(|separator| RowFault::new(header.line, separated_by(separator)))
}

fn is_column<'a>(columns: &'a [&str]) -> impl Fn(&str) -> bool + 'a {
    move |name| columns.contains(&name.trim().trim_matches('"').to_lowercase().as_str())
}
