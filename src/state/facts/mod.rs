//! The scratch facts, `state/NAME.cache/facts.db`: people, accounts, matches, photos and decisions of one plan or run.
//!
//! Owns: keeping what would otherwise grow with the number of people out of memory (promise P9), page by page.
//! Leaves to others: what the facts mean (`plan`), what must outlive the run (`store`).
//! A newcomer gets wrong: this file holds names and mail addresses and the durable one does not; losing it costs nothing.

mod about;
mod accounts;
mod asked;
mod carried;
mod counted;
mod decisions;
mod lazy_index;
mod left_behind;
mod looks;
mod matches;
mod open;
mod people;
mod person_keys;
mod photos;
mod results;
mod row;
mod selected;
mod stopped;
mod wrote;

pub(crate) use about::{AboutAccount, AboutSource};
pub(crate) use asked::Reading;
pub(crate) use decisions::{DecisionFilter, DecisionKinds};
pub(crate) use looks::Again;
pub(crate) use matches::MatchRow;
pub(crate) use open::Facts;
pub(crate) use results::{Reported, ResultCount, Shifted, ToConfirm, Written};
pub(crate) use row::DecisionCursor;
pub(crate) use selected::Reviewed;

#[cfg(test)]
mod tests;
