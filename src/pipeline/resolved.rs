//! The pipeline with everything looked up: what the phases of a run work with.
//!
//! Owns: plain types without spans, text to parse or `${…}`.
//! Leaves to others: what a setting does (`extract`, `transform`, `plan`, `load`, `http`).
//! A newcomer gets wrong: every rule has a [`Place`], also one that nobody wrote; it is then that of the nearest element
//! that stands in the file, so that each decision can name a line (promise P10).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::model::{AccountKey, Digest, PersonKey, Place, SourceId, TargetId};

/// One pipeline file, resolved.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// Names the state file.
    pub name: String,
    /// The file as it was named on the command line.
    pub file: Arc<str>,
    /// Of the file's text, before anything is put in.
    pub digest: Digest,
    /// In order of preference, those switched off included.
    pub sources: Vec<Source>,
    /// How a photo becomes a picture.
    pub transform: Transform,
    /// In the order of the file.
    pub targets: Vec<Target>,
    /// What stops a run.
    pub limits: Limits,
    /// Every rate of the file, and `default`.
    pub rates: BTreeMap<String, Rate>,
    /// Every `http` entry of the file, and `default`.
    pub http: BTreeMap<String, Http>,
    /// What the reports show.
    pub report: Report,
    /// The durable state file.
    pub state: PathBuf,
}

/// One element under `extract`.
#[derive(Clone, Debug)]
pub struct Source {
    /// Unique among the sources.
    pub id: SourceId,
    /// Where the element begins.
    pub place: Place,
    /// A key of [`Pipeline::rates`]; a folder, or what is switched off, has `default` and does not use it.
    pub rate: String,
    /// A key of [`Pipeline::http`]; a folder, or what is switched off, has `default` and does not use it.
    pub http: String,
    /// `None`: switched off; its people are left alone, and none of its values is looked up.
    pub provider: Option<Provider>,
}

/// What a source that is switched on works with.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Who is in scope.
    pub users: Users,
    /// The system.
    pub kind: SourceKind,
}

/// Who of a source is in scope. It hides nobody: people out of scope are listed and marked (design §4, collect).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Users {
    /// True: who is disabled at the provider is `inactive`.
    pub active: bool,
    /// The kinds of user in scope; never empty. Google knows members only.
    pub types: Vec<UserType>,
    /// Paths of organisational units, those below included; empty: everybody. Only Google has them.
    pub org_units: Vec<String>,
    /// Groups, nested ones included; empty: everybody.
    pub groups: Vec<String>,
    /// People who are left alone.
    pub exclude: Vec<Chosen>,
    /// People who asked to show no photo.
    pub opted_out: Vec<Chosen>,
    /// The line of each rule.
    pub places: UserPlaces,
}

/// Some people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// A pattern such as `*-admin@example.com` over user names, e-mails and ids.
    Pattern(String),
    /// The members of a group, nested ones included.
    Group(String),
}

/// The lines of [`Users`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the line of the field of the same name")]
pub struct UserPlaces {
    pub active: Place,
    pub types: Place,
    pub org_units: Place,
    pub groups: Place,
    pub exclude: Place,
    pub opted_out: Place,
}

/// The kinds of user that a directory tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UserType {
    /// Of the organisation.
    Member,
    /// Invited from elsewhere.
    Guest,
}

/// The system behind a source.
#[derive(Clone, Debug)]
pub enum SourceKind {
    /// Microsoft Entra ID through Microsoft Graph.
    Entra(Entra),
    /// Google Workspace or Cloud Identity through the Directory API.
    Google(Google),
    /// `people.csv` and pictures.
    Folder(FolderSource),
}

/// Microsoft Entra ID.
#[derive(Clone, Debug)]
pub struct Entra {
    /// Which national cloud; gives the scope and audience of the sign-in.
    pub cloud: Cloud,
    /// The tenant's id or domain.
    pub tenant: String,
    /// Who we are.
    pub credential: EntraCredential,
    /// Where to connect.
    pub endpoints: EntraEndpoints,
}

/// A national cloud of Microsoft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are Microsoft's")]
pub enum Cloud {
    Global,
    Usgov,
    Dod,
    China,
}

/// Who we are for Entra.
#[derive(Clone, Debug)]
pub enum EntraCredential {
    /// An app registration.
    App {
        /// Its application (client) id.
        client_id: String,
        /// How it proves itself.
        proof: AppProof,
    },
    /// The identity of the virtual machine that runs the job (`reference/microsoft-graph.md` §1.4).
    ManagedIdentity {
        /// Of a user-assigned identity; `None`: the machine's own.
        client_id: Option<String>,
    },
}

/// How an app registration proves itself.
#[derive(Clone, Debug)]
pub enum AppProof {
    /// A secret of the app registration.
    ClientSecret(SecretString),
    /// A certificate of the app registration and its key (`reference/microsoft-graph.md` §1.2).
    Certificate(Certificate),
    /// A token of the CI platform is the assertion (§1.3).
    Federated(TokenFrom),
}

