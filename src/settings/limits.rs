//! `limits`: the table of them, and what they are resolved to.
//!
//! Owns: of each limit the word, the default, the meaning, and the sentence that says that it is broken.
//! Leaves to others: reading them (`pipeline`), holding a plan against them (`plan`), counting (`run`).
//! A newcomer gets wrong: a row is all that a limit is, but for its count, which `run` holds in a list of its own.

use super::Placed;

/// Hands the table to another macro: of each limit its meaning, key, name, default, and what was counted with what that
/// may be a sign of.
macro_rules! limits {
    ($with:ident) => {
        $with! {
            /// Pictures that go back to the default, of the matched accounts of a target that show a picture of their own.
            reverts Reverts "{ count: 50, share: 5% }"
                => "pictures would go back to the default: did the provider lose photos?";
            /// Pictures that are replaced, of the matched accounts of a target.
            replacements Replacements "{ share: 100% }"
                => "pictures would be replaced.";
            /// Pictures that we did not set and that are overwritten or taken off, of the matched accounts of a target.
            foreign Foreign "{ share: 100% }"
                => "pictures that we did not set would be overwritten or taken off.";
            /// Accounts that belong to another person than last time.
            reassigned Reassigned "{ count: 5 }"
                => "accounts belong to another person than last time: did `match` or the names change?";
            /// People who get, in place of their own, a photo that stands on another person's account, of those at a target
            /// who get another photo.
            mixed_up MixedUp "{ count: 5 }"
                => "people would get a photo that was another person's last time: did the provider mix people up?";
            /// Pictures of ours that nobody matches any more though their person and their account are there, of the pictures
            /// of ours on record.
            unmatched Unmatched "{ share: 20% }"
                => "pictures of ours stand on accounts that nobody matches any more: did `match` or the names change?";
            /// People whose photo is not known, of those whose photo was known last time.
            unknown Unknown "{ share: 10% }"
                => "photos that were known last time could not be learnt: is the provider well?";
            /// People of a source fewer than in the last good run.
            source_shrink SourceShrink "{ share: 20% }"
                => "people are gone since the last good run: was the listing whole?";
            /// Members fewer than in the last good run, of the groups that `users` of a source names under `exclude`, `opted_out`
            /// and `freeze`.
            group_shrink GroupShrink "{ count: 5 }"
                => "members of groups of `exclude`, `opted_out` or `freeze` are gone since the last good run: may all of them still "
                    "be read?";
            /// Accounts of a target fewer than in the last good run.
            target_shrink TargetShrink "{ share: 20% }"
                => "accounts are gone since the last good run: was the listing whole?";
            /// Placements that vanished: a restored server.
            target_drift TargetDrift "{ share: 20% }"
                => "pictures of ours are not shown any more: was the server put back from a backup?";
            /// People of a source who are left alone because they share one photo (`transform.hash.same_picture`), of those
            /// who have one.
            same_picture SamePicture "{ share: 5% }"
                => "people are left alone, since each has the same photo as many others: a placeholder belongs under "
                    "`transform.hash.placeholders`.";
        }
    };
}

pub(crate) use limits;

macro_rules! resolved {
    ($($(#[doc = $doc:literal])+ $key:ident $name:ident $default:literal => $($counts:literal)+;)+) => {
        /// What stops a run before it writes (pipelines/README.md, "Limits, report, state").
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $key: Placed<Limit>,)+
            /// Shares count only where the whole is at least this.
            pub shares_from: u64,
        }

        impl Limits {
            /// What the file says of one.
            pub fn of(&self, name: LimitName) -> &Placed<Limit> {
                match name { $(LimitName::$name => &self.$key,)+ }
            }
        }

        /// The limits, by the words of the file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum LimitName {
            $($(#[doc = $doc])+ $name,)+
        }

        impl LimitName {
            /// Every limit.
            pub const ALL: [Self; [$(stringify!($name)),+].len()] = [$(Self::$name),+];

            /// The key in the file.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => stringify!($key),)+ }
            }

            /// What was counted, and what it may be a sign of.
            pub fn counts(self) -> &'static str {
                match self { $(Self::$name => concat!($($counts),+),)+ }
            }
        }
    };
}

limits!(resolved);

/// Whose a limit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountedOf {
    /// Of each source.
    Source,
    /// Of each target.
    Target,
}

impl LimitName {
    /// Whose it is.
    pub fn counted_of(self) -> CountedOf {
        match self {
            Self::Unknown | Self::SourceShrink | Self::GroupShrink | Self::SamePicture => CountedOf::Source,
            Self::Reverts
            | Self::Replacements
            | Self::Foreign
            | Self::Reassigned
            | Self::MixedUp
            | Self::Unmatched
            | Self::TargetShrink
            | Self::TargetDrift => CountedOf::Target,
        }
    }
}

impl LimitName {
    /// What the whole is made of, for one and for several.
    pub fn of_what(self) -> (&'static str, &'static str) {
        match self {
            Self::Reverts => ("matched account with a picture", "matched accounts with a picture"),
            Self::Replacements | Self::Foreign => ("matched account", "matched accounts"),
            Self::Reassigned | Self::Unmatched | Self::TargetDrift => {
                ("picture of ours on record", "pictures of ours on record")
            }
            Self::MixedUp => ("person with another photo", "people with another photo"),
            Self::Unknown => ("photo known last time", "photos known last time"),
            Self::SourceShrink => ("person of the last good run", "people of the last good run"),
            Self::GroupShrink => ("member in the last good run", "members in the last good run"),
            Self::TargetShrink => ("account of the last good run", "accounts of the last good run"),
            Self::SamePicture => ("person with a photo", "people with a photo"),
        }
    }
}

impl std::fmt::Display for LimitName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// One limit: a count, a share, or both; either breaks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The most that may happen.
    pub count: Option<u64>,
    /// The most that may happen, of the whole.
    pub share: Option<Share>,
}

/// A share of a whole, from 0 % to 100 % in hundredths of a per cent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u16);

impl Share {
    /// Everything.
    pub const WHOLE: Self = Self(10_000);

    /// From hundredths of a per cent; `None` above 100 %.
    pub fn from_hundredths(hundredths: u16) -> Option<Self> {
        (hundredths <= Self::WHOLE.0).then_some(Self(hundredths))
    }

    /// In hundredths of a per cent.
    pub fn hundredths(self) -> u16 {
        self.0
    }

    /// This share of a whole, rounded down.
    pub fn of(self, whole: u64) -> u64 {
        u64::try_from(u128::from(whole) * u128::from(self.0) / 10_000).unwrap_or(whole)
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match (rest, rest % 10) {
            (0, _) => write!(f, "{whole}%"),
            (_, 0) => write!(f, "{whole}.{}%", rest / 10),
            _ => write!(f, "{whole}.{rest:02}%"),
        }
    }
}
