//! Newtypes for everything that names something, so that an account id cannot stand where a person id belongs.
//!
//! Owns: the ids and the one comparison rule of match keys. Leaves to others: what the ids point at.
//! A newcomer gets wrong: ids are compared byte for byte; only match keys are folded ([`normalise_key`]).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text as it is.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    )+};
}

text_id! {
    /// The `id` of an element under `extract` in the pipeline file.
    SourceId;
    /// The `id` of an element under `load` in the pipeline file.
    TargetId;
    /// The immutable id of a person inside one source (Graph: the object id).
    PersonId;
    /// The immutable id of an account inside one target (Jira: the user key, never the name).
    AccountId;
    /// The provider's change marker of a photo (an etag). A hint, never an identity.
    Version;
    /// How a target tells one picture of an account from another: Jira an avatar id, Confluence a file name,
    /// Bitbucket the `v` of the avatar URL, a folder the file's digest.
    PictureRef;
    /// What a server says it is (`/rest/applinks/1.0/manifest`), else its base URL; of a folder a digest of its path.
    ServerId;
    /// One run: `2026-11-23T08-00-00Z-7f3a`.
    RunId;
    /// The resolved transform settings as one line of text, without the renderer's version (docs/architecture.md, "Words").
    Recipe;
}

/// Before the digest, in the mark of a file that is spoilt.
const SPOILT: &str = "spoilt:";

impl PictureRef {
    /// Of a file that stands in the place of a picture of ours and does not hold the recorded bytes
    /// (docs/write-protocols.md, "Folder").
    pub fn spoilt(there: &Digest) -> Self {
        Self(format!("{SPOILT}{there}"))
    }

    /// Whether it is such a mark.
    pub fn is_spoilt(&self) -> bool {
        self.0.starts_with(SPOILT)
    }
}

/// Before the owner and the picture's own mark, in the mark of a picture that an account shows and another account owns.
const OF_ANOTHER: &str = "of:";

impl PictureRef {
    /// Of a picture that the server says is another account's (docs/wire/atlassian.md §3.2).
    pub fn of_another(owner: &AccountId, mark: &Self) -> Self {
        Self(format!("{OF_ANOTHER}{owner}:{mark}"))
    }

    /// Whose it is, and its own mark, if the account that shows it does not own it.
    pub fn another(&self) -> Option<(AccountId, Self)> {
        let (owner, mark) = self.0.strip_prefix(OF_ANOTHER)?.rsplit_once(':')?;
        Some((AccountId::new(owner), Self::new(mark)))
    }
}

/// What the id of a folder begins with.
const FOLDER: &str = "folder:";

impl ServerId {
    /// Of a folder. Its path may come from a secret store, and is not to be read in the state.
    pub fn of_folder(path: &str) -> Self {
        Self(format!("{FOLDER}{}", Digest::of(path.as_bytes())))
    }

    /// As it is written today: earlier versions wrote the path of a folder in clear.
    pub fn without_path(self) -> Self {
        match self.0.strip_prefix(FOLDER) {
            Some(path) if path.parse::<Digest>().is_err() => Self::of_folder(path),
            _ => self,
        }
    }

    /// Whether it is the base URL, which stands in where a server does not show its own id.
    pub fn is_address(&self) -> bool {
        self.0.contains("://")
    }
}

/// A person of a source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PersonRef {
    /// The source that lists the person.
    pub source: SourceId,
    /// The id inside that source.
    pub id: PersonId,
}

impl fmt::Display for PersonRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.id)
    }
}

/// BLAKE3 of some bytes, written `b3:` and 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// From 32 raw bytes, as the state keeps them.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 raw bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hex digits without the prefix, for file names.
    pub fn hex(&self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b3:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What the state keys its digests with, so that nobody who can list names or addresses can try them: 32 random bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct StateKey([u8; 32]);

impl StateKey {
    /// From 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A keyed digest of these parts; `what` keeps digests of different things apart.
    pub fn digest(&self, what: &str, parts: &[&str]) -> Digest {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in std::iter::once(&what).chain(parts) {
            // The length first: `ab`, `c` is not `a`, `bc`.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        Digest(*hasher.finalize().as_bytes())
    }
}

impl fmt::Debug for StateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateKey")
    }
}

