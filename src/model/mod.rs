//! The words of the product as types: people, accounts, photos, pictures, placements, changes, intents.
//!
//! Owns: ids, the three answers about a photo, what an account shows, what is recorded and what is to be done.
//! Leaves to others: where any of it comes from (`extract`, `load`), how it is kept (`state`), what follows from it (`plan`).
//! A newcomer gets wrong: a [`Version`] is a provider's hint and never an identity; only a [`Digest`] of the original
//! bytes says that two photos are the same (docs/architecture.md, "Words").

mod account;
mod change;
mod fingerprint;
mod ids;
mod intent;
mod names;
mod person;
mod photo;
mod picture;
mod reason;
mod signed_in;
mod task;
mod time;

pub use account::{Account, AccountKey, AccountStanding, Shown};
pub use change::{ChangeKind, Decision, Verdict};
pub use fingerprint::Fingerprint;
pub use ids::{
    AccountId, Digest, KeysDigest, Mark, ParseDigestError, PersonId, PersonRef, Recipe, RunId, ServerId, SourceId,
    StateKey, TargetId, Version, normalise_key,
};
pub use intent::{Event, IllegalEvent, Intent, IntentId, IntentKind, Luma, OpenIntent, Seen, Status};
pub use names::{without_addresses, without_name};
pub use person::{Person, PersonKey, PhotoHint, Standing};
pub use photo::{Absence, Fault, PhotoFact, PhotoMark, Remembered};
pub use picture::{Before, Picture, Placement, Provenance};
pub use reason::{Place, Reason};
pub use signed_in::SignedIn;
pub use task::{Act, ActKind, Decided, Looked, PersonResult, Planned, Task, Wanted, Went};
pub use time::rfc3339;
