//! A provider of people and photos, seen from outside.
//!
//! Owns: the trait, what it answers, and the codes of faults that mean more than one person. Leaves to others: each provider.
//! A newcomer gets wrong: a failure of one person is an answer ([`PhotoResult::Unknown`]); a [`Failure`] is of the whole source.

use async_trait::async_trait;
use bytes::Bytes;

use super::Unmet;
use crate::http::{Counts, Failure};
use crate::model::{Absence, Fault, Person, PersonId, SignedIn, Version};

/// The code of a [`Fault`] that is about what we may do rather than about the photo.
pub(crate) const DENIED: &str = "access_denied";

/// The code of a [`Fault`] for a person who was deleted after the listing, or is listed late.
pub(crate) const GONE: &str = "user_gone";

/// The code of a [`Fault`] for a person whose record in the listing is not as documented.
pub(crate) const ODD_RECORD: &str = "odd_record";

/// Codes of a [`Fault`] that are the matter of one person: a provider that is well answers so, and may answer so of all
/// of a few (docs/wire/microsoft-graph.md §3.5).
pub(crate) const PERSONAL: [&str; 4] = [GONE, "mailbox_missing", "mailbox_elsewhere", "extension_error"];

/// How many people one call may name, so that one call is one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// For [`Source::versions`].
    pub versions: usize,
    /// For [`Source::fetch`].
    pub fetch: usize,
    /// Requests that one call costs: one, or none where nothing goes over the wire.
    pub requests: u64,
}

/// The change marker of one person's photo, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VersionResult {
    /// There is one; `None` if the provider sent no marker.
    Version(Option<Version>),
    /// There provably is none.
    Absent(Absence),
    /// It could not be learnt.
    Unknown(Fault),
}

/// One person's photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PhotoResult {
    /// The original bytes.
    Photo {
        /// The provider's marker, if it sent one.
        version: Option<Version>,
        /// As the provider holds them.
        bytes: Bytes,
    },
    /// There provably is none.
    Absent(Absence),
    /// It could not be learnt.
    Unknown(Fault),
}

/// What a whole listing said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// How many people were listed, those out of scope included.
    pub people: u64,
    /// Of these, with a change marker of a photo. Zero: this listing shows none, so that a missing one proves nothing.
    pub marked: u64,
    /// Records without an id. Whoever is missing may be one of them, so that nobody has left the source for certain.
    pub nameless: u64,
    /// Odd things worth a line in the report.
    pub notes: Vec<String>,
    /// The groups that `users` names, each with how many members were listed.
    pub groups: Vec<(String, u64)>,
    /// What of `users` fits nobody.
    pub unmet: Vec<Unmet>,
}

/// A provider of people and photos.
#[async_trait]
pub(crate) trait Source: Send + Sync {
    /// How many people one call may name.
    fn batch(&self) -> Batch;

    /// Signs in and asks for one person, to tell who we are and what we may do.
    async fn whoami(&self) -> Result<SignedIn, Failure>;

    /// Lists everybody, those out of scope marked as such, page by page in the provider's order. A person may come
    /// twice: the last one wins. A listing that did not reach its end is a failure.
    async fn list(&self, page: &mut (dyn FnMut(Vec<Person>) + Send)) -> Result<Listing, Failure>;

    /// Learns the change markers of at most [`Batch::versions`] people; one answer for each, in any order.
    async fn versions(&self, people: &[PersonId]) -> Result<Vec<(PersonId, VersionResult)>, Failure>;

    /// Fetches the photos of at most [`Batch::fetch`] people; one answer for each, in any order.
    async fn fetch(&self, people: &[PersonId]) -> Result<Vec<(PersonId, PhotoResult)>, Failure>;

    /// What to grant where every photo is [`DENIED`]. Whether they are, only the run sees: a call may ask for nobody but
    /// the few whose own photos are.
    fn remedy(&self) -> Option<String> {
        None
    }

    /// What is wrong with one person's photo as it is told of them: with where they stand, if the source has a place for each.
    fn placed(&self, _person: &PersonId, fault: Fault) -> Fault {
        fault
    }

    /// What to look at where nobody's photo can be learnt, all for one reason.
    fn where_photos_are(&self) -> &'static str {
        "look at the provider's service health, and run again later"
    }

    /// What to look at where nobody is listed.
    fn where_people_are(&self) -> &'static str {
        "see whom this credential may list, and run again"
    }

    /// What was sent so far.
    fn counts(&self) -> Counts;
}
