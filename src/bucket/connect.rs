//! From the settings to a store.
//!
//! Owns: where credentials come from. Leaves to others: the way there (`http`).
//! A newcomer gets wrong: without `credential` the environment says who we are, as for the vendor's own tools; with it,
//! nothing of the environment does, so that a key never goes with somebody else's token.

use std::sync::Arc;
use std::time::Duration;

use object_store::RetryConfig;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;

use super::objects::Objects;
use crate::http::{Failure, FailureKind, ObjectsWay, object_failure};
use crate::secret::Secret;
use crate::settings::StateBucket;

/// What the environment may hold that nobody else may see.
const SECRET: [&str; 2] = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// What a bucket keeps of one pipeline.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(super) objects: Objects,
    /// How long a lease of ours holds.
    pub(super) lease: Duration,
}

impl Bucket {
    /// A bucket; nothing is asked yet. `pause`: before the first repetition.
    pub(crate) fn connect(settings: &StateBucket, way: ObjectsWay, pause: Duration) -> Result<Self, Failure> {
        let tried = format!("using {}", settings.url);
        let fail = |error: &object_store::Error| {
            Failure { kind: FailureKind::Misconfigured, ..object_failure(&tried, error) }
                .hint("look at `state`, and at the variables that begin with `AWS_`")
        };
        let mut builder = match &settings.credential {
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
                SECRET.iter().filter_map(|name| std::env::var(name).ok()).for_each(|value| drop(Secret::new(value)));
                AmazonS3Builder::from_env()
            }
        };
        let region = settings.region.clone().or_else(|| std::env::var("AWS_REGION").ok());
        if let Some(region) = region.or_else(|| std::env::var("AWS_DEFAULT_REGION").ok()) {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/'));
        }
        // Plain http with a credential goes to this machine alone: the client refuses all else.
        let clear = builder.get_config_value(&AmazonS3ConfigKey::Endpoint).is_some_and(|url| url.starts_with("http:"));
        let server = way.clone();
        let store = builder
            .with_allow_http(clear)
            .with_bucket_name(&settings.name)
            .with_disable_bulk_delete(true)
            .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() })
            .with_http_connector(way)
            .build()
            .map_err(|error| fail(&error))?;
        let prefix = Path::parse(&settings.prefix).map_err(|error| fail(&error.into()))?;
        let clock = Arc::new(move || server.server_time());
        let objects = Objects { store: Arc::new(store), clock, url: settings.url.clone(), prefix, pause };
        Ok(Self { objects, lease: settings.lease })
    }
}
