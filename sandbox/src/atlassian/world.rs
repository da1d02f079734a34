//! The parts of a world file that all Atlassian products have in common.
//!
//! Owns: what is written of every instance and of every account, and the defaults.
//! Leaves to others: what a product has besides (`world` of each product).
//! A newcomer gets wrong: these are macros and no types, since serde's `flatten` would let unknown keys pass.

/// Declares `Instance`, with what every instance has and what only this product's has.
macro_rules! instance {
    ($(#[$about:meta])* $id:literal, $title:literal { $($own:tt)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Instance {
            /// The simulator's name.
            #[serde(default = "id")]
            pub id: String,
            /// The release to play.
            pub version: $crate::atlassian::version::Version,
            /// Shown as the server's title; also seeds ids, so that two worlds have different ones.
            #[serde(default = "title")]
            pub title: String,
            /// The server's own id (manifest); unset: made from the title.
            #[serde(default)]
            pub server_id: Option<String>,
            /// The path under which it is served, such as `/jira`, or empty.
            #[serde(default)]
            pub base_path: String,
            /// What the server calls itself in links; unset: the host it was asked under.
            #[serde(default)]
            pub base_url: Option<String>,
            $($own)*
            /// Everybody.
            #[serde(default)]
            pub accounts: Vec<AccountWorld>,
        }

        impl Instance {
            pub(super) fn settings(&self) -> $crate::atlassian::site::Settings<'_> {
                $crate::atlassian::site::Settings {
                    id: &self.id,
                    version: self.version,
                    title: &self.title,
                    server_id: self.server_id.as_deref(),
                    base_path: &self.base_path,
                    base_url: self.base_url.as_deref(),
                }
            }
        }

        fn id() -> String {
            $id.to_owned()
        }

        fn title() -> String {
            $title.to_owned()
        }
    };
}
pub(crate) use instance;

/// Declares `AccountWorld`, with what every account has and what only this product's has.
macro_rules! account {
    ($($own:tt)*) => {
        /// One account.
        #[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct AccountWorld {
            /// Login name.
            pub name: String,
            /// Unset: the name.
            #[serde(default)]
            pub display_name: Option<String>,
            /// Unset: none.
            #[serde(default)]
            pub email: Option<String>,
            /// Whether it is in use.
            #[serde(default)]
            pub standing: Standing,
            /// What the account may do.
            #[serde(default)]
            pub role: $crate::atlassian::auth::Role,
            /// Unset: no password login.
            #[serde(default)]
            pub password: Option<String>,
            /// Personal access tokens.
            #[serde(default)]
            pub tokens: Vec<String>,
            /// Rate limiting blocks the account for good: `Retry-After: 9223372036854775807`
            /// (docs/wire/atlassian.md §2.4).
            #[serde(default)]
            pub blocked: bool,
            /// Group names.
            #[serde(default)]
            pub groups: Vec<String>,
            $($own)*
        }
    };
}
pub(crate) use account;
