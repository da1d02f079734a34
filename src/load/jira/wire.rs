//! Jira's JSON as it comes, and the few odd shapes it comes in.
//!
//! Owns: the wire types; none of them leaves `jira`.
//! Leaves to others: what an avatar URL says (`avatar.rs`), which call gives which page (`survey.rs`).
//! A newcomer gets wrong: ids are strings in one answer and numbers in the next, so every id is read by [`text`].

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::http::{Salvage, entries, records};
use crate::load::account_filter::Life;

/// `GET serverInfo`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServerInfo {
    pub base_url: Option<String>,
    pub version: String,
    #[serde(default)]
    pub version_numbers: Vec<u32>,
    pub deployment_type: Option<String>,
}

/// A user, in listings and alone.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    pub key: Option<String>,
    pub name: Option<String>,
    pub email_address: Option<String>,
    pub display_name: Option<String>,
    pub active: Option<bool>,
    pub deleted: Option<bool>,
    #[serde(default)]
    pub avatar_urls: Option<BTreeMap<String, String>>,
    /// A field of the record is not as documented: the account is left alone, and counts where others may be meant.
    #[serde(skip)]
    odd: bool,
}

impl Salvage for User {
    fn leave_out(&mut self, _: &str) {
        self.odd = true;
    }
}

/// What a bean says of somebody's e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Email<'a> {
    Shown(&'a str),
    Hidden,
    /// `ada at ex dot org`: no address, but what an instance shows in its place (docs/wire/atlassian.md §3.2).
    Masked,
}

impl<'a> Email<'a> {
    pub(super) fn address(self) -> Option<&'a str> {
        match self {
            Self::Shown(address) => Some(address),
            Self::Hidden | Self::Masked => None,
        }
    }
}

impl User {
    /// An address that can be compared with those of people, if the instance shows one.
    pub(super) fn email(&self) -> Email<'_> {
        match self.email_address.as_deref().map(str::trim) {
            None | Some("") => Email::Hidden,
            Some(address) if address.contains('@') => Email::Shown(address),
            Some(_) => Email::Masked,
        }
    }

    /// Anonymising leaves a disabled account with an address that ends so.
    pub(super) fn life(&self) -> Life {
        let email = self.email_address.as_deref().unwrap_or_default();
        match self.active {
            _ if self.odd || self.deleted == Some(true) || email.ends_with("@jira.invalid") => Life::Gone,
            Some(false) => Life::Disabled,
            Some(true) | None => Life::Active,
        }
    }
}

/// `GET user/list`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserList {
    #[serde(deserialize_with = "records")]
    pub values: Vec<User>,
    #[serde(default, deserialize_with = "maybe_text")]
    pub next_cursor: Option<String>,
    pub is_last: Option<bool>,
}

/// `GET user/search`.
#[derive(Debug, Deserialize)]
pub(super) struct FoundUsers(#[serde(deserialize_with = "records")] pub Vec<User>);

/// `GET group/member`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GroupPage {
    #[serde(deserialize_with = "records")]
    pub values: Vec<User>,
    pub total: Option<u64>,
    pub is_last: Option<bool>,
}

/// `GET user/avatars`.
#[derive(Debug, Deserialize)]
pub(super) struct AvatarLists {
    #[serde(default, deserialize_with = "entries")]
    pub system: Vec<Avatar>,
    /// Missing where something on the way left it out: Jira sends an empty one (§3.4).
    #[serde(default, deserialize_with = "told_entries")]
    pub custom: Option<Vec<Avatar>>,
}

impl AvatarLists {
    /// Whether every id is a number. An id stands in a path: nothing else may get there.
    pub(super) fn numbered(&self) -> bool {
        self.system.iter().chain(self.custom.iter().flatten()).all(|avatar| is_number(&avatar.id))
    }
}

/// Whether a text can be the id of an avatar.
pub(super) fn is_number(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// One avatar: in the lists, and as the answer to a creation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Avatar {
    #[serde(deserialize_with = "text")]
    pub id: String,
    pub owner: Option<String>,
    #[serde(default)]
    pub is_selected: bool,
    #[serde(default)]
    pub selected: bool,
}

impl Avatar {
    /// Older releases send only one of the two names.
    pub(super) fn chosen(&self) -> bool {
        self.is_selected || self.selected
    }
}

/// The answer to `POST user/avatar/temporary`: a finished avatar, or an order to crop.
#[derive(Debug)]
pub(super) enum Temporary {
    /// It was small and square: the avatar exists (§3.5, answer B).
    Made { id: String, owner: Option<String> },
    /// Answer A. The suggested crop is not the whole picture and is not read.
    Crop,
    /// The multipart variant reports refusals under status 200.
    Refused(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawTemporary {
    #[serde(default, deserialize_with = "maybe_text")]
    id: Option<String>,
    owner: Option<String>,
    needs_cropping: Option<IgnoredAny>,
    is_cropping_needed: Option<IgnoredAny>,
    #[serde(default)]
    error_messages: Vec<String>,
}

impl Temporary {
    /// Reads the raw variant's JSON and the multipart variant's `<textarea>`.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let json = match text.split_once("<textarea>").and_then(|(_, rest)| rest.split_once("</textarea>")) {
            Some((inside, _)) => unescape(inside),
            None => text.to_owned(),
        };
        let raw: RawTemporary = serde_json::from_str(json.trim()).ok()?;
        if !raw.error_messages.is_empty() {
            return Some(Self::Refused(raw.error_messages.join("; ")));
        }
        match raw.id {
            Some(id) if is_number(&id) => Some(Self::Made { id, owner: raw.owner }),
            _ if raw.needs_cropping.is_some() || raw.is_cropping_needed.is_some() => Some(Self::Crop),
            _ => None,
        }
    }
}

