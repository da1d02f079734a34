//! The times of a report as numbers, and in words.
//!
//! Owns: how long a run took. Leaves to others: when it was (`run`).
//! A newcomer gets wrong: a report holds the text of a time, to the second.

use std::time::{Duration, UNIX_EPOCH};

use super::RunReport;

/// Seconds since 1970.
pub(super) fn unix(time: &str) -> Option<u64> {
    Some(humantime::parse_rfc3339(time).ok()?.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

/// From the start of a run to its end.
pub(super) fn took(report: &RunReport) -> Option<Duration> {
    let [from, to] = [&report.started, &report.finished].map(|time| humantime::parse_rfc3339(time).ok());
    to?.duration_since(from?).ok()
}

/// `4 h 50 min`, `3 min`, `9 s`.
pub(super) fn words(time: Duration) -> String {
    let seconds = time.as_secs().max(1);
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes @ 1..10, seconds @ 1..) => format!("{minutes} min {seconds} s"),
        (0, minutes, _) => format!("{minutes} min"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_as_people_do() {
        for (seconds, told) in [
            (0, "1 s"),
            (59, "59 s"),
            (60, "1 min"),
            (82, "1 min 22 s"),
            (3599, "59 min"),
            (3600, "1 h"),
            (17_400, "4 h 50 min"),
        ] {
            assert_eq!(words(Duration::from_secs(seconds)), told);
        }
    }
}
