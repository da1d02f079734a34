//! Who of one source an account belongs to.
//!
//! Owns: the four answers. Leaves to others: giving one (`plan`), keeping them until they are needed (`state`).
//! A newcomer gets wrong: only one of them names a person; the words of the others are for people to read.

use super::PersonId;

/// Who of one source an account belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matched {
    /// This person.
    Person(PersonId),
    /// Several people fit, or several accounts claim the person; in words.
    Ambiguous(String),
    /// A key fits, and another one is filled and names somebody else; in words.
    Conflict(String),
    /// Nobody.
    Nobody,
}
