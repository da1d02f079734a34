//! The version of a Confluence.
//!
//! Owns: reading it, and what a release has. Leaves to others: where it stands (`survey.rs`, `remote_api.rs`).
//! A newcomer gets wrong: milestones and candidates are no semantic versions; only two numbers of it are read.

use std::fmt;

/// `8.5` of `8.5.4`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConfluenceVersion {
    major: u32,
    minor: u32,
    text: String,
}

impl ConfluenceVersion {
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(['.', '-']).map_while(|part| part.parse().ok());
        Some(Self { major: parts.next()?, minor: parts.next().unwrap_or(0), text: text.to_owned() })
    }

    /// `user/list` came with 8.4 (CONFSERVER-87292).
    pub(super) fn has_list(&self) -> bool {
        (self.major, self.minor) >= (8, 4)
    }
}

impl fmt::Display for ConfluenceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_says_whether_everybody_can_be_listed() {
        for (text, has) in [
            ("7.19.4", false),
            ("8.3.1", false),
            ("8.4.0", true),
            ("8.5", true),
            ("10.0.0-rc1", true),
            ("11.0.0", true),
        ] {
            assert_eq!(ConfluenceVersion::read(text).unwrap().has_list(), has, "{text}");
        }
        assert_eq!(ConfluenceVersion::read("next"), None);
    }
}
