//! Photos: metadata, bytes and sizes (docs/wire/microsoft-graph.md §3).
//!
//! Owns: every shape of a photo, of its proven absence and of the failures of §3.5, and the change markers of §3.6.
//! Leaves to others: the photos themselves (`super::super::entra`), their sizes (`sized`), binary parts (`batch`).
//! A newcomer gets wrong: with the bytes of a mailbox photo only named sizes up to its own exist, and a larger one is
//! not invented; a photo held in the directory alone has no named sizes.

use axum::body::Bytes;
use serde_json::{Value, json};

use super::service::Graph;
use super::sized::{SIZES, Sized, sized};
use super::switches::{
    EXTENSION_ERROR_STATUS, IF_NONE_MATCH, MEDIA_ETAG, MISSING_SIZE, NO_MAILBOX_STATUS, NO_PHOTO, NOT_HOSTED_STATUS,
    SIZE_ID, UNKNOWN_ERROR_STATUS, VALUE_ETAG,
};
use super::throttle::too_many;
use super::wire::{Call, Content, Reply};
use crate::entra::LivePhoto;
use crate::entra::world::{NoPhoto, PhotoFailure, PhotoStore};

const MAY_READ: [&str; 4] =
    ["ProfilePhoto.Read.All", "ProfilePhoto.ReadWrite.All", "User.Read.All", "User.ReadWrite.All"];
