//! What a line does once the run is asked to stop.
//!
//! Owns: when waiting ends: for a turn, before a repetition. Leaves to others: who asks (`run`).
//! A newcomer gets wrong: a request that has left is never given up here. What ends is waiting, so that a stop takes
//! seconds even where a server has asked for ten minutes.

use std::fmt;
use std::sync::Arc;
#[cfg(feature = "bucket")]
use std::sync::OnceLock;
use std::time::Duration;

#[cfg(feature = "bucket")]
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long the rest of a write may wait for its turn, and what is written down of one: a short breather of the server's, no
/// more.
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
    /// Everything leaves, and a repetition is waited for a little: the store of the state, without which nothing that is
    /// under way comes to its end.
    #[cfg(feature = "bucket")]
    Shortly(Moment),
}

/// The moment that is left after a stop.
#[cfg(feature = "bucket")]
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    stop: CancellationToken,
    /// When it is over: it begins with the first wait that meets the stop. Clones share it.
    over: Arc<OnceLock<Instant>>,
}

#[cfg(feature = "bucket")]
impl Moment {
    /// After this stop.
    pub(crate) fn after(stop: CancellationToken) -> Self {
        Self { stop, over: Arc::default() }
    }

    async fn is_over(&self) {
        self.stop.cancelled().await;
        tokio::time::sleep_until(*self.over.get_or_init(|| Instant::now() + GRACE)).await;
    }
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
            #[cfg(feature = "bucket")]
            Self::Shortly(moment) => moment.is_over().await,
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
        match self {
            Self::Never | Self::AtOnce(_) => self.asked().await,
            Self::AfterTheWrite(..) => {
                self.asked().await;
                tokio::time::sleep(GRACE).await;
            }
            #[cfg(feature = "bucket")]
            Self::Shortly(_) => std::future::pending().await,
        }
    }
}
