//! What the providers behind HTTP have in common.
//!
//! Owns: an id as a segment of a path, and a short stand-in for long texts. Leaves to others: every wire format.
//! A newcomer gets wrong: ids come from outside; none may leave its segment.

use crate::model::Digest;

/// An id as one segment of a path.
pub(super) fn segment(id: &str) -> String {
    id.bytes().fold(String::with_capacity(id.len()), |mut path, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
        path
    })
}

/// 16 bytes that stand for a text, for large sets.
pub(super) fn short(text: &str) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&Digest::of(text.as_bytes()).as_bytes()[..16]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_in_its_segment() {
        for (id, path) in [("105", "105"), ("a@b.example", "a%40b.example"), ("../x?y", "..%2Fx%3Fy"), ("é", "%C3%A9")]
        {
            assert_eq!(segment(id), path);
        }
    }
}
