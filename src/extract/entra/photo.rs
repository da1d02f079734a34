//! What one part of a photo batch says (docs/wire/microsoft-graph.md §3.5, §3.6, §4).
//!
//! Owns: the table of "no photo" answers, base64, etags. Leaves to others: sending and repeating (`batch.rs`).
//! A newcomer gets wrong: a 404 alone proves nothing, nor one out of a cache. Only `ImageNotFound`, `ErrorItemNotFound`, an `ErrorEntityNotFound`
//! that names `ImageNotFoundException` and the one-pixel picture do; everything else is unknown (promise P2).

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::error::{GraphError, NAMED};
use crate::extract::batch::PhotoAnswer;
use crate::extract::doubt::takes_back;
use crate::extract::wire::is_page;
use crate::extract::{DENIED, GONE, PhotoResult, VersionResult};
use crate::http::{Sparse, is_transient, parse_retry_after};
use crate::model::{Absence, Fault, Version};
use crate::secret::holds_secret;

/// A photo is under 4 MB where it comes from (§3.2).
const LARGEST: usize = 6 * 1024 * 1024;

/// One part of a batch's answer; its text is not copied.
#[derive(Deserialize)]
pub(super) struct PartResponse<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(deserialize_with = "status")]
    pub(super) status: u16,
    #[serde(default)]
    headers: Sparse,
    #[serde(borrow, default)]
    body: Body<'a>,
}

/// A number, or a number as text; anything else is that part's failure, and no other's.
fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let Sparse(status) = Sparse::deserialize(deserializer)?;
    let told = status.as_u64().or_else(|| status.as_str()?.trim().parse().ok());
    Ok(told.and_then(|told| u16::try_from(told).ok()).unwrap_or_default())
}

/// JSON type first, then status (§4): bytes are a string, all else an object.
#[derive(Default)]
enum Body<'a> {
    Text(Cow<'a, str>),
    Json(Value),
    #[default]
    Missing,
}

/// By hand, because a derived one would first keep everything, whatever it is.
impl<'de: 'a, 'a> Deserialize<'de> for Body<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyBody)
    }
}

struct AnyBody;

impl<'de> Visitor<'de> for AnyBody {
    type Value = Body<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text or JSON")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Body::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Body::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        Sparse::of_object(object).map(|Sparse(value)| Body::Json(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        Sparse::of_list(list).map(|Sparse(value)| Body::Json(value))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Body::Missing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Body::Json(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Body::Json(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Body::Json(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Body::Json(value.into()))
    }
}

/// What becomes of a part.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PartOutcome<T> {
    /// That is the answer.
    Final(T),
    /// It may be better next time; `asked` is the server's own wish.
    Again { fault: Fault, asked: Option<Duration> },
    /// The token was refused.
    Unauthorized(Fault),
}

/// What is asked of each person: a version or a photo.
pub(super) trait PhotoQuery: PhotoAnswer {
    /// Below `/users/{id}`.
    const PATH: &'static str;
    /// Reads a part with status 200.
    fn read(part: &PartResponse<'_>) -> Result<Self, Fault>;
}

impl PhotoQuery for VersionResult {
    const PATH: &'static str = "/photo";

    fn read(part: &PartResponse<'_>) -> Result<Self, Fault> {
        let metadata = part.json().filter(|told| told.is_object());
        let metadata = metadata.ok_or_else(|| Fault::new("odd_body", "200, but no photo metadata"))?;
        let text = |name: &str| metadata[name].as_str().unwrap_or_default();
        let version = version(text("@odata.mediaEtag"));
        let gif = text("@odata.mediaContentType").eq_ignore_ascii_case("image/gif");
        let one_pixel = text("id").eq_ignore_ascii_case("1x1") || (metadata["width"] == 1 && metadata["height"] == 1);
        if gif && one_pixel && version.is_none() {
            return Ok(Self::Absent(Absence::OnePixel));
        }
        Ok(Self::Version(version))
    }
}

impl PhotoQuery for PhotoResult {
    const PATH: &'static str = "/photo/$value";

