//! Amazon S3 and what speaks it: who we are.
//!
//! Owns: key or role, or what the environment says. Leaves to others: signing in (`http`), what all vendors share (`vendor`).
//! A newcomer gets wrong: the region is asked of the environment also where the file has a key: it is no credential.

use std::sync::Arc;

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredential};
use url::Url;

use super::vendor::{Store, cover, once, unusable};
use crate::http::{AmazonSignIn, Failure, FailureKind, ObjectsWay, SessionKey, TokenSource};
use crate::settings::{AmazonCredential, Bucket};

/// Amazon's hosts, and those of its Chinese regions.
const DOMAINS: [&str; 2] = [".amazonaws.com", ".amazonaws.com.cn"];

/// What the environment may hold that nobody else may see.
const SECRET: [&str; 2] = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// The store.
pub(super) fn store(
    place: &Bucket,
    region: Option<&str>,
    credential: Option<&AmazonCredential>,
    way: ObjectsWay,
) -> Result<Arc<dyn Store>, Failure> {
    let named = ["AWS_REGION", "AWS_DEFAULT_REGION"];
    let region = region.map(str::to_owned).or_else(|| named.into_iter().find_map(|name| std::env::var(name).ok()));
    let mut builder = match credential {
        Some(AmazonCredential::Key(key)) => {
            let builder = AmazonS3Builder::new()
                .with_access_key_id(&key.access_key_id)
                .with_secret_access_key(key.secret_access_key.expose());
            match &key.session_token {
                Some(token) => builder.with_token(token.expose()),
                None => builder,
            }
        }
        Some(AmazonCredential::Federated(federated)) => {
            let sts = way.sign_in_client(&token_service(place, region.as_deref())?)?;
            let tokens = TokenSource::new(AmazonSignIn { sts, federated: federated.clone() });
            AmazonS3Builder::new().with_credentials(Arc::new(SignedIn(tokens)))
        }
        None => {
            cover(&SECRET);
            AmazonS3Builder::from_env()
        }
    };
    if let Some(region) = region {
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

/// Whoever makes keys of tokens: the region's own, or the store itself where it is not Amazon's.
fn token_service(place: &Bucket, region: Option<&str>) -> Result<Url, Failure> {
    let of_amazon = |url: &&Url| url.host_str().is_some_and(|host| DOMAINS.iter().any(|domain| host.ends_with(domain)));
    if let Some(endpoint) = place.endpoint.as_ref().filter(|url| !of_amazon(url)) {
        return Ok(endpoint.clone());
    }
    let region = region.unwrap_or("us-east-1");
    let domain = DOMAINS[usize::from(region.starts_with("cn-"))];
    let is_one = region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let url = Some(format!("https://sts.{region}{domain}/")).filter(|_| is_one).and_then(|url| url.parse().ok());
    url.ok_or_else(|| {
        let found = format!("`{region}` is not the name of a region");
        Failure::new(FailureKind::Misconfigured, format!("using {}", place.url), found).hint("look at `region`")
    })
}

/// By a role.
#[derive(Debug)]
struct SignedIn(TokenSource);

#[async_trait]
impl CredentialProvider for SignedIn {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let generic = |failure| object_store::Error::Generic { store: "s3", source: Box::new(failure) };
        let granted = self.0.token().await.map_err(generic)?;
        let key = SessionKey::of(&granted).ok_or_else(|| {
            generic(Failure::new(FailureKind::Odd, "using the key of a role", "it has not three parts"))
        })?;
        let (secret_key, token) = (key.secret.expose().to_owned(), Some(key.token.expose().to_owned()));
        Ok(Arc::new(AwsCredential { key_id: key.id, secret_key, token }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::test_store::place;
    use crate::settings::BucketStore;

    #[test]
    fn a_token_goes_to_the_service_of_its_region_or_to_a_store_of_another_maker() {
        let service = |endpoint: Option<&str>, region: Option<&str>| {
            let endpoint = endpoint.map(|url| Url::parse(url).unwrap());
            let there = place("s3", endpoint.as_ref(), BucketStore::S3 { region: None, credential: None });
            token_service(&there, region).map(String::from)
        };
        for (endpoint, region, url) in [
            (None, None, "https://sts.us-east-1.amazonaws.com/"),
            (None, Some("eu-central-1"), "https://sts.eu-central-1.amazonaws.com/"),
            (None, Some("cn-north-1"), "https://sts.cn-north-1.amazonaws.com.cn/"),
            (
                Some("https://s3.dualstack.eu-central-1.amazonaws.com"),
                Some("eu-central-1"),
                "https://sts.eu-central-1.amazonaws.com/",
            ),
            (Some("https://minio.example:9000"), Some("eu-central-1"), "https://minio.example:9000/"),
        ] {
            assert_eq!(service(endpoint, region).unwrap(), url);
        }
        assert!(service(None, Some("evil.example/")).is_err());
    }
}
