//! Which listing a Jira has, by its version (docs/wire/atlassian.md §3.3).
//!
//! Owns: the version table. Leaves to others: the calls themselves (`survey.rs`).
//! A newcomer gets wrong: early and recent 10.3 are told apart only by trying.

use std::fmt;

use super::wire::ServerInfo;

/// `9.12` of `9.12.5`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct JiraVersion {
    pub major: u32,
    pub minor: u32,
    patch: u32,
    text: String,
}

impl JiraVersion {
    /// From `versionNumbers`, else from the text.
    pub(super) fn of(info: &ServerInfo) -> Option<Self> {
        let mut numbers = info.version_numbers.iter().copied();
        let mut parts = info.version.split(['.', '-']).map_while(|part| part.parse().ok());
        let major = numbers.next().or_else(|| parts.next())?;
        let mut next = || if info.version_numbers.is_empty() { parts.next() } else { numbers.next() };
        let (minor, patch) = (next().unwrap_or(0), next().unwrap_or(0));
        Some(Self { major, minor, patch, text: info.version.clone() })
    }

    /// The listing that the version promises.
    pub(super) fn way(&self) -> ListingWay {
        match (self.major, self.minor) {
            (11.., _) => ListingWay::Cursor,
            (10, 3..) => ListingWay::CursorIfThere,
            (10, _) => ListingWay::Members,
            _ => ListingWay::Search,
        }
    }

    /// Up to 8.20.3 nothing past the 1000th account is listed, or past the 100th (JRASERVER-65089, JSWSERVER-21156).
    pub(super) fn cuts(&self) -> bool {
        (self.major, self.minor, self.patch) <= (8, 20, 3)
    }
}

impl fmt::Display for JiraVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How all accounts are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListingWay {
    /// `user/list` with a cursor.
    Cursor,
    /// The same, or 404 on an early 10.3: then [`ListingWay::Members`].
    CursorIfThere,
    /// `user/search` shows 100 accounts in all (JRASERVER-78520): the members of the groups that the file names.
    Members,
    /// `user/search` by pages of 1000.
    Search,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str, numbers: &[u32]) -> Option<JiraVersion> {
        JiraVersion::of(&ServerInfo {
            base_url: None,
            version: text.into(),
            version_numbers: numbers.to_vec(),
            deployment_type: None,
        })
    }

    #[test]
    fn the_version_decides_the_listing() {
        let table = [
            ("7.13.0", ListingWay::Search, true),
            ("8.5.19", ListingWay::Search, true),
            ("8.6.0", ListingWay::Search, true),
            ("8.20", ListingWay::Search, true),
            ("8.20.3", ListingWay::Search, true),
            ("8.20.4", ListingWay::Search, false),
            ("8.22.6", ListingWay::Search, false),
            ("9.12.5", ListingWay::Search, false),
            ("10.0.0", ListingWay::Members, false),
            ("10.2.1", ListingWay::Members, false),
            ("10.3.0", ListingWay::CursorIfThere, false),
            ("10.7.2", ListingWay::CursorIfThere, false),
            ("11.0.0", ListingWay::Cursor, false),
            ("12.1.0-rc1", ListingWay::Cursor, false),
        ];
        for (text, way, cut) in table {
            let version = version(text, &[]).unwrap();
            assert_eq!((version.way(), version.cuts()), (way, cut), "{text}");
        }
    }

    #[test]
    fn the_numbers_go_before_the_text() {
        let found = version("9.12.5-SNAPSHOT", &[9, 12, 5]).unwrap();
        assert_eq!((found.major, found.minor, found.to_string().as_str()), (9, 12, "9.12.5-SNAPSHOT"));
        assert_eq!(version("11", &[11]).unwrap().minor, 0);
        assert_eq!(version("next", &[]), None);
    }
}
