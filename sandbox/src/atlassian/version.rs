//! The release of a product that is played.
//!
//! Owns: reading, printing and ordering releases.
//! Leaves to others: what a release can do (`version` of each product).
//! A newcomer gets wrong: `10.0` is `10.0.0`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A release, ordered as releases are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
    /// Third number.
    pub patch: u32,
}

impl Version {
    /// A release by its three numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Version {
        Version { major, minor, patch }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Version, String> {
        let wrong = || format!("version \"{text}\": expected two or three numbers, such as \"9.12.5\"");
        let numbers = text.split('.').map(str::parse).collect::<Result<Vec<u32>, _>>().map_err(|_| wrong())?;
        match numbers[..] {
            [major, minor] => Ok(Version::new(major, minor, 0)),
            [major, minor, patch] => Ok(Version::new(major, minor, patch)),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Version, String> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_or_three_numbers_are_a_version() {
        assert_eq!("10.0".parse(), Ok(Version::new(10, 0, 0)));
        assert_eq!("9.12.5".parse::<Version>().map(|version| version.to_string()), Ok("9.12.5".to_owned()));
        for text in ["", "9", "9.x", "9.12.5.1"] {
            assert!(text.parse::<Version>().is_err(), "{text:?}");
        }
    }
}
