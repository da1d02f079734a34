//! The word that was probably meant.
//!
//! Owns: when one word is near another. Leaves to others: which words there are, and what to say about them.
//! A newcomer gets wrong: letters that changed places are one edit; and what somebody wrote may be as long as a file.

/// No word that is known here is longer.
const LONGEST: usize = 256;

/// How many edits lie between two words, if one may stand for the other: one edit, or a third of the longer one.
pub(crate) fn edits(word: &str, other: &str) -> Option<usize> {
    if word.len() > LONGEST {
        return None;
    }
    let letters = word.chars().count().max(other.chars().count());
    Some(strsim::osa_distance(word, other)).filter(|edits| *edits <= (letters / 3).max(1))
}

/// The nearest of the words that are known, whatever the case.
pub(crate) fn nearest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let word = word.to_lowercase();
    known
        .into_iter()
        .filter_map(|other| Some((edits(&word, &other.to_lowercase())?, other)))
        .min()
        .map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        let known = ["users", "timeout", "id", "rate", "match", "Mitarbeiter"];
        let long = "timeout".repeat(100_000);
        for (word, expected) in [
            ("usres", Some("users")),
            ("timout", Some("timeout")),
            ("Rate", Some("rate")),
            ("ids", Some("id")),
            ("mach", Some("match")),
            ("mitarbieter", Some("Mitarbeiter")),
            ("colour", None),
            ("", None),
            (&long, None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word:.20}");
        }
    }
}
