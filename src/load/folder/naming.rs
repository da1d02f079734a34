//! How a person's file is named: `names` and `match` of the pipeline file.
//!
//! Owns: the names that a person has there, and what each is filed under. Leaves to others: the safe form of a name
//! (`names.rs`).
//! A newcomer gets wrong: several names are no choice. They make the person ambiguous, which is for matching to say.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::http::Failure;
#[cfg(not(feature = "bucket"))]
use crate::http::FailureKind;
use crate::model::{Person, PersonKey};
use crate::settings::{FolderNames, Matching};

use super::names::safe_name;

/// How a person's file is named.
#[derive(Clone, Debug)]
pub(super) enum Naming {
    /// After the first of these keys that the person has.
    Keys(Vec<PersonKey>),
    /// After the name that a list has for one of the person's keys.
    Map {
        /// The key.
        person: PersonKey,
        /// Its values, in their compared form, and the name of each.
        names: BTreeMap<String, String>,
    },
    /// After a digest of the main e-mail address, as avatar servers do.
    Email(EmailDigest),
}

/// The digests that avatar servers are asked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EmailDigest {
    Sha256,
    #[cfg(feature = "bucket")]
    Md5,
}

impl Naming {
    /// A map says who an account is, and here who has which file.
    pub(super) fn of(matching: &Matching, names: FolderNames) -> Result<Self, Failure> {
        Ok(match (names, matching) {
            (FolderNames::EmailSha256, _) => Self::Email(EmailDigest::Sha256),
            #[cfg(feature = "bucket")]
            (FolderNames::EmailMd5, _) => Self::Email(EmailDigest::Md5),
            #[cfg(not(feature = "bucket"))]
            (FolderNames::EmailMd5, _) => {
                let found = "this program was built without MD5: build it with `--features bucket`";
                return Err(Failure::new(FailureKind::Misconfigured, "using `names: email_md5`", found));
            }
            (FolderNames::Match, Matching::Pairs(pairs)) => Self::Keys(pairs.iter().map(|pair| pair.person).collect()),
            (FolderNames::Match, Matching::Map(map)) => Self::Map {
                person: map.person,
                names: map.people.iter().map(|(account, row)| (row.person.clone(), account.clone())).collect(),
            },
        })
    }

    pub(super) fn names(&self, person: &Person) -> Vec<String> {
        match self {
            Self::Keys(keys) => {
                keys.iter().find_map(|key| person.values(*key).next()).map(str::to_owned).into_iter().collect()
            }
            Self::Map { person: key, names } => {
                person.values(*key).filter_map(|value| names.get(value)).cloned().collect()
            }
            Self::Email(_) => person.values(PersonKey::Email).next().map(str::to_owned).into_iter().collect(),
        }
    }

    /// Whether files are named by what leads back to no name.
    pub(super) fn is_digest(&self) -> bool {
        matches!(self, Self::Email(_))
    }

    /// What a name is filed under, which is the account's id.
    pub(super) fn file(&self, name: &str) -> String {
        match self {
            Self::Keys(_) | Self::Map { .. } => safe_name(name),
            Self::Email(digest) => digest.of(name),
        }
    }
}

impl EmailDigest {
    /// Of an address in small letters, as Libravatar and Gravatar take it.
    fn of(self, address: &str) -> String {
        let address = address.to_lowercase();
        match self {
            Self::Sha256 => hex(&Sha256::digest(address.as_bytes())),
            #[cfg(feature = "bucket")]
            Self::Md5 => md5_of(address.as_bytes()),
        }
    }

    /// Whether this may be such a digest: what the state and a store say is input.
    #[cfg(feature = "bucket")]
    pub(super) fn is_one(self, name: &str) -> bool {
        let digits = match self {
            Self::Sha256 => 64,
            Self::Md5 => 32,
        };
        name.len() == digits && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }
}

/// In hex digits, as an `ETag` has it where it is one.
#[cfg(feature = "bucket")]
pub(super) fn md5_of(bytes: &[u8]) -> String {
    hex(&md5::Md5::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(all(test, feature = "bucket"))]
mod tests {
    use super::*;
    use crate::model::Standing;

    /// <https://docs.gravatar.com/rest/hash/> has the first, <https://wiki.libravatar.org/api/> the second.
    #[test]
    fn a_digest_is_that_of_avatar_servers() {
        for (digest, address, name) in [
            (
                EmailDigest::Sha256,
                " MyEmailAddress@example.com ",
                "84059b07d4be67b806386c0aad8070a23f18836bbaae342275dc0a83414c32ee",
            ),
            (EmailDigest::Md5, "George@example.com", "40f8d096a3777232204cb3f796c577b7"),
        ] {
            let mut person = Person::new("b1".into(), "Ada", Standing::InScope);
            assert!(Naming::Email(digest).names(&person).is_empty());
            person.add_main_email(address);
            person.add_key(PersonKey::Email, "other@example.com");
            let names = Naming::Email(digest).names(&person);
            let file = Naming::Email(digest).file(&names[0]);
            assert_eq!((names.len(), file.as_str()), (1, name));
            assert!(digest.is_one(&file) && !digest.is_one(&file.to_uppercase()) && !digest.is_one(&file[1..]));
        }
    }
}
