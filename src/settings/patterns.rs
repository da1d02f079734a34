//! Patterns over names, such as `*-admin@example.com`.
//!
//! A newcomer gets wrong: they are compared as match keys are (docs/architecture.md, "Matching"), and a name is no path, so
//! `*` crosses `/`.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use crate::model::normalise_key;

/// One pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Glob);

impl Pattern {
    /// Reads it, or says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        // The same on every system.
        let folded = normalise_key(text);
        let glob = GlobBuilder::new(&folded).backslash_escape(true).literal_separator(false).build();
        glob.map(Self).map_err(|error| error.kind().to_string())
    }
}

/// Some patterns, of which one has to match.
#[derive(Clone, Debug, Default)]
pub struct Patterns(GlobSet);

impl Patterns {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them together, or what is wrong with so many.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a Pattern>) -> Result<Self, String> {
        let mut set = GlobSetBuilder::new();
        for Pattern(glob) in patterns {
            set.add(glob.clone());
        }
        set.build().map(Self).map_err(|error| error.kind().to_string())
    }

    /// Whether one of these names is meant.
    pub fn matches(&self, names: &[&str]) -> bool {
        !self.0.is_empty() && names.iter().any(|name| self.0.is_match(normalise_key(name)))
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
        ] {
            let patterns = Patterns::new([&Pattern::new(pattern).unwrap()]).unwrap();
            assert_eq!(patterns.matches(&names), matches, "{pattern}");
        }
        assert!(!Patterns::default().matches(&names));
    }

    #[test]
    fn what_is_wrong_with_a_pattern_is_said() {
        assert!(Pattern::new("fine@*").is_ok());
        assert!(!Pattern::new("[a-").unwrap_err().is_empty());
    }
}