const THROWN: &str = "Exception of type 'Microsoft.Fast.Profile.Core.Exception.ImageNotFoundException' was thrown.";
const ONE_PIXEL: [u8; 43] = *b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// The word for a shape on the page: as in `world.yaml`.
pub(super) fn word(shape: &impl serde::Serialize) -> String {
    serde_json::to_value(shape).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

impl Graph {
    /// Metadata of the largest photo, or of one size.
    pub(super) fn photo(&self, call: &Call, id: &str, size: Option<&str>) -> Reply {
        self.with_photo(
            call,
            id,
            size,
            |sized| {
                let mut body = self.describe(&sized);
                let part = size.map_or_else(|| "photo".to_owned(), |s| format!("photos('{s}')"));
                let context = self.metadata(&format!("users('{}')/{part}/$entity", sized.live.person.id));
                body["@odata.context"] = context.into();
                Reply::json(body)
            },
            || self.one_pixel_metadata(id),
        )
    }

    /// The bytes of the largest photo, or of one size.
    pub(super) fn photo_value(&self, call: &Call, id: &str, size: Option<&str>) -> Reply {
        self.with_photo(
            call,
            id,
            size,
            |sized| self.bytes(call, &sized),
            || {
                let content =
                    Content::Binary { bytes: Bytes::from_static(&ONE_PIXEL), content_type: "image/gif".into() };
                Reply { content, ..Reply::json(Value::Null) }
            },
        )
    }

    /// The metadata of every size.
    pub(super) fn photos(&self, call: &Call, id: &str) -> Reply {
        self.with_photo(
            call,
            id,
            None,
            |largest| {
                let side = largest.width.min(largest.height);
                let named = SIZES.into_iter().filter(|s| *s < side && largest.live.person.store == PhotoStore::Mailbox);
                let named =
                    named.map(|side| self.describe(&Sized { width: side, height: side, whole: false, ..largest }));
                let all: Vec<Value> = named.chain([self.describe(&largest)]).collect();
                let context = self.metadata(&format!("users('{}')/photos", largest.live.person.id));
                Reply::json(json!({ "@odata.context": context, "value": all }))
            },
            || Reply::json(json!({ "@odata.context": self.metadata(&format!("users('{id}')/photos")), "value": [] })),
        )
    }

    /// Finds the photo and lets `present` answer; every reason why there is none is answered here, the 1x1 shape by `pixel`.
    fn with_photo(
        &self,
        call: &Call,
        id: &str,
        size: Option<&str>,
        present: impl FnOnce(Sized<'_>) -> Reply,
        pixel: impl FnOnce() -> Reply,
    ) -> Reply {
        if !self.may(&MAY_READ) {
            return self.denied(call);
        }
        let Some(live) = self.directory.find(id) else { return self.no_user(call, id) };
        if self.directory.throttle(&live.person.id) {
            self.context.changed();
            let reply = too_many(self, call);
            let after = live.person.throttled.as_ref().and_then(|t| t.retry_after.as_ref());
            return match after {
                Some(after) => reply.with("Retry-After", after.as_str()),
                None => reply,
            };
        }
        match &live.photo {
            LivePhoto::Failing(shape) => self.failing(call, id, *shape),
            LivePhoto::Absent(shape) => self.absent(call, self.shape_of_absence(*shape), pixel),
            LivePhoto::Present(file) => match sized(&live, file, size) {
                Some(sized) => present(sized),
                None if self.context.is(&MISSING_SIZE, "one_pixel") => pixel(),
                None => self.absent(call, NoPhoto::ImageNotFound, pixel),
            },
        }
    }

    fn shape_of_absence(&self, declared: NoPhoto) -> NoPhoto {
        match self.context.switch(&NO_PHOTO).as_str() {
            "image_not_found" => NoPhoto::ImageNotFound,
            "item_not_found" => NoPhoto::ItemNotFound,
            "entity_not_found" => NoPhoto::EntityNotFound,
            "one_pixel" => NoPhoto::OnePixel,
            _ => declared,
        }
    }

    fn absent(&self, call: &Call, shape: NoPhoto, pixel: impl FnOnce() -> Reply) -> Reply {
        match shape {
            NoPhoto::OnePixel => pixel(),
            NoPhoto::ImageNotFound => self.error(call, 404, "ImageNotFound", THROWN),
            NoPhoto::EntityNotFound => self.error(call, 404, "ErrorEntityNotFound", THROWN),
            NoPhoto::ItemNotFound => {
                self.error(call, 404, "ErrorItemNotFound", "The specified object was not found in the store.")
            }
        }
    }

    fn one_pixel_metadata(&self, id: &str) -> Reply {
        Reply::json(json!({
            "@odata.context": self.metadata(&format!("users('{id}')/photo/$entity")),
            "@odata.mediaContentType": "image/gif", "@odata.mediaEtag": "",
            "id": if self.context.is(&SIZE_ID, "upper") { "1X1" } else { "1x1" }, "width": 1, "height": 1,
        }))
    }

    fn failing(&self, call: &Call, id: &str, shape: PhotoFailure) -> Reply {
        let open = |switch| u16::try_from(self.context.number(switch)).unwrap_or(500);
        let (status, code, message) = match shape {
            PhotoFailure::UserGone => return self.no_user(call, id),
            PhotoFailure::ResourceNotFound => (404, "ResourceNotFound", "Resource could not be discovered."),
            PhotoFailure::OtherEntity => (404, "ErrorEntityNotFound", "The requested entity was not found."),
            PhotoFailure::InvalidUser => (404, "ErrorInvalidUser", "The requested user is invalid."),
            PhotoFailure::UserUnresolved => (
                open(&UNKNOWN_ERROR_STATUS),
                "UnknownError",
                "{\"error\":{\"code\":\"ErrorUserResolutionFailedUserDoesNotExist\",\"message\":\"The user could not be \
                 resolved.\"}}",
            ),
            PhotoFailure::NoMailbox => (
                open(&NO_MAILBOX_STATUS),
                "ErrorNonExistentMailbox",
                "The SMTP address has no mailbox associated with it.",
            ),
            PhotoFailure::AuthenticationError => (400, "AuthenticationError", "Error authenticating with resource"),
            PhotoFailure::MailboxNotHosted => (
                open(&NOT_HOSTED_STATUS),
                "MailboxNotHostedInExchangeOnline",
                "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
            ),
            PhotoFailure::UnknownError => (
                open(&UNKNOWN_ERROR_STATUS),
                "UnknownError",
                "{\"error\":{\"code\":\"NoPermissionsInAccessToken\",\"message\":\"The token contains no permissions, or \
                 permissions can not be understood.\",\"innerError\":{\"oAuthEventOperationId\":\"b1f0\"}}}",
            ),
            PhotoFailure::AccessDenied => (403, "ErrorAccessDenied", "Access to OData is disabled."),
            PhotoFailure::StoreError => (
                500,
                "ErrorStoreInternalServerError",
                "Exception of type 'Microsoft.Fast.Profile.Core.Exception.ProfileStorageUnexpectedException' was thrown.",
            ),
            PhotoFailure::ExtensionError => {
                (open(&EXTENSION_ERROR_STATUS), "extensionError", "The mailbox is on-premises or a policy forbids it.")
            }
        };
        self.error(call, status, code, message)
    }

    fn describe(&self, sized: &Sized<'_>) -> Value {
        let Sized { width, height, .. } = *sized;
        let cross = if self.context.is(&SIZE_ID, "upper") { "X" } else { "x" };
        let mut body = json!({
            "@odata.mediaContentType": sized.content_type(),
            "id": format!("{width}{cross}{height}"), "width": width, "height": height,
        });
        let etag = sized.etag();
        match self.context.switch(&MEDIA_ETAG).as_str() {
            "strong" => body["@odata.mediaEtag"] = format!("\"{etag}\"").into(),
            "empty" => body["@odata.mediaEtag"] = "".into(),
            "null" => body["@odata.mediaEtag"] = Value::Null,
            "absent" => {}
            _ => body["@odata.mediaEtag"] = format!("W/\"{etag}\"").into(),
        }
        body
    }

    fn bytes(&self, call: &Call, sized: &Sized<'_>) -> Reply {
        let etag = self.value_etag(&sized.etag());
        let asked = call.headers.get("if-none-match");
        let same = asked.zip(etag.as_ref()).is_some_and(|(asked, etag)| bare(asked) == bare(etag));
        let reply = if same && self.context.is(&IF_NONE_MATCH, "honoured") {
            Reply { status: 304, content: Content::Nothing, ..Reply::json(Value::Null) }
        } else {
            let content = Content::Binary { bytes: sized.bytes(), content_type: sized.content_type().to_owned() };
            Reply { content, ..Reply::json(Value::Null) }
        };
        match etag {
            Some(etag) => reply.with("ETag", etag),
            None => reply,
        }
    }

    fn value_etag(&self, etag: &str) -> Option<String> {
        let weak = format!("W/\"{etag}\"");
        let strong = format!("\"{etag}\"");
        match self.context.switch(&VALUE_ETAG).as_str() {
            "weak" => Some(weak),
            "strong" => Some(strong),
            "absent" => None,
            "other" => Some(format!("W/\"{}\"", blake3::hash(etag.as_bytes()).to_hex())),
            _ => match self.context.switch(&MEDIA_ETAG).as_str() {
                "strong" => Some(strong),
                "weak" => Some(weak),
                _ => None,
            },
        }
    }
}

/// An entity tag without the mark of weakness and the quotes.
fn bare(etag: &str) -> &str {
    etag.trim().trim_start_matches("W/").trim_matches('"')
}
