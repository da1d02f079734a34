//! The Entra part of a world.
//!
//! Owns: how tenants, people, groups and the app registration stand in `world.yaml`.
//! Leaves to others: how they behave (`entra`, `graph`).
//! A newcomer gets wrong: `name` is the display name and need not be unique; `id` and `upn` are.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::jwt::{Key, KeyFiles};
use crate::pictures::{FileRef, Pictures};

/// One Entra tenant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// The name of the source; `entra` serves as `login` and `graph`, any other as `ID-login` and `ID-graph`.
    #[serde(default = "default_id")]
    pub id: String,
    /// The tenant's GUID.
    pub tenant: String,
    /// The verified domain, which the sign-in takes as well as the GUID.
    pub domain: String,
    /// The app registration.
    pub app: App,
    /// The users of the directory.
    #[serde(default)]
    pub people: Vec<Person>,
    /// The groups of the directory.
    #[serde(default)]
    pub groups: Vec<Group>,
    /// The identities of the machine that the pipeline runs on; with one, there is a metadata service.
    #[serde(default)]
    pub managed_identities: Vec<ManagedIdentity>,
}

/// The app registration of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// The client id.
    pub client_id: String,
    /// The secret that works. Invented for the world; it opens no real door.
    pub client_secret: String,
    /// A secret that ran out.
    #[serde(default)]
    pub expired_secret: Option<String>,
    /// The certificates that are registered.
    #[serde(default)]
    pub certificates: Vec<Certificate>,
    /// The federated credentials: which tokens of CI platforms are taken.
    #[serde(default)]
    pub federated: Vec<Federated>,
    /// The application permissions that an administrator consented to.
    #[serde(default = "default_roles")]
    pub roles: Vec<String>,
    /// The resource that tokens are issued for: the Graph host of the cloud.
    #[serde(default = "default_resource")]
    pub resource: String,
}

/// A certificate of an app registration, with both thumbprints as the portal shows them, in base64url.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The certificate in PEM.
    pub certificate: FileRef,
    /// Its private key: PKCS#8 in PEM. A throw-away key.
    pub private: FileRef,
    /// Its public key in PEM.
    pub public: FileRef,
    /// The SHA-1 thumbprint.
    pub x5t: String,
    /// The SHA-256 thumbprint.
    pub x5t_s256: String,
}

impl Certificate {
    /// The certificate of the bundled world `merged`.
    pub fn bundled() -> Self {
        Self {
            certificate: "keys/entra.certificate.pem".into(),
            private: "keys/entra.private.pem".into(),
            public: "keys/entra.public.pem".into(),
            x5t: "kuCCEHnCZe7nXhXIh6IX4ZXF1so".into(),
            x5t_s256: "PEbjqn6dJSn-0Ck4kQ9ePmD1A5Qh90LGDsQQYryeBkI".into(),
        }
    }

    pub(super) fn key(&self) -> KeyFiles {
        KeyFiles { id: self.x5t_s256.clone(), private: self.private.clone(), public: self.public.clone() }
    }
}

/// A federated credential: equal in every member, no patterns (docs/wire/microsoft-graph.md §1.3).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Federated {
    /// `iss` of the token.
    pub issuer: String,
    /// `sub` of the token.
    pub subject: String,
    /// `aud` of the token.
    #[serde(default = "default_audience")]
    pub audience: String,
}

/// A managed identity of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedIdentity {
    /// The client id.
    pub client_id: String,
    /// The object id.
    pub object_id: String,
    /// The resource id.
    pub resource_id: String,
}

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, serde::Serialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, serde::Serialize)]
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

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The object id.
    pub id: String,
    /// `displayName`.
    pub name: String,
    /// Object ids of people.
    #[serde(default)]
    pub members: Vec<String>,
    /// Object ids of groups inside this one.
    #[serde(default)]
    pub groups: Vec<String>,
}

impl Tenant {
    /// An empty tenant with one working app registration.
    pub fn new() -> Self {
        let app = App {
            client_id: "3b6c1d52-7e1f-4a0e-9a53-2c0f4d7f8e90".into(),
            client_secret: "sand~box/secret+1".into(),
            expired_secret: None,
            certificates: Vec::new(),
            federated: Vec::new(),
            roles: default_roles(),
            resource: default_resource(),
        };
        let tenant = "8f3c0f9e-5f5b-4a38-9d53-0d1f6a0b7c11".to_owned();
        let (people, groups, managed_identities) = (Vec::new(), Vec::new(), Vec::new());
        Self { id: default_id(), tenant, domain: "contoso.example".into(), app, people, groups, managed_identities }
    }

    /// With this person.
    #[must_use]
    pub fn person(mut self, person: Person) -> Self {
        self.people.push(person);
        self
    }

    /// With this group.
    #[must_use]
    pub fn group(mut self, group: Group) -> Self {
        self.groups.push(group);
        self
    }

    pub(super) fn endpoint(&self, of: &str) -> String {
        if self.id == default_id() { of.to_owned() } else { format!("{}-{of}", self.id) }
    }

    pub(super) fn named_files(&self) -> impl Iterator<Item = &FileRef> {
        let photos =
            self.people.iter().filter_map(|p| if let Photo::File(file) = &p.photo { Some(file) } else { None });
        photos.chain(self.app.certificates.iter().flat_map(|c| [&c.certificate, &c.private, &c.public]))
    }

    pub(super) fn fits_together(&self, pictures: &Pictures) -> Result<(), String> {
        for certificate in &self.app.certificates {
            Key::read(&certificate.key(), pictures)?;
        }
        let mut seen = BTreeSet::new();
        for person in &self.people {
            for key in [&person.id, &person.upn] {
                if !seen.insert(key.to_lowercase()) {
                    return Err(format!("two people of {} have the id or upn {key}", self.id));
                }
            }
        }
        for group in &self.groups {
            if let Some(nobody) = group.members.iter().find(|m| !self.people.iter().any(|p| p.id == **m)) {
                return Err(format!("the group {} has the member {nobody}, who is nobody", group.name));
            }
            if let Some(none) = group.groups.iter().find(|g| !self.groups.iter().any(|o| o.id == **g)) {
                return Err(format!("the group {} holds the group {none}, which there is not", group.name));
            }
        }
        Ok(())
    }
}

impl Default for Tenant {
    fn default() -> Self {
        Self::new()
    }
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

fn default_id() -> String {
    "entra".into()
}

fn default_roles() -> Vec<String> {
    ["User.Read.All", "GroupMember.Read.All"].map(str::to_owned).into()
}

fn default_audience() -> String {
    "api://AzureADTokenExchange".into()
}

fn default_resource() -> String {
    "https://graph.microsoft.com".into()
}

fn member() -> Option<String> {
    Some("Member".into())
}

fn yes() -> bool {
    true
}
