//! The scopes of Google's APIs (docs/wire/google-directory.md §1.4).

/// What every scope of a Google API begins with.
pub(super) const PREFIX: &str = "https://www.googleapis.com/auth/";

/// The scopes that exist, as far as a directory job could ask for them.
const SCOPES: [&str; 17] = [
    "admin.directory.user",
    "admin.directory.user.readonly",
    "admin.directory.user.alias.readonly",
    "admin.directory.group",
    "admin.directory.group.readonly",
    "admin.directory.group.member",
    "admin.directory.group.member.readonly",
    "admin.directory.orgunit.readonly",
    "admin.directory.domain.readonly",
    "admin.directory.customer.readonly",
    "cloud-platform",
    "directory.readonly",
    "contacts.readonly",
    "userinfo.email",
    "userinfo.profile",
    "drive.readonly",
    "iam",
];

pub(super) fn exists(scope: &str) -> bool {
    ["openid", "email", "profile"].contains(&scope) || scope.strip_prefix(PREFIX).is_some_and(|s| SCOPES.contains(&s))
}
