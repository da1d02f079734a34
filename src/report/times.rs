//! The times of a report as numbers.
//!
//! Owns: how long a run took. Leaves to others: when it was (`run`).
//! A newcomer gets wrong: a report holds the text of a time, to the second.

use std::time::UNIX_EPOCH;

use super::RunReport;

/// Seconds since 1970.
pub(super) fn unix(time: &str) -> Option<u64> {
    Some(humantime::parse_rfc3339(time).ok()?.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

/// From the start of a run to its end, in seconds.
pub(super) fn took(report: &RunReport) -> u64 {
    let (begin, end) = (unix(&report.started), unix(&report.finished));
    begin.zip(end).map_or(0, |(begin, end)| end.saturating_sub(begin))
}
