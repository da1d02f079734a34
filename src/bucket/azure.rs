//! Azure Blob Storage: who we are.
//!
//! Owns: key, signature or sign-in, or what the environment says. Leaves to others: signing in (`http`), what all vendors
//! share (`vendor`).
//! A newcomer gets wrong: the name of the account becomes part of a host's name, also where the environment says it.

use std::sync::Arc;

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::azure::{AzureConfigKey, AzureCredential as Credential, MicrosoftAzureBuilder};

use super::vendor::{Store, cover, once, unusable};
use crate::http::{EntraSignIn, Failure, FailureKind, ObjectsWay, TokenSource};
use crate::settings::{AzureCredential, Bucket, is_storage_account};

/// What a token is for, in every cloud.
const API: &str = "https://storage.azure.com";

/// What the environment may hold that nobody else may see.
const SECRET: [&str; 8] = [
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_KEY",
    "AZURE_STORAGE_SAS_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_TOKEN",
    "AZURE_CLIENT_SECRET",
    "IDENTITY_HEADER",
];

/// The storage account, as the file or the environment says.
pub(super) fn account(place: &Bucket, written: Option<&str>) -> Result<String, Failure> {
    let named = ["AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT"];
    let account = written.map(str::to_owned).or_else(|| named.into_iter().find_map(|name| std::env::var(name).ok()));
    account.filter(|account| is_storage_account(account)).ok_or_else(|| {
        Failure::new(FailureKind::Misconfigured, format!("using {}", place.url), "no storage account is named")
            .hint("write `account: NAME` beside `bucket`, or set `AZURE_STORAGE_ACCOUNT_NAME`")
    })
}

/// The store.
pub(super) fn store(
    place: &Bucket,
    account: &str,
    credential: Option<&AzureCredential>,
    way: ObjectsWay,
) -> Result<Arc<dyn Store>, Failure> {
    let mut builder = match credential {
        None => of_environment(),
        Some(AzureCredential::AccountKey(key)) => MicrosoftAzureBuilder::new().with_access_key(key.expose()),
        Some(AzureCredential::Sas(token)) => {
            MicrosoftAzureBuilder::new().with_config(AzureConfigKey::SasKey, token.expose())
        }
        Some(AzureCredential::Entra(entra)) => {
            let login = way.sign_in_client(&entra.endpoints.login)?;
            let tokens = TokenSource::new(EntraSignIn { login, entra: (**entra).clone(), api: API.to_owned() });
            MicrosoftAzureBuilder::new().with_credentials(Arc::new(SignedIn(tokens)))
        }
    };
    if let Some(endpoint) = &place.endpoint {
        builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/').to_owned());
    }
    let store = builder
        .with_account(account)
        .with_container_name(&place.name)
        .with_retry(once())
        .with_http_connector(way)
        .build()
        .map_err(|error| unusable(place, &error, "look at `bucket`, and at the variables that begin with `AZURE_`"))?;
    Ok(Arc::new(store))
}

/// As Azure's own tools read it; those of the command line have names of their own.
fn of_environment() -> MicrosoftAzureBuilder {
    cover(&SECRET);
    let mut builder = MicrosoftAzureBuilder::from_env();
    if builder.get_config_value(&AzureConfigKey::AccessKey).is_none()
        && let Ok(key) = std::env::var("AZURE_STORAGE_KEY")
    {
        builder = builder.with_access_key(key);
    }
    // Kubernetes sets it with a slash at its end.
    if let Some(host) = builder.get_config_value(&AzureConfigKey::AuthorityHost) {
        builder = builder.with_authority_host(host.trim_end_matches('/'));
    }
    builder
}

/// By Entra.
#[derive(Debug)]
struct SignedIn(TokenSource);

#[async_trait]
impl CredentialProvider for SignedIn {
    type Credential = Credential;

    async fn get_credential(&self) -> object_store::Result<Arc<Credential>> {
        let token = self.0.token().await;
        let token = token.map_err(|failure| object_store::Error::Generic { store: "az", source: Box::new(failure) })?;
        Ok(Arc::new(Credential::BearerToken(token.expose().to_owned())))
    }
}
