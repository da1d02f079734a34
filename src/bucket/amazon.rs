//! Amazon S3 and what speaks it: who we are.
//!
//! Owns: the key, or what the environment says. Leaves to others: what all vendors share (`vendor`).
//! A newcomer gets wrong: the region is asked of the environment also where the file has a key: it is no credential.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};

use super::vendor::{cover, once, unusable};
use crate::http::{Failure, ObjectsWay};
use crate::settings::{Bucket, S3Key};

/// What the environment may hold that nobody else may see.
const SECRET: [&str; 2] = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// The store.
pub(super) fn store(
    place: &Bucket,
    region: Option<&str>,
    credential: Option<&S3Key>,
    way: ObjectsWay,
) -> Result<Arc<dyn ObjectStore>, Failure> {
    let mut builder = match credential {
        Some(key) => {
            let builder = AmazonS3Builder::new()
                .with_access_key_id(&key.access_key_id)
                .with_secret_access_key(key.secret_access_key.expose());
            match &key.session_token {
                Some(token) => builder.with_token(token.expose()),
                None => builder,
            }
        }
        None => {
            cover(&SECRET);
            AmazonS3Builder::from_env()
        }
    };
    let region = region.map(str::to_owned).or_else(|| std::env::var("AWS_REGION").ok());
    if let Some(region) = region.or_else(|| std::env::var("AWS_DEFAULT_REGION").ok()) {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = &place.endpoint {
        builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/'));
    }
    // Plain http with a credential goes to this machine alone: the client refuses all else.
    let clear = builder.get_config_value(&AmazonS3ConfigKey::Endpoint).is_some_and(|url| url.starts_with("http:"));
    let store = builder
        .with_allow_http(clear)
        .with_bucket_name(&place.name)
        .with_disable_bulk_delete(true)
        .with_retry(once())
        .with_http_connector(way)
        .build()
        .map_err(|error| unusable(place, &error, "look at `bucket`, and at the variables that begin with `AWS_`"))?;
    Ok(Arc::new(store))
}
