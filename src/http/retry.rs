//! When a read is repeated, and how long to wait before.
//!
//! Owns: which answers are worth a repetition, `Retry-After` in all the forms seen, and the back-off.
//! Leaves to others: sleeping (`rate_limit.rs`), sending (`client.rs`).
//! A newcomer gets wrong: refused calls count too at most vendors, so the wait is the longer of what the server asked
//! for and what the back-off says, never the shorter.

use std::time::{Duration, SystemTime};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// A server that asks for this long or longer does not want us at all: Jira answers 9223372036854775807 to an account
/// that an administrator has blocked (docs/wire/atlassian.md §2.4).
pub(crate) const BLOCKED: Duration = Duration::from_secs(3600);

const TRIES: usize = 1 + Pauses::FURTHER as usize;
/// The pause before the first repetition, unless the `http` entry says another.
pub(super) const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// The pauses of one call, in order. It ends when the tries are used up.
#[derive(Debug)]
pub(crate) struct Pauses(ExponentialBackoff);

/// What came of asking for another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// Wait so long, then try again.
    Wait(Duration),
    /// The tries are used up.
    Enough,
    /// The server asked for a time that no run can wait.
    Blocked,
}

impl Pauses {
    /// Six tries with five pauses between; the first is this long, each further one twice as long.
    pub(crate) fn beginning_with(first: Duration) -> Self {
        let builder = ExponentialBuilder::default()
            .with_min_delay(first)
            .with_factor(2.0)
            .with_max_delay(LONGEST)
            .with_max_times(TRIES - 1)
            .with_jitter();
        Self(builder.build())
    }

    /// Tries after the first.
    pub(super) const FURTHER: u32 = 5;

    /// How long all of them may take.
    pub(super) fn longest(first: Duration) -> Duration {
        let pauses =
            (0..Self::FURTHER).scan(first, |pause, _| Some(std::mem::replace(pause, (*pause * 2).min(LONGEST))));
        // A pause is drawn from once to twice its length.
        pauses.map(|pause| (pause * 2).min(LONGEST)).sum()
    }

    /// The pause before the next try; `asked` is the server's own wish.
    pub(crate) fn next(&mut self, asked: Option<Duration>) -> Pause {
        if asked.is_some_and(|asked| asked >= BLOCKED) {
            return Pause::Blocked;
        }
        match self.0.next() {
            Some(own) => Pause::Wait(own.min(LONGEST).max(asked.unwrap_or_default())),
            None => Pause::Enough,
        }
    }
}

/// Whether an answer with this status is worth asking again for.
pub(crate) fn is_transient(status: u16) -> bool {
    matches!(status, 429 | 500 | 502 | 503 | 504 | 509)
}

/// Whether an answer with this status says to slow down. 509 is Graph's bandwidth cap, "as 429".
pub(crate) fn is_throttled(status: u16) -> bool {
    matches!(status, 429 | 509)
}

/// The `Retry-After` of an answer, at most [`BLOCKED`].
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    parse_retry_after(text, server_time(headers).unwrap_or_else(SystemTime::now))
}

/// What the server's clock said when it answered.
pub(super) fn server_time(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()
}

/// Seconds, fractions rounded up (Graph sends `0.249` inside batches), or an HTTP date seen from `now`.
pub(crate) fn parse_retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    let wait = match text.parse::<f64>() {
        Ok(seconds) if seconds >= 0.0 => Duration::from_secs(seconds.ceil() as u64),
        Ok(_) => return None,
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(BLOCKED))
}

