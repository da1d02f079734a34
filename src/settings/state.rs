//! `state`, resolved: the bucket that it stands in, if it does.

use std::time::Duration;

use super::bucket::Bucket;

/// A state in object storage.
#[derive(Clone, Debug)]
pub struct StateBucket {
    /// Where.
    pub place: Bucket,
    /// How long a lease holds that is not renewed.
    pub lease: Duration,
}
