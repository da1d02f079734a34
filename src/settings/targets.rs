//! `load`, resolved: whose accounts they are matched with, and how pictures go there.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::declare::declare;
use super::{Bucket, Patterns, Placed, Share};
use crate::model::{AccountKey, PersonKey, Place, TargetId};
use crate::secret::Secret;

/// One element under `load`.
#[derive(Clone, Debug)]
pub struct Target {
    /// Unique among the targets.
    pub id: TargetId,
    /// Where the element begins.
    pub place: Place,
    /// Which account belongs to which person.
    pub matching: Matching,
    /// Which accounts are looked at.
    pub accounts: Accounts,
    /// Whose pictures are replaced.
    pub ownership: Placed<Ownership>,
    /// True: the plan is made and nothing is written there.
    pub dry_run: Placed<bool>,
    /// True: nothing is planned there either.
    pub freeze: Placed<bool>,
    /// A key of [`Pipeline::rates`]; a folder on a disk has `default` and does not use it.
    pub rate: String,
    /// A key of [`Pipeline::http`]; a folder on a disk has `default` and does not use it.
    pub http: String,
    /// An open intent is judged no sooner than this after it was sent (docs/write-protocols.md).
    pub quiet: Duration,
    /// The product.
    pub kind: TargetKind,
}

impl Target {
    /// Whether nothing may be written there, whatever is planned.
    pub fn is_read_only(&self) -> bool {
        self.dry_run.value || self.freeze.value
    }
}

/// Which account belongs to which person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matching {
    /// Tried in order; a later pair only where an earlier one is empty on one side (docs/architecture.md, "Matching").
    Pairs(Vec<Pair>),
    /// A list of who is who.
    Map(UserMap),
}

impl Matching {
    /// Whether accounts are matched by this key of theirs.
    pub fn asks_for(&self, key: AccountKey) -> bool {
        match self {
            Self::Pairs(pairs) => pairs.iter().any(|pair| pair.account == key),
            Self::Map(map) => map.account == key,
        }
    }
}

/// A key of the person that must equal a key of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Of the person.
    pub person: PersonKey,
    /// Of the account.
    pub account: AccountKey,
    /// The line of the pair.
    pub place: Place,
}

/// A list of who is who, from a CSV file with the columns `person` and `account`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserMap {
    /// What the column `person` holds.
    pub person: PersonKey,
    /// What the column `account` holds.
    pub account: AccountKey,
    /// Account to person, both in their compared form ([`crate::model::normalise_key`]); each person stands there once.
    pub people: BTreeMap<String, MapRow>,
    /// The file.
    pub list: Arc<str>,
    /// The line of the map.
    pub place: Place,
}

/// Who has an account, and where that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapRow {
    /// The person's key in its compared form.
    pub person: String,
    /// Its line in the list.
    pub line: u32,
}

declare! {
    /// Which accounts are looked at.
    #[derive(Clone, Debug, PartialEq, Eq)]
    Accounts in accounts {
        /// Disabled accounts are left alone.
        active: Flag as Placed<bool> = Else("true"),
        /// Members of these groups of the target. Empty: everybody.
        groups: List<Word> as Placed<Vec<String>> = Else("[]"),
        /// Names of accounts that are left alone.
        exclude: List<Pattern> as Placed<Patterns> = Else("[]"),
        /// The share of the accounts that takes part; always the same ones, and more of them as it grows.
        rollout: Percent as Placed<Share> = Else("100%"),
    }
}

/// Whose pictures are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ownership {
    /// Any picture.
    Provider,
    /// Only the default and pictures of ours; what people chose themselves stays.
    Ours,
}

/// The product behind a target.
#[derive(Clone, Debug)]
pub enum TargetKind {
    /// Jira Data Center.
    Jira(Jira),
    /// Confluence Data Center.
    Confluence(Confluence),
    /// Bitbucket Data Center.
    Bitbucket(Bitbucket),
    /// A static copy in object storage.
    FolderInBucket(FolderInBucket),
    /// A static copy.
    Folder(FolderTarget),
}

impl TargetKind {
    /// How an account gets back its default.
    pub(crate) fn default_by(&self) -> DefaultBy {
        match self {
            Self::Jira(_) | Self::Confluence(_) => DefaultBy::Choosing,
            Self::Bitbucket(_) => DefaultBy::Deleting,
            Self::Folder(_) | Self::FolderInBucket(_) => DefaultBy::Removing,
        }
    }
}

/// How a target goes back to the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DefaultBy {
    /// The default is chosen, and the picture stays until it is taken away.
    Choosing,
    /// The picture is deleted, and does not come back. An adopted one is deleted only where the provider owns the
    /// picture, and there provably is none or the person opted out (docs/write-protocols.md, "Bitbucket").
    Deleting,
    /// Files of ours are removed, and no others (docs/write-protocols.md, "Folder").
    Removing,
}

/// Jira Data Center.
#[derive(Clone, Debug)]
pub struct Jira {
    /// With the context path, if there is one.
    pub base_url: Url,
    /// The service account.
    pub credential: AtlassianCredential,
    /// Which way pictures go.
    pub upload: JiraUpload,
}

/// How the service account signs in to an Atlassian product.
#[derive(Clone, Debug)]
pub enum AtlassianCredential {
    /// A personal or HTTP access token, or an OAuth 2.0 token.
    Token(Secret),
    /// Basic sign-in.
    Password {
        /// The account's name.
        username: String,
        /// Its password.
        password: Secret,
    },
}

impl AtlassianCredential {
    /// Whether it is a token.
    pub fn is_token(&self) -> bool {
        matches!(self, Self::Token(_))
    }
}

/// Which way pictures go to Jira.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JiraUpload {
    /// What was learnt of the server.
    Auto,
    /// Temporary picture, crop, show: needs a web session that lives on.
    Session,
    /// One request; Jira cuts to 48 pixels.
    OneStep,
}

/// Confluence Data Center.
#[derive(Clone, Debug)]
pub struct Confluence {
    /// With the context path, if there is one.
    pub base_url: Url,
    /// The service account.
    pub credential: AtlassianCredential,
    /// Which way pictures go.
    pub upload: ConfluenceUpload,
}

/// Which way pictures go to Confluence.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ConfluenceUpload {
    /// The remote API that an administrator switches on.
    Xmlrpc,
    /// The ScriptRunner endpoint that comes with avatarpipe.
    Endpoint {
        /// Below `base_url`; begins with `/`.
        path: String,
    },
}

/// Bitbucket Data Center.
#[derive(Clone, Debug)]
pub struct Bitbucket {
    /// With the context path, if there is one.
    pub base_url: Url,
    /// The service account.
    pub credential: AtlassianCredential,
}

/// A folder that takes `NAME.png` and `index.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderTarget {
    /// Relative to the working directory.
    pub path: PathBuf,
    /// What its files are named after.
    pub names: FolderNames,
}

/// A folder whose files are objects.
#[derive(Clone, Debug)]
pub struct FolderInBucket {
    /// Where.
    pub bucket: Bucket,
    /// What its objects are named after.
    pub names: FolderNames,
    /// How long whoever serves or shows them may keep them.
    pub cache: Duration,
}

/// What the files of a folder are named after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FolderNames {
    /// What `match` says.
    Match,
    /// The SHA-256 of the main e-mail address in small letters.
    EmailSha256,
    /// The MD5 of the main e-mail address in small letters.
    EmailMd5,
}
