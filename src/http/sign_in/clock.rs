//! The times that signed claims and tokens carry.
//!
//! Owns: seconds since 1970, the server's clock where ours is wrong, and how long a token is good for. Leaves to others:
//! what is signed.
//! A newcomer gets wrong: a claim made in the future is refused, one made half a minute ago never is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::http::Response;

/// Claims are dated back by this much (docs/wire/google-directory.md §1.3).
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
pub(super) fn of_server(response: &Response) -> Option<SystemTime> {
    response.server_time()
}

/// What both vendors say or promise where an answer does not.
const LIFE: Duration = Duration::from_secs(3600);

/// The `expires_in` of an answer: a number, or a number as text, which Google's own client takes and Azure's machines send.
pub(super) fn life(expires_in: &Value) -> Duration {
    let seconds = expires_in.as_f64().or_else(|| expires_in.as_str()?.trim().parse().ok());
    seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(LIFE)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_life_of_a_token_is_a_number_in_any_form() {
        for (wire, seconds) in [
            (json!(3599), 3599),
            (json!("3599"), 3599),
            (json!(3599.0), 3599),
            (json!(null), 3600),
            (json!("soon"), 3600),
            (json!("inf"), 3600),
            (json!(-5), 3600),
        ] {
            assert_eq!(life(&wire).as_secs(), seconds, "{wire}");
        }
    }
}
