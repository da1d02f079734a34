//! Single values: words, numbers, times, shares, paths.
//!
//! Owns: how each is written, with its unit, and the words of the fault when it is not.
//! Leaves to others: addresses and secrets (`web`); which key takes which.
//! A newcomer gets wrong: a message never quotes a value that came through `${…}` or that is a secret (promise P7).

use std::borrow::Cow;
use std::path::{Component, PathBuf};
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::fault::{FileFault, cover};
use super::forms::{by_form, has_query};
use super::read::{At, Reader, Setting, hint};
use super::secret::has_password;
use super::settle::{Settle, settled_as_written};
use super::tree::{Id, Kind};
use crate::model::Digest;
use crate::nearest::nearest;
use crate::settings::{Rgb, Share};

/// A scalar whose value is known.
pub(super) struct ScalarText {
    pub(super) text: String,
    /// Written without quotes, or taken from outside, where there are none.
    bare: bool,
    /// How a message may call it.
    pub(super) shown: String,
}

impl Reader<'_> {
    /// The value of a scalar; anything else is a fault. `None` also if it is not known before the run.
    pub(super) fn scalar(&mut self, id: Id, expected: &str) -> Option<ScalarText> {
        let Kind::Scalar(scalar) = &self.tree.node(id).kind else {
            self.expected(id, expected);
            return None;
        };
        if scalar.is_null() {
            self.expected(id, expected);
            return None;
        }
        let text = scalar.text.value()?.to_owned();
        let outside = scalar.text.parts().is_some();
        let shown = match outside {
            true => {
                let raw = scalar.text.raw();
                format!("the value of `{}`", cover(raw, &by_form(raw)).escape_debug())
            }
            false if has_password(scalar.text.raw()) || has_query(scalar.text.raw()) => "this".to_owned(),
            false => format!("`{}`", shortened(scalar.text.raw())),
        };
        Some(ScalarText { text, bare: scalar.plain || outside, shown })
    }

    /// A scalar that is turned into something else; the function says what would be right.
    pub(super) fn parsed<T>(&mut self, id: Id, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.parsed_or(id, expected, parse, |_| None)
    }

    /// The same, with what was probably meant by a text that is none.
    fn parsed_or<T>(
        &mut self,
        id: Id,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
        meant: impl Fn(&str) -> Option<String>,
    ) -> Option<T> {
        let value = self.scalar(id, expected)?;
        let parsed = parse(&value.text);
        if parsed.is_none() {
            let fault = FileFault::new(self.spot(id), format!("{} is not {expected}", value.shown));
            self.fault(match meant(&value.text).or_else(|| variable(&value.text)) {
                Some(help) => fault.help(help),
                None => fault,
            });
        }
        parsed
    }

    /// As [`Self::parsed`], for what has no quotes.
    fn bare<T>(&mut self, id: Id, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = self.scalar(id, expected)?;
        match parse(&value.text) {
            Some(parsed) if value.bare => Some(parsed),
            Some(_) => {
                let fault = FileFault::new(self.spot(id), format!("expected {expected}, found text"));
                self.fault(fault.help("leave the quotes out"));
                None
            }
            None => {
                let fault = FileFault::new(self.spot(id), format!("{} is not {expected}", value.shown));
                self.fault(fault);
                None
            }
        }
    }

    /// One of some words.
    pub(super) fn word(&mut self, id: Id, known: &[&str]) -> Option<String> {
        self.word_of(id, known, "a value of this key")
    }

    /// As [`Self::word`]; `what` is what each of the words is.
    pub(super) fn word_of(&mut self, id: Id, known: &[&str], what: &str) -> Option<String> {
        self.one_of_words(id, known, what, &[])
    }

    /// As [`Self::word`], where something that is no word could stand as well.
    pub(super) fn word_or(&mut self, id: Id, known: &[&str], other: &str) -> Option<String> {
        self.one_of_words(id, known, "a value of this key", &[other])
    }

    fn one_of_words(&mut self, id: Id, known: &[&str], what: &str, others: &[&str]) -> Option<String> {
        let value = self.scalar(id, "a word")?;
        if known.contains(&value.text.as_str()) {
            return Some(value.text);
        }
        let near = nearest(&value.text, known.iter().copied());
        let help = hint(near, &[known, others].concat());
        let fault = FileFault::new(self.spot(id), format!("{} is not {what}", value.shown)).help(help);
        self.fault(fault);
        None
    }

    /// Whether the value of a scalar comes through `${…}`.
    pub(super) fn is_from_outside(&self, id: Id) -> bool {
        matches!(&self.tree.node(id).kind, Kind::Scalar(scalar) if scalar.text.parts().is_some())
    }

    /// The text as it stands in the file, if the node is a scalar.
    pub(super) fn raw(&self, id: Id) -> Option<&str> {
        match &self.tree.node(id).kind {
            Kind::Scalar(scalar) => Some(scalar.text.raw()),
            Kind::List(_) | Kind::Map(_) => None,
        }
    }
}

