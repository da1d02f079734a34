//! What a line does once the run is asked to stop.
//!
//! Owns: when waiting ends: for a turn, before a repetition. Leaves to others: who asks (`run`).
//! A newcomer gets wrong: a request that has left is never given up here. What ends is waiting, so that a stop takes
//! seconds even where a server has asked for ten minutes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// How long the rest of a write may wait for its turn: a short breather of the server's, no more.
const GRACE: Duration = Duration::from_secs(5);

/// What a line does once the run is asked to stop.
#[derive(Clone, Debug, Default)]
pub(crate) enum Stopping {
    /// Nobody asks.
    #[default]
    Never,
    /// Nothing leaves any more: a source, of which the next run asks the rest.
    AtOnce(CancellationToken),
    /// What belongs to a write that has begun still leaves: a target.
    AfterTheWrite(CancellationToken, Permit),
}

/// Whether we may still send something that changes a server: a lease on the state can be lost between two requests. As it
/// is: for good.
#[derive(Clone, Default)]
pub(crate) struct Permit(Option<Arc<dyn Fn() -> bool + Send + Sync>>);

impl Permit {
    /// While this says so.
    #[cfg(feature = "bucket")]
    pub(crate) fn while_so(given: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(given)))
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Permit(…)" } else { "Permit" })
    }
}

impl Stopping {
    /// Comes when no repetition is waited for any more.
    pub(super) async fn asked(&self) {
        match self {
            Self::Never => std::future::pending().await,
            Self::AtOnce(stop) | Self::AfterTheWrite(stop, _) => stop.cancelled().await,
        }
    }

    /// Whether something may leave that changes a server.
    pub(super) fn permits(&self) -> bool {
        match self {
            Self::AfterTheWrite(_, Permit(Some(given))) => given(),
            _ => true,
        }
    }

    /// Comes when no turn is waited for any more.
    pub(super) async fn no_turn(&self) {
        self.asked().await;
        if matches!(self, Self::AfterTheWrite(..)) {
            tokio::time::sleep(GRACE).await;
        }
    }
}
