//! A user of a directory and what there is of a photo, as it stands in `world.yaml` (docs/wire/microsoft-graph.md).

use serde::{Deserialize, Serialize};

use crate::pictures::FileRef;

/// A user of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The object id.
    pub id: String,
    /// `displayName`.
    pub name: String,
    /// `userPrincipalName`.
    pub upn: String,
    /// `mail`.
    #[serde(default)]
    pub mail: Option<String>,
    /// `proxyAddresses`, with their `SMTP:` and `smtp:`.
    #[serde(default)]
    pub proxy_addresses: Vec<String>,
    /// `otherMails`.
    #[serde(default)]
    pub other_mails: Vec<String>,
    /// `accountEnabled`.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// `userType`; very old accounts hold none (§2.3).
    #[serde(default = "member")]
    pub user_type: Option<String>,
    /// `onPremisesSamAccountName`.
    #[serde(default)]
    pub sam: Option<String>,
    /// `employeeId`.
    #[serde(default)]
    pub employee_id: Option<String>,
    /// The photo, or what is answered in its place.
    #[serde(default)]
    pub photo: Photo,
    /// Where the photo lives, which decides its sizes (§3.2).
    #[serde(default)]
    pub store: PhotoStore,
    /// The change marker, without `W/` and quotes; made from id and photo if not given.
    #[serde(default)]
    pub etag: Option<String>,
    /// The first answers about this person's photo are 429.
    #[serde(default)]
    pub throttled: Option<Throttled>,
}

/// A person's photo, or what is answered in its place (§3.5).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Photo {
    /// The bytes of this file.
    File(FileRef),
    /// A proven absence.
    None(NoPhoto),
    /// A failure that proves nothing.
    Failure(PhotoFailure),
}

impl Default for Photo {
    fn default() -> Self {
        Self::None(NoPhoto::ImageNotFound)
    }
}

/// The shapes of a proven absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoPhoto {
    /// 404 `ImageNotFound`.
    ImageNotFound,
    /// 404 `ErrorItemNotFound`.
    ItemNotFound,
    /// 404 `ErrorEntityNotFound` with a message that names `ImageNotFoundException` (§12).
    EntityNotFound,
    /// 200, `image/gif`, 1 by 1, empty change marker.
    OnePixel,
}

/// The failures that prove nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PhotoFailure {
    /// 404 `Request_ResourceNotFound`: deleted meanwhile.
    UserGone,
    /// 404 `ResourceNotFound`: no mailbox, under an application token (§12).
    ResourceNotFound,
    /// 404 `ErrorEntityNotFound` that names no exception (§12).
    OtherEntity,
    /// 404 `ErrorInvalidUser` (§12).
    InvalidUser,
    /// `UnknownError` around `ErrorUserResolutionFailedUserDoesNotExist` (§12).
    UserUnresolved,
    /// `ErrorNonExistentMailbox`.
    NoMailbox,
    /// 400 `AuthenticationError`.
    AuthenticationError,
    /// `MailboxNotHostedInExchangeOnline`.
    MailboxNotHosted,
    /// `UnknownError` with JSON inside `message`.
    UnknownError,
    /// 403 `ErrorAccessDenied`.
    AccessDenied,
    /// 500 `ErrorStoreInternalServerError`.
    StoreError,
    /// `extensionError`.
    ExtensionError,
}

/// Where a photo lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhotoStore {
    /// In the mailbox: named square sizes.
    #[default]
    Mailbox,
    /// In Entra ID alone: one picture of any dimension, no named sizes.
    Directory,
}

/// How often and how a person's photo is refused with 429 before it comes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Throttled {
    /// How often.
    pub times: u32,
    /// The text of `Retry-After`; none leaves the header out.
    #[serde(default)]
    pub retry_after: Option<String>,
}

impl Person {
    /// An enabled member with a mailbox and no photo. The id is made from the sign-in name.
    pub fn new(upn: &str, name: &str) -> Self {
        let hash = blake3::hash(upn.as_bytes()).to_hex();
        let id = [&hash[..8], &hash[8..12], &hash[12..16], &hash[16..20], &hash[20..32]].join("-");
        Self {
            id,
            name: name.to_owned(),
            upn: upn.to_owned(),
            mail: Some(upn.to_owned()),
            proxy_addresses: vec![format!("SMTP:{upn}")],
            other_mails: Vec::new(),
            enabled: true,
            user_type: member(),
            sam: upn.split('@').next().map(str::to_owned),
            employee_id: None,
            photo: Photo::default(),
            store: PhotoStore::default(),
            etag: None,
            throttled: None,
        }
    }

    /// With the photo in this file.
    #[must_use]
    pub fn photo(mut self, file: &str) -> Self {
        self.photo = Photo::File(file.into());
        self
    }
}

fn member() -> Option<String> {
    Some("Member".into())
}

fn yes() -> bool {
    true
}
