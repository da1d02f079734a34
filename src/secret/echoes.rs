//! Which answers hold one of many texts, in one pass over each answer.
//!
//! Owns: the search. Leaves to others: the forms of a secret (`spellings`), what becomes of an answer that holds one (`http`).
//! A newcomer gets wrong: not every byte of an answer is looked at as the beginning of a text. Wherever a text stands, one of its
//! first four windows begins at a multiple of four, so only those are looked up, and what is looked up is nearly always not there.

use std::collections::{HashMap, VecDeque};

use super::windows::{Marks, WINDOW, folded};

/// A shorter text may lie between two windows; and it may stand in an answer by chance: a word, a number.
pub(super) const SHORTEST: usize = 2 * WINDOW;

/// So many secrets are looked for, those that were sent last: a run has some ten at a time.
const LATEST: usize = 32;

/// What is looked for, in letters of any case.
#[derive(Debug, Default)]
pub(super) struct Echoes {
    /// Of each secret, the newest first.
    forms: VecDeque<Vec<String>>,
    /// Their windows.
    marks: Marks,
    /// Where each window stands: in which form of which secret, behind so many bytes.
    windows: HashMap<u32, Vec<(usize, usize, usize)>>,
}

impl Echoes {
    /// Looks for one more secret. Forms that are too short are left out.
    pub(super) fn listen_for(&mut self, forms: impl IntoIterator<Item = String>) {
        self.forms.push_front(forms.into_iter().filter(|form| form.len() >= SHORTEST).collect());
        self.forms.truncate(LATEST);
        self.marks = Marks::default();
        self.windows.clear();
        for (secret, forms) in self.forms.iter().enumerate() {
            for (nth, form) in forms.iter().enumerate() {
                for (behind, window) in form.as_bytes().windows(WINDOW).take(WINDOW).enumerate() {
                    let window = folded(window);
                    self.marks.add(window);
                    self.windows.entry(window).or_default().push((secret, nth, behind));
                }
            }
        }
    }

    /// Whether a text stands in this one.
    pub(super) fn are_in(&self, text: &[u8]) -> bool {
        !self.windows.is_empty()
            && text.chunks_exact(WINDOW).enumerate().any(|(nth, chunk)| {
                let window = folded(chunk);
                self.marks.may_have(window) && self.stands_around(text, nth * WINDOW, window)
            })
    }

    /// Whether a text of which this is a window stands around it.
    fn stands_around(&self, text: &[u8], at: usize, window: u32) -> bool {
        self.windows.get(&window).into_iter().flatten().any(|&(secret, nth, behind)| {
            let form = self.forms[secret][nth].as_bytes();
            let stands = at.checked_sub(behind).and_then(|from| text.get(from..from + form.len()));
            stands.is_some_and(|stands| stands.eq_ignore_ascii_case(form))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_wherever_it_stands_and_nothing_else_is() {
        let mut echoes = Echoes::default();
        assert!(!echoes.are_in(b"nobody is listened for"));
        let forms = ["eight-by", "A longer one, {with} signs", "Smörgåsbord"].map(str::to_owned);
        echoes.listen_for(forms.clone());
        echoes.listen_for(["another secret".to_owned(), "short".to_owned()]);
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
    fn the_latest_are_looked_for() {
        let mut echoes = Echoes::default();
        (0..=LATEST).for_each(|nth| echoes.listen_for([format!("secret number {nth:03}")]));
        assert!(!echoes.are_in(b"secret number 000") && echoes.are_in(b"secret number 001"));
        assert!(echoes.are_in(b"SECRET NUMBER 032"));
    }
}
