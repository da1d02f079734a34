//! Why a sandbox could not be started.

use super::store::{OpenError, StoreError};
use super::world::WorldError;

/// Why a sandbox could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The world cannot be read.
    #[error(transparent)]
    World(#[from] WorldError),
    /// A port is taken.
    #[error(
        "could not listen on 127.0.0.1:{port} for the {simulator} simulator: {source}; free the port or choose another"
    )]
    Listen {
        /// Whose port.
        simulator: String,
        /// Which port; 0 stands for any.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// Two simulators of one name.
    #[error("the world {world} has two simulators named {name}; give one of them another `id`")]
    SameName {
        /// The world.
        world: String,
        /// The name of both.
        name: String,
    },
    /// A switch or a fault of the world that there is not.
    #[error("in the world {world}: {fault}")]
    Setting {
        /// The world.
        world: String,
        /// What is wrong.
        fault: String,
    },
    /// The system gave no threads.
    #[error("could not start the servers of the sandbox: {0}")]
    Runtime(std::io::Error),
    /// What is kept cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl SandboxError {
    /// Whether another sandbox has the same folder.
    pub fn is_in_use(&self) -> bool {
        matches!(self, Self::Open(OpenError::InUse { .. }))
    }

    /// What the system said where the world could not be kept.
    pub fn kept(&self) -> Option<&std::io::Error> {
        match self {
            Self::Store(error) | Self::Open(OpenError::Store(error)) => Some(&error.source),
            _ => None,
        }
    }
}
