//! Patterns over names, such as `*-admin@example.com`.
//!
//! Owns: which names a pattern fits, and which pattern of a list fits nobody.
//! A newcomer gets wrong: a name is no path, so `*` crosses `/`; and letters in compatibility forms fit, which as match keys they
//! do not (docs/architecture.md, "Matching"): whom a pattern fits is left alone, so here the wider comparison is the safe one.

use std::collections::BTreeMap;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use super::Placed;
use crate::model::normalise_widely;

/// One pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    written: String,
    glob: Glob,
}

impl Pattern {
    /// Reads it, or says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        // The same on every system.
        let folded = normalise_widely(text);
        let glob = GlobBuilder::new(&folded).backslash_escape(true).literal_separator(false).build();
        let glob = glob.map_err(|error| error.kind().to_string())?;
        Ok(Self { written: text.to_owned(), glob })
    }
}

/// Some patterns, of which one has to match.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    set: GlobSet,
    /// Those that hold signs of patterns, as names: somebody may be called just so.
    literal: BTreeMap<String, Vec<usize>>,
    each: Vec<Placed<String>>,
}

impl PartialEq for Patterns {
    fn eq(&self, other: &Self) -> bool {
        self.each == other.each
    }
}

impl Eq for Patterns {}

impl Patterns {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// All of them together, or what is wrong with so many.
    pub fn new(patterns: impl IntoIterator<Item = Placed<Pattern>>) -> Result<Self, String> {
        let (mut set, mut each) = (GlobSetBuilder::new(), Vec::new());
        let mut literal: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for Placed { value, place } in patterns {
            set.add(value.glob);
            if value.written.contains(['[', '{', '\\']) {
                literal.entry(normalise_widely(&value.written)).or_default().push(each.len());
            }
            each.push(Placed { value: value.written, place });
        }
        let set = set.build().map_err(|error| error.kind().to_string())?;
        Ok(Self { set, literal, each })
    }

    /// For tests that do not look at their lines.
    #[cfg(test)]
    pub fn somewhere(patterns: &[&str]) -> Self {
        Self::new(patterns.iter().map(|text| Placed::somewhere(Pattern::new(text).unwrap()))).unwrap()
    }

    /// Whether one of these names is meant.
    pub fn matches(&self, names: &[&str]) -> bool {
        let is_one = |name: String| self.set.is_match(&name) || self.literal.contains_key(&name);
        !self.set.is_empty() && names.iter().any(|name| is_one(normalise_widely(name)))
    }
}

/// Which patterns of a list fit somebody of those who were seen.
#[derive(Clone, Debug)]
pub struct Met {
    /// In the order of the list.
    each: Vec<bool>,
}

impl Met {
    /// Nobody was seen yet.
    pub fn none(patterns: &Patterns) -> Self {
        Self { each: vec![false; patterns.each.len()] }
    }

    /// Somebody has these names.
    pub fn see(&mut self, patterns: &Patterns, names: &[&str]) {
        if self.each.iter().all(|met| *met) {
            return;
        }
        for name in names.iter().map(|name| normalise_widely(name)) {
            let literal = patterns.literal.get(&name).into_iter().flatten().copied();
            for nth in patterns.set.matches(&name).into_iter().chain(literal) {
                if let Some(met) = self.each.get_mut(nth) {
                    *met = true;
                }
            }
        }
    }

    /// The patterns that fit nobody.
    pub fn missed<'p>(&'p self, patterns: &'p Patterns) -> impl Iterator<Item = &'p Placed<String>> {
        patterns.each.iter().zip(&self.each).filter(|(_, met)| !**met).map(|(pattern, _)| pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_any_name_folded_and_whole() {
        let names = ["ada@corp.example", "Ada.L@Example.com", "b1f0"];
        for (pattern, matches) in [
            ("ADA@CORP.example", true),
            ("ada.l@*", true),
            ("b?f0", true),
            ("*@{corp,other}.example", true),
            ("ada", false),
            ("*@example.org", false),
            ("\u{ff41}da@corp.example", true),
        ] {
            assert_eq!(Patterns::somewhere(&[pattern]).matches(&names), matches, "{pattern}");
        }
        assert!(!Patterns::default().matches(&names));
    }

    /// Whoever is to be left alone is known in whatever signs a name is written.
    #[test]
    fn a_letter_in_another_form_is_that_letter() {
        for (pattern, name, matches) in [
            ("kim", "\u{212a}im", true),
            ("\u{212a}im", "kim", true),
            ("\u{c5}sa@*", "\u{212b}sa@x", true),
            ("\u{212b}sa@*", "A\u{30a}SA@x", true),
            ("finn", "\u{fb01}nn", true),
            ("ceo", "\u{ff23}\u{ff25}\u{ff2f}", true),
            // A sign of patterns is the one on the keyboard: no other form of it fits everybody.
            ("\u{ff0a}", "kim", false),
            ("weiss", "wei\u{df}", true),
            ("STRASSE@*", "stra\u{df}e@x", true),
            ("stra\u{df}e@*", "STRASSE@x", true),
            ("ada@m\u{fc}nchen.example", "ada@xn--mnchen-3ya.example", true),
            ("*@xn--mnchen-3ya.*", "Ada@M\u{dc}NCHEN.example", true),
            ("ada@xn--mnchen-3ya.example", "ada@munchen.example", false),
            ("ada", "\u{430}da", false),
        ] {
            assert_eq!(Patterns::somewhere(&[pattern]).matches(&[name]), matches, "{pattern} {name}");
        }
    }

    /// Signs of patterns may stand in an address: whoever is named just as the directory has it is left alone.
    #[test]
    fn a_name_fits_itself_whatever_signs_it_has() {
        for name in ["a[b]c@x", "a{b,c}@x", "a\\c@x", "a[!b]@x", "a*?c@x", "A[B]@X"] {
            let patterns = Patterns::somewhere(&["eve", name]);
            assert!(patterns.matches(&[name]), "{name}");
            let mut met = Met::none(&patterns);
            met.see(&patterns, &[name]);
            assert_eq!(met.missed(&patterns).map(|one| one.value.as_str()).collect::<Vec<_>>(), ["eve"], "{name}");
        }
        assert!(Patterns::somewhere(&["a[b]c@x"]).matches(&["abc@x"]), "a class all the same");
    }

    #[test]
    fn what_is_wrong_with_a_pattern_is_said() {
        assert!(Pattern::new("fine@*").is_ok());
        assert!(!Pattern::new("[a-").unwrap_err().is_empty());
    }

    #[test]
    fn a_pattern_that_fits_nobody_is_known() {
        let patterns = Patterns::somewhere(&["ada@*", "bob", "ADA@x"]);
        let mut met = Met::none(&patterns);
        ["ada@x", "eve"].iter().for_each(|name| met.see(&patterns, &[name]));
        assert_eq!(met.missed(&patterns).map(|one| one.value.as_str()).collect::<Vec<_>>(), ["bob"]);
    }
}
