//! From the settings to a store: whose it is, and the way there.
//!
//! Owns: which vendor's it is. Leaves to others: who we are for each (`amazon`, `azure`, `google`), sending (`http`).
//! A newcomer gets wrong: without `credential` the environment says who we are, as for the vendor's own tools; with it,
//! nothing of the environment does, so that a key never goes with somebody else's token.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use object_store::path::Path;

use super::lease::Reached;
use super::objects::{Compares, Objects};
use super::vendor::{Store, unusable};
use super::{amazon, azure, google};
use crate::http::{Failure, ObjectsWay};
use crate::settings::{self, BucketStore, StateBucket};

/// What a bucket keeps of one pipeline.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(super) objects: Objects,
    /// How long a lease of ours holds.
    pub(super) lease: Duration,
    /// How far it had come when it was last seen here.
    pub(super) reached: Mutex<Option<Reached>>,
}

impl Bucket {
    /// A bucket; nothing is asked yet. `pause`: before the first repetition. `reached`: how far it had come when it was last
    /// seen here, if it was.
    pub(crate) fn connect(
        settings: &StateBucket,
        way: ObjectsWay,
        pause: Duration,
        reached: Option<Reached>,
    ) -> Result<Self, Failure> {
        let objects = Objects::open(&settings.place, way, pause)?;
        Ok(Self { objects, lease: settings.lease, reached: Mutex::new(reached) })
    }
}

impl Objects {
    /// Everything below a prefix; nothing is asked yet. `pause`: before the first repetition.
    pub(crate) fn open(place: &settings::Bucket, way: ObjectsWay, pause: Duration) -> Result<Self, Failure> {
        let (server, kept) = (way.clone(), way.clone());
        let mut account = None;
        let (store, compares): (Arc<dyn Store>, _) = match &place.store {
            BucketStore::S3 { region, credential } => {
                (amazon::store(place, region.as_deref(), credential.as_ref(), way)?, Compares::Tags)
            }
            BucketStore::Azure { account: written, credential } => {
                let account = account.insert(azure::account(place, written.as_deref())?);
                (azure::store(place, account, credential.as_ref(), way)?, Compares::Tags)
            }
            BucketStore::Google { credential, endpoints } => {
                (google::store(place, credential.as_ref(), endpoints, way)?, Compares::Numbers)
            }
        };
        let prefix = Path::parse(&place.prefix).map_err(|error| unusable(place, &error.into(), "look at `bucket`"))?;
        let clock = Arc::new(move || server.server_time());
        let site = place.endpoint.as_ref().map_or_else(|| "its own".to_owned(), ToString::to_string);
        Ok(Self { store, clock, way: kept, url: place.url.clone(), prefix, site, account, compares, pause })
    }
}
