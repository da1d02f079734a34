//! The app registration of a tenant and all by which it signs in, as it stands in `world.yaml`.

use serde::Deserialize;

use crate::jwt::KeyFiles;
use crate::pictures::FileRef;

/// The app registration of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    pub client_id: String,
    /// The secret that works. Invented for the world; it opens no real door.
    pub client_secret: String,
    /// A secret that ran out.
    #[serde(default)]
    pub expired_secret: Option<String>,
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

impl App {
    /// An app with a secret and the permissions that are needed.
    pub(super) fn new() -> Self {
        Self {
            client_id: "3b6c1d52-7e1f-4a0e-9a53-2c0f4d7f8e90".into(),
            client_secret: "sand~box/secret+1".into(),
            expired_secret: None,
            certificates: Vec::new(),
            federated: Vec::new(),
            roles: default_roles(),
            resource: default_resource(),
        }
    }
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

    pub(crate) fn key(&self) -> KeyFiles {
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
    pub client_id: String,
    pub object_id: String,
    pub resource_id: String,
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
