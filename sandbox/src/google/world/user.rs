//! A user of a customer, as it stands in `world.yaml`.

use serde::Deserialize;

use crate::pictures::FileRef;

/// What somebody may do in the Admin console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Nothing.
    #[default]
    None,
    /// A delegated administrator without the right to read users, such as one for devices.
    Other,
    /// A delegated administrator who may read users and groups.
    ReadUsers,
    /// A super administrator.
    Super,
}

/// A user of the customer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The immutable id: digits.
    pub id: String,
    /// The given name.
    pub given_name: String,
    /// The family name.
    pub family_name: String,
    /// `primaryEmail`.
    pub email: String,
    /// `aliases`.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// `suspended`.
    #[serde(default)]
    pub suspended: bool,
    /// `archived`.
    #[serde(default)]
    pub archived: bool,
    /// Deleted: only `showDeleted` lists such a user.
    #[serde(default)]
    pub deleted: bool,
    /// `orgUnitPath`.
    #[serde(default = "root")]
    pub org_unit: String,
    /// The role in the Admin console.
    #[serde(default)]
    pub role: Role,
    /// An organisation's own number, in `externalIds`.
    #[serde(default)]
    pub employee_id: Option<String>,
    /// The photo, or what is answered in its place.
    #[serde(default)]
    pub photo: Photo,
    /// The part after the `/` of the photo's etag; made from id and photo if not given.
    #[serde(default)]
    pub etag: Option<String>,
}

/// A user's photo, or what is answered in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Photo {
    /// No photo, and no etag in the listing.
    #[default]
    None,
    /// The picture of this file, brought to 96 by 96 as the API does.
    File(FileRef),
    /// The listing names an etag, the photo is gone when it is asked for.
    Vanished,
    /// The listing names an etag, the photo is answered with this row of the error table (`google::errors`).
    Failure(String),
}

impl User {
    /// An active user without a photo. The id is made from the address.
    pub fn new(email: &str, given_name: &str, family_name: &str) -> Self {
        let hash = blake3::hash(email.as_bytes());
        let [a, b, c, d, ..] = *hash.as_bytes();
        Self {
            id: format!("1050000000{:011}", u32::from_le_bytes([a, b, c, d])),
            given_name: given_name.to_owned(),
            family_name: family_name.to_owned(),
            email: email.to_owned(),
            aliases: Vec::new(),
            suspended: false,
            archived: false,
            deleted: false,
            org_unit: root(),
            role: Role::None,
            employee_id: None,
            photo: Photo::None,
            etag: None,
        }
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &String> {
        [&self.id, &self.email].into_iter().chain(&self.aliases)
    }

    /// With the photo in this file.
    #[must_use]
    pub fn photo(mut self, file: &str) -> Self {
        self.photo = Photo::File(file.into());
        self
    }

    /// With this role.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// In this organisational unit.
    #[must_use]
    pub fn unit(mut self, path: &str) -> Self {
        self.org_unit = path.to_owned();
        self
    }
}

fn root() -> String {
    "/".into()
}