/// A certificate and its key in one file, PEM or PKCS#12.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Relative to the working directory.
    pub file: PathBuf,
    /// Opens a PKCS#12 file, whose password is empty without one, or a PEM key that is encrypted.
    pub password: Option<SecretString>,
}

/// Where a token of the CI platform comes from. Its audience is a matter of whoever takes it.
#[derive(Clone, Debug)]
pub enum TokenFrom {
    /// GitHub Actions hands one out for each audience; it lives for minutes, so a new one is asked for each time.
    Github {
        /// `ACTIONS_ID_TOKEN_REQUEST_URL`; has a query already, to which `audience` is added.
        url: Url,
        /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
        token: SecretString,
    },
    /// It stood in a variable when the job began, as in GitLab.
    Env {
        /// The variable, for messages.
        name: String,
        /// Its value.
        token: SecretString,
    },
    /// It stands in a file, which is read each time: whoever runs the job puts new ones there.
    File {
        /// Relative to the working directory.
        path: PathBuf,
    },
}

/// Base URLs; they say where to connect and change neither scope nor audience (design §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntraEndpoints {
    /// Sign-in.
    pub login: Url,
    /// Microsoft Graph.
    pub graph: Url,
    /// The metadata service of a virtual machine.
    pub imds: Url,
}

/// Google Workspace or Cloud Identity.
#[derive(Clone, Debug)]
pub struct Google {
    /// `my_customer`, or the customer's id, which begins with `C`; never `my_customer` without `subject`.
    pub customer: String,
    /// The administrator in whose name the service account acts; `None`: in its own.
    pub subject: Option<String>,
    /// How the service account proves itself.
    pub credential: GoogleCredential,
    /// Where to connect.
    pub endpoints: GoogleEndpoints,
}

/// How the service account proves itself to Google (`reference/google-directory.md` §1.1).
#[derive(Clone, Debug)]
pub enum GoogleCredential {
    /// A key file of the service account, JSON. The path is relative to the working directory.
    ServiceAccountFile(PathBuf),
    /// A file of the type `external_account`, JSON, as CI platforms make it. The path is relative to the working directory.
    ExternalAccountFile(PathBuf),
    /// A token of the CI platform, through workload identity federation.
    Federated(GoogleFederated),
}

/// Workload identity federation without a file.
#[derive(Clone, Debug)]
pub struct GoogleFederated {
    /// Where the platform's token comes from.
    pub from: TokenFrom,
    /// The provider of the workload identity pool: `//iam.googleapis.com/projects/…/providers/…`, as the token service
    /// takes it. The audience of the platform's token is the same with `https:` before it (§1.5).
    pub audience: String,
    /// The e-mail address of the service account.
    pub service_account: String,
}

/// Base URLs; they say where to connect and change neither scope nor audience (design §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoogleEndpoints {
    /// Sign-in.
    pub token: Url,
    /// The Directory API.
    pub directory: Url,
    /// The security token service.
    pub sts: Url,
    /// The IAM Service Account Credentials API.
    pub iam_credentials: Url,
}

/// A folder with `people.csv` and pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderSource {
    /// Relative to the working directory.
    pub path: PathBuf,
}

/// How a photo becomes a picture, and what stands in its place if it does not.
#[derive(Clone, Debug)]
pub struct Transform {
    /// Side of the square, in pixels.
    pub size: u32,
    /// Which part of the photo.
    pub crop: Crop,
    /// What is uploaded.
    pub format: Format,
    /// Red, green, blue behind transparent parts.
    pub background: [u8; 3],
    /// A photo with a shorter side is `too_small`.
    pub smallest: u32,
    /// Photos that count as absent.
    pub placeholders: Vec<Digest>,
    /// One photo for more people than this stops the run.
    pub same_picture: Option<u32>,
    /// The line of `same_picture`.
    pub same_picture_place: Place,
    /// What happens instead of a replacement.
    pub fallback: Fallback,
    /// The line of `transform`.
    pub place: Place,
}

/// Which part of a photo is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Crop {
    /// The largest square in the middle.
    Center,
}

/// What is uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Format {
    Png,
    Jpeg,
}

/// What happens instead of a replacement (design §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// The person provably has no photo.
    pub absent: Rule,
    /// No picture can be made of the photo.
    pub unreadable: Rule,
    /// The photo is smaller than `resize.smallest`.
    pub too_small: Rule,
    /// Disabled at the provider.
    pub inactive: Rule,
    /// Not selected by `users`.
    pub out_of_scope: Rule,
    /// Named under `opted_out`.
    pub opted_out: Rule,
    /// Listed by no source any more.
    pub gone: Rule,
}

/// One line of `fallback`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What is done.
    pub action: Action,
    /// The line.
    pub place: Place,
}

