//! What can go wrong outside a single source, target or person, and its exit code.
//!
//! Owns: the one exhaustive match from trouble to exit code. Leaves to others: failures of a source or target
//! (`http::Failure`), which end up in the report.
//! A newcomer gets wrong: a person's failure never gets here; it is data in the report (promise P8).

#[cfg(feature = "bucket")]
use crate::bucket::BucketError;
use crate::exit::Exit;
use crate::http::Failure;
use crate::state::{Blame, LockError, StateError};

/// Something that ends the command.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The command line or the pipeline file is wrong; the text says where and what to write.
    #[error("{0}")]
    Usage(String),
    /// The state cannot be used.
    #[error("{0}")]
    State(#[from] StateError),
    /// Another run holds the lock, or it cannot be taken.
    #[error("{0}")]
    Lock(#[from] LockError),
    /// The bucket of the state cannot be used, or another run has its lease.
    #[cfg(feature = "bucket")]
    #[error("{0}")]
    Bucket(#[from] BucketError),
    /// Another sandbox has the world.
    #[error("{0}")]
    WorldInUse(String),
    /// A source or target cannot even be set up.
    #[error("{0}")]
    Failure(#[from] Failure),
    /// A local file could not be read or written.
    #[error("could not {tried}: {error}")]
    File {
        /// What was tried, with the path.
        tried: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// Our own fault.
    #[error("{0}; this is a fault of avatarpipe, please report it")]
    Own(String),
}

impl Trouble {
    /// A local file that could not be read or written.
    pub fn file(tried: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let tried = tried.into();
        move |error| Self::File { tried, error }
    }

    /// A state in a bucket, of which this program knows nothing.
    #[cfg(not(feature = "bucket"))]
    pub(crate) fn no_bucket(bucket: &crate::settings::StateBucket, what: &str) -> Self {
        Self::Usage(format!(
            "{what}: the state is in {}, and this program was built without object storage: build it with `--features bucket`",
            bucket.place.url
        ))
    }

    /// Something else that the file has in a bucket.
    #[cfg(not(feature = "bucket"))]
    pub(crate) fn no_bucket_for(what: &str, bucket: &crate::settings::Bucket) -> Self {
        Self::Usage(format!(
            "{what} names {}, and this program was built without object storage: build it with `--features bucket`",
            bucket.url
        ))
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::State(error) => state_exit(error),
            Self::Lock(LockError::Held { .. }) | Self::WorldInUse(_) => Exit::Locked,
            Self::Lock(LockError::State(error)) => state_exit(error),
            #[cfg(feature = "bucket")]
            Self::Bucket(error) => match error {
                BucketError::Leased { .. } | BucketError::Lost { .. } => Exit::Locked,
                BucketError::Unusable { .. } => Exit::Usage,
                BucketError::Failure(failure) => failure.kind.into(),
            },
            Self::Failure(failure) => failure.kind.into(),
            Self::File { .. } | Self::Own(_) => Exit::OwnFault,
        }
    }
}

fn state_exit(error: &StateError) -> Exit {
    match error.blame() {
        Blame::DoesNotBelong => Exit::Usage,
        Blame::Ours => Exit::OwnFault,
        Blame::Unreachable => Exit::Unreachable,
        Blame::Locked => Exit::Locked,
    }
}
