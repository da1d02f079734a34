//! `report`: what the reports show.
//!
//! Owns: the keys. Leaves to others: making reports (`report`).
//! A newcomer gets wrong: `names` is about reports; what is kept between runs has no names either way
//! (docs/architecture.md, "The state").

use super::declare::{element, words};
use crate::settings;

element! {
    /// What the reports show.
    Report {
        /// How people are named.
        names: Names = Else("full"),
        /// Which pictures are in the contact sheet.
        pictures: Pictures = Else("changed"),
    }
}

words! {
    /// How people are named in reports.
    Names = settings::Names {
        /// As they are.
        "full" => Full,
        /// By a word that says nothing of the person.
        "pseudonym" => Pseudonym,
    }
}

words! {
    /// Which pictures are in the contact sheet.
    Pictures = settings::Pictures {
        /// None.
        "none" => None,
        /// What accounts that change are to show.
        "new" => New,
        /// That, and what they showed before: in a plan one request for each, unless it is the default.
        "changed" => Changed,
    }
}

impl Report {
    pub(super) fn settle(&self) -> Option<settings::Report> {
        Some(settings::Report { names: self.names.get()?.0, pictures: self.pictures.get()?.0 })
    }
}
