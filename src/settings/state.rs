//! `state`, resolved: the bucket that it stands in, if it does.

use std::time::Duration;

use url::Url;

use crate::secret::Secret;

/// A state in object storage.
#[derive(Clone, Debug)]
pub struct StateBucket {
    /// As it stands in the file: `s3://NAME/PREFIX`.
    pub url: String,
    /// The bucket.
    pub name: String,
    /// What every object's name begins with; may be empty.
    pub prefix: String,
    /// `None`: as the environment says, or the platform's own.
    pub region: Option<String>,
    /// `None`: the vendor's own.
    pub endpoint: Option<Url>,
    /// `None`: as the environment says.
    pub credential: Option<BucketKey>,
    /// How long a lease holds that is not renewed.
    pub lease: Duration,
}

/// A key of the store.
#[derive(Clone, Debug)]
pub struct BucketKey {
    /// Its id.
    pub access_key_id: String,
    /// The key itself.
    pub secret_access_key: Secret,
    /// What goes with a key that ends.
    pub session_token: Option<Secret>,
}
