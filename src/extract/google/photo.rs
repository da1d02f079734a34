//! What one call for a photo says (docs/wire/google-directory.md §3.1).
//!
//! Owns: the table of refusals for one person, base64, etags. Leaves to others: sending and repeating (`batch.rs`).
//! A newcomer gets wrong: no photo and no user are both 404 `notFound`; only the message tells them apart, and only the
//! first proves an absence (promise P2).

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use serde::Deserialize;

use super::error::{Class, GoogleError};
use super::mime::MimePart;
use crate::extract::batch::PhotoAnswer;
use crate::extract::wire::is_page;
use crate::extract::{DENIED, GONE, PhotoResult, VersionResult};
use crate::http::parse_retry_after;
use crate::model::{Absence, Fault, Version};

/// Google serves 96 pixels; nothing near this is one of its photos.
const LARGEST: usize = 6 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Photo {
    #[serde(default)]
    id: String,
    etag: Option<String>,
    photo_data: Option<String>,
}

/// What becomes of a part.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PartOutcome<T> {
    /// That is the answer.
    Final(T),
    /// It may be better next time; `asked` is the server's own wish.
    Again { fault: Fault, asked: Option<Duration>, class: Class },
    /// Everybody's photo is refused: it is about the app or the customer.
    Denied(Fault, Class),
    /// The token was refused.
    Unauthorized(Fault),
}

/// What is asked of each person: a version or a photo.
pub(super) trait PhotoQuery: PhotoAnswer {
    /// The field mask. The id proves whose photo it is (promise P1).
    const FIELDS: &'static str;
    /// Reads an answer with status 200.
    fn read(etag: Option<Version>, data: Option<&str>) -> Result<Self, Fault>;
}

impl PhotoQuery for VersionResult {
    const FIELDS: &'static str = "id,etag";

    fn read(etag: Option<Version>, _: Option<&str>) -> Result<Self, Fault> {
        Ok(Self::Version(etag))
    }
}

impl PhotoQuery for PhotoResult {
    const FIELDS: &'static str = "id,etag,photoData";

    fn read(version: Option<Version>, data: Option<&str>) -> Result<Self, Fault> {
        let data = data.ok_or_else(|| Fault::new("odd_body", "200, but no `photoData`"))?;
        let bytes = decode(data).ok_or_else(|| Fault::new("odd_body", "200, but `photoData` is not base64"))?;
        if bytes.len() > LARGEST {
            return Err(Fault::new("photo_too_large", format!("a photo over {} MiB", LARGEST / 1024 / 1024)));
        }
        match is_page(&bytes) {
            Some(page) => Err(page),
            None => Ok(Self::Photo { version, bytes: Bytes::from(bytes) }),
        }
    }
}

impl MimePart<'_> {
    /// What the answer about this person means.
    /// `now` is the server's own time: a date to come back at is seen from there.
    pub(super) fn judge<T: PhotoQuery>(&self, person: &str, now: SystemTime) -> PartOutcome<T> {
        if self.status == 200 {
            return PartOutcome::Final(self.read(person).unwrap_or_else(T::unknown));
        }
        let error = GoogleError::of(self.body);
        let class = error.class(self.status);
        let fault = |code: &str| Fault::new(code, error.words(self.status));
        let again = |code: &str| PartOutcome::Again { fault: fault(code), asked: self.asked(now), class };
        match class {
            Class::NoPhoto if self.taken_back => PartOutcome::Final(T::unknown(fault("not_found_unexplained"))),
            Class::NoPhoto => PartOutcome::Final(T::absent(Absence::NotListed)),
            Class::NoUser => PartOutcome::Final(T::unknown(fault(GONE))),
            Class::NotThere => PartOutcome::Final(T::unknown(fault("not_found_unexplained"))),
            Class::Rate => again("throttled"),
            Class::Server => again("server_error"),
            Class::Token => PartOutcome::Unauthorized(fault("unauthorized")),
            // Whoever may list the users may read them: where that was accepted, it is this person's photo.
            Class::Privilege => PartOutcome::Final(T::unknown(fault(DENIED))),
            Class::Scope | Class::Api | Class::Domain | Class::Spent => PartOutcome::Denied(fault(DENIED), class),
            Class::Request | Class::Odd => PartOutcome::Final(T::unknown(fault("odd_answer"))),
        }
    }

    fn read<T: PhotoQuery>(&self, person: &str) -> Result<T, Fault> {
        let photo: Photo = serde_json::from_slice(self.body)
            .map_err(|_| Fault::new("odd_body", "200, but not the JSON of a photo"))?;
        if !photo.id.is_empty() && photo.id != person {
            return Err(Fault::new("wrong_person", "the photo of another user was answered"));
        }
        T::read(photo.etag.as_deref().and_then(version_of), photo.photo_data.as_deref())
    }

    fn asked(&self, now: SystemTime) -> Option<Duration> {
        parse_retry_after(self.retry_after.as_deref()?, now)
    }
}

/// The part of an etag that follows the photo. What stands before the last `/` is the same for unrelated customers and
/// is replaced from time to time, for everybody at once (§2.3).
pub(super) fn version_of(etag: &str) -> Option<Version> {
    let etag = etag.trim();
    let word = etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"');
    let suffix = word.rsplit_once('/').map_or(word, |(_, suffix)| suffix);
    (!suffix.is_empty()).then(|| Version::new(suffix))
}

/// Whatever is encoded comes back, however it is spelled; whatever is decoded is no larger than its text.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz_base64(bytes: &[u8]) -> impl std::hash::Hash + use<> {
    use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
    for engine in [BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD] {
        for padding in ["", "=", "..", "*", "\n"] {
            let text = engine.encode(bytes) + padding;
            assert_eq!(decode(&text).as_deref(), Some(bytes), "{text}");
        }
    }
    let text = String::from_utf8_lossy(bytes);
    let decoded = decode(&text);
    assert!(decoded.as_ref().is_none_or(|decoded| decoded.len() <= text.len() * 3 / 4));
    (decoded.map(|decoded| decoded.len() % 3), version_of(&text).is_some())
}

/// Web-safe base64, with whatever padding; Google's documents contradict each other about it (§3.1).
fn decode(text: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
    let bare = text.trim_end_matches(|c: char| matches!(c, '=' | '.' | '*' | '|') || c.is_ascii_whitespace());
    URL_SAFE.decode(bare).ok().or_else(|| {
        let plain = bare.bytes().filter(|byte| !byte.is_ascii_whitespace()).map(|byte| match byte {
            b'+' => b'-',
            b'/' => b'_',
            other => other,
        });
        URL_SAFE.decode(plain.collect::<Vec<u8>>()).ok()
    })
}

#[cfg(test)]
mod tests;
