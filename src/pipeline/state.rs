//! `state`: where what was done is kept between runs.
//!
//! Owns: the keys. Leaves to others: the file itself (`state`).
//! A newcomer gets wrong: the default is named after the pipeline, so renaming a pipeline begins a new state.

use std::path::PathBuf;
use std::time::Duration;

use super::declare::element;
use super::scalar::{FilePath, Time};

element! {
    /// Where what was done is kept between runs.
    State {
        /// The file. Left out: `state/NAME.db`, after the name of the pipeline.
        path: FilePath = Optional,
        /// How long a run stays on record, such as `90d`; older ones go at the end of each run. Left out: for good.
        keep_runs: Time = Optional,
    }
}

impl State {
    /// The outer `None`: it cannot be read.
    pub(super) fn keep_runs(&self) -> Option<Option<Duration>> {
        Some(self.keep_runs.optional()?.map(|time| time.0))
    }

    pub(super) fn settle(&self, pipeline: Option<&str>) -> Option<PathBuf> {
        match self.path.optional()? {
            Some(path) => Some(path.0.clone()),
            None => pipeline.map(|name| PathBuf::from(format!("state/{name}.db"))),
        }
    }
}
