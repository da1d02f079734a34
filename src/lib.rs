//! avatarpipe takes people's photos from a company directory to the accounts of Atlassian Data Center products.
//!
//! The folders carry the words of the pipeline file (docs/architecture.md, "The house"): who has the file open finds
//! the code. Rooms are private; what is shown is what the binary, the tests and the fuzzer use.

#[cfg(feature = "bucket")]
mod bucket;
mod cli;
mod error;
mod exit;
mod explain;
mod extract;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod input;
mod load;
mod model;
mod nearest;
mod pipeline;
mod plan;
mod report;
mod run;
mod secret;
mod settings;
mod state;
mod table;
mod transform;

pub use cli::main;

/// What the tests beside the program are written with. Nothing else leans on it.
#[doc(hidden)]
pub mod inside {
    #[cfg(feature = "sandbox")]
    pub use crate::cli::{Keeper, simulated_keys};
    pub use crate::error::Trouble;
    pub use crate::exit::Exit;
    pub use crate::model::{
        Absence, AccountId, Before, Digest, Fingerprint, Luma, PersonId, PersonRef, PhotoMark, PictureRef, Placement,
        Provenance, Recipe, Remembered, RunId, SourceId, TargetId, Version,
    };
    pub use crate::pipeline::{Colour, Environment, Faults, Overlay, parse};
    pub use crate::plan::Rerender;
    pub use crate::report::{Listener, RunEvent, Screen, Uncut, human};
    pub use crate::run::{Asked, Mode, Options, Selection, Stop, execute};
    pub use crate::settings::Resize;
    pub use crate::state::{Holder, Lock, RunRow, Store};
    pub use crate::transform::{DecodeLimits, luma, render};
}