/// A variable as a shell, Windows or a template has it.
fn variable(text: &str) -> Option<String> {
    let inside = |open: &str, close: &str| text.strip_prefix(open)?.strip_suffix(close);
    let name = inside("{{", "}}").or_else(|| inside("%", "%")).or_else(|| text.strip_prefix('$'))?.trim();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then(|| format!("a variable is written `${{{name}}}`"))
}

fn shortened(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{}{more}", short.escape_debug())
}

/// A scalar's schema: what may be written, or `${…}` in its place.
macro_rules! scalar_schema {
    ($name:ty, $title:literal, $schema:tt) => {
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                $title.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}

pub(super) use scalar_schema;

/// Any text but the empty one.
#[derive(Clone, Debug)]
pub(super) struct Word(pub(super) String);

impl Setting for Word {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let text = reader.scalar(id, "a text")?;
        if text.text.trim().is_empty() {
            let fault = FileFault::new(reader.spot(id), format!("{} is empty", text.shown));
            reader.fault(fault);
            return None;
        }
        Some(Self(text.text))
    }
}

settled_as_written!(Word => String);

scalar_schema!(Word, "Text", { "type": "string", "minLength": 1 });

/// An id or a domain, which becomes part of a path.
#[derive(Clone, Debug)]
pub(super) struct DirectoryId(pub(super) String);

impl Setting for DirectoryId {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let inside = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        let is_one = |text: &str| text.chars().all(inside) && text.starts_with(|c: char| c.is_ascii_alphanumeric());
        reader.parsed(id, "an id or a domain", |text| is_one(text).then(|| Self(text.to_owned())))
    }
}

scalar_schema!(DirectoryId, "DirectoryId", { "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9.-]*$|\\$\\{" });

/// A name that other places of the file, the state and the command line use; never from outside of the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name(pub(super) String);

impl Setting for Name {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        if reader.raw(id).is_some_and(|raw| raw.contains("${")) {
            let fault = FileFault::new(reader.spot(id), "a name cannot come from outside of the file");
            reader.fault(fault.help("write the name out; reports and the state know the element by it"));
            return None;
        }
        reader.parsed(id, Self::EXPECTED, |text| Self::is_one(text).then(|| Self(text.to_owned())))
    }
}

impl Name {
    /// How names are written.
    pub(super) const EXPECTED: &'static str = "a name of letters, digits, `-` and `_`, at most 64 of them";

    /// The state file is named so: nothing that means something in a path.
    pub(super) fn is_one(text: &str) -> bool {
        let inside = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (1..=64).contains(&text.len())
            && text.chars().all(inside)
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
    }
}

scalar_schema!(Name, "Name", { "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$" });

/// `true` or `false`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag(pub(super) bool);

impl Setting for Flag {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let parse = |text: &str| match text {
            "true" => Some(Self(true)),
            "false" => Some(Self(false)),
            _ => None,
        };
        reader.bare(id, "`true` or `false`", parse)
    }
}

settled_as_written!(Flag => bool);

scalar_schema!(Flag, "Flag", { "anyOf": [{ "type": "boolean" }, { "type": "string", "pattern": "\\$\\{" }] });

/// A whole number from 0 on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count(pub(super) u64);

impl Setting for Count {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        reader.bare(id, "a whole number", |text| digits(text).map(Self))
    }
}

