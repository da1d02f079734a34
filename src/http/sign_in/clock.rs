//! The time that signed claims carry.
//!
//! Owns: seconds since 1970, and the server's clock where ours is wrong. Leaves to others: what is signed.
//! A newcomer gets wrong: a claim made in the future is refused, one made half a minute ago never is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::http::Answer;

/// Claims are dated back by this much (`reference/google-directory.md` §1.3).
const BACK: Duration = Duration::from_secs(30);

/// Seconds since 1970 as `iat` wants them.
pub(super) fn issued_at(now: SystemTime) -> u64 {
    seconds(now.checked_sub(BACK).unwrap_or(UNIX_EPOCH))
}

/// Seconds since 1970.
pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// What the server's clock said when it answered.
pub(super) fn of_server(answer: &Answer) -> Option<SystemTime> {
    answer.server_time()
}
