//! What a Confluence release alone decides.
//!
//! Owns: the version table of docs/wire/atlassian.md (§2.1, §4, §12).
//! Leaves to others: everything that a site configures or that nobody could verify (`switches`).
//! A newcomer gets wrong: `default.png` became `default.svg`; a client that writes the wrong one leaves a broken picture.

pub(super) use crate::atlassian::version::Version;

pub(super) trait Release {
    /// `buildNumber`: 9.2.0 is 9200.
    fn build_number(self) -> u32;
    /// Personal access tokens came with 7.9 (§2.1).
    fn has_tokens(self) -> bool;
    /// Basic logins are on out of the box below 10.0 (§12).
    fn has_password_logins(self) -> bool;
    /// `/rest/api/user/list` came with 8.4 (§4.1).
    fn has_user_list(self) -> bool;
    /// `/rest/api/admin/users/list/active` came with 9.3 (§4.1).
    fn has_active_list(self) -> bool;
    /// `/rest/api/group/account?groupName=` is in 10.2 (§13).
    fn has_group_member(self) -> bool;
    /// `/rest/api/server-information` is "newer" (§4.1); taken to be there from 9.0.
    fn has_server_information(self) -> bool;
    /// The file name of the default picture (§4.1: "old" has the PNG; taken to mean before 8).
    fn default_picture(self) -> &'static str;
}

impl Release for Version {
    fn build_number(self) -> u32 {
        self.major * 1000 + self.minor * 100 + self.patch
    }

    fn has_tokens(self) -> bool {
        self >= Version::new(7, 9, 0)
    }

    fn has_password_logins(self) -> bool {
        self < Version::new(10, 0, 0)
    }

    fn has_user_list(self) -> bool {
        self >= Version::new(8, 4, 0)
    }

    fn has_active_list(self) -> bool {
        self >= Version::new(9, 3, 0)
    }

    fn has_group_member(self) -> bool {
        self >= Version::new(10, 2, 0)
    }

    fn has_server_information(self) -> bool {
        self >= Version::new(9, 0, 0)
    }

    fn default_picture(self) -> &'static str {
        if self < Version::new(8, 0, 0) { "default.png" } else { "default.svg" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_table() {
        // version, tokens, password logins, user/list, active list, server-information, group/member, default
        let table = [
            ("7.8.0", false, true, false, false, false, false, "default.png"),
            ("7.19.0", true, true, false, false, false, false, "default.png"),
            ("8.3.9", true, true, false, false, false, false, "default.svg"),
            ("8.5.0", true, true, true, false, false, false, "default.svg"),
            ("9.2.0", true, true, true, false, true, false, "default.svg"),
            ("9.3.0", true, true, true, true, true, false, "default.svg"),
            ("10.0.0", true, false, true, true, true, false, "default.svg"),
            ("10.2.14", true, false, true, true, true, true, "default.svg"),
            ("11.0.0", true, false, true, true, true, true, "default.svg"),
        ];
        for (text, tokens, passwords, list, active, information, group, default) in table {
            let version: Version = text.parse().expect(text);
            let found = (
                version.has_tokens(),
                version.has_password_logins(),
                version.has_user_list(),
                version.has_active_list(),
                version.has_server_information(),
                version.has_group_member(),
                version.default_picture(),
            );
            assert_eq!(found, (tokens, passwords, list, active, information, group, default), "{text}");
        }
    }
}
