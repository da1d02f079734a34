//! The page: a line for everybody, with what each product showed at the beginning and shows now, live while it is open.
//!
//! Owns: what is asked for, the pictures that the page names by digest, and the truth as JSON.
//! Leaves to others: the truth itself (`truth`, each simulator), what it shares with the contact sheet (`pages/`).
//! A newcomer gets wrong: what is wrong with a run is told on top of the page, in the words of whoever saw it.

mod follower;
mod head;
pub(super) mod picture_cache;
mod reasons;
mod routes;
mod row;
mod rows;
pub(super) mod told;
mod whole;

pub(super) use routes::{changes, picture, script, show, style, truth_as_json};
