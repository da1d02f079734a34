//! A folder as a source: `people.csv` and pictures beside it. An HR share, or a way to try things without a provider.
//!
//! Owns: finding a person's picture and reading it. Leaves to others: how a table is read (`table`).
//! A newcomer gets wrong: a row without a picture says that there is none; a row that names a missing one says nothing
//! (promise P2).

mod names;
mod people;
mod source;
mod values;

pub(crate) use people::{TABLE, table_faults};
pub(crate) use source::Folder;

#[cfg(test)]
mod tests;
