//! avatarpipe takes people's photos from a company directory to the accounts of Atlassian Data Center products.
//!
//! The folders carry the words of the pipeline file (docs/architecture.md, "The house"): who has the file open finds
//! the code.

pub mod cli;
pub mod error;
pub mod exit;
pub mod extract;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod http;
pub mod input;
pub mod load;
pub mod model;
pub mod outlet;
pub mod pipeline;
pub mod plan;
pub mod report;
pub mod run;
pub mod state;
pub mod table;
pub mod transform;
