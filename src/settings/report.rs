//! `report`, resolved.

/// What the reports show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Of people.
    pub names: Names,
    /// In the contact sheet.
    pub pictures: Pictures,
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
