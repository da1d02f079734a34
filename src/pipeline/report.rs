//! `report`: what the reports show, and where they are put besides.
//!
//! Owns: its keys. Leaves to others: making reports (`report`), putting them there (`run`).
//! A newcomer gets wrong: `names` is about reports; what is kept between runs has no names either way
//! (docs/architecture.md, "The state").

use super::bucket::{BucketUrl, with_bucket};
use super::declare::{element, words};
use super::read::Reader;
use crate::settings::{self, Names, Pictures};

with_bucket! {
    Report by element: [/// What the reports show, and where that of a run is put besides.
    Report] {
        /// How people are named.
        names: Names = Else("full"),
        /// Which pictures are in the contact sheet.
        pictures: Pictures = Else("changed"),
        /// A bucket in which the report of each run is put besides, below the name of the pipeline: `s3://BUCKET/PREFIX`,
        /// `az://CONTAINER/PREFIX` or `gs://BUCKET/PREFIX`.
        bucket: BucketUrl = Optional,
    } {} []
}

impl Report {
    pub(super) fn settle(&self, reader: &mut Reader<'_>) -> Option<settings::Report> {
        let bucket = self.place().optional(reader);
        Some(settings::Report { names: *self.names.get()?, pictures: *self.pictures.get()?, bucket: bucket? })
    }
}

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
