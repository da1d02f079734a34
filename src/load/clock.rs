//! The time for what is written down of a write.

use std::time::SystemTime;

/// Unix seconds.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
