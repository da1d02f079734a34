//! A store of the simulator's, for the tests of whatever stands in one.
//!
//! Owns: its place as a pipeline file has it, for each vendor, and the way there. Leaves to others: the store (`sandbox`).
//! A newcomer gets wrong: no vendor's own names stand in the answers; what differs is what is asked.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use avatarpipe_sandbox::s3::{BUCKET, ObjectStore};
use serde_json::json;
use url::Url;

use crate::http::{ClientSettings, ObjectsWay, RateLimit, Stopping};
use crate::secret::Secret;
use crate::settings::{
    AmazonCredential, Bucket, BucketStore, GoogleCredential, GoogleEndpoints, Http, Proxy, Rate, S3Key,
};

/// Before the first repetition.
pub(crate) const PAUSE: Duration = Duration::from_millis(1);

pub(crate) fn store() -> ObjectStore {
    ObjectStore::start().unwrap()
}

/// A place there, below `p`.
pub(crate) fn place(scheme: &str, endpoint: Option<&Url>, store: BucketStore) -> Bucket {
    Bucket {
        url: format!("{scheme}://{BUCKET}/p"),
        name: BUCKET.to_owned(),
        prefix: "p".to_owned(),
        endpoint: endpoint.cloned(),
        store,
    }
}

/// As Amazon S3 is asked.
pub(crate) fn s3(store: &ObjectStore) -> Bucket {
    s3_at(store.url())
}

/// Whoever answers there.
pub(crate) fn s3_at(url: &str) -> Bucket {
    let key = S3Key {
        access_key_id: "AKIA".to_owned(),
        secret_access_key: Secret::new("never-told-to-anybody"),
        session_token: None,
    };
    let asked = BucketStore::S3 { region: Some("us-east-1".to_owned()), credential: Some(AmazonCredential::Key(key)) };
    place("s3", Url::parse(url).ok().as_ref(), asked)
}

/// As Google Cloud Storage is asked.
pub(crate) fn google(endpoint: &Url, credential: GoogleCredential) -> Bucket {
    let url = || endpoint.clone();
    let endpoints = GoogleEndpoints { token: url(), directory: url(), sts: url(), iam_credentials: url() };
    place("gs", Some(endpoint), BucketStore::Google { credential: Some(credential), endpoints: Box::new(endpoints) })
}

/// By a key that is made in this folder.
pub(crate) fn google_by_key(store: &ObjectStore, folder: &Path) -> Bucket {
    google_at(store.url(), folder)
}

/// Whoever answers there.
pub(crate) fn google_at(url: &str, folder: &Path) -> Bucket {
    let file = folder.join("key.json");
    let key = json!({ "type": "service_account", "client_email": "state@p.iam.gserviceaccount.com", "private_key_id": "9b1c",
        "private_key": include_str!("../http/test_keys/pair.pem") });
    std::fs::write(&file, key.to_string()).unwrap();
    google(&Url::parse(url).unwrap(), GoogleCredential::ServiceAccountFile(file))
}

pub(crate) fn way(name: &str) -> ObjectsWay {
    let rate = Rate { units: 100_000, per: Duration::from_secs(1), burst: 100_000, concurrency: 64 };
    way_at(name, RateLimit::new(&rate))
}

/// At this pace.
pub(crate) fn way_at(name: &str, rate_limit: Arc<RateLimit>) -> ObjectsWay {
    let http = Http { proxy: Proxy::None, retry_pause: PAUSE, ..Http::default() };
    ObjectsWay::new(ClientSettings { name: name.to_owned(), rate_limit, http, stopping: Stopping::Never })
}
