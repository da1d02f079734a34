//! The pipeline file: as written, with places; it ends in `settings`.
//!
//! Owns: every option's type, default, meaning and schema; the faults of a file, all at once; `${…}`.
//! Leaves to others: what a setting does; reading files and variables ([`Environment`] is an argument).
//! A newcomer gets wrong: `${…}` is resolved in the scalars of the parsed file, never in its text, and `check` works
//! without any variable being set.

mod bucket;
mod bucket_credential;
mod certificate;
mod credential;
mod declare;
mod document;
mod elements;
mod environment;
mod fallback;
mod fault;
mod file;
mod forms;
mod http;
mod interpolate;
mod kinds;
mod limits;
mod lists;
mod matching;
mod not_yaml;
mod notify;
mod overlay;
mod rate;
mod read;
mod report;
mod scalar;
mod secret;
mod settle;
mod source;
mod state;
mod target;
mod test_file;
mod token_from;
mod transform;
mod tree;
mod web;

pub(crate) use document::{LocalFile, LocalUse};
pub use environment::Environment;
pub use fault::{Colour, Faults};
pub use file::parse;
pub(crate) use file::{Document, Element, Warning, schema};
pub(crate) use matching::map_faults;
pub use overlay::Overlay;
pub(crate) use overlay::{ElementKeys, KeptKeys, KeyTexts};
pub(crate) use test_file::{TestAccount, TestFile, TestPerson, TestPhoto, TestShown, parse_test, test_schema};

#[cfg(test)]
mod tests;
