//! What a person is asked for: nothing, the change marker, or the bytes.
//!
//! Owns: that rule (docs/architecture.md, "Fetch"; docs/wire/microsoft-graph.md §8), and noticing that a provider makes
//! its markers in another way.
//! Leaves to others: asking.
//! A newcomer gets wrong: a missing marker proves something only in a listing that shows markers.

use crate::model::{PhotoHint, PhotoMark, Remembered};

/// Whether most people of the source are new to the state. Then bytes are asked for at once, since bytes and marker
/// arrive together; later, a question for the marker rides in a batch that is sent anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    Yes,
    No,
}

/// Whether the listing shows change markers. Only then does a person without one provably have no photo
/// (docs/architecture.md, "Fetch").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marked {
    Yes,
    No,
}

/// The photo, or its absence, was known last time: what `limits.unknown` counts.
pub(super) fn was_known(mark: &PhotoMark) -> bool {
    !matches!(mark.found, Remembered::Unreadable(_))
}

/// What a person is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Nothing: the photo is what the mark says.
    Known(PhotoMark),
    /// Nothing: the listing proves that there is none.
    Absent(Option<PhotoMark>),
    /// The marker.
    Probe,
    /// The bytes.
    Fetch,
    /// Nothing: the person's record is odd, in these words.
    Odd(String),
}

/// Decides what a person is asked for, by the listing and by what is remembered.
pub(super) fn question(hint: PhotoHint, mark: Option<PhotoMark>, first: First, marked: Marked) -> Question {
    match (hint, mark) {
        (PhotoHint::Odd(what), _) => Question::Odd(what),
        (PhotoHint::Unmarked, mark) if marked == Marked::Yes => Question::Absent(mark),
        (PhotoHint::Version(version), Some(mark)) if mark.version.as_ref() == Some(&version) => Question::Known(mark),
        (PhotoHint::Silent | PhotoHint::Unmarked, Some(mark)) if probe_first(&mark) => Question::Probe,
        (PhotoHint::Silent | PhotoHint::Unmarked, None) if first == First::No => Question::Probe,
        _ => Question::Fetch,
    }
}

/// A photo under a marker that may have changed, or none that may have appeared. A photo without a marker is fetched:
/// there is nothing to compare.
fn probe_first(mark: &PhotoMark) -> bool {
    mark.version.is_some() || matches!(mark.found, Remembered::Absent(_))
}

/// The versions of a listing against those of the last run.
#[derive(Default)]
pub(super) struct Versions {
    compared: u64,
    other: u64,
}

impl Versions {
    /// Among fewer, all may well have changed.
    const FEW: u64 = 20;

    /// Counts one person's.
    pub(super) fn compare(&mut self, hint: &PhotoHint, mark: Option<&PhotoMark>) {
        if let (PhotoHint::Version(now), Some(then)) = (hint, mark.and_then(|mark| mark.version.as_ref())) {
            self.compared += 1;
            self.other += u64::from(now != then);
        }
    }

    /// Above nine tenths it is the way that versions are made which has changed (docs/wire/google-directory.md §2.3).
    /// They are hints: nothing follows from them but reading, at the usual pace.
    pub(super) fn note(&self) -> Option<String> {
        let (compared, other) = (self.compared, self.other);
        (compared >= Self::FEW && other * 10 > compared * 9).then(|| {
            format!(
                "{other} of {compared} photos are listed under another version than last time: it seems that the \
                 provider makes them in another way now. They were asked for again, and only what is another photo is \
                 written; `run --max-duration` spreads this over several runs"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Absence, Digest, Version};

    fn mark(version: Option<&str>) -> PhotoMark {
        PhotoMark { version: version.map(Version::from), found: Remembered::Present(Digest::of(b"photo")) }
    }

    fn none() -> PhotoMark {
        PhotoMark { version: None, found: Remembered::Absent(Absence::NotListed) }
    }

    /// docs/architecture.md, "Fetch": no marker means no photo only if others of the same listing have one.
    #[test]
    fn a_missing_marker_is_a_proof_only_in_a_listing_that_shows_markers() {
        use First::{No, Yes};
        let version = |word: &str| PhotoHint::Version(word.into());
        for (hint, known, first, marked, asked) in [
            (PhotoHint::Unmarked, None, Yes, Marked::Yes, Question::Absent(None)),
            (PhotoHint::Unmarked, Some(mark(Some("a"))), No, Marked::Yes, Question::Absent(Some(mark(Some("a"))))),
            (PhotoHint::Unmarked, None, Yes, Marked::No, Question::Fetch),
            (PhotoHint::Unmarked, None, No, Marked::No, Question::Probe),
            (PhotoHint::Unmarked, Some(mark(Some("a"))), No, Marked::No, Question::Probe),
            (PhotoHint::Unmarked, Some(none()), No, Marked::No, Question::Probe),
            (PhotoHint::Unmarked, Some(mark(None)), No, Marked::No, Question::Fetch),
            (version("a"), Some(mark(Some("a"))), No, Marked::Yes, Question::Known(mark(Some("a")))),
            (version("b"), Some(mark(Some("a"))), No, Marked::Yes, Question::Fetch),
            (version("a"), Some(none()), No, Marked::Yes, Question::Fetch),
            (version("a"), None, No, Marked::Yes, Question::Fetch),
            (PhotoHint::Silent, Some(mark(Some("a"))), No, Marked::No, Question::Probe),
            (PhotoHint::Silent, Some(mark(None)), No, Marked::No, Question::Fetch),
            (PhotoHint::Silent, None, Yes, Marked::No, Question::Fetch),
            (PhotoHint::Silent, None, No, Marked::No, Question::Probe),
            (PhotoHint::Odd("x".into()), Some(mark(Some("a"))), No, Marked::Yes, Question::Odd("x".into())),
            (PhotoHint::Odd("x".into()), None, Yes, Marked::No, Question::Odd("x".into())),
        ] {
            let shown = format!("{hint:?} {known:?}");
            assert_eq!(question(hint, known, first, marked), asked, "{shown}");
        }
    }

    /// docs/wire/google-directory.md §2.3: more than nine tenths of the known ones.
    #[test]
    fn versions_that_nearly_all_changed_are_told_of() {
        let version = |word: &str| PhotoHint::Version(word.into());
        for (same, other, told) in
            [(0, 19, false), (0, 20, true), (2, 18, false), (1, 19, true), (10, 90, false), (9, 91, true)]
        {
            let mut versions = Versions::default();
            (0..same).for_each(|_| versions.compare(&version("a"), Some(&mark(Some("a")))));
            (0..other).for_each(|_| versions.compare(&version("b"), Some(&mark(Some("a")))));
            // Nothing to compare.
            for (hint, known) in
                [(version("b"), None), (version("b"), Some(none())), (PhotoHint::Unmarked, Some(mark(Some("a"))))]
            {
                (0..100).for_each(|_| versions.compare(&hint, known.as_ref()));
            }
            assert_eq!(versions.note().is_some(), told, "{same} the same, {other} others");
        }
    }
}
