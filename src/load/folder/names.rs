//! Names of files: safe on every file system, and never one for two people.
//!
//! Owns: the safe form of a name, and what is one. Leaves to others: what stands under it (`files.rs`).
//! A newcomer gets wrong: the safe form is the account's id, and what state and index hold of it is input: only what is a
//! safe form names a file.

use std::fmt::Write as _;

use crate::model::Digest;

/// Most file systems take 255 bytes; this leaves room for endings.
const LONGEST: usize = 180;
/// Hex digits of the digest behind `~`.
const DIGITS: usize = 16;

/// A file name for a person's name. Two different names never get the same one: whatever is not plainly safe is written
/// as `%` and hex digits.
pub(super) fn safe_name(name: &str) -> String {
    let mut safe = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        match byte {
            b'.' if at > 0 => safe.push('.'),
            byte if is_plain(byte) => safe.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => drop(write!(safe, "%{byte:02x}")),
        }
    }
    if safe.len() > LONGEST || is_reserved(&safe) {
        let digest = Digest::of(name.as_bytes()).hex();
        let head: String = safe.chars().take(LONGEST / 2).collect();
        // `~` is in no other name.
        return format!("{head}~{}", digest.split_at(DIGITS).0);
    }
    safe
}

/// The name behind a safe form; `None` if it is no safe form. A shortened one stands for itself.
pub(super) fn name_of(safe: &str) -> Option<String> {
    if let Some((head, digest)) = safe.split_once('~') {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let inside = |byte: u8| is_plain(byte) || matches!(byte, b'.' | b'%');
        let fits = head.len() <= LONGEST / 2 && !head.starts_with('.') && head.bytes().all(inside);
        return (fits && digest.len() == DIGITS && digest.bytes().all(hex)).then(|| safe.to_owned());
    }
    let name = decoded(safe)?;
    (safe_name(&name) == safe).then_some(name)
}

fn decoded(safe: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(safe.len());
    let mut rest = safe.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        if *first == b'%' {
            let (digits, more) = (more.get(..2)?, more.get(2..)?);
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = more;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'+')
}

/// Names that Windows gives to devices, with any ending.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    let numbered =
        |device: &str| stem.strip_prefix(device).is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()));
    matches!(stem, "" | "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn plain_names_stay_readable() {
        let table = [
            ("ada", "ada"),
            ("ada.lovelace+x", "ada.lovelace+x"),
            (".hidden", "%2ehidden"),
            ("a/b\\c", "a%2fb%5cc"),
            ("zoë", "zo%c3%ab"),
            ("o'brien", "o%27brien"),
            ("r&d", "r%26d"),
            ("100%25", "100%2525"),
            ("A", "%41"),
        ];
        for (name, expected) in table {
            assert_eq!(safe_name(name), expected, "{name}");
            assert_eq!(name_of(expected).as_deref(), Some(name));
        }
    }

    #[test]
    fn names_are_safe_and_never_the_same() {
        let long = ["x".repeat(400), "x".repeat(401)];
        let odd = ["../../etc/passwd", "con", "com1.x", "nul", "", "a.", "a\0b", "~", &long[0], &long[1]];
        let safe: HashSet<String> = odd.iter().map(|name| safe_name(name)).collect();
        assert_eq!(safe.len(), odd.len());
        for name in &safe {
            assert!(!name.contains(['/', '\\', '\0']) && !name.starts_with('.') && name.len() < 200, "{name}");
            assert!(!matches!(name.as_str(), "con" | "nul" | "" | "com1.x"), "{name}");
            assert!(name_of(name).is_some(), "{name}");
        }
    }

    #[test]
    fn what_is_no_safe_form_names_nothing() {
        for text in [
            "",
            "..",
            ".",
            "../x",
            "a/b",
            "a\\b",
            ".x",
            "A",
            "a b",
            "a%2",
            "a%zz",
            "%61",
            "a%2F",
            "con",
            "zo\u{eb}",
            "a~b",
            "../~0123456789abcdef",
            "a~0123456789abcdeF",
            "%ff",
        ] {
            assert_eq!(name_of(text), None, "{text:?}");
        }
    }
}
