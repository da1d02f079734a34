//! Where people and photos come from: one folder a source behind one small trait.
//!
//! Owns: the trait and the translation of every wire type into `model`.
//! Leaves to others: pace and sign-in (`http`), which people matter and in what order (`run`).
//! A newcomer gets wrong: a failure of one person is an answer ([`PhotoResult::Unknown`]); a `Failure` is of the whole source.

mod batch;
mod doubt;
pub(crate) mod entra;
pub(crate) mod folder;
pub(crate) mod google;
mod rules;
mod source;
mod unmet;
mod wire;

pub(crate) use rules::{Belongs, UserFacts};
pub(crate) use source::{Batch, DENIED, GONE, Listing, ODD_RECORD, PERSONAL, PhotoResult, Source, VersionResult};
pub(crate) use unmet::Unmet;
