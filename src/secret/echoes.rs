//! Where texts stand that are looked for, in one pass over each answer, however their signs are escaped.
//!
//! Owns: the search. Leaves to others: the forms of a secret (`spellings`), what escapes are (`escapes`), what becomes of an
//! answer that holds one (`http`).
//! A newcomer gets wrong: not every byte of an answer is looked at as the beginning of a text. Wherever a text stands, one of its
//! first four windows begins at a multiple of four, so only those are looked up, and what is looked up is nearly always not there.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::escapes::{unescaped, unescaped_nearby};
use super::windows::{Marks, WINDOW, folded};

/// A shorter text may lie between two windows; and it may stand in an answer by chance: a word, a number.
pub(super) const SHORTEST: usize = 2 * WINDOW;

/// So many secrets are looked for: a run has some ten at a time.
const MOST: usize = 32;

/// So many of them are those that came first. They are the pipeline file's and good for ever; tokens take each other's place.
const FIRST: usize = 16;

/// So many escapes in the place of each other's signs are seen through.
const ROUNDS: usize = 4;

/// What is looked for, in letters of any case.
#[derive(Debug, Default)]
pub(super) struct Echoes {
    /// Of each secret, the oldest first.
    forms: Vec<Vec<Vec<u8>>>,
    /// The length of the longest.
    reach: usize,
    /// Their windows.
    marks: Marks,
    /// Where each window stands: in which form of which secret, behind so many bytes.
    windows: HashMap<u32, Vec<(usize, usize, usize)>>,
}

impl Echoes {
    /// Looks for one more secret. Forms that are too short are left out.
    pub(super) fn listen_for(&mut self, forms: impl IntoIterator<Item = Vec<u8>>) {
        let mut forms: Vec<Vec<u8>> = forms.into_iter().collect();
        // What a text becomes where more is seen through than was put before it.
        let plain: Vec<Vec<u8>> = forms.iter().filter_map(|form| plainest(form)).collect();
        forms.extend(plain);
        forms.retain(|form| form.len() >= SHORTEST);
        if self.forms.len() == MOST {
            // What follows moves up, so all are marked anew.
            let mut kept = std::mem::take(&mut self.forms);
            _ = kept.remove(FIRST);
            *self = Self::default();
            kept.into_iter().for_each(|forms| self.mark(forms));
        }
        self.mark(forms);
    }

    /// Marks the windows of one more secret.
    fn mark(&mut self, forms: Vec<Vec<u8>>) {
        for (nth, form) in forms.iter().enumerate() {
            self.reach = self.reach.max(form.len());
            for (behind, window) in form.windows(WINDOW).take(WINDOW).enumerate() {
                let window = folded(window);
                self.marks.add(window);
                self.windows.entry(window).or_default().push((self.forms.len(), nth, behind));
            }
        }
        self.forms.push(forms);
    }

    /// Whether a text stands in this one.
    pub(super) fn are_in(&self, text: &[u8]) -> bool {
        let mut seen = Cow::Borrowed(text);
        for _ in 0..ROUNDS {
            if self.stand_in(&seen) {
                return true;
            }
            let Some(next) = unescaped_nearby(&seen, self.reach) else { return false };
            seen = Cow::Owned(next);
        }
        self.stand_in(&seen)
    }

    /// Where texts stand in this one, their escapes included; some may lie in others.
    pub(super) fn places(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut places: Vec<Range<usize>> = self.places_in(text).collect();
        let (mut seen, mut stood) = (Cow::Borrowed(text), (0..=text.len()).collect::<Vec<_>>());
        for _ in 0..ROUNDS {
            let Some((next, from)) = unescaped(&seen) else { break };
            stood = from.into_iter().map(|at| stood[at]).collect();
            seen = Cow::Owned(next);
            places.extend(self.places_in(&seen).map(|place| stood[place.start]..stood[place.end]));
        }
        places
    }

    /// Whether a text stands in this one, as it is.
    fn stand_in(&self, text: &[u8]) -> bool {
        self.marked(text).any(|(at, window)| self.around(text, at, window).next().is_some())
    }