    fn read(part: &PartResponse<'_>) -> Result<Self, Fault> {
        let Body::Text(text) = &part.body else {
            return Err(Fault::new("odd_body", "200, but no bytes"));
        };
        let bytes = decode(text).ok_or_else(|| Fault::new("odd_body", "200, but the bytes are not base64"))?;
        if bytes.len() > LARGEST {
            return Err(too_large());
        }
        if let Some(page) = is_page(&bytes) {
            return Err(page);
        }
        let version = part.header("etag").and_then(|etag| version(&etag));
        if is_one_pixel_gif(&bytes) {
            // The marker of a photo beside no photo: that is no proof.
            return match version {
                Some(_) => Err(Fault::new("contradicted", "200, one pixel under the marker of a photo")),
                None => Ok(Self::Absent(Absence::OnePixel)),
            };
        }
        Ok(Self::Photo { version, bytes: Bytes::from(bytes) })
    }
}

/// The fault of a photo that no provider should hold.
pub(super) fn too_large() -> Fault {
    Fault::new("photo_too_large", format!("a photo over {} MiB", LARGEST / 1024 / 1024))
}

impl PartResponse<'_> {
    /// The table of §3.5; §12 says where its later rows are from.
    /// `now` is the server's own time: a date to come back at is seen from there.
    pub(super) fn judge<T: PhotoQuery>(&self, now: SystemTime) -> PartOutcome<T> {
        if self.status == 200 {
            let told = T::read(self).unwrap_or_else(T::unknown);
            let old =
                || T::unknown(Fault::new("contradicted", "200 without a photo, with the headers of an old answer"));
            return PartOutcome::Final(if told.is_absent() && self.is_taken_back() { old() } else { told });
        }
        let error = GraphError::of(&self.json().unwrap_or_default());
        let fault = |code: &str| Fault::new(code, error.words(self.status));
        let unknown = |code: &str| PartOutcome::Final(T::unknown(fault(code)));
        let proof = error.is_a_proof() && !self.is_taken_back();
        match (self.status, error.code.as_str()) {
            (404, "ImageNotFound" | "ErrorItemNotFound") if proof => PartOutcome::Final(T::absent(Absence::NotFound)),
            // Without that name any entity may be meant (§12).
            (404, "ErrorEntityNotFound") if proof && error.names(NAMED) => {
                PartOutcome::Final(T::absent(Absence::NotFound))
            }
            (404, "Request_ResourceNotFound" | "ErrorInvalidUser") => unknown(GONE),
            // "Could not be discovered": the user is there and has no mailbox (§12).
            (404, "ResourceNotFound") => unknown("mailbox_missing"),
            (429 | 509, _) => PartOutcome::Again { fault: fault("throttled"), asked: self.retry_after(now) },
            // Before the transient ones: no waiting brings a mailbox, whatever the status was.
            (_, "ErrorNonExistentMailbox") | (400, "AuthenticationError") => unknown("mailbox_missing"),
            (_, "UnknownError") if error.is_around("ErrorUserResolutionFailedUserDoesNotExist") => unknown(GONE),
            (_, "MailboxNotHostedInExchangeOnline") => unknown("mailbox_elsewhere"),
            (_, "extensionError") => unknown("extension_error"),
            (401, _) => PartOutcome::Unauthorized(fault("unauthorized")),
            (403, "ErrorAccessDenied" | "Authorization_RequestDenied" | "accessDenied") => unknown(DENIED),
            // A failed parent (424) is ours to send again: we declare none.
            (status, _) if is_transient(status) || status == 424 => {
                PartOutcome::Again { fault: fault("server_error"), asked: self.retry_after(now) }
            }
            (_, "UnknownError") => unknown("unknown_error"),
            (403, _) => unknown("forbidden"),
            (404, _) => unknown("not_found_unexplained"),
            _ => unknown("odd_answer"),
        }
    }

    /// The body as JSON, also where it comes as text.
    fn json(&self) -> Option<Cow<'_, Value>> {
        match &self.body {
            Body::Json(value) => Some(Cow::Borrowed(value)),
            Body::Text(text) => {
                // What stands inside base64 was not seen when the answer came.
                let encoded = || decode(text).filter(|bytes| !holds_secret([bytes.as_slice()]));
                let told = serde_json::from_str(text).ok().or_else(|| serde_json::from_slice(&encoded()?).ok());
                told.map(|Sparse(value)| Cow::Owned(value))
            }
            Body::Missing => None,
        }
    }

    /// Header names inside a batch are members of a JSON object, in any case (§4).
    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        let (_, value) = self.headers.0.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        match value {
            Value::String(text) => Some(Cow::Borrowed(text)),
            Value::Number(number) => Some(Cow::Owned(number.to_string())),
            _ => None,
        }
    }

    /// Whether it is about this person, as far as it names somebody: metadata say `…#users('ID')/photo/$entity` (§3.1).
    pub(super) fn is_of(&self, person: &str) -> bool {
        let Body::Json(metadata) = &self.body else { return true };
        let context = metadata["@odata.context"].as_str().unwrap_or_default();
        let named = context.split_once("#users('").and_then(|(_, rest)| rest.split_once("')"));
        // We ask by object id; any other form of a name is no contradiction.
        named.is_none_or(|(id, _)| uuid::Uuid::try_parse(id).is_err() || id.eq_ignore_ascii_case(person))
    }

    /// Whether a header says to come back later, or that the answer is an old one.
    fn is_taken_back(&self) -> bool {
        let headers = self.headers.0.as_object().into_iter().flatten();
        headers.into_iter().any(|(name, value)| match value {
            Value::String(text) => takes_back(name, text),
            value => takes_back(name, &value.to_string()),
        })
    }

    fn retry_after(&self, now: SystemTime) -> Option<Duration> {
        parse_retry_after(&self.header("retry-after")?, now)
    }
}

/// An etag as one opaque word: weak or strong, quoted or not, it is the same (§3.6). Empty: none.
fn version(etag: &str) -> Option<Version> {
    let etag = etag.trim();
    let word = etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"');
    (!word.is_empty()).then(|| Version::new(word))
}

/// Base64 of either alphabet, padded or not, with or without white space (§4).
fn decode(text: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
    STANDARD.decode(text).ok().or_else(|| {
        let plain = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        });
        STANDARD.decode(plain.collect::<Vec<u8>>()).ok()
    })
}

/// Whatever is encoded comes back, however it is spelled; whatever is decoded is no larger than its text.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz_base64(bytes: &[u8]) -> impl std::hash::Hash + use<> {
    use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
    for engine in [BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD] {
        let text = engine.encode(bytes);
        assert_eq!(decode(&text).as_deref(), Some(bytes), "{text}");
    }
    let text = String::from_utf8_lossy(bytes);
    let decoded = decode(&text);
    assert!(decoded.as_ref().is_none_or(|decoded| decoded.len() <= text.len() * 3 / 4));
    decoded.map(|decoded| decoded.len() % 3)
}

/// What Graph serves for a person without a photo (§3.5).
fn is_one_pixel_gif(bytes: &[u8]) -> bool {
    bytes.starts_with(b"GIF8") && bytes.get(6..10) == Some(&[1, 0, 1, 0])
}

#[cfg(test)]
mod tests;
