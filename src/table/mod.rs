//! A table as people keep it: CSV as RFC 4180 has it, read strictly, row by row.
//!
//! Owns: rows and cells with their lines, and every doubt about where a cell ends.
//! Leaves to others: what a column means (`extract::folder`, `pipeline::matching`).
//! A newcomer gets wrong: a reader that is lenient about quotes guesses. One quote too few moves a cell into another row,
//! and with it a face to another person (promise P1); so whatever RFC 4180 does not allow ends the reading with its line.

mod header;
mod reader;

pub(crate) use header::header;
pub(crate) use reader::{Cell, Row, RowFault, TableReader, odd_sign};

#[cfg(test)]
mod tests;