    /// Where texts stand in this one, as it is.
    fn places_in<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = Range<usize>> + 't {
        self.marked(text).flat_map(move |(at, window)| self.around(text, at, window))
    }

    /// Where windows stand that may be those of a text.
    fn marked<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = (usize, u32)> + 't {
        let looked_at: &[u8] = if self.windows.is_empty() { b"" } else { text };
        let windows = looked_at.chunks_exact(WINDOW).enumerate().map(|(nth, chunk)| (nth * WINDOW, folded(chunk)));
        windows.filter(move |(_, window)| self.marks.may_have(*window))
    }

    /// The texts of which this is a window and which stand around it.
    fn around<'t>(&'t self, text: &'t [u8], at: usize, window: u32) -> impl Iterator<Item = Range<usize>> + 't {
        self.windows.get(&window).into_iter().flatten().filter_map(move |&(secret, nth, behind)| {
            let form = self.forms[secret][nth].as_slice();
            let from = at.checked_sub(behind)?;
            let stands = text.get(from..from + form.len())?;
            stands.eq_ignore_ascii_case(form).then_some(from..from + form.len())
        })
    }
}

/// A text in which nothing is escaped any more, if anything is.
fn plainest(text: &[u8]) -> Option<Vec<u8>> {
    let mut plain = unescaped(text)?.0;
    for _ in 1..ROUNDS {
        let Some((next, _)) = unescaped(&plain) else { break };
        plain = next;
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_wherever_it_stands_and_nothing_else_is() {
        let mut echoes = Echoes::default();
        assert!(!echoes.are_in(b"nobody is listened for"));
        let forms = ["eight-by", "A longer one, {with} signs", "Smörgåsbord"].map(str::to_owned);
        echoes.listen_for(forms.clone().map(String::into_bytes));
        echoes.listen_for(["another secret", "short"].map(Vec::from));
        for form in forms.iter().map(String::as_str).chain(["another secret"]) {
            for (before, behind) in (0..9).flat_map(|before| (0..9).map(move |behind| (before, behind))) {
                let around = |form: &str| [&".".repeat(before), form, &"é".repeat(behind)].concat();
                for found in [around(form), around(&form.to_ascii_uppercase()), around(&form.to_ascii_lowercase())] {
                    assert!(echoes.are_in(found.as_bytes()), "{found}");
                }
                for at in 0..form.len() {
                    let mut other = around(form).into_bytes();
                    other[before + at] ^= 0x01;
                    assert!(!echoes.are_in(&other), "{}", String::from_utf8_lossy(&other));
                    other[before + at] ^= 0x81;
                    assert!(!echoes.are_in(&other), "{}", String::from_utf8_lossy(&other));
                }
                assert!(!echoes.are_in(&form.as_bytes()[..form.len() - 1]), "{form}");
            }
        }
        assert!(!echoes.are_in(b"short") && !echoes.are_in(b""));
    }

    #[test]
    fn an_escaped_text_is_found_and_its_place_is_that_of_its_escapes() {
        let mut echoes = Echoes::default();
        echoes.listen_for([&b"p/ss\"w&rd"[..], b"half%41way", b"back\\slash"].map(Vec::from));
        for found in [
            r#"p\/ss\"w\u0026rd"#,
            r"\u0070\u002f\u0073\u0073\u0022\u0077\u0026\u0072\u0064",
            "&#112;/ss&quot;w&amp;rd",
            "p%2fss%22w%26rd",
            "%70%2F%73%73%22%77%26%72%64",
            "p%252fss%2522w%2526rd",
            r"p\u00252fss\u002522w&amp;amp;rd",
            "half%41way",
            r"half%41w\u0061y",
            "half%2541way",
            r"back\slash",
            r"back\\slash",
            r"back\\\\slash",
        ] {
            for text in [found.to_owned(), format!("<{found}>"), format!("é %41{}{found}{0}%42", "-".repeat(99))] {
                let at = text.find(found).unwrap();
                assert!(echoes.are_in(text.as_bytes()), "{text}");
                let places = echoes.places(text.as_bytes());
                assert!(
                    places.iter().all(|place| *place == (at..at + found.len())) && !places.is_empty(),
                    "{text} {places:?}"
                );
            }
        }
        for other in ["p/ss", r"p\/ss\ w\u0026rd", "%25%25%25%25%25%25%25", "&amp;amp;amp;amp;amp;amp;", r"\\\\\\\\\\"]
        {
            assert!(!echoes.are_in(other.as_bytes()) && echoes.places(other.as_bytes()).is_empty(), "{other}");
        }
    }

    #[test]
    fn the_first_and_the_latest_are_looked_for() {
        let mut echoes = Echoes::default();
        let secret = |nth: usize| format!("secret number {nth:03}").into_bytes();
        (0..MOST + 5).for_each(|nth| echoes.listen_for([secret(nth)]));
        let found: Vec<usize> = (0..MOST + 5).filter(|nth| echoes.are_in(&secret(*nth))).collect();
        assert_eq!(found, (0..FIRST).chain(FIRST + 5..MOST + 5).collect::<Vec<_>>());
        assert!(echoes.are_in(b"SECRET NUMBER 032"));
    }
}
