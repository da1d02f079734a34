//! Who has the lease on a state in a bucket, as `status` tells it.
//!
//! Owns: the words, and the fields of its JSON. Leaves to others: asking the store (`run`).
//! A newcomer gets wrong: `since` is what the holder's own clock said; how much is left the store's says alone.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A lease that was not given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeaseLine {
    /// The run, or the command.
    pub(crate) run: String,
    /// The machine.
    pub(crate) host: String,
    /// The process on it.
    pub(crate) process: u32,
    /// When it took the lease.
    pub(crate) since: String,
    /// Who began it and in which job, if that is known.
    pub(crate) started_by: Option<String>,
    /// Until it runs out; zero or less: since it ran out. `None`: the store does not tell the time.
    pub(crate) seconds_left: Option<i64>,
}

impl LeaseLine {
    /// Whether it holds; `None`: nobody knows.
    pub(crate) fn holds(&self) -> Option<bool> {
        self.seconds_left.map(|left| left > 0)
    }

    pub(crate) fn sentence(&self) -> String {
        let Self { run, host, process, since, started_by, seconds_left } = self;
        let by = started_by.as_ref().map_or(String::new(), |who| format!(", begun by {who}"));
        let words = |seconds: i64| humantime::format_duration(Duration::from_secs(seconds.unsigned_abs())).to_string();
        let left = match seconds_left {
            Some(left) if *left > 0 => format!("for {} yet unless it is renewed", words(*left)),
            Some(ago) => format!(
                "not given back; it ran out {} ago by the store's clock, and the next run takes it over",
                words(*ago)
            ),
            None => "and the store does not tell the time".to_owned(),
        };
        format!("lease: run {run} (process {process} on {host}, since {since}{by}), {left}")
    }
}
