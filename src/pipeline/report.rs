//! `report`: what the reports show.
//!
//! Owns: the words of its keys. Leaves to others: making reports (`report`).
//! A newcomer gets wrong: `names` is about reports; what is kept between runs has no names either way
//! (docs/architecture.md, "The state").

use super::declare::{taken, words};
use crate::settings::{self, Names, Pictures};

settings::report!(taken);

words! {
    /// How people are named in reports.
    Names {
        /// As they are.
        "full" => Full,
        /// By a word that says nothing of the person.
        "pseudonym" => Pseudonym,
    }
}

words! {
    /// Which pictures are in the contact sheet.
    Pictures {
        /// None.
        "none" => None,
        /// What accounts that change are to show.
        "new" => New,
        /// That, and what they showed before: in a plan one request for each, unless it is the default.
        "changed" => Changed,
    }
}
