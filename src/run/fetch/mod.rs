//! Learning what photo each wanted person has, with the fewest requests that keep the promises
//! (docs/architecture.md, "Fetch").
//!
//! Owns: the batches, and the second question for a photo that is gone.
//! Leaves to others: the wire (`extract`), rendering (`renderer`), what follows (`plan`).
//! A newcomer gets wrong: a first run asks for bytes at once, a later one for markers first; both are the floor of
//! docs/wire/microsoft-graph.md §8.

mod answers;
mod calls;
mod counts;
mod question;
mod round;

pub(super) use round::{PhotosOf, fetch_again, fetch_all};
