//! A number with its word.
//!
//! Owns: that one of them is not several. Leaves to others: the words.

/// `1 picture`, `2 pictures`; a verb stands in both words, `1 picture waits`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
