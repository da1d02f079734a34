//! A customer with its service accounts and groups, as it stands in `world.yaml`.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::user::{Photo, Role, User};
use crate::google::errors;
use crate::google::thumbnail::thumbnail;
use crate::jwt::{Key, KeyFiles};
use crate::pictures::{FileRef, Pictures};

/// One Google Workspace or Cloud Identity customer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// The name of the source; `google` serves as `token`, `sts`, `iamcredentials` and `directory`, any other as
    /// `ID-token` and so on.
    #[serde(default = "default_id")]
    pub id: String,
    /// The customer's id: `C…`.
    pub customer: String,
    /// Its domains, the primary one first.
    pub domains: Vec<String>,
    /// The number of the project that the service accounts belong to.
    #[serde(default = "default_project")]
    pub project_number: String,
    /// The service accounts.
    #[serde(default)]
    pub service_accounts: Vec<ServiceAccount>,
    /// The entries under *Domain-wide delegation* in the Admin console.
    #[serde(default)]
    pub delegation: Vec<Delegation>,
    /// The workload identity providers of the project.
    #[serde(default)]
    pub providers: Vec<Provider>,
    /// The users.
    #[serde(default)]
    pub users: Vec<User>,
    /// The groups.
    #[serde(default)]
    pub groups: Vec<Group>,
}

/// A service account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccount {
    /// Its address, `…@….iam.gserviceaccount.com`.
    pub email: String,
    /// The numeric id that delegation entries name.
    pub client_id: String,
    /// The key that was given out as a file.
    pub key: KeyFiles,
    /// The key that Google keeps and signs with on request.
    #[serde(default)]
    pub managed_key: Option<KeyFiles>,
    /// Whom it is given out for: the subject that the credentials of the world name.
    #[serde(default)]
    pub subject: Option<String>,
    /// Its own role in the Admin console.
    #[serde(default)]
    pub role: Role,
    /// The external subjects that may act for it (`roles/iam.workloadIdentityUser`).
    #[serde(default)]
    pub federated: Vec<String>,
    /// Whether these may sign for it, too (`roles/iam.serviceAccountTokenCreator`).
    #[serde(default)]
    pub token_creator: bool,
    /// Whether it was deleted meanwhile.
    #[serde(default)]
    pub deleted: bool,
}

/// An entry under *Domain-wide delegation*.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// The numeric id of the service account.
    pub client_id: String,
    /// The scopes it may ask for in anybody's name.
    pub scopes: Vec<String>,
}

/// A workload identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The full resource name, `projects/…/providers/…`, without a host.
    pub name: String,
    /// Whose tokens it takes.
    pub issuer: String,
    /// The audiences it takes; none: its own resource name with or without `https:`.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// Whether it was switched off.
    #[serde(default)]
    pub disabled: bool,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The id.
    pub id: String,
    /// The address.
    pub email: String,
    /// Addresses of users, of groups inside this one, or of people outside.
    #[serde(default)]
    pub members: Vec<String>,
}

impl Customer {
    /// A customer of one domain whose service account may read users in everybody's name.
    pub fn new() -> Self {
        let subject = "repo:fabrikam/avatar-sync:ref:refs/heads/main".to_owned();
        Self {
            id: default_id(),
            customer: "C03az79cb".into(),
            domains: vec!["fabrikam.example".into()],
            project_number: default_project(),
            service_accounts: vec![ServiceAccount {
                email: "avatar-sync@avatar-sync.iam.gserviceaccount.com".into(),
                client_id: "104000000000000000001".into(),
                key: KeyFiles::named("google"),
                managed_key: Some(KeyFiles::named("google-managed")),
                subject: Some("admin@fabrikam.example".into()),
                role: Role::None,
                federated: vec![subject],
                token_creator: true,
                deleted: false,
            }],
            delegation: vec![Delegation {
                client_id: "104000000000000000001".into(),
                scopes: ["admin.directory.user.readonly", "admin.directory.group.member.readonly"]
                    .map(|scope| format!("https://www.googleapis.com/auth/{scope}"))
                    .into(),
            }],
            providers: vec![Provider {
                name: "projects/123456789012/locations/global/workloadIdentityPools/ci/providers/github".into(),
                issuer: "https://token.actions.githubusercontent.com".into(),
                audiences: Vec::new(),
                disabled: false,
            }],
            users: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// With this user.
    #[must_use]
    pub fn user(mut self, user: User) -> Self {
        self.users.push(user);
        self
    }

    /// With this group.
    #[must_use]
    pub fn group(mut self, group: Group) -> Self {
        self.groups.push(group);
        self
    }

    /// The name of one of the customer's endpoints.
    pub fn endpoint(&self, of: &str) -> String {
        if self.id == default_id() { of.to_owned() } else { format!("{}-{of}", self.id) }
    }

    /// The files that this part names.
    pub fn files(&self) -> impl Iterator<Item = &FileRef> {
        let photos = self.users.iter().filter_map(|u| if let Photo::File(file) = &u.photo { Some(file) } else { None });
        let keys = self.service_accounts.iter().flat_map(|a| [Some(&a.key), a.managed_key.as_ref()]);
        photos.chain(keys.flatten().flat_map(KeyFiles::files))
    }

    pub(crate) fn fits_together(&self, pictures: &Pictures) -> Result<(), String> {
        for account in &self.service_accounts {
            for key in [Some(&account.key), account.managed_key.as_ref()].into_iter().flatten() {
                Key::read(key, pictures)?;
            }
        }
        let mut seen = BTreeSet::new();
        for user in &self.users {
            for key in user.keys() {
                if !seen.insert(key.to_lowercase()) {
                    return Err(format!("two users of {} have the id or address {key}", self.id));
                }
            }
            let domain = user.email.split_once('@').map(|(_, domain)| domain);
            if !self.domains.iter().any(|known| Some(known.as_str()) == domain) {
                return Err(format!("{} is in no domain of {}", user.email, self.id));
            }
            if let Photo::Failure(name) = &user.photo
                && errors::row(name).is_none()
            {
                return Err(format!("{} has the photo failure {name}; there are: {}", user.email, errors::names()));
            }
            if let Photo::File(file) = &user.photo {
                let bytes = pictures.get(&file.name).unwrap_or_default();
                thumbnail(&bytes).map_err(|fault| format!("{}: {fault}", file.name))?;
            }
        }
        Ok(())
    }
}

impl Default for Customer {
    fn default() -> Self {
        Self::new()
    }
}

fn default_id() -> String {
    "google".into()
}

fn default_project() -> String {
    "123456789012".into()
}
