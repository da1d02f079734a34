//! The page: every account of every product with the picture it showed at the beginning and the one it shows now.
//!
//! Owns: what is asked for, the pictures that the page names by digest, and the truth as JSON.
//! Leaves to others: the truth itself (`truth`, each simulator).
//! A newcomer gets wrong: what is wrong with a run is told on top of the page, in the words of whoever saw it.

mod html;
pub(super) mod picture_cache;
mod query;
mod routes;

pub(super) use routes::{picture, show, truth_as_json};
