//! `report`: what the reports show, and where they are put besides.

use super::Bucket;

/// What the reports show.
#[derive(Clone, Debug)]
pub struct Report {
    /// How people are named.
    pub names: Names,
    /// Which pictures are in the contact sheet.
    pub pictures: Pictures,
    /// Where the report of a run is put besides; `None`: nowhere.
    pub bucket: Option<Bucket>,
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