/// A keyed digest of the keys by which a person and an account were matched, in 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeysDigest(u64);

impl KeysDigest {
    /// Of the matched keys in their compared form, each with its word, in a fixed order.
    pub fn of(key: &StateKey, keys: &[&str]) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = key.digest("matched keys", keys).0;
        Self(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }

    /// Of the name of an account, by which a later one is known to be the same.
    pub fn of_name(key: &StateKey, name: &str) -> Self {
        Self::of(key, &["account name", name])
    }

    /// Of what an account says of its owner, by which somebody else is known who has the same name since.
    pub fn of_owner(key: &StateKey, email: Option<&str>, display_name: &str) -> Self {
        let [email, display_name] = [email.unwrap_or_default(), display_name].map(normalise_key);
        Self::of(key, &["account owner", &email, &display_name])
    }

    /// As the state keeps it.
    pub fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }

    /// For the state.
    pub fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

/// The text is not `b3:` and 64 hex digits.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a digest: write `b3:` and 64 hex digits")]
pub struct ParseDigestError(String);

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix("b3:")
            .and_then(|hex| blake3::Hash::from_hex(hex).ok())
            .map(|hash| Self(*hash.as_bytes()))
            .ok_or_else(|| ParseDigestError(text.to_owned()))
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The form in which match keys are compared: NFC, trimmed, case-folded (docs/architecture.md, "Matching").
///
/// Compatibility forms stay what they are: `ｃｅｏ` is not `ceo`. An empty result means that the key is not filled.
pub(crate) fn normalise_key(text: &str) -> String {
    if text.is_ascii() {
        // The same, for lists of millions.
        return text.trim().to_ascii_lowercase();
    }
    let mut key = String::with_capacity(text.len());
    // Signs of their own stand between pieces that are normalised each.
    let mut rest = text.trim();
    while let Some((at, sign)) = rest.char_indices().find(|(_, sign)| is_look_alike(*sign)) {
        fold_into(&mut key, &rest[..at]);
        key.push(sign);
        rest = &rest[at + sign.len_utf8()..];
    }
    fold_into(&mut key, rest);
    key
}

/// The form in which names are compared with the patterns of whoever is left alone: as match keys are, and a letter in a
/// compatibility form is the letter that it stands for, `ß` is `ss`, and a domain in punycode is what it stands for.
pub(crate) fn normalise_widely(text: &str) -> String {
    let text = unicode_domain(text);
    let plain = |sign: char| {
        let is_letter = !sign.is_ascii() && std::iter::once(sign).nfkc().all(char::is_alphanumeric);
        is_letter.then(|| std::iter::once(sign).nfkc()).into_iter().flatten().chain((!is_letter).then_some(sign))
    };
    normalise_key(&text.chars().flat_map(plain).collect::<String>()).replace('ß', "ss")
}

/// The same with the domain of an address in letters: `xn--mnchen-3ya.example` is `münchen.example`.
fn unicode_domain(text: &str) -> Cow<'_, str> {
    let is_puny = |label: &str| label.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("xn--"));
    let Some((local, domain)) = text.rsplit_once('@').filter(|(_, domain)| domain.split('.').any(is_puny)) else {
        return Cow::Borrowed(text);
    };
    let letters = |label: &str| match idna::domain_to_unicode(label.trim()) {
        (letters, Ok(())) if is_puny(label) => letters,
        _ => label.to_owned(),
    };
    Cow::Owned(format!("{local}@{}", domain.split('.').map(letters).collect::<Vec<_>>().join(".")))
}

fn fold_into(key: &mut String, piece: &str) {
    // NFC again: what is lower-cased may compose anew.
    key.extend(piece.nfc().flat_map(fold).nfc());
}

/// Lower case, sign by sign: both forms of the small sigma are one letter wherever they stand.
fn fold(letter: char) -> impl Iterator<Item = char> {
    let sigma = (letter == 'ς').then_some('σ');
    sigma.into_iter().chain(letter.to_lowercase().filter(move |_| sigma.is_none()))
}

