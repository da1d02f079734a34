//! A time as reports write it.
//!
//! Owns: that any number of seconds has words: clocks are decades off, and a state file may hold anything.
//! Leaves to others: asking a clock (`run`).
//! A newcomer gets wrong: the library ends with the year 9999 and before 1970, by a panic.

use std::time::{Duration, UNIX_EPOCH};

/// The last second of the year 9999.
const LAST: u64 = 253_402_300_799;

/// Unix seconds as `2026-11-23T08:00:00Z`; what is beyond the year 9999 is its last second.
pub(crate) fn rfc3339(unix: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(unix.min(LAST))).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_seconds_has_words() {
        for (unix, words) in [
            (0, "1970-01-01T00:00:00Z"),
            (4_102_444_800, "2100-01-01T00:00:00Z"),
            (LAST, "9999-12-31T23:59:59Z"),
            (LAST + 1, "9999-12-31T23:59:59Z"),
            (u64::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(unix), words);
        }
    }
}
