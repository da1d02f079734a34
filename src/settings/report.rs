//! `report`: what the reports show.

use super::declare::declare;

declare! {
    /// What the reports show.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    Report in report {
        /// How people are named.
        names: Names = Else("full"),
        /// Which pictures are in the contact sheet.
        pictures: Pictures = Else("changed"),
    }
}

/// How people are named in reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Names {
    /// As they are.
    Full,
    /// By a word that says nothing of the person.
    Pseudonym,
}

/// Which pictures are in reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pictures {
    /// None.
    None,
    /// What is to be shown.
    New,
    /// That, and what stood there before.
    Changed,
}