/// A sign that NFC or folding would turn into an ordinary letter that it only looks like: KELVIN SIGN into `k`, OHM SIGN
/// into `ω`, the compatibility ideographs.
fn is_look_alike(sign: char) -> bool {
    if sign.is_ascii() {
        return false;
    }
    let one = |mut letters: unicode_normalization::Recompositions<std::iter::Once<char>>| {
        let first = letters.next();
        first.filter(|first| *first != sign && letters.next().is_none())
    };
    // U+03F4, GREEK CAPITAL THETA SYMBOL, is the one that only folding turns into another letter's small form.
    one(std::iter::once(sign).nfc()).is_some() || sign == 'ϴ'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_back_what_it_writes() {
        let digest = Digest::of(b"photo");
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        for wrong in ["", "b3:", "b3:00", &digest.hex(), &format!("B3:{}", digest.hex())] {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn match_keys_are_trimmed_normalised_and_folded() {
        for (left, right) in [
            (" Ada@Example.COM ", "ada@example.com"),
            ("\u{a0}ada\u{2003}", "ada"),
            ("Zoe\u{308}", "zo\u{eb}"),
            ("A\u{30a}SA", "\u{e5}sa"),
            ("STRASSE", "strasse"),
            ("ΝΙΚΟΣ", "νικος"),
            ("νικοσ", "νικος"),
            ("ＣＥＯ", "ｃｅｏ"),
            ("İ", "i\u{307}"),
            ("ẞ", "ß"),
        ] {
            assert_eq!(normalise_key(left), normalise_key(right), "{left} {right}");
        }
        for ascii in (0..=0x7f_u8).map(|byte| format!("a{}B", char::from(byte))) {
            let mut key = String::new();
            fold_into(&mut key, ascii.trim());
            assert_eq!(normalise_key(&ascii), key, "{ascii:?}");
        }
        assert_ne!(normalise_key("a+b@x"), normalise_key("a b@x"));
        assert_eq!(normalise_key("  "), "");
    }

    /// Whoever may choose an own name must not be able to write a colleague's in other signs.
    #[test]
    fn compatibility_forms_are_no_letters() {
        for (other, name) in [
            ("ｃｅｏ", "ceo"),
            ("\u{fb01}nn", "finn"),
            ("\u{212a}im", "kim"),
            ("\u{212b}sa", "\u{e5}sa"),
            ("\u{2126}", "ω"),
            ("ϴ", "θ"),
            ("ſam", "sam"),
            ("weiß", "weiss"),
            ("x²", "x2"),
            ("ªda", "ada"),
            ("𝐚da", "ada"),
            ("\u{f900}", "\u{8c48}"),
            ("a\u{200b}da", "ada"),
            ("a\u{ad}da", "ada"),
            ("\u{fe72}a", "\u{64d}a"),
            ("ĳs", "ijs"),
            ("аda", "ada"),
        ] {
            assert_ne!(normalise_key(other), normalise_key(name), "{other} {name}");
        }
    }

    /// Over all of Unicode: what is one letter here is one letter in another case, and folding again changes nothing.
    #[test]
    fn only_another_case_of_a_letter_is_the_same_letter() {
        let mut seen = std::collections::BTreeMap::new();
        for letter in (0..=0x10_ffff).filter_map(char::from_u32) {
            let key = normalise_key(letter.encode_utf8(&mut [0; 4]));
            assert_eq!(normalise_key(&key), key, "U+{:04X}", u32::from(letter));
            let form: String = std::iter::once(letter).nfkd().flat_map(char::to_lowercase).nfkd().collect();
            let plain: String = std::iter::once(letter).nfd().flat_map(char::to_lowercase).nfd().collect();
            // A letter with a compatibility form shares its key with no letter without.
            let special = form != plain || is_look_alike(letter);
            if key.is_empty() || letter == 'ς' {
                continue;
            }
            let first = *seen.entry(key).or_insert((letter, special));
            assert_eq!(first.1, special, "U+{:04X} and U+{:04X}", u32::from(first.0), u32::from(letter));
        }
    }
}
