//! A place in object storage, resolved: what every object's name there begins with, and how one gets in.

use url::Url;

use super::sources::{Entra, GoogleCredential, GoogleEndpoints, TokenFrom};
use crate::secret::Secret;

/// Everything below one prefix of a bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// As it stands in the file: `s3://NAME/PREFIX`.
    pub url: String,
    /// The bucket; Azure calls it a container.
    pub name: String,
    /// What every object's name begins with.
    pub prefix: String,
    /// `None`: the vendor's own.
    pub endpoint: Option<Url>,
    /// Whose it is.
    pub store: BucketStore,
}

/// The kinds of object storage. A credential that is `None` is that of the environment, or the platform's own.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a file has a handful of them")]
pub enum BucketStore {
    /// Amazon S3 and what speaks it.
    S3 {
        /// `None`: as the environment says.
        region: Option<String>,
        credential: Option<AmazonCredential>,
    },
    /// Azure Blob Storage.
    Azure {
        /// The storage account; `None`: as the environment says.
        account: Option<String>,
        credential: Option<AzureCredential>,
    },
    /// Google Cloud Storage. The service account acts in its own name.
    Google {
        credential: Option<GoogleCredential>,
        /// Where one signs in.
        endpoints: Box<GoogleEndpoints>,
    },
}

/// Who we are for Amazon S3 and what speaks it.
#[derive(Clone, Debug)]
pub enum AmazonCredential {
    /// A key.
    Key(S3Key),
    /// A role, by a CI token.
    Federated(AmazonFederated),
}

/// A CI token, and the role of Amazon's that it becomes.
#[derive(Clone, Debug)]
pub struct AmazonFederated {
    /// Where the token comes from.
    pub from: TokenFrom,
    /// `arn:aws:iam::ACCOUNT:role/NAME`.
    pub role: String,
}

/// A key of Amazon's.
#[derive(Clone, Debug)]
pub struct S3Key {
    /// Its id.
    pub access_key_id: String,
    /// The key itself.
    pub secret_access_key: Secret,
    /// What goes with a key that ends.
    pub session_token: Option<Secret>,
}

/// Who we are for Azure Blob Storage.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a file has a handful of them")]
pub enum AzureCredential {
    /// A key of the storage account.
    AccountKey(Secret),
    /// A shared access signature of the container.
    Sas(Secret),
    /// By Entra.
    Entra(Box<Entra>),
}

/// Whether this may be a storage account of Azure's: it becomes part of a host's name.
pub(crate) fn is_storage_account(text: &str) -> bool {
    (3..=24).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}