/// How long to let the server rest though it has answered well: its rate headers say that nothing is left.
pub(super) fn breather(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    // Jira and Confluence, docs/wire/atlassian.md §2.4.
    if number("x-ratelimit-remaining") == Some(0.0) {
        // On a good answer `Retry-After` is information, not an order: one that no run can wait is not heeded, or each
        // request would cost the longest rest and the run would never end.
        let until_next = retry_after(headers).filter(|wait| !wait.is_zero() && *wait < BLOCKED);
        let interval =
            number("x-ratelimit-interval-seconds").filter(|s| *s >= 0.0).map(|s| s.min(LONGEST.as_secs_f64()));
        return Some(until_next.unwrap_or_else(|| interval.map_or(FIRST, Duration::from_secs_f64)).min(LONGEST));
    }
    // Graph sends it above 0.8 only, docs/wire/microsoft-graph.md §5.
    number("x-ms-throttle-limit-percentage").filter(|share| *share >= 0.8).map(|_| FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn calls_that_fail_together_do_not_come_back_together() {
        let pauses = || {
            let mut pauses = Pauses::beginning_with(FIRST);
            std::array::from_fn::<_, { TRIES - 1 }, _>(|_| pauses.next(None))
        };
        assert_ne!(pauses(), pauses());
    }

    #[test]
    fn retry_after_is_read_in_every_form_seen() {
        let secs = |n| Some(Duration::from_secs(n));
        for (text, wait) in [
            ("7", secs(7)),
            (" 7 ", secs(7)),
            ("0", secs(0)),
            ("0.249", secs(1)),
            ("2.0", secs(2)),
            ("3599", secs(3599)),
            ("3601", Some(BLOCKED)),
            ("9223372036854775807", Some(BLOCKED)),
            ("inf", Some(BLOCKED)),
            ("1e300", Some(BLOCKED)),
            ("-5", None),
            ("nan", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(&headers(&[("retry-after", text)])), wait, "`{text}`");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn a_date_is_seen_from_the_servers_own_clock() {
        for (at, wait) in [("Mon, 23 Nov 2026 08:00:30 GMT", 30), ("Mon, 23 Nov 2026 07:00:00 GMT", 0)] {
            let headers = headers(&[("retry-after", at), ("date", "Mon, 23 Nov 2026 08:00:00 GMT")]);
            assert_eq!(retry_after(&headers), Some(Duration::from_secs(wait)), "{at}");
        }
    }

    #[test]
    fn pauses_double_and_end_and_never_undercut_the_server() {
        let mut pauses = Pauses::beginning_with(FIRST);
        for base in [1, 2, 4, 8, 16] {
            let Pause::Wait(wait) = pauses.next(None) else { panic!("a pause of about {base} s") };
            assert!(wait >= Duration::from_secs(base) && wait <= Duration::from_secs(2 * base), "{base}: {wait:?}");
        }
        assert_eq!(pauses.next(None), Pause::Enough);
        let asked = Duration::from_secs(90);
        assert_eq!(Pauses::beginning_with(FIRST).next(Some(asked)), Pause::Wait(asked));
        assert_eq!(Pauses::beginning_with(FIRST).next(Some(BLOCKED)), Pause::Blocked);
    }

    #[test]
    fn no_pauses_take_longer_than_is_told() {
        assert_eq!(Pauses::longest(FIRST), Duration::from_secs(62));
        for first in [Duration::from_millis(10), FIRST, Duration::from_secs(20)] {
            let mut pauses = Pauses::beginning_with(first);
            let waits = std::iter::from_fn(|| match pauses.next(None) {
                Pause::Wait(wait) => Some(wait),
                _ => None,
            });
            assert!(waits.sum::<Duration>() <= Pauses::longest(first), "{first:?}");
        }
    }

    #[test]
    fn a_shorter_first_pause_shortens_all_and_the_server_is_heeded_just_the_same() {
        let mut pauses = Pauses::beginning_with(Duration::from_millis(10));
        for base in [10, 20, 40, 80, 160] {
            let Pause::Wait(wait) = pauses.next(None) else { panic!("a pause of about {base} ms") };
            assert!(wait < Duration::from_millis(2 * base + 1), "{base}: {wait:?}");
        }
        assert_eq!(pauses.next(None), Pause::Enough);
        let asked = Duration::from_secs(7);
        assert_eq!(Pauses::beginning_with(Duration::from_millis(10)).next(Some(asked)), Pause::Wait(asked));
    }

    #[test]
    fn rate_headers_ask_for_a_breather_only_at_the_edge() {
        for (pairs, wait) in [
            (vec![("x-ratelimit-remaining", "41"), ("retry-after", "0")], None),
            (vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-interval-seconds", "2")], Some(2)),
            (vec![("x-ratelimit-remaining", "0")], Some(1)),
            (vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-interval-seconds", "nan")], Some(1)),
            (vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-interval-seconds", "1e99")], Some(60)),
            (vec![("x-ratelimit-remaining", "0"), ("retry-after", "3")], Some(3)),
            (vec![("x-ratelimit-remaining", "0"), ("retry-after", "90")], Some(60)),
            (vec![("x-ratelimit-remaining", "0"), ("retry-after", "9223372036854775807")], Some(1)),
            (
                vec![
                    ("x-ratelimit-remaining", "0"),
                    ("retry-after", "9223372036854775807"),
                    ("x-ratelimit-interval-seconds", "2"),
                ],
                Some(2),
            ),
            (vec![("x-ms-throttle-limit-percentage", "0.79")], None),
            (vec![("x-ms-throttle-limit-percentage", "1.3")], Some(1)),
        ] {
            assert_eq!(breather(&headers(&pairs)), wait.map(Duration::from_secs), "{pairs:?}");
        }
    }
}
