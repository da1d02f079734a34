//! A slug as one segment of a URL.
//!
//! Owns: which slugs may stand in a URL, and how each is spelled there.
//! Leaves to others: whom a slug leads to now (`client.rs`).
//! A newcomer gets wrong: a URL library drops a segment `..` and a tab without a word, and a proxy decodes `%2F` before
//! it reads the path: the call would go to somebody else, or to ourselves.

use url::form_urlencoded::byte_serialize;

/// A slug that is one segment of a path, whoever reads the path on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slug(String);

impl Slug {
    /// Reads what a listing calls a slug. The error says what is wrong with it.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        // Bitbucket replaces all of these in a slug, so a server that sends one is odd, or lies.
        let odd = |c: char| matches!(c, '/' | '\\' | '%') || c.is_control();
        if matches!(text, "" | "." | "..") || text.contains(odd) {
            return Err("its slug cannot stand in a URL");
        }
        Ok(Self(byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")))
    }

    /// As it stands in a path.
    pub(super) fn segment(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_one_segment_or_none() {
        for (text, segment) in [
            ("ada", Some("ada")),
            ("ada.l_x-1", Some("ada.l_x-1")),
            ("zoë", Some("zo%C3%AB")),
            ("a+b c", Some("a%2Bb%20c")),
            ("a;b", Some("a%3Bb")),
            ("a?b#c&d=e", Some("a%3Fb%23c%26d%3De")),
            ("...", Some("...")),
            ("", None),
            (".", None),
            ("..", None),
            ("a/b", None),
            ("../a", None),
            ("a\\b", None),
            ("%2e%2e", None),
            ("a%2Fb", None),
            (".\t.", None),
            ("a\nb", None),
        ] {
            assert_eq!(Slug::read(text).ok().as_ref().map(Slug::segment), segment, "{text:?}");
        }
    }
}