settled_as_written!(Count => u64);

scalar_schema!(Count, "Count", { "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string", "pattern": "\\$\\{" }] });

/// A whole number between two others, both included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Within<const FROM: u32, const TO: u32>(pub(super) u32);

impl<const FROM: u32, const TO: u32> Setting for Within<FROM, TO> {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let parse = |text: &str| {
            let number = u32::try_from(digits(text)?).ok()?;
            (FROM..=TO).contains(&number).then_some(Self(number))
        };
        reader.bare(id, &format!("a whole number from {FROM} to {TO}"), parse)
    }
}

impl<const FROM: u32, const TO: u32> Settle<u32> for Within<FROM, TO> {
    fn settle(at: &At<Self>, _: &mut Reader<'_>) -> Option<u32> {
        at.get().map(|number| number.0)
    }
}

impl<const FROM: u32, const TO: u32> JsonSchema for Within<FROM, TO> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("From{FROM}To{TO}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": FROM, "maximum": TO },
            { "type": "string", "pattern": "\\$\\{" },
        ] })
    }
}

/// The version of the file's format.
#[derive(Clone, Copy, Debug)]
pub(super) struct FormatVersion;

impl Setting for FormatVersion {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        reader.bare(id, "a version that is known here: write `1`", |text| (text == "1").then_some(Self))
    }
}

scalar_schema!(FormatVersion, "FormatVersion", { "const": 1 });

/// Digits only: `+5`, `5.0` and `5_000` are written by nobody who means them. The parser of integers would take `+5`.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A length of time with its unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time(pub(super) Duration);

impl Setting for Time {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let expected = "a time with its unit, such as `500ms`, `60s`, `2m` or `1h 30m`, up to a year";
        reader.parsed(id, expected, |text| time(text).map(Self))
    }
}

impl At<Time> {
    /// Where no time at all would be waited.
    pub(super) fn refuse_nothing(&self, reader: &mut Reader<'_>, key: &str) {
        if self.get().is_some_and(|time| time.0.is_zero()) {
            reader.fault(FileFault::new(self.span.clone(), format!("`{key}` is a time longer than nothing")));
        }
    }
}

/// The longest time: whoever adds one to a clock must not run out of numbers.
const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);

fn time(text: &str) -> Option<Duration> {
    // Without this, a lone `0` would be taken.
    let unit = text.ends_with(char::is_alphabetic);
    humantime::parse_duration(text).ok().filter(|time| unit && *time <= YEAR)
}

settled_as_written!(Time => Duration);

scalar_schema!(Time, "Time", { "type": "string", "pattern": "^[0-9]+ ?[a-zµ]+( ?[0-9]+ ?[a-zµ]+)*$|\\$\\{" });

/// A share of a whole in per cent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Percent(pub(super) Share);

impl Setting for Percent {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let expected = "a share from `0%` to `100%`, with at most two decimals";
        reader.parsed_or(
            id,
            expected,
            |text| share(text).map(Self),
            |text| {
                let with_sign = format!("{}%", text.trim());
                share(&with_sign).map(|_| format!("write `{with_sign}`"))
            },
        )
    }
}

fn share(text: &str) -> Option<Share> {
    let number = text.strip_suffix('%')?.trim_end();
    let (whole, decimals) = number.split_once('.').map_or((number, "0"), |(whole, decimals)| (whole, decimals));
    if whole.is_empty() || decimals.is_empty() || decimals.len() > 2 {
        return None;
    }
    let scale = if decimals.len() == 1 { 10 } else { 1 };
    let hundredths = digits(whole)?.checked_mul(100)?.checked_add(digits(decimals)? * scale)?;
    Share::from_hundredths(u16::try_from(hundredths).ok()?)
}

settled_as_written!(Percent => Share);

scalar_schema!(Percent, "Percent", { "type": "string", "pattern": "^[0-9]{1,3}(\\.[0-9]{1,2})? ?%$|\\$\\{" });

/// A colour as `#rrggbb`.
impl Setting for Rgb {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        reader.parsed(id, "a colour such as `\"#ffffff\"`", colour)
    }
}

