//! `state`: where what was done is kept between runs.
//!
//! Owns: the key. Leaves to others: the file itself (`state`).
//! A newcomer gets wrong: the default is named after the pipeline, so renaming a pipeline begins a new state.

use std::path::PathBuf;

use super::declare::element;
use super::scalar::FilePath;

element! {
    /// Where what was done is kept between runs.
    State {
        /// The file. Left out: `state/NAME.db`, after the name of the pipeline.
        path: FilePath = Optional,
    }
}

impl State {
    pub(super) fn settle(&self, pipeline: Option<&str>) -> Option<PathBuf> {
        match self.path.optional()? {
            Some(path) => Some(path.0.clone()),
            None => pipeline.map(|name| PathBuf::from(format!("state/{name}.db"))),
        }
    }
}
