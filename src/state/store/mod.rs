//! The durable store, `state/NAME.db`: what must outlive a run (docs/architecture.md, "The state").
//!
//! Owns: placements, photo marks, intents, runs and what each told. Reads answer at once, writes by an `Ack`.
//! Leaves to others: people and accounts as last seen (`facts`).
//! A newcomer gets wrong: nothing here names a person; whoever wants a name looks it up in the facts by id.

mod backup;
mod choices;
mod forgetting;
mod history;
mod identity;
mod journal;
mod lines;
mod open;
mod overview;
mod past;
mod photos;
mod placements;
mod runs;
mod space;
mod targets;
mod words;

pub(crate) use backup::back_up;
pub(crate) use forgetting::{Forgotten, PeopleAndAccounts};
pub(crate) use lines::{Holds, RecordedLine};
#[cfg(feature = "bucket")]
pub(crate) use open::Copied;
pub use open::Store;
pub(crate) use overview::schema_version;
pub use runs::RunRow;
pub(crate) use runs::{Counted, RunEnd, RunRecord, StateList};

#[cfg(test)]
pub(in crate::state) mod tests;