fn unescape(html: &str) -> String {
    html.replace("&quot;", "\"").replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// `GET myself`.
#[derive(Debug, Deserialize)]
pub(super) struct Myself {
    pub key: String,
    pub name: String,
}

/// `GET mypermissions`.
#[derive(Debug, Deserialize)]
pub(super) struct Permissions {
    pub permissions: BTreeMap<String, Permission>,
}

/// One of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Permission {
    pub have_permission: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrNumber {
    Text(String),
    Number(i64),
}

impl From<TextOrNumber> for String {
    fn from(value: TextOrNumber) -> Self {
        match value {
            TextOrNumber::Text(text) => text,
            TextOrNumber::Number(number) => number.to_string(),
        }
    }
}

fn told_entries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Avatar>>, D::Error> {
    entries(deserializer).map(Some)
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    TextOrNumber::deserialize(deserializer).map(String::from)
}

fn maybe_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<TextOrNumber>::deserialize(deserializer)?.map(String::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_an_upload_is_read_in_all_its_shapes() {
        let table: [(&str, &str); 10] = [
            (r#"{"cropperWidth":117,"cropperOffsetX":41,"cropperOffsetY":41,"url":"u","needsCropping":true}"#, "crop"),
            (r#"{"cropperWidth":"117","isCroppingNeeded":"true"}"#, "crop"),
            (
                r#"<html><body><textarea>{"cropperWidth":"117","isCroppingNeeded":"true"}</textarea></body></html>"#,
                "crop",
            ),
            (r#"{"id":"15017","owner":"JIRAUSER10100","needsCropping":false}"#, "made 15017"),
            (r#"{"id":15017,"owner":"JIRAUSER10100"}"#, "made 15017"),
            (
                r#"<textarea>{&quot;id&quot;:&quot;15017&quot;,&quot;owner&quot;:&quot;K&quot;}</textarea>"#,
                "made 15017",
            ),
            (r#"<textarea>{"errorMessages":["too large"]}</textarea>"#, "refused too large"),
            (r#"{"something":"else"}"#, "odd"),
            (r#"{"id":"..","owner":"K"}"#, "odd"),
            (r#"{"id":"15017/../15018","owner":"K"}"#, "odd"),
        ];
        for (body, expected) in table {
            let read = match Temporary::read(body.as_bytes()) {
                Some(Temporary::Made { id, .. }) => format!("made {id}"),
                Some(Temporary::Crop) => "crop".into(),
                Some(Temporary::Refused(why)) => format!("refused {why}"),
                None => "odd".into(),
            };
            assert_eq!(read, expected, "{body}");
        }
    }

    #[test]
    fn a_masked_address_is_none() {
        for (json, email) in [
            ("{}", Email::Hidden),
            (r#"{"emailAddress":null}"#, Email::Hidden),
            (r#"{"emailAddress":""}"#, Email::Hidden),
            (r#"{"emailAddress":"ada@ex.org"}"#, Email::Shown("ada@ex.org")),
            (r#"{"emailAddress":"ada at ex dot org"}"#, Email::Masked),
        ] {
            assert_eq!(serde_json::from_str::<User>(json).unwrap().email(), email, "{json}");
        }
    }

    #[test]
    fn anonymised_users_are_gone() {
        for (json, life) in [
            ("{}", Life::Active),
            (r#"{"active":true}"#, Life::Active),
            (r#"{"active":false}"#, Life::Disabled),
            (r#"{"active":true,"deleted":true}"#, Life::Gone),
            (r#"{"active":false,"emailAddress":"jirauser10100@jira.invalid"}"#, Life::Gone),
        ] {
            assert_eq!(serde_json::from_str::<User>(json).unwrap().life(), life, "{json}");
        }
    }

    /// One odd record must not cost the page: its account is left alone, and still counts where others may be meant.
    #[test]
    fn of_an_odd_record_the_account_stays_and_is_left_alone() {
        let users: FoundUsers = serde_json::from_str(r#"[{"key":"JIRAUSER1","name":"ada","active":true},{"key":"JIRAUSER2","name":"bob","emailAddress":7},null]"#).unwrap();
        let told: Vec<_> = users.0.iter().map(|user| (user.name.as_deref(), user.life() == Life::Gone)).collect();
        assert_eq!(told, [(Some("ada"), false), (Some("bob"), true), (None, false)]);
    }
}