fn colour(text: &str) -> Option<Rgb> {
    let hex = text.strip_prefix('#').filter(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let [_, red, green, blue] = u32::from_str_radix(hex, 16).ok()?.to_be_bytes();
    Some(Rgb([red, green, blue]))
}

settled_as_written!(Rgb);

scalar_schema!(Rgb, "Rgb", { "type": "string", "pattern": "^#[0-9a-fA-F]{6}$|\\$\\{" });

/// BLAKE3 of a photo's bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct PhotoDigest(pub(super) Digest);

impl Setting for PhotoDigest {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        reader.parsed(id, "a digest: `b3:` and 64 hex digits", |text| text.parse().ok().map(Self))
    }
}

settled_as_written!(PhotoDigest => Digest);

scalar_schema!(PhotoDigest, "PhotoDigest", { "type": "string", "pattern": "^b3:[0-9a-fA-F]{64}$|\\$\\{" });

/// A path. A relative one counts from the working directory, as on the command line.
#[derive(Clone, Debug)]
pub(super) struct FilePath(pub(super) PathBuf);

impl Setting for FilePath {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let usable = |text: &str| !text.trim().is_empty() && !text.contains('\0') && !text.contains("://");
        reader.parsed(id, "a path", |text| usable(text).then(|| Self(PathBuf::from(text))))
    }
}

impl FilePath {
    /// In one spelling: without `.`, and without `..` where a name stands before it.
    pub(super) fn plain(&self) -> PathBuf {
        let mut plain = PathBuf::new();
        for part in self.0.components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                    _ = plain.pop();
                }
                part => plain.push(part),
            }
        }
        plain
    }
}

settled_as_written!(FilePath => PathBuf);

scalar_schema!(FilePath, "FilePath", { "type": "string", "minLength": 1 });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_a_unit_and_two_decimals_at_most() {
        for (text, hundredths) in [("5%", 500), ("0%", 0), ("100%", 10_000), ("2.5%", 250), ("0.05%", 5), ("7 %", 700)]
        {
            assert_eq!(share(text).unwrap().hundredths(), hundredths, "{text}");
        }
        for text in ["5", "101%", "100.01%", "-1%", "%", "1.%", ".5%", "1.234%", "1,5%", "99999999999999999999%"] {
            assert_eq!(share(text), None, "{text}");
        }
    }

    #[test]
    fn variables_of_others_are_told_apart() {
        for text in ["$TENANT_ID", "{{ TENANT_ID }}", "{{TENANT_ID}}", "%TENANT_ID%"] {
            assert_eq!(variable(text).as_deref(), Some("a variable is written `${TENANT_ID}`"), "{text}");
        }
        for text in ["TENANT_ID", "$", "5%", "%", "{{}}", "$a b", "100% of it"] {
            assert_eq!(variable(text), None, "{text}");
        }
    }

    #[test]
    fn times_have_a_unit() {
        for (text, millis) in [("500ms", 500), ("60s", 60_000), ("1h 30m", 5_400_000), ("0s", 0), ("2min", 120_000)] {
            assert_eq!(time(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["0", "60", "", "s", "-1s", "1 fortnight", "367days", "99999999999999999999s"] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn shares_are_rounded_down_and_read_back() {
        let five = share("5%").unwrap();
        assert_eq!(five.of(310), 15);
        assert_eq!(Share::WHOLE.of(u64::MAX), u64::MAX);
        for text in ["5%", "2.5%", "0.05%", "100%", "0%"] {
            assert_eq!(share(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn colours_are_six_hex_digits() {
        assert_eq!(colour("#ff8000"), Some(Rgb([255, 128, 0])));
        for text in ["", "#", "white", "ff8000", "#fff", "#ff80000", "#gg0000", "#+f8000"] {
            assert_eq!(colour(text), None, "{text}");
        }
    }

    #[test]
    fn names_mean_nothing_in_a_path() {
        for text in ["a", "A-1_b", "0"] {
            assert!(Name::is_one(text), "{text}");
        }
        for text in ["", "-a", "_a", "a/b", "..", "a b", "ä", &"x".repeat(65)] {
            assert!(!Name::is_one(text), "{text}");
        }
    }
}
