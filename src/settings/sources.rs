//! `extract`, resolved: who is listed, and how it is signed in.

use std::path::PathBuf;

use url::Url;

use super::declare::declare;
use super::{Patterns, Placed};
use crate::model::{Place, SourceId};
use crate::secret::Secret;

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

impl Source {
    /// Where `users.freeze` stands.
    pub fn freeze(&self) -> Place {
        self.provider.as_ref().map_or(&self.place, |provider| &provider.users.freeze.place).clone()
    }
}

impl Source {
    /// Whether `users` has some of its people left alone.
    pub fn leaves_some_alone(&self) -> bool {
        let Some(Provider { users, .. }) = &self.provider else { return false };
        let narrowed = !users.groups.is_empty() || !users.org_units.is_empty();
        narrowed || [&users.exclude, &users.freeze].iter().any(|chosen| chosen.value.names_somebody())
    }
}

/// What a source that is switched on works with.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Who is in scope.
    pub users: Users,
    /// The system.
    pub kind: SourceKind,
}

/// Who of a source is in scope. It hides nobody: people out of scope are listed and marked
/// (docs/architecture.md, "Collect").
#[derive(Clone, Debug)]
pub struct Users {
    /// True: who is disabled at the provider is `inactive`.
    pub active: bool,
    /// The kinds of user in scope; never empty. Google knows members only.
    pub types: Vec<UserType>,
    /// Paths of organisational units, those below included; empty: everybody. Only Google has them.
    pub org_units: Vec<Placed<String>>,
    /// Groups, nested ones included; empty: everybody.
    pub groups: Vec<Placed<String>>,
    /// People who are left alone.
    pub exclude: Placed<Chosen>,
    /// People who asked to show no photo.
    pub opted_out: Placed<Chosen>,
    /// People whose accounts keep what they show.
    pub freeze: Placed<Chosen>,
}

/// As the file has it where nothing is written.
#[cfg(test)]
impl Default for Users {
    fn default() -> Self {
        Self {
            active: true,
            types: vec![UserType::Member],
            org_units: Vec::new(),
            groups: Vec::new(),
            exclude: Placed::somewhere(Chosen::default()),
            opted_out: Placed::somewhere(Chosen::default()),
            freeze: Placed::somewhere(Chosen::default()),
        }
    }
}

/// Some people, by patterns and by groups.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// Over user names, e-mails and ids.
    pub patterns: Patterns,
    /// Members of any of these groups, nested ones included.
    pub groups: Vec<Placed<String>>,
}

impl Chosen {
    fn names_somebody(&self) -> bool {
        !self.patterns.is_empty() || !self.groups.is_empty()
    }
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
pub enum Cloud {
    Global,
    Usgov,
    Dod,
    China,
}

/// What belongs to a cloud wherever `endpoints` point (docs/architecture.md, "Where tokens may go";
/// docs/wire/microsoft-graph.md §1.7).
impl Cloud {
    /// Where one signs in; to that host an assertion is addressed.
    pub fn login(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::Usgov | Self::Dod => "https://login.microsoftonline.us",
            Self::China => "https://login.partner.microsoftonline.cn",
        }
    }

    /// Microsoft Graph; for that host a token is good.
    pub fn graph(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::Usgov => "https://graph.microsoft.us",
            Self::Dod => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }

    /// Whom the CI platform's token is for (docs/wire/microsoft-graph.md §1.3).
    pub fn federation_audience(self) -> &'static str {
        match self {
            Self::Global => "api://AzureADTokenExchange",
            Self::Usgov | Self::Dod => "api://AzureADTokenExchangeUSGov",
            Self::China => "api://AzureADTokenExchangeChina",
        }
    }
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
    /// The identity of the virtual machine that runs the job (docs/wire/microsoft-graph.md §1.4).
    ManagedIdentity {
        /// Of a user-assigned identity; `None`: the machine's own.
        client_id: Option<String>,
    },
}

impl EntraCredential {
    /// The certificate, where that is the proof.
    pub fn certificate(&self) -> Option<&Certificate> {
        match self {
            Self::App { proof: AppProof::Certificate(certificate), .. } => Some(certificate),
            Self::App { .. } | Self::ManagedIdentity { .. } => None,
        }
    }
}

/// How an app registration proves itself.
#[derive(Clone, Debug)]
pub enum AppProof {
    /// A secret of the app registration.
    ClientSecret(Secret),
    /// A certificate of the app registration and its key (docs/wire/microsoft-graph.md §1.2).
    Certificate(Certificate),
    /// A token of the CI platform is the assertion (docs/wire/microsoft-graph.md §1.3).
    Federated(TokenFrom),
}

declare! {
    /// A certificate and its key.
    #[derive(Clone, Debug)]
    Certificate in certificate {
        /// The file with both, PEM or PKCS#12.
        file: KeyFile as PathBuf = Required,
        /// The password of a PKCS#12 file, or of a PEM key that is encrypted.
        password: SecretValue as Option<Secret> = Optional,
    }
}

/// Where a token of the CI platform comes from. Its audience is a matter of whoever takes it.
#[derive(Clone, Debug)]
pub enum TokenFrom {
    /// GitHub Actions hands one out for each audience; it lives for minutes, so a new one is asked for each time.
    Github {
        /// `ACTIONS_ID_TOKEN_REQUEST_URL`; has a query already, to which `audience` is added.
        url: Url,
        /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
        token: Secret,
    },
    /// Azure Pipelines hands one out for a service connection; the connection says who may use it, and the audience is always
    /// that of Entra.
    AzureDevops {
        /// `SYSTEM_OIDCREQUESTURI`, with what is asked for.
        url: Url,
        /// `SYSTEM_ACCESSTOKEN`.
        token: Secret,
    },
    /// It stood in a variable when the job began, as in GitLab.
    Env {
        /// The variable, for messages.
        name: String,
        /// Its value.
        token: Secret,
    },
    /// It stands in a file, which is read each time: whoever runs the job puts new ones there.
    File {
        /// Relative to the working directory.
        path: PathBuf,
    },
}

/// Base URLs; they say where to connect and change neither scope nor audience
/// (docs/architecture.md, "Where tokens may go").
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

/// How the service account proves itself to Google (docs/wire/google-directory.md §1.1).
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
    /// takes it. The audience of the platform's token is the same with `https:` before it
    /// (docs/wire/google-directory.md §1.5).
    pub audience: String,
    /// The e-mail address of the service account.
    pub service_account: String,
}

/// Base URLs; they say where to connect and change neither scope nor audience
/// (docs/architecture.md, "Where tokens may go").
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
