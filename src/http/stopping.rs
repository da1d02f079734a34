//! What a line does once the run is asked to stop.
//!
//! Owns: when waiting ends: for a turn, before a repetition. Leaves to others: who asks (`run`).
//! A newcomer gets wrong: a request that has left is never given up here. What ends is waiting, so that a stop takes
//! seconds even where a server has asked for ten minutes.

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
    AfterTheWrite(CancellationToken),
}

impl Stopping {
    /// Comes when no repetition is waited for any more.
    pub(super) async fn asked(&self) {
        match self {
            Self::Never => std::future::pending().await,
            Self::AtOnce(stop) | Self::AfterTheWrite(stop) => stop.cancelled().await,
        }
    }

    /// Comes when no turn is waited for any more.
    pub(super) async fn no_turn(&self) {
        self.asked().await;
        if matches!(self, Self::AfterTheWrite(_)) {
            tokio::time::sleep(GRACE).await;
        }
    }
}
