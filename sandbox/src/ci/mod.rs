//! The CI platform: the issuer of the tokens that jobs sign in with, as GitHub Actions and Azure Pipelines hand them out
//! (docs/wire/google-directory.md §1.5, docs/wire/microsoft-graph.md §1.3).

mod platform;
mod simulator;

pub(crate) use platform::{Issuer, Platform};
