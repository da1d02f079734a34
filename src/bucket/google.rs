//! Google Cloud Storage: who we are.
//!
//! Owns: the sign-in, or what the environment says. Leaves to others: signing in (`http`), what all vendors share
//! (`vendor`).
//! A newcomer gets wrong: the file that `GOOGLE_APPLICATION_CREDENTIALS` names may be of workload identity federation, which
//! the crate does not read: then our own sign-in does.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder};

use super::vendor::{Store, cover, once, unusable};
use crate::http::{Failure, GoogleApi, GoogleSignIn, ObjectsWay, TokenSource, is_of_a_pool};
use crate::settings::{Bucket, Google, GoogleCredential, GoogleEndpoints};

/// Reads and writes objects, and gives no rights away.
const SCOPE: &str = "https://www.googleapis.com/auth/devstorage.read_write";

/// What the environment may hold that nobody else may see.
const SECRET: [&str; 2] = ["GOOGLE_SERVICE_ACCOUNT_KEY", "GOOGLE_BEARER_TOKEN"];

/// Where the environment names the file of a credential.
const FILE: &str = "GOOGLE_APPLICATION_CREDENTIALS";

/// The store.
pub(super) fn store(
    place: &Bucket,
    credential: Option<&GoogleCredential>,
    endpoints: &GoogleEndpoints,
    way: ObjectsWay,
) -> Result<Arc<dyn Store>, Failure> {
    let mut builder = match credential.cloned().or_else(of_pool) {
        Some(credential) => {
            let token = way.sign_in_client(&endpoints.token)?;
            let google = Google { customer: String::new(), subject: None, credential, endpoints: endpoints.clone() };
            let sign_in = GoogleSignIn { token, google, api: GoogleApi::Storage, scopes: vec![SCOPE] };
            GoogleCloudStorageBuilder::new().with_credentials(Arc::new(SignedIn(TokenSource::new(sign_in))))
        }
        None => {
            cover(&SECRET);
            GoogleCloudStorageBuilder::from_env()
        }
    };
    if let Some(endpoint) = &place.endpoint {
        builder = builder.with_base_url(endpoint.as_str().trim_end_matches('/'));
    }
    let store =
        builder.with_bucket_name(&place.name).with_retry(once()).with_http_connector(way).build().map_err(|error| {
            unusable(place, &error, "look at `bucket`, and at the variables that begin with `GOOGLE_`")
        })?;
    Ok(Arc::new(store))
}

/// A credential of the environment that belongs to a workload identity pool.
fn of_pool() -> Option<GoogleCredential> {
    let file = PathBuf::from(std::env::var_os(FILE)?);
    is_of_a_pool(&file).then_some(GoogleCredential::ExternalAccountFile(file))
}

/// By our own sign-in.
#[derive(Debug)]
struct SignedIn(TokenSource);

#[async_trait]
impl CredentialProvider for SignedIn {
    type Credential = GcpCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<GcpCredential>> {
        let token = self.0.token().await;
        let token = token.map_err(|failure| object_store::Error::Generic { store: "gs", source: Box::new(failure) })?;
        Ok(Arc::new(GcpCredential { bearer: token.expose().to_owned() }))
    }
}
