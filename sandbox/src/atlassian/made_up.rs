//! Ids and numbers that are made from a world's words, and the same in every run.

use std::time::SystemTime;

/// A number that is the same for the same words and differs between worlds.
pub(crate) fn number_from(seed: &str, what: &str) -> u64 {
    let digest = blake3::hash(format!("{seed}/{what}").as_bytes());
    digest.as_bytes().iter().take(7).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

pub(crate) fn milliseconds(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A server's own id in the form that all products use, the same for the same title.
pub(crate) fn made_up_id(title: &str) -> String {
    let part = |nth: u64| format!("{:04X}", number_from(title, &nth.to_string()) & 0xFFFF);
    format!("B{}-{}-{}-{}", &part(0)[1..], part(1), part(2), part(3))
}