/// What is done with an account whose person gives no picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The account stays as it is.
    Keep,
    /// The default is shown again.
    Default,
    /// This file is shown, as if it were the person's photo.
    Image(PathBuf),
}

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
    pub ownership: Ownership,
    /// The line of `ownership`.
    pub ownership_place: Place,
    /// True: the plan is made and nothing is written there.
    pub dry_run: bool,
    /// The line of `dry_run`.
    pub dry_run_place: Place,
    /// A key of [`Pipeline::rates`]; a folder has `default` and does not use it.
    pub rate: String,
    /// A key of [`Pipeline::http`]; a folder has `default` and does not use it.
    pub http: String,
    /// An open intent is judged no sooner than this after it was sent (write-protocols).
    pub quiet: Duration,
    /// The product.
    pub kind: TargetKind,
}

/// Which account belongs to which person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matching {
    /// Tried in order; a later pair only where an earlier one is empty on one side (design §5).
    Pairs(Vec<Pair>),
    /// A list of who is who.
    Map(UserMap),
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
    pub people: BTreeMap<String, String>,
    /// The line of the map.
    pub place: Place,
}

/// Which accounts of a target are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounts {
    /// True: disabled accounts are left alone.
    pub active: bool,
    /// Groups of the target; empty: everybody.
    pub groups: Vec<String>,
    /// Account names that are left alone.
    pub exclude: Vec<String>,
    /// The share of the accounts that takes part.
    pub rollout: Share,
    /// The line of each rule.
    pub places: AccountPlaces,
}

/// The lines of [`Accounts`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the line of the field of the same name")]
pub struct AccountPlaces {
    pub active: Place,
    pub groups: Place,
    pub exclude: Place,
    pub rollout: Place,
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
    /// A static copy.
    Folder(FolderTarget),
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
    /// A personal access token.
    Token(SecretString),
    /// Basic sign-in.
    Password {
        /// The account's name.
        username: String,
        /// Its password.
        password: SecretString,
    },
}

/// Which way pictures go to Jira (design §8).
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

/// Which way pictures go to Confluence (design §8).
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
}

/// What stops a run before it writes (design §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of the placements of a target.
    pub reverts: Limit,
    /// Of the matched accounts of a target.
    pub replacements: Limit,
    /// Pictures that we did not set, overwritten.
    pub foreign: Limit,
    /// Accounts that belong to another person than last time.
    pub reassigned: Limit,
    /// Of the people whose photo was known last time.
    pub unknown: Limit,
    /// People of a source fewer than in the last good run.
    pub source_shrink: Limit,
    /// Accounts of a target fewer than in the last good run.
    pub target_shrink: Limit,
    /// Placements that vanished.
    pub target_drift: Limit,
    /// Shares count only where the whole is at least this.
    pub shares_from: u64,
}

/// One limit: a count, a share, or both; either breaks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The most that may happen.
    pub count: Option<u64>,
    /// The most that may happen, of the whole.
    pub share: Option<Share>,
    /// The line of the limit.
    pub place: Place,
}

/// A share of a whole, from 0 % to 100 % in hundredths of a per cent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u16);

impl Share {
    /// Everything.
    pub const WHOLE: Self = Self(10_000);

    /// From hundredths of a per cent; `None` above 100 %.
    pub fn from_hundredths(hundredths: u16) -> Option<Self> {
        (hundredths <= Self::WHOLE.0).then_some(Self(hundredths))
    }

    /// In hundredths of a per cent.
    pub fn hundredths(self) -> u16 {
        self.0
    }

    /// This share of a whole, rounded down.
    pub fn of(self, whole: u64) -> u64 {
        u64::try_from(u128::from(whole) * u128::from(self.0) / 10_000).unwrap_or(whole)
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match (rest, rest % 10) {
            (0, _) => write!(f, "{whole}%"),
            (_, 0) => write!(f, "{whole}.{}%", rest / 10),
            _ => write!(f, "{whole}.{rest:02}%"),
        }
    }
}

/// How fast one server is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What the vendor counts; each part of a batch is one.
    pub units: u32,
    /// The time in which `units` may be used.
    pub per: Duration,
    /// How many units may go at once.
    pub burst: u32,
    /// How many requests may be under way at once.
    pub concurrency: u32,
}

/// How a server is reached.
#[derive(Clone, Debug)]
pub struct Http {
    /// For one request, its body included.
    pub timeout: Duration,
    /// Before a read is sent again for the first time.
    pub retry_pause: Duration,
    /// Which proxy.
    pub proxy: Proxy,
    /// More trusted certificates, PEM.
    pub ca_file: Option<PathBuf>,
    /// What we show of ourselves.
    pub client_cert: Option<Certificate>,
    /// Sent with every request. Values may be secrets.
    pub headers: Vec<(String, SecretString)>,
}

/// Which proxy is used.
#[derive(Clone, Debug)]
pub enum Proxy {
    /// `HTTPS_PROXY` and its like.
    System,
    /// None, whatever the environment says.
    None,
    /// This URL, checked to be one; it may hold a password.
    Url(SecretString),
}

/// What the reports show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Of people.
    pub names: Names,
    /// In the contact sheet.
    pub pictures: Pictures,
}

/// How people are named in reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Names {
    /// As they are.
    Full,
    /// By a word that says nothing of the person.
    Pseudonym,
}

/// Which pictures are in reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pictures {
    /// None.
    None,
    /// Those of accounts that change.
    Changed,
}
