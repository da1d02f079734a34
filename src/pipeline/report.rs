//! `report`: what the reports show, and where they are put besides.
//!
//! Owns: its keys. Leaves to others: making reports (`report`), putting them there (`run`).
//! A newcomer gets wrong: `names` is about reports; what is kept between runs has no names either way
//! (docs/architecture.md, "The state").

use super::bucket::{self, AccountName, BucketCredential, BucketUrl};
use super::declare::{element, words};
use super::read::Reader;
use super::scalar::Word;
use super::web::BaseUrl;
use crate::settings::{self, Names, Pictures};

element! {
    /// What the reports show, and where that of a run is put besides.
    Report {
        /// How people are named.
        names: Names = Else("full"),
        /// Which pictures are in the contact sheet.
        pictures: Pictures = Else("changed"),
        /// A bucket in which the report of each run is put besides, below the name of the pipeline: `s3://BUCKET/PREFIX`,
        /// `az://CONTAINER/PREFIX` or `gs://BUCKET/PREFIX`.
        bucket: BucketUrl = Optional,
        /// `az`: the storage account. Left out: as `AZURE_STORAGE_ACCOUNT_NAME` says.
        account: AccountName = Optional,
        /// `s3`: the bucket's region. Left out: as `AWS_REGION` says.
        region: Word = Optional,
        /// The store's address, where it is not the vendor's own.
        endpoint: BaseUrl = Optional,
        /// Who we are for the store. Left out: as the environment says, or the machine's own role.
        credential: BucketCredential = Optional,
    }
}

impl Report {
    pub(super) fn settle(&self, reader: &mut Reader<'_>) -> Option<settings::Report> {
        let Self { bucket, account, region, endpoint, credential, .. } = self;
        let bucket = bucket::Keys { bucket, account, region, endpoint, credential }.optional(reader);
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
