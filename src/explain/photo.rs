//! What is known of a person's photo, and since when.
//!
//! Owns: the sentence, and why the last plan or run did not learn more. Leaves to others: learning it (`run`).
//! A newcomer gets wrong: that a photo was not asked for says nothing about it: an account may need it and was not looked at.

use super::explanation::{PhotoExplained, word};
use super::who::Elements;
use crate::model::{Person, PersonRef, PhotoFact, PhotoMark, Remembered, Standing};
use crate::state::{Facts, Reading, StateError, Store};

/// What the last plan or run learnt; else what the state remembers, and why there is no more.
pub(super) fn explained(
    facts: &Facts,
    store: &Store,
    elements: &Elements,
    reference: &PersonRef,
    person: Option<&Person>,
) -> Result<PhotoExplained, StateError> {
    let mark = store.mark(reference)?;
    let version = mark.as_ref().and_then(|mark| mark.version.as_ref()).map(ToString::to_string);
    let Some(fact) = facts.photo(reference)? else {
        let found = not_learnt(facts, elements, reference, person)?;
        let (remembered, digest) = mark.map(remembered).unzip();
        return Ok(PhotoExplained { found, digest: digest.flatten(), remembered, version });
    };
    let (found, digest) = match fact {
        PhotoFact::Present { digest } => ("there is one".to_owned(), Some(digest.to_string())),
        PhotoFact::Absent(why) => (format!("provably none: {}", word(&why)), None),
        PhotoFact::Unknown(fault) => (format!("not known: [{}] {}", fault.code, fault.message), None),
        PhotoFact::Unreadable(fault) => (format!("there is one that cannot be read: {}", fault.message), None),
        PhotoFact::TooSmall { width, height } => {
            (format!("there is one that is too small: {width} x {height} px"), None)
        }
    };
    Ok(PhotoExplained { found, digest, remembered: None, version })
}

/// Why nothing was learnt of it.
fn not_learnt(
    facts: &Facts,
    elements: &Elements,
    reference: &PersonRef,
    person: Option<&Person>,
) -> Result<String, StateError> {
    match facts.source_reading(&reference.source)? {
        Reading::Failed(why) => return Ok(format!("not known: {} failed last time: {why}", reference.source)),
        Reading::NotAsked => return Ok(format!("not known: {} was not asked last time", reference.source)),
        Reading::Whole if person.is_none() => return Ok("nobody asked for it: the person is not listed".to_owned()),
        Reading::Whole => {}
    }
    if person.is_some_and(|person| person.standing == Standing::InScope) {
        if facts.is_of_a_part()? {
            return Ok("not asked for last time, which was of a part (`--only`, `--target`)".to_owned());
        }
        for (target, _) in &elements.targets {
            if facts.target_reading(target)? != Reading::Whole {
                return Ok(format!("not asked for last time: {target} was not read"));
            }
        }
    }
    Ok("nobody asked for it: no account needed it".to_owned())
}

/// What an earlier run found.
fn remembered(mark: PhotoMark) -> (String, Option<String>) {
    match mark.found {
        Remembered::Present(digest) => ("there was one".to_owned(), Some(digest.to_string())),
        Remembered::Absent(why) => (format!("provably none: {}", word(&why)), None),
        Remembered::Unreadable(fault) => (format!("there was one that cannot be read: {}", fault.message), None),
        Remembered::TooSmall { width, height, .. } => {
            (format!("there was one that is too small: {width} x {height} px"), None)
        }
    }
}
