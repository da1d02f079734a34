//! The words of the product as types: people, accounts, photos, pictures, placements, changes, intents.
//!
//! Owns: ids, the three answers about a photo, what an account shows, what is recorded and what is to be done.
//! Leaves to others: where any of it comes from (`extract`, `load`), how it is kept (`state`), what follows from it (`plan`).
//! A newcomer gets wrong: a [`Version`] is a provider's hint and never an identity; only a [`Digest`] of the original
//! bytes says that two photos are the same (docs/architecture.md, "Words").

mod account;
mod change;
mod counted;
mod fingerprint;
mod ids;
mod intent;
mod luma;
mod matched;
mod names;
mod person;
mod photo;
mod picture;
mod reason;
mod rendition;
mod signed_in;
mod task;
mod time;

pub(crate) use account::{Account, AccountKey, AccountStanding, Shown};
pub(crate) use change::{Change, Decision};
pub(crate) use counted::counted;
pub use fingerprint::Fingerprint;
pub use ids::{AccountId, Digest, PersonId, PersonRef, PictureRef, Recipe, RunId, SourceId, TargetId, Version};
pub(crate) use ids::{KeysDigest, ServerId, StateKey, normalise_key, normalise_widely};
pub(crate) use intent::{Event, IllegalEvent, Intent, IntentId, IntentKind, OpenIntent, Seen, Status};
pub use luma::Luma;
pub(crate) use matched::Matched;
pub(crate) use names::{without_addresses, without_name};
pub(crate) use person::{Person, PersonKey, PhotoHint, Standing};
pub use photo::{Absence, PhotoMark, Remembered};
pub(crate) use photo::{Fault, PhotoFact};
pub(crate) use picture::Picture;
pub use picture::{Before, Placement, Provenance};
pub(crate) use reason::{Place, Reason};
pub(crate) use rendition::{MediaType, Rendition};
pub(crate) use signed_in::SignedIn;
pub(crate) use task::{
    Comparison, Decided, Earlier, Left, PersonResult, Planned, Step, Task, TaskResult, Wanted, Wrote,
};
pub(crate) use time::rfc3339;
