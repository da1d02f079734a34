//! Why a sandbox could not be started.

use super::store::StoreError;
use super::world::WorldError;

#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error(transparent)]
    World(#[from] WorldError),
    #[error(
        "could not listen on 127.0.0.1:{port} for the {simulator} simulator: {source}; free the port or choose another"
    )]
    Listen {
        simulator: String,
        /// Which port; 0 stands for any.
        port: u16,
        source: std::io::Error,
    },
    #[error("the world {world} has two simulators named {name}; give one of them another `id`")]
    SameName { world: String, name: String },
    #[error("in the world {world}: {fault}")]
    Setting { world: String, fault: String },
    #[error("could not start the servers of the sandbox: {0}")]
    Runtime(std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}
