//! Which Jira release is being played, and what the release alone decides.
//!
//! Owns: reading a version and the version table of docs/wire/atlassian.md (§1, §3.3, §12).
//! Leaves to others: everything that a site configures or that nobody could verify (`switches`).
//! A newcomer gets wrong: `user/search` stays capped at 100 in releases that also have `user/list`; the cap was kept
//! on purpose (JRASERVER-78520, 78660).

pub use crate::atlassian::version::Version;

/// The first patch of the 10.3 LTS line taken to have `user/list`; the page only says "recent".
const USER_LIST_IN_10_3: u32 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SearchReach {
    /// Only the first 1000 users exist for it (JRASERVER-65089).
    FirstThousand,
    /// Pages of at most 1000, to the end.
    Pages,
    /// `startAt + maxResults` stays inside the first 100.
    FirstHundred,
}

pub(crate) trait Release {
    /// `buildNumber` as the release numbers it: 9.12.5 is 912005.
    fn build_number(self) -> u32;

    /// Personal access tokens came with 8.14 (§2.1).
    fn has_tokens(self) -> bool;

    /// Basic and cookie logins are on out of the box below 11.0 (§1.3).
    fn has_password_logins(self) -> bool;

    /// `user/list` exists in 11.0 and in the recent 10.3 LTS (§3.3).
    fn has_user_list(self) -> bool;

    /// What `user/search` returns at most (§3.3).
    fn search_reach(self) -> SearchReach;

    /// Selecting answers with the bean in the current document, with nothing in old releases (§3.5 step 3).
    fn select_answers_bean(self) -> bool;
}

impl Release for Version {
    fn build_number(self) -> u32 {
        self.major * 100_000 + self.minor * 1_000 + self.patch
    }

    fn has_tokens(self) -> bool {
        self >= Version::new(8, 14, 0)
    }

    fn has_password_logins(self) -> bool {
        self < Version::new(11, 0, 0)
    }

    fn has_user_list(self) -> bool {
        self >= Version::new(11, 0, 0) || ((self.major, self.minor) == (10, 3) && self.patch >= USER_LIST_IN_10_3)
    }

    fn search_reach(self) -> SearchReach {
        if self < Version::new(8, 6, 0) {
            SearchReach::FirstThousand
        } else if self < Version::new(10, 0, 0) {
            SearchReach::Pages
        } else {
            SearchReach::FirstHundred
        }
    }

    fn select_answers_bean(self) -> bool {
        self >= Version::new(10, 0, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_table() {
        use SearchReach::*;
        // version, tokens, password logins, user/list, search, select answers a bean
        let table = [
            ("8.5.19", false, true, false, FirstThousand, false),
            ("8.14.0", true, true, false, Pages, false),
            ("8.20", true, true, false, Pages, false),
            ("9.12.5", true, true, false, Pages, false),
            ("10.0.1", true, true, false, FirstHundred, true),
            ("10.2.0", true, true, false, FirstHundred, true),
            ("10.3.0", true, true, false, FirstHundred, true),
            ("10.3.12", true, true, true, FirstHundred, true),
            ("11.0.0", true, false, true, FirstHundred, true),
        ];
        for (text, tokens, passwords, list, reach, bean) in table {
            let version: Version = text.parse().expect(text);
            let found = (
                version.has_tokens(),
                version.has_password_logins(),
                version.has_user_list(),
                version.search_reach(),
                version.select_answers_bean(),
            );
            assert_eq!(found, (tokens, passwords, list, reach, bean), "{text}");
        }
        assert_eq!("9.12.5".parse::<Version>().map(Release::build_number), Ok(912_005));
    }
}
